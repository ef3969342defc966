"""Files of patterns imported over HTTP, with a real decider behind it."""

import gzip
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from devstack.services import Services as ServiceProcesses
from runtime.settings import Settings
from tests.command_client import Team, answering, created_team, new_id, record_pattern
from tests.databases import fresh_database, settings_for
from tests.services import Services


@pytest.fixture(scope="module")
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        yield settings_for(services, dsn)


@pytest.fixture(scope="module")
def processes(settings: Settings) -> Iterator[ServiceProcesses]:
    with answering(settings) as started:
        yield started


@pytest.fixture
async def team(processes: ServiceProcesses) -> AsyncIterator[Team]:
    async with created_team(processes) as created:
        yield created


async def sent(team: Team, content: bytes, import_id: str, **headers: str) -> httpx.Response:
    url = team.url.replace("/commands", "/imports")
    told = {"Prefer": "wait=30", **headers}
    return await team.http.post(url, params={"import_id": import_id}, content=content, headers=told)


def patterns(count: int) -> list[dict[str, Any]]:
    return [{"name": uuid.uuid4().hex, "tags": ["imported"], "number": number} for number in range(count)]


async def test_more_rows_than_a_request_may_have_are_imported_in_their_order_and_once(team: Team) -> None:
    content = gzip.compress(json.dumps({"patterns": patterns(1200)}).encode())
    import_id = new_id()
    first = (await sent(team, content, import_id, **{"Content-Encoding": "gzip"})).json()
    assert first["counts"] == {"accepted": 1200}
    assert [row["sequence"] for row in first["rows"]] == list(range(2, 1202))
    again = (await sent(team, content, import_id, **{"Content-Encoding": "gzip"})).json()
    assert [{**row, "repeat": False} for row in again["rows"]] == first["rows"]
    assert all(row["repeat"] for row in again["rows"])


async def test_a_row_that_the_log_refuses_hinders_no_other(team: Team) -> None:
    taken = record_pattern()
    assert (await team.send(taken)).status_code == 200
    rows = [*patterns(1), {"name": taken["fields"]["name"]}, *patterns(1)]
    lines = b"\n".join(json.dumps(row).encode() for row in rows)
    body = (await sent(team, lines, new_id(), **{"Content-Type": "application/x-ndjson"})).json()
    assert [(row["status"], row.get("code")) for row in body["rows"]] == [
        ("accepted", None),
        ("rejected", "name_taken"),
        ("accepted", None),
    ]
    found = await team.look_up(body["rows"][2])
    assert found.json()["sequence"] == body["rows"][2]["sequence"]


async def test_an_import_into_no_team_is_refused_row_by_row(team: Team) -> None:
    nowhere = Team(team.http)
    body = (await sent(nowhere, json.dumps(patterns(2)).encode(), new_id())).json()
    assert [row["code"] for row in body["rows"]] == ["unknown_team"] * 2


async def test_who_does_not_wait_finds_the_outcomes_later(team: Team) -> None:
    content, import_id = json.dumps(patterns(3)).encode(), new_id()
    answer = await sent(team, content, import_id, Prefer="respond-async")
    assert answer.status_code == 202
    assert answer.json()["counts"] == {"pending": 3}
    later = (await sent(team, content, import_id)).json()
    assert later["counts"] == {"accepted": 3}
    assert [row["command_id"] for row in later["rows"]] == [
        row["command_id"] for row in answer.json()["rows"]
    ]
