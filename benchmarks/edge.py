"""What rate limits cost commands: two command APIs on one log, one with limits and one without, turn by turn."""

import asyncio
from collections.abc import Callable

from benchmarks.commands import TOKEN, single
from benchmarks.connection import drive
from benchmarks.running import services, stack
from benchmarks.statistics import Report, Sample
from benchmarks.writing import RUNS, SECONDS, WARM_UP_SECONDS, warm_up

CONNECTIONS = 64
USERS = 1_000
_ENOUGH = "100000000"
"""So many in a minute that nobody is refused."""
_LIMITED = {"rate_limits": "true", "rate_free_writes": _ENOUGH}

Headers = Callable[[int], dict[str, str]]


def edge(report: Report) -> None:
    """Single commands of one user, whose hits are leased, and of a thousand, whose are not."""
    with stack(redis=True) as running:
        warm_up(running)
        with services(running, "command-api", "decider", prefix="edge") as started:
            started.start("command-api:limited", **_LIMITED)
            free, limited = started.url("command-api"), started.url("limited")
            _compare(report, "one user", free, limited, lambda _: TOKEN)
            _compare(report, f"{USERS} users", free, limited, _one_of_many)


def _one_of_many(number: int) -> dict[str, str]:
    return {"Authorization": f"Bearer dev-user{number % USERS}"}


def _compare(report: Report, who: str, free: str, limited: str, headers: Headers) -> None:
    samples: dict[str, list[Sample]] = {free: [], limited: []}
    for url in samples:
        _drive(url, headers, WARM_UP_SECONDS)
    for _ in range(RUNS):
        for url, taken in samples.items():
            taken.append(_drive(url, headers, SECONDS))
    name = f"commands of {who} at {CONNECTIONS}"
    rates = {url: [sample.per_second for sample in taken] for url, taken in samples.items()}
    without = report.add(name, "rate without limits", rates[free], "commands/s")
    report.add_beside(name, "rate with limits", rates[limited], "commands/s", "without", without)
    for url, what in ((free, "without"), (limited, "with")):
        report.add(name, f"p99 {what} limits", [one.quantile_ms(0.99) for one in samples[url]], "ms")


def _drive(url: str, headers: Headers, seconds: float) -> Sample:
    return asyncio.run(drive(url, headers, single(), connections=CONNECTIONS, seconds=seconds))
