"""Reads of the past: what was shown then is shown again, whatever has happened since."""

from collections.abc import AsyncIterator
from itertools import product

import pytest

from read_api.documents import HistoryPage, PatternsPage
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


async def story(library: LibraryRows) -> AsyncIterator[PatternRow]:
    """One change after the other, of a library in which everything happens that can."""
    a = await library.record("a", category="io", severity="low", tags=["x"])
    yield a
    b = await library.record("b", category="io", tags=["x", "y"])
    yield b
    yield (a := await library.edit(a, name="c", tags=["y"]))
    c = await library.record("a", severity="critical")
    yield c
    yield (b := await library.archive(b))
    a, conflict = await library.conflict(a, severity="high")
    yield a
    yield (b := await library.restore(b))
    yield (b := await library.edit(b, category="ui", name="d"))
    yield await library.delete(c)
    yield (a := await library.resolve(a, conflict, severity="high"))
    yield await library.delete(a)
    yield await library.record("a", category="io", extra={"n": [1.5, 1e300]})


SORTS = ["name", "-name", "updated", "-updated"]
STATUSES = ["live", "archived", "any"]
FILTERS: list[dict[str, str]] = [
    {},
    {"category": "io"},
    {"severity": "high"},
    {"tag": "x"},
    {"tag": "y", "category": "io"},
    {"name": "a"},
]
QUESTIONS = [
    {"sort": sort, "status": status, **wanted} for sort, status, wanted in product(SORTS, STATUSES, FILTERS)
]


async def test_every_list_is_again_what_it_was(api: ReadApi, library: LibraryRows) -> None:
    url = f"{library.url}/patterns"
    then = [
        (library.sequence, [await api.get(url, **asked) for asked in QUESTIONS]) async for _ in story(library)
    ]
    for sequence, answers in then:
        as_of = api.cursor(library, sequence)
        for asked, answer in zip(QUESTIONS, answers, strict=True):
            assert await api.get(url, **asked, as_of=as_of) == answer
            found = await pages_of(api, url, "patterns", **asked, as_of=as_of, limit=1)
            assert found == answer["patterns"]
    PatternsPage.model_validate(then[-1][1][0])


async def test_every_pattern_is_again_what_it_was_and_has_the_same_tag(
    api: ReadApi, library: LibraryRows
) -> None:
    made = [made async for made in story(library)]
    for pattern_id in {one.pattern_id for one in made}:
        url = f"{library.url}/patterns/{pattern_id}"
        versions = [one for one in made if one.pattern_id == pattern_id]
        before = api.cursor(library, versions[0].sequence - 1)
        assert await api.problem(url, as_of=before) == (404, "unknown_pattern")
        for sequence in range(versions[0].sequence, library.sequence + 1):
            shown = [one for one in versions if one.sequence <= sequence][-1]
            as_of = api.cursor(library, sequence)
            if shown.status == "deleted":
                assert await api.problem(url, as_of=as_of) == (410, "pattern_deleted")
                continue
            answer = await api.client.get(url, params={"as_of": as_of})
            assert answer.json() == shown.document
            assert answer.headers["etag"] == f'"{api.log_id}.{pattern_id}.{shown.version}"'


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_history_ends_at_the_point(api: ReadApi, library: LibraryRows, order: str) -> None:
    pattern = await library.record("one")
    for number in range(4):
        await library.record(f"other {number}")
        pattern = await library.edit(pattern, description=str(number))
    url, events = f"{library.url}/patterns/{pattern.pattern_id}/history", library.events[pattern.pattern_id]
    assert await api.problem(url, as_of=api.cursor(library, 1)) == (404, "unknown_pattern")
    for sequence in range(2, library.sequence + 1):
        wanted = [one for one in events if one["sequence"] <= sequence]
        for limit in (1, 2, 100):
            asked = {"as_of": api.cursor(library, sequence), "limit": limit, "order": order}
            found = await pages_of(api, url, "versions", **asked)
            assert found == (wanted if order == "asc" else wanted[::-1])
    HistoryPage.model_validate(await api.get(url, as_of=api.cursor(library, 4)))
