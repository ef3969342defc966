"""What rate limits cost commands: two command APIs on one log, with limits and without, turn by turn.

Beside the rates stands the processor time of the API, which says more where others use the machine, too.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from benchmarks.commands import bearer, single
from benchmarks.connection import drive
from benchmarks.running import services, stack
from benchmarks.statistics import Report, Sample
from benchmarks.writing import RUNS, SECONDS, WARM_UP_SECONDS, warm_up
from devstack.services import Services

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
            apis = [_Api.of(started, name) for name in ("command-api", "limited")]
            _compare(report, "one user", *apis, headers=lambda _: bearer())
            _compare(report, f"{USERS} users", *apis, headers=_one_of_many)


def _one_of_many(number: int) -> dict[str, str]:
    return bearer(f"user{number % USERS}")


@dataclass
class _Api:
    """A command API under load: its samples, and in each the microseconds of processor time of a command."""

    url: str
    process: psutil.Process
    samples: list[Sample] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, started: Services, name: str) -> "_Api":
        return cls(started.url(name), psutil.Process(started.process(name).pid))

    def drive(self, headers: Headers, seconds: float) -> None:
        before = self.process.cpu_times()
        sample = asyncio.run(drive(self.url, headers, single(), connections=CONNECTIONS, seconds=seconds))
        after = self.process.cpu_times()
        self.samples.append(sample)
        used = after.user + after.system - before.user - before.system
        self.costs.append(used * 1e6 / len(sample.latencies))


def _compare(report: Report, who: str, free: _Api, limited: _Api, *, headers: Headers) -> None:
    for api in (free, limited):
        api.drive(headers, WARM_UP_SECONDS)
        api.samples.clear()
        api.costs.clear()
    for _ in range(RUNS):
        for api in (free, limited):
            api.drive(headers, SECONDS)
    name = f"commands of {who} at {CONNECTIONS}"
    rates, limited_rates = ([sample.per_second for sample in api.samples] for api in (free, limited))
    without = report.add(name, "rate without limits", rates, "commands/s")
    report.add_beside(name, "rate with limits", limited_rates, "commands/s", "without", without)
    cost = report.add(name, "processor time without", free.costs, "µs")
    report.add_beside(name, "processor time with", limited.costs, "µs", "without", cost)
