"""`python -m benchmarks`: measure, print a table, write build/bench.json."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import auditing, edge, logins, merging, proving, reading, rebuilding, verifying, writing
from benchmarks.statistics import Report

WORKLOADS: Mapping[str, Callable[[Report], None]] = {
    "write": writing.write,
    "three-brokers": writing.three_brokers,
    "read": reading.read,
    "merge": merging.merge,
    "audit": auditing.audit,
    "verify": verifying.verify,
    "rebuild": rebuilding.rebuild,
    "prove": proving.prove,
    "edge": edge.edge,
    "logins": logins.logins,
}


def main() -> None:
    """Run the named workloads, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", choices=[*WORKLOADS, []], default=[])
    report = Report()
    for name in parser.parse_args().workloads or WORKLOADS:
        WORKLOADS[name](report)
        report.write(Path("build/bench.json"))
    report.print()


if __name__ == "__main__":
    main()
