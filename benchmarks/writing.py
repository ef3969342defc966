"""Commands over HTTP, beside what a team would write instead."""

import asyncio

from benchmarks.commands import batch, bearer, single
from benchmarks.connection import MakeRequest, drive
from benchmarks.running import peer, services, stack
from benchmarks.statistics import Report, Sample
from devstack.stack import DevStack

CONNECTIONS = (1, 16, 64, 256)
RUNS = 3
SECONDS = 2.0
WARM_UP_SECONDS = 0.5
BROKER_WARM_UP_SECONDS = 10.0
"""Kafka's own compiler is at work for the first thousands of records, beside what is measured."""
BATCH = 100
WRITE_PATH = ("command-api", "decider")
EVERYTHING = ("command-api", "decider", "projector", "read-api")


def write(report: Report) -> None:
    """Single commands and batches, with Kafka's usual flushing and with a flush of every record."""
    for flush in (False, True):
        with stack(flush=flush) as running:
            warm_up(running)
            _one_stack(report, running, flush=flush)


def three_brokers(report: Report) -> None:
    """The idle latency when every record is on three brokers."""
    with stack(brokers=3) as running:
        warm_up(running, brokers=3)
        with services(running, *WRITE_PATH, prefix="three", brokers=3) as started:
            samples = measure(started.url("command-api"), single(), connections=1)
        report.add("write path, three brokers", "p50 at 1", [s.quantile_ms(0.5) for s in samples], "ms")


def warm_up(running: DevStack, *, brokers: int = 1) -> None:
    """Use the brokers, on a log that is not measured, until they work as they do from then on."""
    with services(running, *WRITE_PATH, prefix="warm-up", brokers=brokers) as started:
        _drive(started.url("command-api"), single(), connections=64, seconds=BROKER_WARM_UP_SECONDS)


def _one_stack(report: Report, running: DevStack, *, flush: bool) -> None:
    note = ", every record flushed" if flush else ""
    with peer("bare", running.postgres_dsn) as url:
        bare = _rates(report, "bare FastAPI", url, single(lambda _: "/commands"))
    with peer("insert", running.postgres_dsn) as url:
        insert = _rates(report, "FastAPI + Postgres insert", url, single(lambda _: "/commands"))
    for name, kinds in (("write path", WRITE_PATH), ("all services", EVERYTHING)):
        prefix = f"{name}-{flush}".replace(" ", "-").lower()
        with services(running, *kinds, prefix=prefix) as started:
            url = started.url("command-api")
            _beside(report, name + note, url, insert, bare)
            samples = measure(url, batch(BATCH), connections=4)
            rates = [sample.per_second * BATCH for sample in samples]
            report.add(name + note, f"acknowledged in batches of {BATCH}", rates, "commands/s")


def _rates(report: Report, name: str, url: str, make: MakeRequest) -> dict[int, float]:
    found = {}
    for connections in CONNECTIONS:
        samples = measure(url, make, connections=connections)
        found[connections] = report.add(
            name, f"rate at {connections}", [sample.per_second for sample in samples], "commands/s"
        )
    return found


def _beside(report: Report, name: str, url: str, insert: dict[int, float], bare: dict[int, float]) -> None:
    for connections in CONNECTIONS:
        samples = measure(url, single(), connections=connections)
        rates = [sample.per_second for sample in samples]
        at = f"at {connections}"
        report.add_beside(name, f"rate {at}", rates, "commands/s", "Postgres insert", insert[connections])
        report.add_beside(name, f"rate {at}", rates, "commands/s", "bare FastAPI", bare[connections])
        for share, label in ((0.5, "p50"), (0.99, "p99")):
            report.add(name, f"{label} {at}", [sample.quantile_ms(share) for sample in samples], "ms")


def measure(url: str, make: MakeRequest, *, connections: int) -> list[Sample]:
    """Some runs after one that does not count."""
    lengths = [WARM_UP_SECONDS] + [SECONDS] * RUNS
    return [_drive(url, make, connections=connections, seconds=seconds) for seconds in lengths][1:]


def _drive(url: str, make: MakeRequest, *, connections: int, seconds: float) -> Sample:
    return asyncio.run(drive(url, bearer(), make, connections=connections, seconds=seconds))
