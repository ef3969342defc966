"""Search the model by hand: `python -m tests.model [--large]` prints a line per configuration."""

import argparse
import sys
import time

from tests.model.config import Config
from tests.model.configurations import CHECKED, LARGE
from tests.model.search import search


def main() -> int:
    """Search every configuration of one size; return 1 if any violates an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--large", action="store_true", help="the large ones (minutes, gigabytes)")
    chosen = LARGE if parser.parse_args().large else CHECKED
    reports = [report(config) for config in chosen]
    return 0 if all(reports) else 1


def report(config: Config) -> bool:
    """Search one configuration and print what was seen; tell whether nothing was wrong."""
    began = time.process_time()
    result = search(config)
    row = (config.name, f"{result.states:,}", f"{result.steps:,}", str(result.depth))
    sys.stdout.write(f"| {' | '.join(row)} | {time.process_time() - began:.0f} s |\n")
    if result.found:
        sys.stdout.write(f"{', '.join(result.found.kinds)}\n{result.found.trace}\n")
    sys.stdout.flush()
    return result.found is None


if __name__ == "__main__":
    sys.exit(main())
