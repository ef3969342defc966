"""Where a pattern's fields and lines are from, over HTTP."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from events.merge_rules import Policy, Rule
from read_api import blame
from read_api.documents import BlameDocument, EventDocument
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


async def blamed(api: ReadApi, library: LibraryRows, pattern: PatternRow) -> Any:
    body = await api.get(f"{library.url}/patterns/{pattern.pattern_id}/blame")
    BlameDocument.model_validate(body)
    return body


def events(library: LibraryRows, pattern: PatternRow, *versions: int) -> dict[str, Any]:
    """What is told of the events that made these versions."""
    history = library.events[pattern.pattern_id]
    return {
        str(version): {name: history[version - 1][name] for name in EventDocument.model_fields}
        for version in versions
    }


async def grown(library: LibraryRows, lines: int) -> PatternRow:
    """A pattern whose description was written one line after the other."""
    text = "line 1"
    pattern = await library.record("one", description=text)
    for number in range(2, lines + 1):
        text = f"{text}\nline {number}"
        pattern = await library.edit(pattern, description=text)
    return pattern


async def test_each_field_and_line_is_told_with_the_event_that_it_is_from(
    api: ReadApi, library: LibraryRows
) -> None:
    pattern = await library.record("one", severity="low", description="a\nb\nc", solution="x")
    pattern = await library.edit(pattern, severity="high")
    pattern, conflict = await library.conflict(pattern, description="a\nZ\nc")
    pattern = await library.resolve(pattern, conflict, description="a\nZ\nc")
    pattern = await library.edit(pattern, description="zero\na\nZ\nc", tags=["t"])
    pattern = await library.archive(pattern)
    assert await blamed(api, library, pattern) == {
        "pattern_id": pattern.pattern_id,
        "version": 6,
        "versions": events(library, pattern, 1, 2, 4, 5),
        "fields": {
            "name": {"version": 1},
            "severity": {"version": 2},
            "description": {"version": 5, "lines": [5, 1, 4, 1]},
            "solution": {"version": 1, "lines": [1]},
            "tags": {"version": 5},
        },
        "cursor": api.cursor(library, pattern.sequence),
    }


async def test_the_librarys_own_rules_say_what_is_a_text(api: ReadApi, library: LibraryRows) -> None:
    pattern = await library.record("one", notes="a")
    pattern = await library.edit(pattern, notes="a\nb")
    assert (await blamed(api, library, pattern))["fields"]["notes"] == {"version": 2}
    await library.set_merging(Policy.MERGE, notes=Rule.TEXT)
    assert (await blamed(api, library, pattern))["fields"]["notes"] == {"version": 2, "lines": [1, 2]}


async def test_a_history_in_the_shapes_of_older_versions_is_read(api: ReadApi, library: LibraryRows) -> None:
    pattern = await grown(library, 4)
    await api.pg.execute(
        """
        UPDATE history SET item = replace(replace(replace(replace(
               item, 'edited.v3', 'edited.v1'), '"own":{},', ''), ',"merged":{}', ''), ',"overwrote":[]', '')
         WHERE pattern_id = $1 AND version IN (2, 3)
        """,
        pattern.pattern_id,
    )
    body = await blamed(api, library, pattern)
    assert body["fields"]["description"]["lines"] == [1, 2, 3, 4]
    assert [one["type"] for one in body["versions"].values()] == [
        "pattern.recorded.v1",
        *["pattern.edited.v1"] * 2,
        "pattern.edited.v3",
    ]


@pytest.mark.parametrize("versions", [1, 2, 7])
async def test_a_history_is_read_page_by_page_to_its_end(
    api: ReadApi, library: LibraryRows, monkeypatch: pytest.MonkeyPatch, versions: int
) -> None:
    monkeypatch.setattr(blame, "PAGE_VERSIONS", versions)
    pattern = await grown(library, 8)
    found = (await blamed(api, library, pattern))["fields"]["description"]
    assert found == {"version": 8, "lines": [1, 2, 3, 4, 5, 6, 7, 8]}


@pytest.mark.parametrize(("limit", "value"), [("MAX_VERSIONS", 3), ("MAX_BYTES", 1000)])
async def test_what_a_history_that_is_too_long_leaves_open_is_told(
    api: ReadApi, library: LibraryRows, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(blame, "PAGE_VERSIONS", 1)
    monkeypatch.setattr(blame, limit, value)
    pattern = await grown(library, 8)
    body = await blamed(api, library, pattern)
    found = body["fields"]["description"]
    open_lines = found["lines"].count(None)
    assert open_lines > 1
    assert found == {
        "version": 8,
        "lines": [*[None] * open_lines, *range(open_lines + 1, 9)],
        "before": open_lines + 1,
    }
    assert set(body["versions"]) == {"1", *map(str, range(open_lines + 1, 9))}


async def test_large_patterns_are_gone_back_through(api: ReadApi, library: LibraryRows) -> None:
    pattern = await library.record("large", filler="x" * 2**20, description="a\nb")
    for number in range(20):
        pattern = await library.edit(pattern, severity=str(number))
    pattern = await library.edit(pattern, description="a\nB")
    assert (await blamed(api, library, pattern))["fields"]["description"]["lines"] == [1, 22]


async def test_a_history_that_is_being_made_anew_is_not_visible_yet(
    api: ReadApi, library: LibraryRows
) -> None:
    pattern = await grown(library, 3)
    await api.pg.execute("DELETE FROM history WHERE pattern_id = $1 AND version < 3", pattern.pattern_id)
    url = f"{library.url}/patterns/{pattern.pattern_id}/blame"
    assert await api.problem(url) == (503, "not_yet_visible")


async def test_unknown_and_deleted_patterns_are_told_apart(api: ReadApi, library: LibraryRows) -> None:
    no_one = str(uuid.uuid4())
    gone = await library.delete(await library.record("gone"))
    assert await api.problem(f"{library.url}/patterns/{no_one}/blame") == (404, "unknown_pattern")
    assert await api.problem(f"{library.url}/patterns/{gone.pattern_id}/blame") == (410, "pattern_deleted")
    found = await api.problem(f"/api/v1/teams/{no_one}/patterns/{no_one}/blame")
    assert found == (404, "unknown_team")
