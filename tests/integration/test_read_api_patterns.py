"""Lists of patterns and single patterns over HTTP."""

import uuid
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest

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


async def pages(api: ReadApi, library: LibraryRows, **parameters: Any) -> list[list[dict[str, Any]]]:
    """All pages of a list, in order."""
    found: list[list[dict[str, Any]]] = []
    token: dict[str, str] = {}
    while True:
        body = await api.get(f"{library.url}/patterns", **parameters, **token)
        found.append(body["patterns"])
        if body["next_page"] is None:
            return found
        token = {"page": body["next_page"]}


def documents(*patterns: PatternRow) -> list[dict[str, Any]]:
    return [pattern.document for pattern in patterns]


async def test_a_team_without_patterns_has_an_empty_list(api: ReadApi, library: LibraryRows) -> None:
    body = await api.get(f"{library.url}/patterns")
    assert body["patterns"] == []
    assert body["next_page"] is None


async def test_live_patterns_come_by_code_point_of_their_names(api: ReadApi, library: LibraryRows) -> None:
    names = ["zebra", "Ångström", "apple", "Apple", "日本", "a/b [c]", "😀"]
    made = {name: await library.record(name) for name in names}
    await library.record("archived", status="archived")
    body = await api.get(f"{library.url}/patterns")
    assert body["patterns"] == documents(*(made[name] for name in sorted(names)))


async def test_a_pattern_comes_back_with_every_field_exactly(api: ReadApi, library: LibraryRows) -> None:
    odd: dict[str, Any] = {
        "x": [1.0, 1e300, -0.0, {"deep": [None, True]}],
        "": "empty",
        'quote"\\': "\u2028 😀 é",
    }
    pattern = await library.record("odd", tags=["a,b", '"', "{}"], counters={"seen": 2**53 - 1}, **odd)
    assert await api.get(f"{library.url}/patterns/{pattern.pattern_id}") == pattern.document
    assert (await api.get(f"{library.url}/patterns"))["patterns"] == [pattern.document]


SORTED_BY = {
    "name": lambda pattern: (pattern.fields["name"], uuid.UUID(pattern.pattern_id).bytes),
    "updated": lambda pattern: pattern.sequence,
}


@pytest.mark.parametrize("sort", ["name", "-name", "updated", "-updated"])
@pytest.mark.parametrize("status", ["live", "archived", "any"])
async def test_pages_of_any_length_make_the_whole_list_once(
    api: ReadApi, library: LibraryRows, sort: str, status: str
) -> None:
    # Only live patterns are held to different names.
    made = [
        await library.record(f"p{number % 3}", status=("live", "archived")[number % 2])
        for number in range(11)
    ]
    made[4] = await library.edit(made[4], name="p9")
    wanted = [pattern for pattern in made if status in ("any", pattern.status)]
    wanted.sort(key=SORTED_BY[sort.removeprefix("-")], reverse=sort.startswith("-"))
    for limit in (1, 2, 3, len(wanted), len(wanted) + 1):
        found = await pages(api, library, sort=sort, status=status, limit=limit)
        assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
        assert found[-1]
        assert [pattern for page in found for pattern in page] == documents(*wanted)


async def test_filters_combine(api: ReadApi, library: LibraryRows) -> None:
    made = [
        await library.record(
            f"{category} {severity} {number}", category=category, severity=severity, tags=tags
        )
        for number, (category, severity, tags) in enumerate(
            product(["io", "ui"], ["low", "critical"], [["slow"], ["slow", "old"], []])
        )
    ]
    for category, severity, tag in product(
        [None, "io", "none"], [None, "low", "high"], [None, "slow", "old"]
    ):
        chosen = {"category": category, "severity": severity, "tag": tag}
        wanted = [pattern for pattern in made if fits(pattern, chosen)]
        query = {name: value for name, value in chosen.items() if value is not None}
        found = await pages(api, library, **query, limit=2, status="any")
        assert [one["fields"] for page in found for one in page] == sorted(
            (dict(pattern.fields) for pattern in wanted), key=lambda fields: str(fields["name"])
        )


def fits(pattern: PatternRow, chosen: dict[str, str | None]) -> bool:
    fields = pattern.fields
    return (
        chosen["category"] in (None, fields["category"])
        and chosen["severity"] in (None, fields["severity"])
        and (chosen["tag"] is None or chosen["tag"] in fields["tags"])
    )


async def test_a_filter_finds_no_other_field_with_the_same_value(api: ReadApi, library: LibraryRows) -> None:
    await library.record("low", category="low", tags=["high"], severity="high")
    for query in ({"severity": "low"}, {"tag": "low"}, {"category": "high"}):
        assert await pages(api, library, **query) == [[]]


async def test_a_name_is_found_composed_or_decomposed(api: ReadApi, library: LibraryRows) -> None:
    composed = await library.record("caf\u00e9")
    decomposed = await library.record("cafe\u0301", status="archived")
    for name in ("caf\u00e9", "cafe\u0301"):
        found = await pages(api, library, name=name, status="any", sort="updated")
        assert found == [documents(composed, decomposed)]
    assert await pages(api, library, name="caf") == [[]]


async def test_a_list_shows_no_other_team(api: ReadApi, library: LibraryRows) -> None:
    other = await api.new_library()
    theirs = await other.record("same", category="io", tags=["slow"], severity="low")
    for query in ({}, {"category": "io"}, {"tag": "slow"}, {"name": "same"}):
        assert await pages(api, library, **query, status="any") == [[]]
    assert await api.problem(f"{library.url}/patterns/{theirs.pattern_id}") == (404, "unknown_pattern")


async def test_what_changes_between_two_pages_moves_no_other_pattern(
    api: ReadApi, library: LibraryRows
) -> None:
    made = [await library.record(f"p{number}") for number in range(6)]
    first = await api.get(f"{library.url}/patterns", limit=3)
    await library.delete(made[0])
    await library.edit(made[1], name="p99")
    await library.record("p00")
    second = await api.get(f"{library.url}/patterns", limit=10, page=first["next_page"])
    assert [one["fields"]["name"] for one in second["patterns"]] == ["p3", "p4", "p5", "p99"]


async def test_a_page_ends_early_rather_than_grow_beyond_its_bytes(
    api: ReadApi, library: LibraryRows
) -> None:
    mebibyte = "x" * 2**20
    made = [await library.record(f"p{number:02}", description=mebibyte) for number in range(20)]
    found = await pages(api, library, limit=1000)
    assert [len(page) for page in found] == [8, 8, 4]
    assert [one["pattern_id"] for page in found for one in page] == [one.pattern_id for one in made]


async def test_a_deleted_pattern_is_gone_and_said_to_be(api: ReadApi, library: LibraryRows) -> None:
    pattern = await library.delete(await library.record("gone"))
    assert await api.problem(f"{library.url}/patterns/{pattern.pattern_id}") == (410, "pattern_deleted")
    assert await pages(api, library, status="any") == [[]]


async def test_an_archived_pattern_can_be_read(api: ReadApi, library: LibraryRows) -> None:
    pattern = await library.archive(await library.record("away"))
    assert (await api.get(f"{library.url}/patterns/{pattern.pattern_id}"))["status"] == "archived"


async def test_unknown_ids_are_told_apart(api: ReadApi, library: LibraryRows) -> None:
    no_one = str(uuid.uuid4())
    answers = {
        f"{library.url}/patterns/{no_one}": "unknown_pattern",
        f"/api/v1/teams/{no_one}/patterns/{no_one}": "unknown_team",
        f"/api/v1/teams/{no_one}/patterns": "unknown_team",
    }
    for url, code in answers.items():
        assert await api.problem(url) == (404, code)
