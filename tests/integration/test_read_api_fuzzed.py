"""Cursors and page tokens that nobody was given: each is taken or refused, and breaks nothing."""

import base64
import uuid
import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.cursor import Cursor
from events.json_text import Json
from read_api.audit import AuditQuery
from read_api.paging import page_token
from read_api.pattern_list import PatternsQuery
from tests.libraries import LibraryRows, ReadApi, running_read_api
from tests.read_rows import PatternRow
from tests.services import Services
from tests.strategies import REPEATABLE

OTHER = "0198c0de-0000-7000-8000-00000000000b"
MANY = settings(REPEATABLE, max_examples=60)
EXPECTED = {
    *{(200, ""), (304, "")},
    *{(400, code) for code in ("bad_cursor", "bad_page", "cursor_of_another_team", "invalid_parameter")},
    *{(404, "unknown_pattern"), (404, "no_tree_head"), (410, "log_changed"), (503, "not_yet_visible")},
}
"""What a read can be answered with a token that was made up."""

numbers = st.sampled_from([0, 1, 2, 3, 2**31, 2**63 - 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
members = st.integers(-(2**70), 2**70) | st.text(max_size=300) | st.none() | st.booleans() | floats
places = st.lists(members, max_size=3).map(tuple)
texts = st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
changes = st.lists(st.tuples(st.integers(0, 99), st.characters(codec="utf-8")), max_size=2)


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture(scope="module")
async def library(api: ReadApi) -> LibraryRows:
    return await api.new_library()


@pytest.fixture(scope="module")
async def pattern(library: LibraryRows) -> PatternRow:
    first = await library.record("first", tags=["x"])
    await library.record("second")
    await library.conflict(first, name="third")
    return first


def cursor_text(log_id: str, team_id: str, sequence: int) -> str:
    """A cursor with a sum that is right, and a sequence that need not be one."""
    body = b"\x01" + uuid.UUID(log_id).bytes + uuid.UUID(team_id).bytes + sequence.to_bytes(8, "big")
    return base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4, "big")).decode()


def changed(text: str, at: Sequence[tuple[int, str]]) -> str:
    """A text with a few other characters in it."""
    signs = list(text)
    for place, sign in at:
        if signs:
            signs[place % len(signs)] = sign
    return "".join(signs)


async def answered(api: ReadApi, url: str, **asked: Any) -> None:
    answer = await api.client.get(url, params={"timeout": 0, **asked})
    code = answer.json()["code"] if answer.status_code >= 400 else ""
    assert (answer.status_code, code) in EXPECTED, answer.text


def routes_with_cursors(pattern: PatternRow) -> list[tuple[str, str]]:
    one = f"patterns/{pattern.pattern_id}"
    lists = (
        "patterns",
        "conflicts",
        "audit",
        "audit/refusals",
        "audit/tree-heads",
        "merging",
        f"{one}/blame",
    )
    return [
        *(("changes", name) for name in ("cursor", "at_least")),
        *(("patterns/diff", name) for name in ("from", "to", "at_least")),
        *((path, "as_of") for path in ("patterns", one, f"{one}/history", "conflicts")),
        *((path, "at_least") for path in (*lists, f"{one}/blame")),
        ("audit/log", "to"),
    ]


@MANY
@given(data=st.data(), owned=st.tuples(st.booleans(), st.booleans()), sequence=numbers)
async def test_whatever_is_given_as_a_cursor_is_taken_or_refused(
    api: ReadApi,
    library: LibraryRows,
    pattern: PatternRow,
    data: st.DataObject,
    owned: tuple[bool, bool],
    sequence: int,
) -> None:
    path, name = data.draw(st.sampled_from(routes_with_cursors(pattern)))
    log_id, team_id = (api.log_id if owned[0] else OTHER), (library.team_id if owned[1] else OTHER)
    made = changed(cursor_text(log_id, team_id, sequence), data.draw(changes))
    await answered(api, f"{library.url}/{path}", **{name: data.draw(st.just(made) | texts)})


def questions(api: ReadApi, library: LibraryRows, pattern: PatternRow) -> list[tuple[str, Json]]:
    """The routes with pages, and what their tokens are good for."""
    team, audit = library.team_id, AuditQuery.model_validate({})
    return [
        ("patterns", PatternsQuery.model_validate({}).question(team)),
        ("patterns/diff", ["diff", team, None, None]),
        (f"patterns/{pattern.pattern_id}/history", ["history", team, pattern.pattern_id, "asc", None]),
        ("conflicts", ["conflicts", team, "open", None, None]),
        ("audit", ["audit", team, audit.order, *audit.question]),
        ("audit/refusals", ["refusals", team, "asc", *[None] * 5]),
        ("audit/tree-heads", ["tree-heads", team, api.log_id]),
    ]


@MANY
@given(data=st.data(), place=places, points=st.lists(st.integers(0, 2**63 - 1), max_size=3))
async def test_whatever_is_given_as_a_page_is_taken_or_refused(
    api: ReadApi,
    library: LibraryRows,
    pattern: PatternRow,
    data: st.DataObject,
    place: tuple[Any, ...],
    points: list[int],
) -> None:
    path, question = data.draw(st.sampled_from(questions(api, library, pattern)))
    cursors = [Cursor(log_id=api.log_id, team_id=library.team_id, sequence=point) for point in points]
    made = page_token(question, place, *cursors)
    text = data.draw(st.just(made) | changes.map(lambda at: changed(made, at)) | texts)
    await answered(api, f"{library.url}/{path}", page=text)


async def test_the_questions_are_those_of_the_routes(
    api: ReadApi, library: LibraryRows, pattern: PatternRow
) -> None:
    for path, question in questions(api, library, pattern):
        place: tuple[Any, ...] = (1,)
        if path == "patterns":
            place = ("a", pattern.pattern_id)
        elif path == "audit/refusals":
            place = (1, 1)
        answer = await api.client.get(f"{library.url}/{path}?page={page_token(question, place)}")
        assert (answer.status_code, path) in {(200, path), (400, "patterns/diff")}, answer.text
