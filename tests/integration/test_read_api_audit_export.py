"""The audit and the log as streams: whole, in constant memory, and recognizable where they are cut off."""

import csv
import io
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import Mock

import psutil
import pytest
from starlette.requests import ClientDisconnect

from events.cursor import parse_cursor
from events.envelope import decode, record_hash
from events.log_line import log_line
from events.pattern import PatternDeleted, PatternRecorded
from events.record import NewRecord
from read_api import roles, scanning
from read_api.audit_export import CutOffStream
from runtime.authentication import unauthenticated
from tests.audits import AuditedLog, audited_log, fill_audit
from tests.libraries import ReadApi, running_read_api
from tests.scribe import edited, new_records
from tests.services import Services
from tests.tokens import SignedTokens, bearer

_SEEDS = count(100)
BUSY = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
   AND query LIKE '%FROM audit %'
"""
MOST_GROWTH = 16 * 1024 * 1024
"""Bytes; the rows themselves are some hundred times that."""
FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def log(api: ReadApi) -> AuditedLog:
    return await audited_log(api, next(_SEEDS))


async def told(log: AuditedLog, patterns: int = 3) -> str:
    """A team with some events, of which one actor's name looks like a formula."""
    team = log.events.team("Ada's, \"and\nBob's")
    for number in range(patterns):
        pattern = log.events.pattern(team, PatternRecorded(fields={"name": f"n{number}", "x": 1.0}))
        event = (f"patterns/{pattern}", edited(1, description="@SUM(1)"))
        log.events.command(team, event, actor=FORMULA, request_id="'quoted")
        log.events.pattern(team, PatternDeleted(), pattern)
    await log.project()
    return f"/api/v1/teams/{team}/audit"


@pytest.mark.parametrize("chunk", [1, 3, 1000])
async def test_an_export_has_every_entry_and_says_that_it_is_whole(
    api: ReadApi, log: AuditedLog, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "CHUNK", chunk)
    url = await told(log)
    answer = await api.client.get(f"{url}/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    *lines, last = map(json.loads, answer.text.splitlines())
    body = await api.get(url)
    assert lines == body["entries"]
    assert last == {"end": {"count": 10, "cursor": body["cursor"]}}
    assert answer.headers["patternlog-cursor"] == body["cursor"]


async def test_an_export_can_be_filtered_and_ends_at_the_point_at_which_it_began(
    api: ReadApi, log: AuditedLog
) -> None:
    url = await told(log)
    answer = await api.client.get(f"{url}/export", params={"actor": FORMULA, "text": "sum"})
    *lines, last = map(json.loads, answer.text.splitlines())
    assert [line["sequence"] for line in lines] == [3, 6, 9]
    assert last["end"]["count"] == 3


async def test_a_sheet_has_one_row_per_entry_and_no_formula(api: ReadApi, log: AuditedLog) -> None:
    url = await told(log)
    answer = await api.client.get(f"{url}/export", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    head, *rows, last = csv.reader(io.StringIO(answer.text, newline=""))
    assert last == ["end", "10", answer.headers["patternlog-cursor"]]
    entries = (await api.get(url))["entries"]
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert [json.loads(one["changes"]) for one in found] == [one["changes"] for one in entries]
    assert (found[2]["actor"], found[2]["request_id"]) == (f"'{FORMULA}", "''quoted")
    assert (found[0]["address"], found[0]["sequence"]) == ("", "1")
    cells = [cell for row in rows for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


async def test_the_log_has_each_record_as_it_was_written(api: ReadApi, log: AuditedLog) -> None:
    url = await told(log)
    answer = await api.client.get(f"{url}/log")
    records = new_records(log.events.records[1:])
    assert answer.content == b"".join(log_line(decode(record)) for record in records)
    assert answer.headers["patternlog-last-sequence"] == "10"
    rebuilt = [from_line(line) for line in answer.text.splitlines()]
    assert [record_hash(one) for one in rebuilt] == [record_hash(one) for one in records]


def from_line(line: str) -> NewRecord:
    value = json.loads(line)
    headers = {name: text.encode() for name, text in value["headers"].items()}
    team_id = value["headers"]["ce_source"].rpartition("/")[2]
    return NewRecord(key=team_id.encode(), value=value["data"].encode(), headers=headers)


async def test_a_part_of_the_log_can_be_asked_for(api: ReadApi, log: AuditedLog) -> None:
    url = await told(log)
    end = parse_cursor((await api.client.get(f"{url}/log")).headers["patternlog-cursor"])
    until = str(replace(end, sequence=5))
    parts: list[tuple[dict[str, int | str], list[int]]] = [
        ({"from": 9}, [9, 10]),
        ({"from": 11}, []),
        ({"from": 4, "to": until}, [4, 5]),
    ]
    for asked, wanted in parts:
        answer = await api.client.get(f"{url}/log", params=asked)
        assert [json.loads(line)["sequence"] for line in answer.text.splitlines()] == wanted
    assert await api.problem(f"{url}/log", **{"from": 0}) == (400, "invalid_parameter")
    assert await api.problem(f"{url}/log", to="AA") == (400, "bad_cursor")
    assert await api.problem(f"{url}/export", format="xml") == (400, "invalid_parameter")


async def test_a_log_that_is_not_whole_in_the_audit_is_never_passed_off_as_whole(
    api: ReadApi, log: AuditedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await told(log)
    team = url.split("/")[4]
    monkeypatch.setattr(scanning, "CHUNK", 2)
    await api.pg.execute("DELETE FROM audit WHERE team_id = $1 AND sequence = 10", team)
    assert await cut_off(api, f"{url}/log") == 9
    await api.pg.execute("DELETE FROM audit WHERE team_id = $1 AND sequence = 5", team)
    assert await cut_off(api, f"{url}/log") == 4
    await api.pg.execute("DELETE FROM audit WHERE team_id = $1 AND sequence = 1", team)
    assert await api.problem(f"{url}/log") == (503, "log_incomplete")


async def test_what_is_written_meanwhile_is_not_in_an_export(
    api: ReadApi, log: AuditedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await told(log)
    monkeypatch.setattr(scanning, "CHUNK", 4)
    parts: list[bytes] = []

    async def write_more(part: bytes) -> None:
        parts.append(part)
        log.events.pattern(url.split("/")[4], PatternRecorded(fields={"name": f"late {len(parts)}"}))
        await log.project()

    await streamed(api, f"{url}/export", write_more)
    *lines, last = map(json.loads, b"".join(parts).splitlines())
    assert [line["sequence"] for line in lines] == list(range(1, 11))
    assert last["end"]["count"] == 10


async def test_a_client_that_reads_slowly_or_goes_away_holds_nothing_in_postgres(
    api: ReadApi, log: AuditedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await told(log)
    monkeypatch.setattr(scanning, "CHUNK", 4)
    seen: list[int] = []

    async def look(_: bytes) -> None:
        seen.append(await api.pg.fetchval(BUSY))
        if len(seen) == 2:
            raise OSError("it has gone")

    with pytest.raises(ClientDisconnect):
        await streamed(api, f"{url}/export", look)
    assert seen == [0, 0]
    assert len((await api.get(url))["entries"]) == 10


async def test_an_export_of_a_log_that_is_restored_meanwhile_is_cut_off(
    api: ReadApi, log: AuditedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await told(log)
    monkeypatch.setattr(scanning, "CHUNK", 4)
    parts: list[bytes] = []

    async def restore(part: bytes) -> None:
        parts.append(part)
        statement = "UPDATE projected_logs SET log_id = gen_random_uuid() WHERE team_id = $1"
        await api.pg.execute(statement, url.split("/")[4])

    with pytest.raises(CutOffStream):
        await streamed(api, f"{url}/export", restore)
    *lines, last = map(json.loads, b"".join(parts).splitlines())
    assert (len(lines), last["cut_off"]["count"]) == (4, 4)


@pytest.mark.parametrize("loses", ["membership", "credential"])
async def test_an_export_of_somebody_who_loses_what_let_them_in_is_cut_off(
    api: ReadApi, log: AuditedLog, monkeypatch: pytest.MonkeyPatch, loses: str
) -> None:
    url, parts = await told(log), list[bytes]()
    monkeypatch.setattr(scanning, "CHUNK", 4)
    monkeypatch.setattr(roles, "KNOWN_S", 0.0)

    async def lose(part: bytes) -> None:
        parts.append(part)
        if loses == "credential":
            monkeypatch.setattr(SignedTokens, "principal_of", Mock(side_effect=unauthenticated("gone")))
        else:
            await api.pg.execute("DELETE FROM members WHERE team_id = $1", url.split("/")[4])

    with pytest.raises(CutOffStream):
        await streamed(api, f"{url}/export", lose)
    *lines, last = map(json.loads, b"".join(parts).splitlines())
    assert (len(lines), last["cut_off"]["count"]) == (4, 4)


async def test_an_export_waits_for_what_its_client_has_seen(api: ReadApi, log: AuditedLog) -> None:
    url = await told(log)
    end = parse_cursor((await api.client.get(f"{url}/log")).headers["patternlog-cursor"])
    for route in ("", "/refusals", "/export", "/log"):
        later = str(replace(end, sequence=11))
        assert await api.problem(url + route, at_least=later, timeout=0) == (503, "not_yet_visible")


async def cut_off(api: ReadApi, url: str) -> int:
    """The lines of an answer that is cut off."""
    parts: list[bytes] = []

    async def keep(part: bytes) -> None:
        parts.append(part)

    with pytest.raises(CutOffStream):
        await streamed(api, url, keep)
    return b"".join(parts).count(b"\n")


async def streamed(
    api: ReadApi, url: str, on_part: Callable[[bytes], Awaitable[None]], query: str = ""
) -> None:
    """Ask the app for an answer, part by part."""
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": url,
        "raw_path": url.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"authorization", bearer("ada").encode())],
        "client": ("127.0.0.1", 1),
        "server": ("read", 80),
        "scheme": "http",
    }

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        elif message["body"]:
            await on_part(message["body"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await api.app(scope, receive, send)


@pytest.mark.timeout(300)
async def test_memory_does_not_grow_with_the_number_of_rows(api: ReadApi) -> None:
    many, warm = 1_000_000, 100_000
    team, lines, resident = str(uuid.uuid4()), 0, psutil.Process().memory_info
    early = late = 0

    async def look(part: bytes) -> None:
        nonlocal lines, early, late
        lines += part.count(b"\n")
        if lines <= warm:
            early = max(early, resident().rss)
        else:
            late = max(late, resident().rss)

    await fill_audit(api.pg, team, api.log_id, many)
    await streamed(api, f"/api/v1/teams/{team}/audit/export", look)
    assert lines == many + 1
    assert late - early < MOST_GROWTH
    lines = early = late = 0
    await streamed(api, f"/api/v1/teams/{team}/audit/log", look, f"from={many * 3 // 4}")
    assert lines == many // 4 + 1
    assert late - early < MOST_GROWTH
