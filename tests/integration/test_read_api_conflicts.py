"""Conflicts over HTTP: lists of them, and one by its id."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from read_api.documents import ConflictsPage
from tests.libraries import LibraryRows, ReadApi, pages_of, running_read_api
from tests.read_rows import PatternRow
from tests.services import Services


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def library(api: ReadApi) -> LibraryRows:
    return await api.new_library()


async def in_conflict(library: LibraryRows, name: str, count: int) -> tuple[PatternRow, list[str]]:
    """A pattern with so many open conflicts, and their ids."""
    pattern, found = await library.record(name), []
    for number in range(count):
        pattern, conflict_id = await library.conflict(pattern, severity=f"mine {number} 日本")
        found.append(conflict_id)
    return pattern, found


async def pages(api: ReadApi, library: LibraryRows, **parameters: Any) -> list[list[dict[str, Any]]]:
    """All pages of a list, in order."""
    found: list[list[dict[str, Any]]] = []
    token: dict[str, str] = {}
    while True:
        body = await api.get(f"{library.url}/conflicts", **parameters, **token)
        ConflictsPage.model_validate(body)
        found.append(body["conflicts"])
        if body["next_page"] is None:
            return found
        token = {"page": body["next_page"]}


async def ended(library: LibraryRows) -> PatternRow:
    """A pattern with conflicts of which one was resolved, one abandoned, and two are open."""
    pattern, (one, two, _, _) = await in_conflict(library, "ended", 4)
    return await library.abandon(await library.resolve(pattern, one, severity="low"), two)


async def test_a_team_without_conflicts_has_an_empty_list(api: ReadApi, library: LibraryRows) -> None:
    await library.record("one")
    body = await api.get(f"{library.url}/conflicts")
    assert body == {"conflicts": [], "next_page": None, "cursor": api.cursor(library, 2)}


async def test_open_conflicts_come_in_the_order_of_their_detection(
    api: ReadApi, library: LibraryRows
) -> None:
    await ended(library)
    _, later = await in_conflict(library, "later", 1)
    found = (await api.get(f"{library.url}/conflicts"))["conflicts"]
    assert found == [one for one in library.conflicts.values() if one["status"] == "open"]
    assert [one["status"] for one in found] == ["open"] * 3
    assert found[-1]["conflict_id"] == later[0]


@pytest.mark.parametrize("status", ["open", "resolved", "abandoned", "deleted", "any"])
async def test_pages_of_any_length_make_the_whole_list_once(
    api: ReadApi, library: LibraryRows, status: str
) -> None:
    gone, chosen = await ended(library), await ended(library)
    await library.delete(gone)
    for pattern_id in (None, gone.pattern_id, chosen.pattern_id):
        wanted = [
            one
            for one in library.conflicts.values()
            if status in ("any", one["status"]) and pattern_id in (None, one["pattern_id"])
        ]
        asked = {"status": status} if pattern_id is None else {"status": status, "pattern_id": pattern_id}
        for limit in (1, 2, 3, len(wanted) + 1):
            found = await pages(api, library, **asked, limit=limit)
            assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
            assert [one for page in found for one in page] == wanted


async def test_a_conflict_tells_how_it_ended(api: ReadApi, library: LibraryRows) -> None:
    await library.delete(await ended(library))
    for conflict in library.conflicts.values():
        assert await api.get(f"{library.url}/conflicts/{conflict['conflict_id']}") == conflict
    resolved, abandoned, deleted, _ = library.conflicts.values()
    assert resolved["closed"]["choices"] == {"severity": "new"}
    assert [one["closed"]["type"] for one in (resolved, abandoned, deleted)] == [
        "pattern.conflict_resolved.v1",
        "pattern.conflict_abandoned.v1",
        "pattern.deleted.v1",
    ]


async def test_a_conflict_that_ends_between_two_pages_moves_no_other(
    api: ReadApi, library: LibraryRows
) -> None:
    pattern, made = await in_conflict(library, "one", 5)
    first = await api.get(f"{library.url}/conflicts", limit=2)
    await library.abandon(await library.abandon(pattern, made[0]), made[2])
    second = await api.get(f"{library.url}/conflicts", limit=2, page=first["next_page"])
    assert [one["conflict_id"] for one in second["conflicts"]] == made[3:]


async def test_a_page_ends_early_rather_than_grow_beyond_its_bytes(
    api: ReadApi, library: LibraryRows
) -> None:
    pattern = await library.record("large")
    for _ in range(10):
        pattern, _ = await library.conflict(pattern, description="x" * 2**20)
    for status in ("open", "any"):
        assert [len(page) for page in await pages(api, library, limit=1000, status=status)] == [8, 2]


async def test_a_page_is_good_for_its_own_question_only(api: ReadApi, library: LibraryRows) -> None:
    pattern, _ = await in_conflict(library, "one", 2)
    url = f"{library.url}/conflicts"
    page = (await api.get(url, limit=1))["next_page"]
    other = await api.new_library()
    assert await api.problem(url, page=page, status="any") == (400, "bad_page")
    assert await api.problem(url, page=page, pattern_id=pattern.pattern_id) == (400, "bad_page")
    assert await api.problem(f"{other.url}/conflicts", page=page) == (400, "bad_page")


async def test_no_other_teams_conflicts_are_shown(api: ReadApi, library: LibraryRows) -> None:
    other = await api.new_library()
    pattern, (conflict,) = await in_conflict(other, "theirs", 1)
    assert await pages(api, library, status="any") == [[]]
    assert await pages(api, library, pattern_id=pattern.pattern_id) == [[]]
    assert await api.problem(f"{library.url}/conflicts/{conflict}") == (404, "unknown_conflict")
    assert await api.problem(f"/api/v1/teams/{uuid.uuid4()}/conflicts/{conflict}") == (404, "unknown_team")


async def test_a_conflict_is_current_until_it_ends(api: ReadApi, library: LibraryRows) -> None:
    pattern, (conflict,) = await in_conflict(library, "one", 1)
    url = f"{library.url}/conflicts/{conflict}"
    etag = (await api.client.get(url)).headers["etag"]
    assert etag == f'"{api.log_id}.{conflict}.open"'
    pattern = await library.edit(pattern, severity="low")
    assert (await api.client.get(url, headers={"If-None-Match": etag})).status_code == 304
    await library.abandon(pattern, conflict)
    assert (await api.client.get(url, headers={"If-None-Match": etag})).status_code == 200


async def test_every_list_of_conflicts_is_again_what_it_was(api: ReadApi, library: LibraryRows) -> None:
    url, then = f"{library.url}/conflicts", []
    first, second = await library.record("one"), await library.record("two")
    questions: list[dict[str, str]] = [
        {"status": status, **of}
        for status in ("open", "resolved", "abandoned", "deleted", "any")
        for of in ({}, {"pattern_id": first.pattern_id})
    ]

    async def note() -> None:
        answers = [await api.get(url, **asked) for asked in questions]
        then.append((library.sequence, answers, [await api.get(f"{url}/{one}") for one in library.conflicts]))

    for number in range(3):
        first, _ = await library.conflict(first, severity=f"mine {number}")
        second, _ = await library.conflict(second, severity="mine")
        await note()
    one, _, another, *_ = library.conflicts
    first = await library.resolve(first, one, severity="low")
    await note()
    first = await library.abandon(first, another)
    await note()
    await library.delete(first)
    await note()
    for sequence, answers, each in then:
        as_of = api.cursor(library, sequence)
        for asked, answer in zip(questions, answers, strict=True):
            assert await api.get(url, **asked, as_of=as_of) == answer
            found = await pages_of(api, url, "conflicts", **asked, as_of=as_of, limit=1)
            assert found == answer["conflicts"]
        for number, conflict_id in enumerate(library.conflicts):
            if number < len(each):
                assert await api.get(f"{url}/{conflict_id}", as_of=as_of) == each[number]
            else:
                refused = await api.problem(f"{url}/{conflict_id}", as_of=as_of)
                assert refused == (404, "unknown_conflict")
