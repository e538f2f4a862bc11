"""Runs the scenario of tests/scenarios/README.md from Python. Usage: scenario.py [--after-restart] NAMESPACE

Against the server at BATON_ADDR; NAMESPACE must be a fresh one, or the one of the run before the restart.
"""

import argparse
import sys
from pathlib import Path

# The same connection and the same reader of refusals that the examples show.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python"))

from promise import keep
from promises import handoffs, histories, restart, server, states, tasks, watches
from run import Run

FRESH = [*server.FIRST, *tasks.ALL, *states.ALL, *handoffs.ALL, *histories.ALL, *watches.ALL, *server.LAST]


def main():
    parser = argparse.ArgumentParser(description="Checks what Baton promises to programs in any language.")
    parser.add_argument("namespace")
    parser.add_argument("--after-restart", action="store_true", help="checks what an earlier run has left")
    options = parser.parse_args()
    promises = restart.ALL if options.after_restart else FRESH
    return keep(promises, Run(options.namespace))


if __name__ == "__main__":
    sys.exit(main())
