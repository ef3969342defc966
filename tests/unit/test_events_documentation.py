"""docs/events.md and docs/asyncapi.json say what the code does."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from hypothesis import given

from command_api.command_log import Sender
from command_api.decisions.commands import command_schemas
from command_api.decisions.pattern_fields import KNOWN_FIELDS, MAX_NAME, SEVERITIES
from events import outcome
from events.header_schemas import Schema
from events.outcome import Position
from events.readers_rule import NO_ONE, Standing, Verdict, fence, judge, stamps
from events.record import Headers, NewRecord, Record
from events.registry import TYPES
from events.roles import Role
from events.upcasters import OLDER_TYPES
from evidence.following import LogFollower, Reason
from evidence.leaves import leaf_of
from runtime.imported import IMPORTED
from tests.golden import all_golden, golden
from tests.strategies import REPEATABLE
from tests.sync_fakes.audited import SIGNER, AuditedLog
from tests.unit.test_events_outcome import RECORD as OUTCOME
from tests.unit.test_events_readers_rule import any_log
from tools.generate_asyncapi import PAGE, text

DOCS = Path(__file__).parents[2] / "docs"
EVENTS_PAGE = (DOCS / "events.md").read_text("utf-8")
ASYNCAPI: Schema = json.loads(PAGE.read_text("utf-8"))
STAMPED = {"kind", *stamps(NO_ONE)}


def section(title: str) -> str:
    """A section's text, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", EVENTS_PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found.group(1)


def named_in_table(title: str) -> set[str]:
    """The code-styled names in the first column of a section's tables."""
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def function_in(mark: str) -> Callable[..., Any]:
    """The function in the code block after a mark, as a reader of the page would have it."""
    code = EVENTS_PAGE.partition(f"<!-- {mark} -->\n\n```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {"hashlib": hashlib, "LogFollower": LogFollower, "leaf_of": leaf_of}
    exec(code, names)  # noqa: S102 - it is the documentation's own code
    (function,) = (value for name, value in names.items() if name in ("counts", "event_hash", "follow"))
    return cast("Callable[..., Any]", function)


# ---------------------------------------------------------------- the page


@REPEATABLE
@given(any_log)
def test_the_rule_in_the_page_is_the_readers_rule(log: list[Record]) -> None:
    counts = function_in("the reader's rule")
    owner, standing = (0, None), NO_ONE
    for record in log:
        owner, it_counts = counts(owner, record.headers)
        verdict, standing = judge(standing, record)
        assert it_counts == (verdict is Verdict.COUNTS)
        assert owner == ((standing.term, standing.writer.encode()) if standing.term else (0, None))


def test_the_hash_in_the_page_is_that_of_every_golden_record() -> None:
    event_hash = function_in("the hash")
    for published in all_golden().values():
        record = published.record
        assert event_hash(record.key, record.value, record.headers) == published.hash


def test_the_follower_in_the_page_finds_a_head_of_other_events_and_goes_on_from_what_it_kept() -> None:
    follow = function_in("following the tree")
    server = AuditedLog(signers=[SIGNER])
    server.records += [published.record for published in all_golden().values()]
    events = [("events", record) for record in server.records]
    kept: dict[str, Any] = {"size": 0, "hashes": ()}
    heads = [("tree_heads", note_record(server, size)) for size in (3, 5)]
    assert list(follow([*heads, *events[:4]], [SIGNER.key()], kept)) == []
    assert kept["size"] == 3
    server.records[4] = server.records[0]
    forged = note_record(server, 5)
    (failed,) = follow([*events[3:5], ("tree_heads", forged)], [SIGNER.key()], kept)
    assert (failed.reason, failed.shown.encode()) == (Reason.OTHER_EVENTS, forged.value)


def note_record(server: AuditedLog, size: int) -> NewRecord:
    head = server.head("log", "team", size)
    assert head is not None
    return NewRecord(key=b"team", value=head["note"].encode(), headers={})


def test_every_type_is_told_and_no_other() -> None:
    assert set(re.findall(r"^### (.+)$", EVENTS_PAGE, re.MULTILINE)) == {*TYPES, *OLDER_TYPES}


@pytest.mark.parametrize("event_type", TYPES)
def test_the_data_shown_of_a_type_is_that_of_its_golden_record(event_type: str) -> None:
    shown = section(event_type).partition("```json\n")[2].partition("```")[0]
    assert repr(json.loads(shown)) == repr(json.loads(golden(event_type).record.value or b""))


def test_every_header_of_an_event_is_told_and_no_other() -> None:
    assert named_in_table("Events") == set(golden("team.created.v1").record.headers)


def test_every_header_of_the_log_itself_is_told() -> None:
    told = Sender(
        team_id="t",
        actor="a",
        request_id="r",
        address="::1",
        user_agent="u",
        at_most=Role.VIEWER,
        credential="c",
    )
    sender = told.headers
    refused = asdict(outcome.RefusedCommand())
    written = {*OUTCOME.headers, *MARK, *FENCE, *STAMPED, IMPORTED, "command_offset", *sender, *refused}
    assert named_in_table("Headers that are not the event's") == written


def test_every_member_of_an_outcome_is_told() -> None:
    assert named_in_table("Outcomes") == set(message("outcome")["payload"]["properties"])


def test_every_known_field_is_told() -> None:
    assert named_in_table("pattern.recorded.v1") == set(KNOWN_FIELDS)


# ---------------------------------------------------------------- AsyncAPI

MARK = outcome.mark(Position(next_command_offset=0, events_end=1), log_id="x").headers
FENCE = fence(term=1, writer="w", log_id="x").headers


def message(name: str) -> Schema:
    found: Schema = ASYNCAPI["components"]["messages"][name]
    return found


def resolved(schema: Schema) -> Schema:
    """A schema, with a reference followed."""
    while reference := schema.get("$ref"):
        schema = ASYNCAPI
        for part in reference.removeprefix("#/").split("/"):
            schema = schema[part]
    return schema


def references(node: object) -> Iterator[Schema]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node
        node = list(node.values())
    for child in node if isinstance(node, list) else []:
        yield from references(child)


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    assert PAGE.read_text("utf-8") == text(), "make it again: python -m tools.generate_asyncapi"


def test_the_document_has_the_shape_of_asyncapi_3() -> None:
    taken = ApplicationSchema.model_validate(ASYNCAPI)
    assert taken.asyncapi == "3.0.0"
    assert set(taken.channels) == {"commands", "events", "outcomes", "tree_heads"}


def test_every_reference_in_the_document_leads_somewhere() -> None:
    found = list(references(ASYNCAPI))
    assert len(found) > len(TYPES)
    for reference in found:
        assert resolved(reference)


def test_every_published_type_is_a_message_of_the_events_topic() -> None:
    assert set(ASYNCAPI["channels"]["events"]["messages"]) == {*TYPES, *OLDER_TYPES, "fence"}


@pytest.mark.parametrize("event_type", TYPES)
def test_the_example_of_a_type_has_the_headers_and_members_of_its_schema(event_type: str) -> None:
    shared, own = message(event_type)["headers"]["allOf"]
    schema, payload = resolved(shared), message(event_type)["payload"]
    (example,) = message(event_type)["examples"]
    headers = example["headers"]
    assert set(schema["required"]) == set(schema["properties"]) == set(headers)
    assert own == {"properties": {"ce_type": {"const": event_type}}}
    for name, shape in schema["properties"].items():
        assert re.search(shape.get("pattern", ""), headers[name]), name
        assert shape.get("const", headers[name]) == headers[name]
    assert set(payload.get("required", ())) == set(payload["properties"]) == set(example["payload"])


def test_the_headers_of_every_other_record_are_those_that_are_written() -> None:
    stamped = set(stamps(Standing(term=1, writer="w", fence_offset=0)))
    written: dict[str, Headers] = {"outcome": OUTCOME.headers, "mark": MARK}
    for name, headers in written.items():
        assert set(message(name)["headers"]["required"]) == {*headers, *stamped}
    assert set(message("fence")["headers"]["required"]) == set(FENCE)


def test_the_known_fields_have_the_types_that_are_checked() -> None:
    fields = resolved({"$ref": "#/components/schemas/PatternFields"})["properties"]
    assert list(fields) == list(KNOWN_FIELDS)
    assert fields["severity"]["enum"] == list(SEVERITIES)
    assert fields["name"]["maxLength"] == MAX_NAME


def test_every_command_is_a_message_that_needs_its_type() -> None:
    names = ASYNCAPI["channels"]["commands"]["messages"]
    assert set(names) == set(command_schemas())
    assert len(names) == 29
    for name in names:
        payload = message(name)["payload"]
        assert payload["properties"]["type"]["const"] == name
        assert {"type", "command_id"} <= set(payload["required"])
