"""The AsyncAPI 3.0 document of the topics, made from the registry of event types."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from events import header_schemas
from events.header_schemas import Schema
from events.json_schemas import inlined
from events.json_text import MAX_INTEGER
from events.outcome import OutcomeStatus
from events.registry import TYPES, Event
from events.shapes import Uuid
from events.upcasters import OLDER_TYPES, OlderType

_GOLDEN = Path(__file__).parent / "golden"
_STAMPS_OF_EXAMPLES = {
    "kind": "event",
    "term": "7",
    "writer": "decider-1",
    "fence": "1042",
    "command_offset": "88211",
}
_DAY_MS = 24 * 60 * 60 * 1000
_RETENTION_MS = {"commands": 30 * _DAY_MS, "events": -1, "outcomes": 37 * _DAY_MS, "tree_heads": -1}
_ABOUT = {
    "commands": "Commands as the API accepted them. Written by the command API alone.",
    "events": "Facts, for ever, and fences. A record counts by the reader's rule alone: see docs/events.md.",
    "outcomes": "The one answer to each command, fences and marks. The reader's rule holds here too.",
    "tree_heads": "Signed heads of the Merkle trees, for ever. The reader's rule is not for this topic.",
}


def document(commands: Mapping[str, Schema]) -> Schema:
    """The document; `commands` are the JSON Schemas of commands by type, which this package does not know."""
    messages = {
        "commands": {name: _command(name, schema) for name, schema in commands.items()},
        "events": {name: _event(name, cls) for name, cls in {**TYPES, **OLDER_TYPES}.items()}
        | {"fence": _fence()},
        "outcomes": {"outcome": _outcome(), "mark": _mark(), "fence": _fence()},
        "tree_heads": _notes(),
    }
    return {
        "asyncapi": "3.0.0",
        "id": "urn:patternlog",
        "info": {
            "title": "Patternlog",
            "version": "1.0.0",
            "description": "The topics of Patternlog's log. docs/events.md tells how to read them.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, names) for topic, names in messages.items()},
        "operations": {
            f"write-{topic}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic}"},
                "summary": f"Patternlog appends to its {topic} topic.",
            }
            for topic in messages
        },
        "components": {
            "messages": {name: message for found in messages.values() for name, message in found.items()},
            "schemas": {
                "EventHeaders": header_schemas.event_headers(),
                "CommandHeaders": header_schemas.command_headers(),
                "PatternFields": _pattern_fields(),
                "Conflict": _conflict(),
            },
        },
    }


def _channel(topic: str, messages: Mapping[str, Schema]) -> Schema:
    return {
        "address": f"patternlog.{topic}.v1",
        "description": _ABOUT[topic],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": _RETENTION_MS[topic],
                    "max.message.bytes": 8 * 1024 * 1024,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(name: str, about: str, headers: Schema, payload: Schema, key: Schema) -> Schema:
    return {
        "name": name,
        "summary": about,
        "headers": headers,
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _log_key() -> Schema:
    return header_schemas.shape(Uuid, "The id of the team or organization")


def _event(name: str, event_class: type[Event] | OlderType) -> Schema:
    own = {"properties": {"ce_type": {"const": name}}}
    headers = {"type": "object", "allOf": [{"$ref": "#/components/schemas/EventHeaders"}, own]}
    schema = _as_written(TypeAdapter(event_class).json_schema())
    payload = _payload(schema, is_of_pattern=name.startswith("pattern."))
    message = _message(name, schema["description"], headers, payload, _log_key())
    golden = json.loads((_GOLDEN / f"{name}.json").read_text("utf-8"))
    headers_with_stamps = {**golden["headers"], **_STAMPS_OF_EXAMPLES}
    example = {"headers": headers_with_stamps, "payload": json.loads(golden["value"])}
    return {**message, "examples": [example]}


def _command(name: str, schema: Schema) -> Schema:
    headers = {"$ref": "#/components/schemas/CommandHeaders"}
    payload = _payload(schema, is_of_pattern="pattern_id" in schema["properties"])
    return _message(name, schema["description"], headers, payload, _log_key())


def _notes() -> dict[str, Schema]:
    return {
        "tree_head": _note("A signed tree head", _log_key()),
        "keys": _note("The signing keys", {"const": "keys"}),
    }


def _note(what: str, key: Schema) -> Schema:
    headers: Schema = {"type": "object", "properties": {"content-type": {"type": "string"}}}
    payload: Schema = {"type": "string", "description": f"{what}, as a C2SP signed note"}
    name = "keys" if "const" in key else "tree_head"
    message = _message(name, f"{what}; docs/audit.md explains it.", headers, payload, key)
    return {**message, "contentType": "text/plain; charset=utf-8"}


def _as_written(schema: Schema) -> Schema:
    """A schema of pydantic's with all members required: none has a default in the log."""
    return {**schema, "required": list(schema["properties"])} if schema["properties"] else schema


def _payload(schema: Schema, *, is_of_pattern: bool) -> Schema:
    """A schema of pydantic's, whole in itself but for what is known of fields."""
    whole = inlined(schema)
    properties = whole["properties"]
    if not is_of_pattern:
        return whole
    for member in {"fields", "set"} & properties.keys():
        if properties[member].get("additionalProperties") is True:
            properties[member] = {"$ref": "#/components/schemas/PatternFields"}
    return whole


def _fence() -> Schema:
    about = "A writer takes the partition, if its term is higher than every one before."
    return _message("fence", about, header_schemas.fence_headers(), {"type": "null"}, {"type": "null"})


def _mark() -> Schema:
    about = "The first record of a new writer: the next command, and the end of the events."
    return _message("mark", about, header_schemas.mark_headers(), {"type": "null"}, {"type": "null"})


def _outcome() -> Schema:
    number = {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}
    names = {"type": "array", "items": {"type": "string"}}
    payload: Schema = {
        "type": "object",
        "required": ["command_id", "status"],
        "properties": {
            "command_id": {"type": ["string", "null"], "description": "null where there was no command"},
            "status": TypeAdapter(OutcomeStatus).json_schema(),
            "pattern_id": header_schemas.shape(Uuid, "Accepted, merged, conflict: the pattern"),
            "version": {**number, "description": "Accepted, merged, conflict: the stream's version after it"},
            "sequence": {**number, "description": "Accepted, merged, conflict: the log's sequence after it"},
            "code": {"type": "string", "description": "Conflict, rejected: why, as a stable code"},
            "detail": {"type": "string", "description": "Conflict, rejected: why, for people"},
            "conflict": {"$ref": "#/components/schemas/Conflict"},
            "current_version": {**number, "description": "Rejected: the pattern's version, not seen before"},
            "fields": {**names, "description": "Rejected: fields that are not decided, or changed meanwhile"},
            "base_command": header_schemas.shape(Uuid, "Rejected: the command on which this one is based"),
            "outcomes": {
                "type": "array",
                "items": {"type": "object"},
                "description": "Accepted, merged, of a batch: `status`, `version`, `sequence` of each member",
            },
            "failed": {
                "type": "object",
                "description": "Rejected, of a batch: `index`, `code` and `detail` of the member to blame",
            },
        },
    }
    about = "What became of a command."
    return _message("outcome", about, header_schemas.outcome_headers(), payload, {"type": "string"})


def _conflict() -> Schema:
    return {
        "type": "object",
        "description": "What an edit ran into.",
        "required": ["current_version", "fields"],
        "properties": {
            "conflict_id": header_schemas.shape(Uuid, "Of the conflict that was recorded, if it was"),
            "current_version": {"type": "integer", "minimum": 1},
            "fields": {"type": "array", "items": {"type": "string"}},
        },
    }


def _pattern_fields() -> Schema:
    text = {"type": "string"}
    count = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
    return {
        "type": "object",
        "description": "Known fields have a type; any other field is kept as it came.",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 255, "description": "Not blank"},
            **dict.fromkeys(("description", "problem", "solution", "bad_example", "good_example"), text),
            "category": text,
            "severity": {"type": "string", "enum": ["low", "medium", "high", "critical"]},
            "tags": {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True},
            "counters": {"type": "object", "additionalProperties": count},
        },
        "additionalProperties": True,
    }
