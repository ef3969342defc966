"""Importing a pattern file into a library."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.json_text import Json
from sync_client.errors import BadPatternFile
from sync_client.importing import Importer, ImportReport, Invalid
from sync_client.pattern_files import Item, read_patterns, written
from sync_client.progress import Silent
from tests.sync_fakes.clients import NOW, Client, client_of
from tests.sync_fakes.server import FakeServer


@pytest.fixture
def client(server: FakeServer, tmp_path: Path) -> Iterator[Client]:
    with client_of(server, tmp_path / "one") as made:
        yield made


def imported(client: Client, *patterns: Json) -> tuple[ImportReport, list[Invalid]]:
    invalid: list[Invalid] = []
    items = [Item(place=place, value=value) for place, value in enumerate(patterns, 1)]
    report = Importer(client.replica, lambda: NOW, Silent()).run(items, invalid.append)
    return report, invalid


def test_new_patterns_are_recorded_and_importing_them_again_does_nothing(client: Client) -> None:
    patterns = [{"name": "a", "x": 1}, {"name": "b", "tags": ["t"]}]
    assert imported(client, *patterns) == (ImportReport(recorded=2), [])
    assert imported(client, *patterns) == (ImportReport(unchanged=2), [])
    assert client.live() == {"a": patterns[0], "b": patterns[1]}
    assert len(client.states()) == 2


async def test_a_pattern_of_the_same_name_gets_only_what_differs(server: FakeServer, client: Client) -> None:
    imported(client, {"name": "a", "description": "old", "problem": "same", "x": 1, "y": True})
    await client.sync_client.push()
    report, _ = imported(client, {"name": "a", "description": "new", "problem": "same", "x": 1.0, "y": True})
    assert report == ImportReport(edited=1)
    await client.restarted().push()
    assert getattr(server.judged[-1].command, "set", None) == {"description": "new", "x": 1.0}
    assert imported(client, {"name": "a", "description": "new", "x": 1.0})[0] == ImportReport(unchanged=1)


def test_a_field_that_the_file_does_not_have_stays(client: Client) -> None:
    imported(client, {"name": "a", "description": "here", "x": None})
    assert imported(client, {"name": "a"})[0] == ImportReport(unchanged=1)
    assert client.live()["a"] == {"name": "a", "description": "here", "x": None}


def test_invalid_patterns_are_reported_with_their_place_and_the_others_go_on(client: Client) -> None:
    report, invalid = imported(
        client,
        {"name": "good"},
        {"description": "no name"},
        {"name": "bad", "severity": "huge"},
        "no object",
        {"name": "good", "description": "again"},
        {"name": "deep", "x": deep(40)},
        {"name": "also good"},
    )
    assert report == ImportReport(recorded=2, invalid=5)
    assert [(one.place, one.name, one.code) for one in invalid] == [
        (2, "", "invalid_field"),
        (3, "bad", "invalid_field"),
        (4, "", "invalid_field"),
        (5, "good", "name_taken"),
        (6, "deep", "too_deep"),
    ]
    assert invalid[1].reason == "severity: must be one of low, medium, high, critical"
    assert invalid[3].reason == "name: stands in the file before, at 1"


def deep(levels: int) -> Json:
    value: Json = 0
    for _ in range(levels):
        value = [value]
    return value


def test_a_file_that_breaks_off_leaves_nothing_behind(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "patterns.json"
    path.write_text('[{"name": "a"}, {"name": "b"}')
    with pytest.raises(BadPatternFile):
        Importer(client.replica, lambda: NOW, Silent()).run(read_patterns(path), lambda _: None)
    assert (client.live(), client.states()) == ({}, [])


FINITE = st.floats(allow_nan=False, allow_infinity=False)
FIELDS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5)
    .filter(lambda name: name not in ("name", "tags", "counters"))
    .map("x".__add__),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | FINITE,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "ü"]), inner),
        max_leaves=5,
    ),
    max_size=4,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patterns=st.lists(FIELDS, max_size=5), style=st.sampled_from(["json", "ndjson"]))
async def test_what_is_exported_and_imported_elsewhere_is_the_same_library(
    tmp_path_factory: pytest.TempPathFactory, patterns: list[dict[str, Json]], style: str
) -> None:
    folder, server, other_server = tmp_path_factory.mktemp("trip"), FakeServer(), FakeServer()
    named = [{"name": f"n{index}", **fields} for index, fields in enumerate(patterns)]
    path = folder / f"library.{style}"
    with client_of(server, folder / "one") as one, client_of(other_server, folder / "other") as other:
        imported(one, *named)
        await one.sync()
        texts = [pattern.fields_text for pattern in one.library.patterns()]
        path.write_text("".join(written(texts, "json" if style == "json" else "ndjson")), encoding="utf-8")
        Importer(other.replica, lambda: NOW, Silent()).run(read_patterns(path), refuse)
        await other.sync()
    assert as_text(other_server) == as_text(server) == [json.dumps(fields) for fields in named]


def refuse(invalid: Invalid) -> None:
    pytest.fail(str(invalid))


def as_text(server: FakeServer) -> list[str]:
    """Exactly: the order of fields, and 1 apart from 1.0."""
    return [json.dumps(fields) for _, fields in sorted(server.live().items())]
