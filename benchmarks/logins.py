"""What 50 logins at once do to commands: their latency while passwords are hashed, beside the idle one."""

import asyncio
import json
import secrets
import time

from benchmarks.commands import bearer, single
from benchmarks.connection import Connection, drive
from benchmarks.running import services, stack
from benchmarks.statistics import Report, Sample
from benchmarks.writing import RUNS, SECONDS, warm_up
from devstack.services import Services

Account = dict[str, str]

LOGINS = 50
CONNECTIONS = 8
"""Commands under way at once: not so many that they wait for one another."""


def logins(report: Report) -> None:
    """Commands with nobody logging in, and while 50 do, turn by turn."""
    with stack(redis=True) as running:
        warm_up(running)
        with services(running, "command-api", "decider", prefix="logins") as started:
            accounts = asyncio.run(_register(started.url("command-api")))
            _drive(started, SECONDS)
            turns = [(_drive(started, SECONDS), *_while_logging_in(started, accounts)) for _ in range(RUNS)]
    idle, busy, took = zip(*turns, strict=True)
    name = f"commands at {CONNECTIONS} beside {LOGINS} logins"
    report.add(name, "all logged in after", list(took), "s")
    for share, label in ((0.5, "p50"), (0.99, "p99")):
        alone = report.add(name, f"{label} idle", [one.quantile_ms(share) for one in idle], "ms")
        values = [one.quantile_ms(share) for one in busy]
        report.add_beside(name, f"{label} with logins", values, "ms", "idle", alone)


def _drive(started: Services, seconds: float) -> Sample:
    url = started.url("command-api")
    return asyncio.run(drive(url, bearer(), single(), connections=CONNECTIONS, seconds=seconds))


def _while_logging_in(started: Services, accounts: list[Account]) -> tuple[Sample, float]:
    return asyncio.run(_both(started.url("command-api"), accounts))


async def _both(url: str, accounts: list[Account]) -> tuple[Sample, float]:
    began = time.perf_counter()
    logging_in = asyncio.gather(*(_log_in(url, account) for account in accounts))
    driving = drive(url, bearer(), single(), connections=CONNECTIONS, seconds=SECONDS)
    sample = await driving
    await logging_in
    return sample, time.perf_counter() - began


async def _log_in(url: str, account: Account) -> None:
    await _post(url, "login", account, 200)


async def _register(url: str) -> list[Account]:
    accounts = [{"username": f"bench{n}", "password": secrets.token_urlsafe(18)} for n in range(LOGINS)]
    addressed = [{**account, "email": f"{account['username']}@example.org"} for account in accounts]
    await asyncio.gather(*(_post(url, "register", account, 201) for account in addressed))
    return accounts


async def _post(url: str, route: str, body: Account, expected: int) -> None:
    connection = Connection(url)
    status, answer = await connection.request("POST", f"/api/v1/auth/{route}", json.dumps(body).encode())
    connection.close()
    if status != expected:
        raise RuntimeError(f"{status}: {answer!r}")
