"""What knowing who asks, and limiting them, costs commands: an API that does neither, and the real one.

Both are on one log and asked turn by turn. Beside the rates stands the processor time of the API, which says
more where others use the machine, too.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from benchmarks.commands import add_members, bearer, single
from benchmarks.connection import drive
from benchmarks.running import in_each_team, services, settings_of, stack
from benchmarks.statistics import Report, Sample
from benchmarks.writing import RUNS, SECONDS, WARM_UP_SECONDS, warm_up
from devstack.services import Services

CONNECTIONS = 64
USERS = [f"user{number}" for number in range(500)]
_PREFIX = "edge"
_ENOUGH = "100000000"
"""So many in a minute that nobody is refused."""
_LIMITED = {"rate_limits": "true", "rate_free_writes": _ENOUGH}

Headers = Callable[[int], dict[str, str]]


def edge(report: Report) -> None:
    """Single commands of one user, whose hits are leased, and of 500, whose are not."""
    with stack(redis=True) as running:
        warm_up(running)
        with (
            services(running, "command-api", "decider", prefix=_PREFIX) as started,
            Services(settings_of(running, _PREFIX), module="benchmarks.open_server") as unguarded,
        ):
            asyncio.run(in_each_team(started.url("command-api"), lambda: add_members(USERS)))
            started.start("command-api:guarded", **_LIMITED)
            unguarded.start("command-api")
            apis = _Api.of(unguarded, "command-api"), _Api.of(started, "guarded")
            _compare(report, "one user", *apis, headers=lambda _: bearer())
            _compare(report, f"{len(USERS)} users", *apis, headers=_one_of_many)


def _one_of_many(number: int) -> dict[str, str]:
    return bearer(USERS[number % len(USERS)])


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


def _compare(report: Report, who: str, free: _Api, guarded: _Api, *, headers: Headers) -> None:
    for api in (free, guarded):
        api.drive(headers, WARM_UP_SECONDS)
        api.samples.clear()
        api.costs.clear()
    for _ in range(RUNS):
        for api in (free, guarded):
            api.drive(headers, SECONDS)
    name = f"commands of {who} at {CONNECTIONS}"
    rates, guarded_rates = ([sample.per_second for sample in api.samples] for api in (free, guarded))
    without = report.add(name, "rate unguarded", rates, "commands/s")
    report.add_beside(name, "rate guarded", guarded_rates, "commands/s", "unguarded", without)
    cost = report.add(name, "processor time unguarded", free.costs, "µs")
    report.add_beside(name, "processor time guarded", guarded.costs, "µs", "unguarded", cost)
