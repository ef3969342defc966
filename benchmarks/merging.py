"""What merging costs: deciding with merges beside deciding without, and many who edit one pattern at once."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from benchmarks.commands import TEAMS, bearer, command_id, path_of
from benchmarks.connection import BadAnswer, Connection
from benchmarks.running import services, stack
from benchmarks.statistics import Report, Sample
from benchmarks.writing import EVERYTHING, RUNS, warm_up
from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.micro_batch import decide_batch
from command_api.decider.recovery import Orphans
from command_api.decider.requests import PartitionIdentity, read_request
from command_api.decider.snapshot import LogHead, Snapshot
from events.json_text import Json, dump
from events.pattern import Pattern, stream_of
from events.record import Record
from events.stream import StreamState
from events.team import STREAM as TEAM_STREAM
from events.team import Team

LINES = 12
"""Of each text: as many as a rule of ruff's book has in its longest one."""
PATTERNS = 500
EDITS = 10_000
CONNECTIONS = 64
HERE = PartitionIdentity(log_id="0198c0de-0000-7000-8000-000000000001", partition=0, partitions=1)


def merge(report: Report) -> None:
    """Both."""
    _decide(report)
    with stack() as running:
        warm_up(running)
        with services(running, *EVERYTHING, prefix="hot") as started:
            _one_pattern(report, started.url("command-api"), started.url("read-api"))


# ---------------------------------------------------------------- deciding


def _decide(report: Report) -> None:
    """A batch of edits of one text each; of the same ones, where somebody changed another line meanwhile."""
    costs: dict[str, list[float]] = {"clean": [], "merged": []}
    for run in range(RUNS + 1):
        for status, base_version in (("clean", 2), ("merged", 1)):
            cost = _cost_of(base_version, "accepted" if status == "clean" else "merged")
            # The first one warms up.
            costs[status] += [cost] if run else []
    clean = report.add("deciding", "an edit of a text, clean", costs["clean"], "us")
    report.add_beside("deciding", "an edit of a text, merged", costs["merged"], "us", "clean", clean)


def _cost_of(base_version: int, status: str) -> float:
    """Microseconds per command, from its record to those of its event and outcome."""
    records = [_record(number, _edit(number, base_version)) for number in range(PATTERNS)]
    working = WorkingSet(Memory(), _rows())
    began = time.perf_counter()
    requests = [read_request(record, HERE) for record in records]
    decided = decide_batch(requests, working, HERE, Orphans([], 0), lambda _: False)
    seconds = time.perf_counter() - began
    told = {answer.status for _, answer in decided.outcomes}
    if told != {status}:
        raise RuntimeError(f"{told} where all should be {status}")
    return seconds / PATTERNS * 1_000_000


def _rows() -> Snapshot:
    """Patterns of which somebody has edited the first line at version 2."""
    team, first, second = TEAMS[0], _fields(), _fields(0)
    streams = [stream_of(_pattern_id(number)) for number in range(PATTERNS)]
    states: dict[tuple[str, str], StreamState] = {(team, TEAM_STREAM): Team(version=1, name="Bench")}
    pattern = Pattern(
        version=2, status="live", fields=second, field_versions={**dict.fromkeys(first, 1), "solution": 2}
    )
    return Snapshot(
        heads_checkpoint=None,
        outcomes_checkpoint=None,
        position=None,
        states=states | {(team, stream): replace(pattern) for stream in streams},
        versions={
            (team, stream, at): fields for stream in streams for at, fields in ((1, first), (2, second))
        },
        events={},
        names={},
        logs={team: LogHead(sequence=2, hash="0" * 64)},
        answers={},
    )


def _edit(number: int, base_version: int) -> dict[str, Json]:
    changed = (LINES - 1,) if base_version == 1 else (0, LINES - 1)
    return {
        "type": "edit_pattern",
        "command_id": command_id(),
        "pattern_id": _pattern_id(number),
        "base_version": base_version,
        "set": {"solution": _fields(*changed)["solution"]},
    }


def _fields(*changed: int) -> dict[str, Json]:
    lines = [f"line {line}: " + "s" * 30 + ("!" if line in changed else "") for line in range(LINES)]
    return {"name": "p", "description": "d" * 250, "solution": "\n".join(lines), "severity": "low"}


def _pattern_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _record(offset: int, command: dict[str, Json]) -> Record:
    return Record(
        partition=0,
        offset=offset,
        timestamp_ms=int(time.time() * 1000),
        key=TEAMS[0].encode(),
        value=dump(command),
        headers={"actor": b"bench", "request_id": b"bench"},
    )


# ---------------------------------------------------------------- one hot pattern


def _one_pattern(report: Report, command_url: str, read_url: str) -> None:
    """Each connection counts up, and keeps a tag of its own, without ever reading what others did."""
    sample = asyncio.run(_edit_together(command_url))
    pattern = asyncio.run(_read(read_url))
    counted, tags = pattern["counters"]["seen"], len(pattern["tags"])
    if (counted, tags) != (EDITS, CONNECTIONS):
        raise RuntimeError(
            f"lost: {counted} of {EDITS} edits were counted, {tags} of {CONNECTIONS} tags are there"
        )
    at = f"{EDITS:,} edits at {CONNECTIONS}"
    report.add("one hot pattern", f"{at}, none lost", [sample.per_second], "edits/s")
    report.add("one hot pattern", "p50", [sample.quantile_ms(0.5)], "ms")
    report.add("one hot pattern", "p99", [sample.quantile_ms(0.99)], "ms")


async def _edit_together(url: str) -> Sample:
    first, numbers, latencies = command_id(), count(), list[float]()
    fields = {"name": "hot", "counters": {"seen": 0}, "tags": []}
    recorded = {"type": "record_pattern", "command_id": first, "pattern_id": _pattern_id(0), "fields": fields}
    await _send(Connection(url, bearer()), recorded)
    began = time.perf_counter()
    editors = (
        _editor(url, own, first, lambda: next(numbers) < EDITS, latencies) for own in range(CONNECTIONS)
    )
    await asyncio.gather(*editors)
    return Sample(seconds=time.perf_counter() - began, latencies=latencies)


async def _editor(url: str, own: int, base: str, goes_on: Callable[[], bool], latencies: list[float]) -> None:
    connection, counted, tags = Connection(url, bearer()), 0, [f"tag {own}"]
    while goes_on():
        counted += 1
        began = time.perf_counter()
        given: dict[str, Json] = {"counters": {"seen": counted}, "tags": tags}
        answer = await _send(connection, _next_edit(base, given))
        latencies.append(time.perf_counter() - began)
        base = answer["command_id"]
    connection.close()


def _next_edit(base: str, given: dict[str, Json]) -> dict[str, Json]:
    return {
        "type": "edit_pattern",
        "command_id": command_id(),
        "pattern_id": _pattern_id(0),
        "base_command": base,
        "set": given,
    }


async def _send(connection: Connection, command: dict[str, Json]) -> dict[str, Json]:
    status, answer = await connection.request("POST", path_of(0), json.dumps(command).encode())
    if status != 200:
        raise BadAnswer(f"{status}: {answer[:300]!r}")
    body: dict[str, Json] = json.loads(answer)
    return body


async def _read(url: str) -> dict[str, Json]:
    connection = Connection(url, bearer())
    path = f"/api/v1/teams/{TEAMS[0]}/patterns/{_pattern_id(0)}"
    while True:
        _, answer = await connection.request("GET", path)
        body: dict[str, Json] = json.loads(answer)
        # Versions are gapless: the pattern was recorded, and each edit made one.
        if body.get("version") == EDITS + 1:
            connection.close()
            fields: dict[str, Json] = body["fields"]
            return fields
        await asyncio.sleep(0.1)
