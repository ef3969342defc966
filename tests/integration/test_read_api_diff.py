"""What changed in a library between two points, over HTTP."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any

import pytest

from events.cursor import Cursor
from events.json_text import same
from events.shapes import utc_text
from read_api.documents import DiffPage
from read_api.waiting import Visibility
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


async def diff(api: ReadApi, library: LibraryRows, begin: int, end: int, limit: int = 100) -> list[Any]:
    """All differences, however many pages that takes."""
    url = f"{library.url}/patterns/diff"
    points = {"from": api.cursor(library, begin), "to": api.cursor(library, end)}
    found = await api.get(url, **points)
    DiffPage.model_validate(found)
    assert {name: found[name] for name in points} == points
    return await pages_of(api, url, "differences", **points, limit=limit)


def side(pattern: PatternRow) -> dict[str, Any]:
    return {name: pattern.document[name] for name in ("version", "sequence", "status")}


def value(of: Any) -> dict[str, Any]:
    return {"value": of}


async def test_each_kind_of_change_is_told_with_its_fields_before_and_after(
    api: ReadApi, library: LibraryRows
) -> None:
    names = ["edited", "away", "back", "gone", "same"]
    old = {name: await library.record(name, severity="low", tags=["x"]) for name in names}
    old["back"] = await library.archive(old["back"])
    begin = library.sequence
    new = {"edited": await library.edit(old["edited"], severity=None, tags=["x"], description="d")}
    new["away"] = await library.archive(await library.edit(old["away"], severity="high"))
    new["back"] = await library.restore(old["back"])
    await library.delete(old["gone"])
    new["new"] = await library.record("new", tags=[])
    found = await diff(api, library, begin, library.sequence)
    assert [one["change"] for one in found] == ["changed", "archived", "restored", "removed", "added"]
    changed, archived, restored, removed, added = found
    assert changed == {
        "pattern_id": old["edited"].pattern_id,
        "change": "changed",
        "before": side(old["edited"]),
        "after": side(new["edited"]),
        "fields": {
            "description": {"before": None, "after": value("d")},
            "severity": {"before": value("low"), "after": value(None)},
        },
    }
    assert archived["fields"] == {"severity": {"before": value("low"), "after": value("high")}}
    assert (restored["before"], restored["after"]) == (side(old["back"]), side(new["back"]))
    assert restored["fields"] == {}
    fields = {"name": "gone", "severity": "low", "tags": ["x"]}
    assert (removed["before"], removed["after"]) == (side(old["gone"]), None)
    assert removed["fields"] == {name: {"before": value(of), "after": None} for name, of in fields.items()}
    assert (added["before"], added["after"]) == (None, side(new["new"]))
    assert added["fields"] == {
        "name": {"before": None, "after": value("new")},
        "tags": {"before": None, "after": value([])},
    }


async def test_what_is_the_same_at_both_points_is_not_told(api: ReadApi, library: LibraryRows) -> None:
    edited = await library.record("edited", severity="low")
    archived, disputed = await library.record("archived"), await library.record("disputed")
    begin = library.sequence
    await library.edit(await library.edit(edited, severity="high"), severity="low")
    await library.restore(await library.archive(archived))
    await library.conflict(disputed, severity="low")
    await library.delete(await library.record("in between"))
    assert await diff(api, library, begin, library.sequence) == []
    assert len(await diff(api, library, begin, begin + 1)) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        (1, 1.0),
        (0, False),
        ("", None),
        ({}, []),
        ("1", 1),
        ([1, 2], [2, 1]),
        (1e300, 1e299),
        ("é", "e\u0301"),
        ({"x": {"y": 1, "z": 2}}, {"x": {"z": 2, "y": 1}}),
    ],
    ids=str,
)
async def test_a_value_is_the_same_where_it_is_the_same_json(
    api: ReadApi, library: LibraryRows, before: Any, after: Any
) -> None:
    pattern = await library.record("one", **{'odd"\\ name': before, "other": 1})
    begin = library.sequence
    await library.edit(pattern, **{'odd"\\ name': after})
    found = await diff(api, library, begin, library.sequence)
    fields = {'odd"\\ name': {"before": value(before), "after": value(after)}}
    assert [one["fields"] for one in found] == ([] if same(before, after) else [fields])


async def stirred(library: LibraryRows) -> None:
    """A library in which everything happens that can, more than once."""
    patterns: list[PatternRow] = []
    for number in range(6):
        patterns.append(await library.record(f"p{number}", severity="low"))
        for at, pattern in enumerate(patterns):
            match (number + at) % 4:
                case 0 if pattern.status == "live":
                    patterns[at] = await library.edit(pattern, severity=("low", "high")[number % 2])
                case 1 if pattern.status == "live":
                    patterns[at] = await library.archive(pattern)
                case 2 if pattern.status == "archived":
                    patterns[at] = await library.restore(pattern)
                case 3 if number > 3:
                    await library.delete(patterns.pop(at))
                case _:
                    pass


async def test_between_any_two_points_it_is_what_two_lists_differ_in(
    api: ReadApi, library: LibraryRows
) -> None:
    await stirred(library)
    states: list[dict[str, Any]] = []
    for sequence in range(library.sequence + 1):
        as_of = api.cursor(library, sequence)
        body = await api.get(f"{library.url}/patterns", as_of=as_of, status="any")
        states.append({one["pattern_id"]: one for one in body["patterns"]})
    for begin, end in combinations_with_replacement(range(library.sequence + 1), 2):
        found = await diff(api, library, begin, end, limit=4)
        assert {one["pattern_id"]: one for one in found} == differences(states[begin], states[end])
        last = [one["after"]["sequence"] for one in found if one["after"]]
        assert last == sorted(last)


def differences(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What two lists differ in, told as the API tells it."""
    found: dict[str, Any] = {}
    for pattern_id in old.keys() | new.keys():
        before, after = old.get(pattern_id), new.get(pattern_id)
        fields = fields_that_differ(before, after)
        if fields or (before and after and before["status"] != after["status"]):
            found[pattern_id] = {
                "pattern_id": pattern_id,
                "change": change(before, after),
                "before": shortened(before),
                "after": shortened(after),
                "fields": fields,
            }
    return found


def shortened(pattern: dict[str, Any] | None) -> dict[str, Any] | None:
    return pattern and {name: pattern[name] for name in ("version", "sequence", "status")}


def fields_that_differ(before: Any, after: Any) -> dict[str, Any]:
    old, new = (pattern["fields"] if pattern else {} for pattern in (before, after))
    return {
        name: {
            side: value(of[name]) if name in of else None for side, of in (("before", old), ("after", new))
        }
        for name in old.keys() | new.keys()
        if old.get(name) != new.get(name)
    }


def change(before: Any, after: Any) -> str:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    if before["status"] == after["status"]:
        return "changed"
    return "archived" if after["status"] == "archived" else "restored"


async def test_without_points_it_is_from_the_beginning_to_the_present(
    api: ReadApi, library: LibraryRows
) -> None:
    await stirred(library)
    url, last = f"{library.url}/patterns/diff", library.sequence
    everything = await diff(api, library, 0, last)
    assert {one["change"] for one in everything} == {"added"}
    found = await api.get(url)
    assert (found["differences"], found["to"]) == (everything, api.cursor(library, last))
    since = await api.get(url, **{"from": api.cursor(library, 5)})
    assert since["differences"] == await diff(api, library, 5, last)


async def test_pages_go_on_between_the_points_of_the_first_one(api: ReadApi, library: LibraryRows) -> None:
    made = [await library.record(f"p{number}") for number in range(4)]
    url = f"{library.url}/patterns/diff"
    first = await api.get(url, limit=2)
    await library.delete(made[3])
    second = await api.get(url, limit=2, page=first["next_page"])
    assert [one["pattern_id"] for one in second["differences"]] == [one.pattern_id for one in made[2:]]
    assert (second["from"], second["to"], second["next_page"]) == (first["from"], first["to"], None)
    for other in ({"from": api.cursor(library, 1)}, {"to": api.cursor(library, 5)}):
        assert await api.problem(url, **other, page=first["next_page"]) == (400, "bad_page")


async def test_points_can_be_times(api: ReadApi, library: LibraryRows) -> None:
    for number in range(3):
        library.recorded_at += timedelta(hours=1)
        await library.record(f"p{number}")
    middle, url = utc_text(library.recorded_at - timedelta(minutes=90)), f"{library.url}/patterns/diff"
    before, after = await api.get(url, to=middle), await api.get(url, **{"from": middle})
    assert [len(one["differences"]) for one in (before, after)] == [1, 2]
    assert before["to"] == after["from"] == api.cursor(library, 2)


async def test_the_earlier_point_comes_first(api: ReadApi, library: LibraryRows) -> None:
    await library.record("one")
    url = f"{library.url}/patterns/diff"
    points = {"from": api.cursor(library, 2), "to": api.cursor(library, 1)}
    answer = await api.client.get(url, params=points)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert answer.json()["parameter"] == "from"


async def test_an_answer_that_is_current_is_not_sent_again(api: ReadApi, library: LibraryRows) -> None:
    await library.record("one")
    url = f"{library.url}/patterns/diff"
    etag = (await api.client.get(url)).headers["etag"]
    assert (await api.client.get(url, headers={"If-None-Match": etag})).status_code == 304
    await library.record("two")
    assert (await api.client.get(url, headers={"If-None-Match": etag})).status_code == 200


async def test_a_page_ends_early_rather_than_grow_beyond_its_bytes(
    api: ReadApi, library: LibraryRows
) -> None:
    for number in range(10):
        await library.record(f"p{number}", description="x" * 2**20)
    first = await api.get(f"{library.url}/patterns/diff", limit=1000)
    # Of each the event is read, which has the text, and the fields after it, which have it too.
    assert len(first["differences"]) == 4
    assert len(await diff(api, library, 0, library.sequence, limit=1000)) == 10


async def test_a_page_goes_over_so_many_events_and_no_more(
    api: ReadApi, library: LibraryRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stirred(library)
    whole = await diff(api, library, 2, library.sequence)
    monkeypatch.setattr("read_api.diff.MAX_EVENTS", 3)
    assert await diff(api, library, 2, library.sequence) == whole
    first = await api.get(f"{library.url}/patterns/diff", to=api.cursor(library, 5))
    assert (len(first["differences"]), first["next_page"] is None) == (0, False)


async def test_no_other_teams_changes_are_shown(api: ReadApi, library: LibraryRows) -> None:
    other = await api.new_library()
    await other.record("theirs")
    assert (await api.get(f"{library.url}/patterns/diff"))["differences"] == []
    assert await api.problem(f"/api/v1/teams/{uuid.uuid4()}/patterns/diff") == (404, "unknown_team")


async def test_what_changed_since_a_write_is_told_as_soon_as_the_write_is_visible(
    api: ReadApi, library: LibraryRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, wait = api.cursor(library, library.sequence + 1), Visibility.wait

    async def shown_meanwhile(self: Visibility, cursor: Cursor, timeout_s: float) -> None:
        await library.advance()
        await wait(self, cursor, timeout_s)

    monkeypatch.setattr(Visibility, "wait", shown_meanwhile)
    found = await api.get(f"{library.url}/patterns/diff", **{"from": ahead})
    assert found == {"differences": [], "next_page": None, "from": ahead, "to": ahead}
