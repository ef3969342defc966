"""A pattern's history over HTTP."""

import uuid
from collections.abc import AsyncIterator

import pytest

from read_api.documents import HistoryPage
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


@pytest.fixture
async def pattern(library: LibraryRows) -> PatternRow:
    """A pattern of five versions, among others."""
    await library.record("before")
    pattern = await library.record("one", severity="low")
    await library.record("between")
    for text in ("first", "second"):
        pattern = await library.edit(pattern, description=text)
    return await library.delete(await library.archive(pattern))


def url(library: LibraryRows, pattern: PatternRow) -> str:
    return f"{library.url}/patterns/{pattern.pattern_id}/history"


async def test_every_version_comes_oldest_first_the_deletion_too(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    body = await api.get(url(library, pattern))
    assert body == {"versions": library.events[pattern.pattern_id], "next_page": None}
    assert [one["version"] for one in body["versions"]] == [1, 2, 3, 4, 5]
    assert body["versions"][-1]["fields"] is None
    HistoryPage.model_validate(body)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 5, 6])
async def test_pages_of_any_length_make_the_whole_history_once(
    api: ReadApi, library: LibraryRows, pattern: PatternRow, order: str, limit: int
) -> None:
    found: list[list[int]] = []
    page: dict[str, str] = {}
    while True:
        body = await api.get(url(library, pattern), order=order, limit=limit, **page)
        found.append([one["version"] for one in body["versions"]])
        if body["next_page"] is None:
            break
        page = {"page": body["next_page"]}
    versions = [1, 2, 3, 4, 5] if order == "asc" else [5, 4, 3, 2, 1]
    assert found == [versions[at : at + limit] for at in range(0, 5, limit)]


async def test_a_version_written_between_two_pages_comes_at_the_end(
    api: ReadApi, library: LibraryRows
) -> None:
    pattern = await library.edit(await library.record("one"), description="x")
    first = await api.get(url(library, pattern), limit=1)
    await library.edit(pattern, description="y")
    second = await api.get(url(library, pattern), page=first["next_page"])
    assert [one["version"] for one in second["versions"]] == [2, 3]


async def test_a_page_is_good_for_its_own_pattern_and_order_only(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    page = (await api.get(url(library, pattern), limit=1))["next_page"]
    other = await library.record("other")
    assert await api.problem(url(library, pattern), page=page, order="desc") == (400, "bad_page")
    assert await api.problem(url(library, other), page=page) == (400, "bad_page")
    assert await api.problem(url(library, pattern), page=page[:-4]) == (400, "bad_page")
    assert await api.problem(f"{library.url}/patterns", page=page) == (400, "bad_page")


async def test_a_pattern_that_never_was_has_no_history(api: ReadApi, library: LibraryRows) -> None:
    no_one = str(uuid.uuid4())
    found = await api.problem(f"{library.url}/patterns/{no_one}/history")
    assert found == (404, "unknown_pattern")
    found = await api.problem(f"/api/v1/teams/{no_one}/patterns/{no_one}/history")
    assert found == (404, "unknown_team")
