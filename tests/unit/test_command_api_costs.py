"""What is large to read costs its sender accordingly, and holds nobody else up."""

import threading
from collections.abc import AsyncIterator

import httpx
import pytest

from command_api.imports.routes import router as imports
from command_api.members import planning
from command_api.members import routes as members
from command_api.members.planning import InvalidRow, MemberRow
from command_api.routes import router as commands
from runtime.uploads.rows import Row
from runtime.web import build_app
from tests.command_client import new_id
from tests.limited import Known, limited, of
from tests.web import client_of

TEAM = "0198c0de-0000-7000-8000-00000000000a"
MIB = 1024 * 1024
LIMIT = 500


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = build_app("t", limited(rate_free_writes=LIMIT), [commands, imports, members.router], [])
    app.state.authenticator = Known()
    app.state.command_api = None
    async with client_of(app) as client:
        yield client


async def test_a_large_body_is_paid_for_before_it_is_read(client: httpx.AsyncClient) -> None:
    async def answer() -> int:
        body = b"?" * (4 * MIB)
        return (
            await client.post(f"/api/v1/teams/{TEAM}/commands", content=body, headers=of("ada"))
        ).status_code

    assert [await answer() for _ in range(5)] == [400, 400, 400, 429, 429]


async def test_an_import_is_paid_for_by_its_uncompressed_size_also_if_nothing_is_sent(
    client: httpx.AsyncClient,
) -> None:
    row = b'{"name": "x", "description": "' + b"y" * MIB + b'"}\n'

    async def answer() -> int:
        path = f"/api/v1/teams/{TEAM}/imports?dry_run=true&import_id={new_id()}"
        headers = {"Content-Type": "application/x-ndjson", **of("ada")}
        return (await client.post(path, content=row * 4, headers=headers)).status_code

    assert [await answer() for _ in range(5)] == [200, 200, 200, 429, 429]


async def test_members_are_read_aside_and_long_rows_not_at_all(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def read_row(row: Row) -> MemberRow | InvalidRow:
        threads.add(threading.get_ident())
        return members_read_row(row)

    members_read_row = planning.read_row
    monkeypatch.setattr(members, "read_row", read_row)
    path = f"/api/v1/organizations/{TEAM}/members/batch?batch_id={new_id()}"
    rows = [{f"x{n}": n for n in range(1000)}, {"action": {"of": "many"}}, {"action": "add"}]
    answer = await client.post(path, json=rows, headers=of("ada"))
    assert [row["code"] for row in answer.json()["rows"]] == ["too_large", "too_deep", "invalid_row"]
    assert threading.get_ident() not in threads
