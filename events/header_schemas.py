"""What each header of a record holds, as JSON Schemas for documents and tools."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from events.envelope import JSON_CONTENT, SEQUENCE_DIGITS, SPEC_VERSION
from events.json_text import Json
from events.roles import Role
from events.shapes import EventType, Hash, Stream, Text, Time, Uuid

Schema = dict[str, Json]


def shape(annotation: Any, description: str) -> Schema:
    """The schema of one of the shapes, with what it stands for."""
    return {**TypeAdapter(annotation).json_schema(), "description": description}


def number(description: str) -> Schema:
    """The schema of a header that holds a number in decimal digits."""
    return {"type": "string", "pattern": "^[0-9]{1,20}$", "description": description}


def constant(value: str, description: str) -> Schema:
    """The schema of a header that always holds the same."""
    return {"type": "string", "const": value, "description": description}


def headers(properties: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of a record's headers: all of these, some of the optional, and any that come later."""
    known = {**properties, **(optional or {})}
    return {"type": "object", "required": list(properties), "properties": known}


def event_attributes() -> dict[str, Schema]:
    """The headers that are part of an event: CloudEvents attributes, and the type of its data."""
    return {
        "ce_specversion": constant(SPEC_VERSION, "Version of CloudEvents"),
        "ce_id": shape(Text, "Unique for ever: log id, team id and sequence, joined by colons"),
        "ce_source": shape(Text, "/teams/<team id>"),
        "ce_type": shape(EventType, "What happened, with the version of the data's shape"),
        "ce_subject": shape(Stream, "The stream: `team`, or `patterns/<pattern id>`"),
        "ce_time": shape(Time, "When it happened, as the client says"),
        "ce_recordedtime": shape(Time, "When the broker took the command in, in UTC"),
        "ce_sequence": {
            "type": "string",
            "pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$",
            "description": "Place in the team's log, from 1 without gaps, padded to sort as text",
        },
        "ce_streamversion": number("Place in the stream, from 1 without gaps"),
        "ce_logid": shape(Uuid, "The log; another one after a restore to an earlier state"),
        "ce_commandid": shape(Uuid, "The command that it came of"),
        "ce_commandhash": shape(Hash, "SHA-256 of that command's canonical JSON"),
        "ce_commandindex": number("Place among the events of that command, from 0"),
        "ce_commandcount": number("How many events that command became"),
        "ce_actor": shape(Text, "Who sent the command, by id"),
        "ce_requestid": shape(Text, "The HTTP request by which it came"),
        "ce_previoushash": shape(Hash, "The hash of the team's event before; 64 zeros before the first"),
        "content-type": constant(JSON_CONTENT.decode(), "The type of the data"),
    }


def stamps() -> dict[str, Schema]:
    """The headers by which the reader's rule is applied."""
    return {
        "term": number("Under which term it was written"),
        "writer": shape(Text, "By which writer"),
    }


def event_headers() -> Schema:
    """All headers of an event."""
    bookkeeping = {
        "kind": constant("event", "What the record is"),
        **stamps(),
        "fence": number("Offset of the fence under which it was written"),
        "command_offset": number("Offset of its command in the commands topic"),
    }
    return headers({**event_attributes(), **bookkeeping})


def fence_headers() -> Schema:
    """All headers of a fence."""
    return headers(
        {
            "kind": constant("fence", "What the record is"),
            **stamps(),
            "log_id": shape(Uuid, "The log"),
        }
    )


def position_headers(kind: str) -> dict[str, Schema]:
    """The headers that outcomes and marks have in common."""
    return {
        "kind": constant(kind, "What the record is"),
        **stamps(),
        "fence": number("Offset of the fence under which it was written"),
        "command_offset": number("Offset in the commands topic: of the answered command, or of the next one"),
        "events_end": number("End of the partition's events as the writer knew it"),
        "log_id": shape(Uuid, "The log"),
    }


def mark_headers() -> Schema:
    """All headers of a mark."""
    return headers(position_headers("mark"))


def outcome_headers() -> Schema:
    """All headers of an outcome."""
    own: dict[str, Schema] = {
        "command_hash": {
            "type": "string",
            "pattern": "^([0-9a-f]{64})?$",
            "description": "SHA-256 of the command's canonical JSON; empty where there was no command",
        },
        "recorded_at": shape(Time, "When the broker took the command in, in UTC"),
        "repeat": {
            "type": "string",
            "enum": ["0", "1"],
            "description": "1 where an earlier outcome has the same command id: that one stands",
        },
    }
    refusal: dict[str, Schema] = {
        "actor": shape(Text, "Of a refusal: who sent the command, by id"),
        "request_id": shape(Text, "Of a refusal: the HTTP request by which the command came"),
        "command_type": shape(Text, "Of a refusal: the type of the command"),
        "stream": shape(Stream, "Of a refusal: the stream that the command wanted to change"),
        "occurred_at": shape(Time, "Of a refusal: when the command was made, as the client says"),
    }
    return headers({**position_headers("outcome"), **own}, optional=refusal)


def command_headers() -> Schema:
    """All headers of a command."""
    return headers(
        {
            "actor": shape(Text, "Who sent it, by id"),
            "request_id": shape(Text, "The HTTP request by which it came"),
        },
        optional={
            "rights": {
                "type": "string",
                "enum": [role.value for role in Role],
                "description": "The role whose rights its sender's credential is good for at most",
            },
            "credential": shape(Text, "The session or the key by which it was sent, by id"),
            "address": shape(Text, "The network address from which it came"),
            "user_agent": shape(Text, "The program that sent it, as it calls itself"),
        },
    )
