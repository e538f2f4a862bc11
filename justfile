# Short names for what is done often. Each works without `just`, by the command below it.

# Lists these recipes.
default:
    @just --list

# Formatting, lints, documentation.
check:
    scripts/test lint

# All tests; `just test rust` or `just test languages` for a part of them.
test part="all":
    scripts/test {{ part }}

# Hand-offs per second, and their latencies.
bench *arguments:
    cargo run --release -- bench {{ arguments }}

# Beside its peers, in figures and plots; see docs/performance.
compare *arguments:
    cargo build --release && cargo run --release -p baton-bench -- compare {{ arguments }}

# A support desk of several agents, drawn as it works.
demo *arguments:
    cargo run --release -- demo {{ arguments }}
