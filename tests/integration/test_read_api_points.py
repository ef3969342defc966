"""Points of a team's log: what a time means, which are refused or waited for, and that pages keep to one."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from events.cursor import parse_cursor
from events.shapes import utc_text
from tests.libraries import LibraryRows, ReadApi, running_read_api
from tests.read_rows import PatternRow
from tests.services import Services

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def library(api: ReadApi) -> LibraryRows:
    return await api.new_library()


async def names(api: ReadApi, library: LibraryRows, as_of: str) -> list[str]:
    body = await api.get(f"{library.url}/patterns", as_of=as_of, sort="updated")
    return [one["fields"]["name"] for one in body["patterns"]]


async def record_at(library: LibraryRows, *seconds: float) -> None:
    """A pattern for each of these times, named by it."""
    for at in seconds:
        library.recorded_at = NOON + timedelta(seconds=at)
        await library.record(f"{at}")


def at(seconds: float) -> str:
    return utc_text(NOON + timedelta(seconds=seconds))


async def test_a_time_shows_what_was_recorded_until_then(api: ReadApi, library: LibraryRows) -> None:
    await record_at(library, 0, 1, 1, 2)
    assert await names(api, library, at(-0.001)) == []
    assert await names(api, library, at(0)) == ["0"]
    assert await names(api, library, at(0.999)) == ["0"]
    assert await names(api, library, at(1)) == ["0", "1", "1"]
    assert await names(api, library, at(2)) == await names(api, library, at(3600)) == ["0", "1", "1", "2"]
    for same in (
        "2026-03-03T13:00:00.5+01:00",
        "2026-03-03T12:00:00.500000999Z",
        "2026-03-03T11:30:00-00:30",
    ):
        assert await names(api, library, same) == ["0"]


async def test_where_the_clock_went_back_a_time_is_before_all_that_came_after_a_later_one(
    api: ReadApi, library: LibraryRows
) -> None:
    await record_at(library, 0, 5, 2, 3, 6)
    shown = {second: await names(api, library, at(second)) for second in (0, 2, 4, 5, 6)}
    assert shown == {0: ["0"], 2: ["0"], 4: ["0"], 5: ["0", "5", "2", "3"], 6: ["0", "5", "2", "3", "6"]}


async def test_what_a_time_shows_stays_once_something_later_was_recorded(
    api: ReadApi, library: LibraryRows
) -> None:
    await record_at(library, 0, 2)
    before = await names(api, library, at(1)), await names(api, library, at(2))
    await record_at(library, 1, 2, 0.5)
    after = await names(api, library, at(1)), await names(api, library, at(2))
    assert before == (["0"], ["0", "2"])
    assert after == (["0"], ["0", "2", "1", "2", "0.5"])


async def test_the_cursor_of_an_answer_names_the_point(api: ReadApi, library: LibraryRows) -> None:
    await record_at(library, 0, 1, 2)
    url = f"{library.url}/patterns"
    for as_of, sequence in ((at(-1), 1), (at(0), 2), (at(1), 3), (at(9), 4)):
        found = await api.get(url, as_of=as_of)
        assert found["cursor"] == api.cursor(library, sequence)
        assert await api.get(url, as_of=found["cursor"]) == found
    changes = await api.get(f"{library.url}/changes", cursor=(await api.get(url, as_of=at(1)))["cursor"])
    assert [one["sequence"] for one in changes["changes"]] == [4]


async def test_before_its_first_event_a_library_is_empty(api: ReadApi, library: LibraryRows) -> None:
    pattern, _ = await library.conflict(await library.record("one"), severity="low")
    for as_of in (api.cursor(library, 0), "0001-01-01T00:00:00Z"):
        for path in ("patterns", "conflicts"):
            assert (await api.get(f"{library.url}/{path}", as_of=as_of, status="any"))[path] == []
        url = f"{library.url}/patterns/{pattern.pattern_id}"
        assert await api.problem(url, as_of=as_of) == (404, "unknown_pattern")
        assert await api.problem(f"{url}/history", as_of=as_of) == (404, "unknown_pattern")


async def test_every_page_shows_the_point_of_the_first_one(api: ReadApi, library: LibraryRows) -> None:
    await record_at(library, 0, 1, 2)
    url, asked = f"{library.url}/patterns", {"as_of": at(9), "limit": 1, "sort": "-updated"}
    first = await api.get(url, **asked)
    await record_at(library, 3, 4)
    second = await api.get(url, **asked, page=first["next_page"])
    assert [one["fields"]["name"] for one in first["patterns"] + second["patterns"]] == ["2", "1"]
    assert second["cursor"] == first["cursor"] == api.cursor(library, 4)


async def test_a_page_of_the_past_is_good_for_its_own_question_only(
    api: ReadApi, library: LibraryRows
) -> None:
    await record_at(library, 0, 1, 2)
    url, as_of = f"{library.url}/patterns", api.cursor(library, 4)
    page = (await api.get(url, as_of=as_of, limit=1))["next_page"]
    other = api.cursor(library, 3)
    cursor, own = page.split(".")
    bad = [{}, {"as_of": other}, {"as_of": at(9)}, {"as_of": as_of, "sort": "-name"}]
    for asked in bad:
        assert await api.problem(url, **asked, page=page) == (400, "bad_page")
    for damaged in (own, f".{own}", f"{other}.{own}", f"{cursor}.{cursor}.{own}", f"{cursor}.", "."):
        assert await api.problem(url, as_of=as_of, page=damaged) == (400, "bad_page")
    present = (await api.get(url, limit=1))["next_page"]
    assert await api.problem(url, as_of=as_of, page=present) == (400, "bad_page")


def past(library: LibraryRows, pattern: PatternRow) -> list[tuple[str, str]]:
    """Every way to name a point: the routes with their parameters."""
    (conflict,) = library.conflicts
    one = f"{library.url}/patterns/{pattern.pattern_id}"
    paths = [f"{library.url}/patterns", one, f"{one}/history", f"{library.url}/conflicts"]
    return [
        *((path, "as_of") for path in [*paths, f"{library.url}/conflicts/{conflict}"]),
        *((f"{library.url}/patterns/diff", name) for name in ("from", "to")),
    ]


@pytest.fixture
async def pattern(library: LibraryRows) -> PatternRow:
    """A pattern with an edit in conflict."""
    pattern, _ = await library.conflict(await library.record("one"), category="net")
    return pattern


async def test_a_point_that_is_none_is_refused_everywhere(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    other = await api.new_library()
    of_another_log = replace(parse_cursor(api.cursor(library, 1)), log_id=str(uuid.uuid4()))
    for url, name in past(library, pattern):
        for text in (
            "2026-03-03",
            "2026-03-03T12:00:00",
            "2026-02-30T00:00:00Z",
            "2026-03-03 12:00:00Z",
            "7",
        ):
            answer = await api.client.get(url, params={name: text})
            assert answer.status_code == 400
            assert (answer.json()["code"], answer.json()["parameter"]) == ("invalid_parameter", name)
        for text in ("", "yesterday", api.cursor(library, 1)[:-2], "-1"):
            assert await api.problem(url, **{name: text}) == (400, "bad_cursor")
        found = await api.problem(url, **{name: api.cursor(other, 1)})
        assert found == (400, "cursor_of_another_team")
        assert await api.problem(url, **{name: str(of_another_log)}) == (410, "log_changed")


async def test_a_point_that_is_not_visible_yet_is_waited_for(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    ahead = api.cursor(library, library.sequence + 1)
    for url, name in past(library, pattern):
        assert await api.problem(url, **{name: ahead}, timeout=0) == (503, "not_yet_visible")
    await library.advance()
    for url, name in past(library, pattern):
        await api.get(url, **{name: ahead})


async def test_there_is_no_past_of_an_unknown_team(api: ReadApi) -> None:
    for path in ("patterns", "conflicts", "patterns/diff", f"patterns/{uuid.uuid4()}"):
        url = f"/api/v1/teams/{uuid.uuid4()}/{path}"
        name = "to" if path.endswith("diff") else "as_of"
        assert await api.problem(url, **{name: at(0)}) == (404, "unknown_team")


async def test_an_answer_of_the_past_is_current_whatever_happens(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    point = api.cursor(library, library.sequence)
    # A history has no tag, and a diff from a point is one to the present.
    asked = [
        (url, {name: point})
        for url, name in past(library, pattern)
        if not url.endswith("history") and name != "from"
    ]
    tags = [(await api.client.get(url, params=params)).headers["etag"] for url, params in asked]
    await library.edit(pattern, severity="low")
    for (url, params), etag in zip(asked, tags, strict=True):
        again = await api.client.get(url, params=params, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")


async def test_read_models_that_are_made_anew_do_not_show_less_of_the_past(
    api: ReadApi, library: LibraryRows
) -> None:
    await record_at(library, 0, 1, 2)
    url = f"{library.url}/patterns"
    page = (await api.get(url, as_of=at(9), limit=1))["next_page"]
    await library.advance(by=-2)
    found = await api.problem(url, as_of=at(9), limit=1, page=page, timeout=0)
    assert found == (503, "not_yet_visible")
