"""The promises of the scenario, one file for each noun. Each check leaves the server as the next one expects it."""
