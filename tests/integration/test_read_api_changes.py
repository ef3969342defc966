"""Changes since a cursor over HTTP."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from events.cursor import Cursor, parse_cursor
from read_api.documents import ChangesPage
from tests.libraries import LibraryRows, ReadApi, running_read_api
from tests.read_rows import PatternRow
from tests.services import Services


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def library(api: ReadApi) -> LibraryRows:
    return await api.new_library()


async def pull(api: ReadApi, library: LibraryRows, cursor: str | None = None, **parameters: Any) -> Any:
    """All changes from a cursor on, and the last cursor."""
    changes: list[dict[str, Any]] = []
    while True:
        given = {} if cursor is None else {"cursor": cursor}
        body = await api.get(f"{library.url}/changes", **given, **parameters)
        changes += body["changes"]
        cursor = body["cursor"]
        if not body["has_more"]:
            return changes, cursor


async def test_from_nothing_comes_the_latest_state_of_each_pattern_by_sequence(
    api: ReadApi, library: LibraryRows
) -> None:
    first, second, third = [await library.record(f"p{number}") for number in range(3)]
    edited = await library.edit(first, description="new")
    deleted = await library.delete(second)
    body = await api.get(f"{library.url}/changes")
    assert body["changes"] == [third.document, edited.document, deleted.tombstone]
    assert body["has_more"] is False
    ChangesPage.model_validate(body)


async def test_after_a_cursor_come_only_later_changes(api: ReadApi, library: LibraryRows) -> None:
    kept, edited = await library.record("kept"), await library.record("edited")
    _, cursor = await pull(api, library)
    edited = await library.edit(edited, description="new")
    changes, _ = await pull(api, library, cursor)
    assert changes == [edited.document]
    assert kept.document not in changes


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
async def test_pages_end_exactly_where_the_changes_do(api: ReadApi, library: LibraryRows, limit: int) -> None:
    made = [await library.record(f"p{number}") for number in range(5)]
    sizes: list[int] = []
    cursor, has_more = api.cursor(library, 0), True
    while has_more:
        body = await api.get(f"{library.url}/changes", limit=limit, cursor=cursor)
        sizes.append(len(body["changes"]))
        cursor, has_more = body["cursor"], body["has_more"]
        assert parse_cursor(cursor).sequence == made[sum(sizes) - 1].sequence
    assert sizes == [min(limit, 5 - done) for done in range(0, 5, limit)]


async def test_an_event_that_changes_no_pattern_moves_the_cursor(api: ReadApi, library: LibraryRows) -> None:
    changes, cursor = await pull(api, library)
    assert changes == []
    assert parse_cursor(cursor) == Cursor(log_id=api.log_id, team_id=library.team_id, sequence=1)
    await library.advance(by=3)
    assert await pull(api, library, cursor) == ([], api.cursor(library, 4))


async def test_a_cursor_ahead_of_the_read_models_is_kept(api: ReadApi, library: LibraryRows) -> None:
    await library.record("p")
    ahead = api.cursor(library, 100)
    assert await pull(api, library, ahead) == ([], ahead)


async def test_a_replica_that_pulls_while_others_write_ends_up_equal(
    api: ReadApi, library: LibraryRows
) -> None:
    random = Random(7)
    patterns: list[PatternRow] = []

    async def write() -> None:
        for number in range(150):
            if not patterns or random.random() < 0.3:
                patterns.append(await library.record(f"p{number}"))
                continue
            at = random.randrange(len(patterns))
            if patterns[at].status != "deleted":
                change = library.delete if random.random() < 0.1 else library.archive
                patterns[at] = await change(patterns[at])

    replica: dict[str, Any] = {}
    writing, cursor = asyncio.create_task(write()), None
    while True:
        finished = writing.done()
        changes, cursor = await pull(api, library, cursor, limit=3)
        replica |= {change["pattern_id"]: change for change in changes}
        if finished:
            break
    await writing
    shown = {one.pattern_id: one.tombstone if one.status == "deleted" else one.document for one in patterns}
    assert replica == shown
    assert len(replica) > 20


async def test_a_page_ends_early_rather_than_grow_beyond_its_bytes(
    api: ReadApi, library: LibraryRows
) -> None:
    made = [await library.record(f"p{number}", description="x" * 2**20) for number in range(10)]
    body = await api.get(f"{library.url}/changes", limit=5000)
    assert (len(body["changes"]), body["has_more"]) == (8, True)
    rest = await api.get(f"{library.url}/changes", limit=5000, cursor=body["cursor"])
    assert (rest["changes"], rest["has_more"]) == ([one.document for one in made[8:]], False)


async def test_one_change_larger_than_a_page_still_comes(api: ReadApi, library: LibraryRows) -> None:
    made = [await library.record(f"p{number}", description="x" * (9 * 2**20)) for number in range(2)]
    changes, _ = await pull(api, library)
    assert changes == [one.document for one in made]


async def test_a_cursor_of_another_team_is_refused(api: ReadApi, library: LibraryRows) -> None:
    other = await api.new_library()
    for name in ("cursor", "at_least"):
        found = await api.problem(f"{library.url}/changes", **{name: api.cursor(other, 1)})
        assert found == (400, "cursor_of_another_team")


async def test_a_cursor_of_another_log_says_how_to_start_again(api: ReadApi, library: LibraryRows) -> None:
    await library.record("p")
    old = str(Cursor(log_id=str(uuid.uuid4()), team_id=library.team_id, sequence=1))
    for name in ("cursor", "at_least"):
        answer = await api.client.get(f"{library.url}/changes", params={name: old})
        assert (answer.status_code, answer.json()["code"]) == (410, "log_changed")
        body = await api.get(answer.json()["bootstrap"])
        assert [change["fields"]["name"] for change in body["changes"]] == ["p"]


async def test_a_damaged_cursor_is_refused(api: ReadApi, library: LibraryRows) -> None:
    good = api.cursor(library, 1)
    for cursor in ("", "x", good[:-1], "é" + good, good.swapcase(), good + good, "A" * 5000, good + "\x00"):
        for name in ("cursor", "at_least"):
            found = await api.problem(f"{library.url}/changes", **{name: cursor})
            assert found == (400, "bad_cursor"), cursor


async def test_to_who_does_not_belong_there_a_cursor_says_whether_its_log_is_there_and_nothing_of_its_team(
    api: ReadApi,
) -> None:
    team_id = str(uuid.uuid4())
    url = f"/api/v1/teams/{team_id}/changes"
    cursors = {
        Cursor(log_id=api.log_id, team_id=team_id, sequence=7): (404, "unknown_team"),
        Cursor(log_id=str(uuid.uuid4()), team_id=team_id, sequence=7): (410, "log_changed"),
    }
    for cursor, expected in cursors.items():
        for headers in ({}, {"If-None-Match": "*"}):
            answer = await api.client.get(url, params={"cursor": str(cursor)}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == expected


async def test_an_unknown_team_is_said_to_be_unknown(api: ReadApi) -> None:
    assert await api.problem(f"/api/v1/teams/{uuid.uuid4()}/changes") == (404, "unknown_team")
