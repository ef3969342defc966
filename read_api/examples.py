"""An example of each answer, for OpenAPI alone: one team's first days."""

from collections.abc import Mapping

from events.cursor import Cursor
from events.json_text import Json

LOG = "019b76da-a800-7000-8000-00000000000f"
TEAM = "019b76da-a800-7a11-9c0a-5a1d2e3f4a5b"
PATTERN = "3d1b0c64-6f0e-4a54-9a0e-1d2c3b4a5f60"
DELETED = "6f1c2a34-0b5d-4c1e-9a77-2f6b8d0e4c11"
RECORDED = "019b76dd-0001-7b1c-9c0a-5a1d2e3f4a5b"
EDITED = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b"
HELD_UP = "019b76df-0a00-7b1c-9c0a-5a1d2e3f4a5b"
RESOLVED = "019b76df-5b00-7b1c-9c0a-5a1d2e3f4a5b"
PAGE = "AAECAwQFBgdbN10="
ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
LEAF = "Q5eyPWFtLBAkuKZqgbxqSOFtkUuYtdPMlOxsKiQHGGg="
NOTE = f"patternlog/{TEAM}\n9\n{ROOT}\n\n— patternlog 1q2w3eAAAABp8Xn9\n"


def cursor(sequence: int) -> str:
    """The cursor of a sequence of the example's log."""
    return str(Cursor(log_id=LOG, team_id=TEAM, sequence=sequence))


_ORIGIN = {
    "address": "203.0.113.7",
    "user_agent": "patternlog-cli",
    "credential": "key:7c1d9f30-6a52-4b7e-8d15-0a9e3c2b4f61",
}
FIELDS = {"name": "Retry storm", "severity": "high", "solution": "Back off\nand add jitter", "tags": ["io"]}
OLD_FIELDS = {"name": "Retry storm", "severity": "low", "solution": "Back off"}
_PATTERN = {"pattern_id": PATTERN, "version": 2, "sequence": 7, "status": "live", "fields": FIELDS}
_TOMBSTONE = {"pattern_id": DELETED, "version": 3, "sequence": 6, "status": "deleted"}


def _event(kind: str, version: int, sequence: int, command_id: str, minute: int) -> dict[str, Json]:
    return {
        "version": version,
        "sequence": sequence,
        "type": kind,
        "actor": "u-ada",
        "command_id": command_id,
        "request_id": "0b7c9a52",
        "occurred_at": f"2026-03-03T09:{minute}:00.000Z",
        "recorded_at": f"2026-03-03T09:{minute}:00.125Z",
    }


_FIRST = _event("pattern.recorded.v1", 1, 2, RECORDED, 10)
_SECOND = _event("pattern.edited.v3", 2, 7, EDITED, 30)
_EVENT = {
    "sequence": 7,
    "stream": f"patterns/{PATTERN}",
    "version": 2,
    **{name: _SECOND[name] for name in ("type", "actor", "command_id", "request_id")},
    **{name: _SECOND[name] for name in ("occurred_at", "recorded_at")},
    "changes": {
        "severity": {"before": {"value": "low"}, "after": {"value": "high"}},
        "tags": {"before": None, "after": {"value": ["io"]}},
    },
    "origin": _ORIGIN,
}
_REFUSAL = {
    "command_id": "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5c",
    "code": "pattern_deleted",
    "detail": "the pattern is gone for good",
    "actor": "u-ada",
    "request_id": "0b7c9a53",
    "command_type": "edit_pattern",
    "stream": f"patterns/{DELETED}",
    "occurred_at": "2026-03-03T09:31:00.000Z",
    "recorded_at": "2026-03-03T09:31:00.080Z",
    "origin": _ORIGIN,
}
_CONFLICT = {
    **_event("pattern.conflict_detected.v1", 3, 8, HELD_UP, 40),
    "pattern_id": PATTERN,
    "conflict_id": HELD_UP,
    "base_version": 1,
    "own": {},
    "base_known": True,
    "fields": {
        "severity": {
            "rule": "value",
            "clashes": True,
            "base": {"value": "low"},
            "theirs": {"value": "high"},
            "mine": {"value": "critical"},
        }
    },
    "status": "resolved",
    "closed": {
        **_event("pattern.conflict_resolved.v1", 4, 9, RESOLVED, 50),
        "choices": {"severity": "mine"},
    },
}
_HEAD = {
    "origin": f"patternlog/{TEAM}",
    "size": 9,
    "root": ROOT,
    "signed_at": "2026-03-03T10:00:00Z",
    "note": NOTE,
}
_DIFFERENCE = {
    "pattern_id": PATTERN,
    "change": "changed",
    "before": {"version": 1, "sequence": 2, "status": "live"},
    "after": {"version": 2, "sequence": 7, "status": "live"},
    "fields": {
        "severity": {"before": {"value": "low"}, "after": {"value": "high"}},
        "tags": {"before": None, "after": {"value": ["io"]}},
    },
}
_BLAME = {
    "pattern_id": PATTERN,
    "version": 2,
    "versions": {"1": _FIRST, "2": _SECOND},
    "fields": {
        "name": {"version": 1},
        "severity": {"version": 2},
        "solution": {"version": 2, "lines": [1, 2]},
        "tags": {"version": 2},
    },
    "cursor": cursor(9),
}

EXAMPLES: Mapping[str, Json] = {
    "PatternDocument": _PATTERN,
    "PatternsPage": {"patterns": [_PATTERN], "next_page": PAGE, "cursor": cursor(9)},
    "ChangesPage": {"changes": [_TOMBSTONE, _PATTERN], "cursor": cursor(7), "has_more": True},
    "DiffPage": {"differences": [_DIFFERENCE], "next_page": None, "from": cursor(5), "to": cursor(7)},
    "HistoryPage": {
        "versions": [
            {**_FIRST, "data": {"fields": OLD_FIELDS}, "fields": OLD_FIELDS},
            {**_SECOND, "data": {"set": {"severity": "high"}, "remove": []}, "fields": FIELDS},
        ],
        "next_page": None,
    },
    "BlameDocument": _BLAME,
    "ConflictDocument": _CONFLICT,
    "ConflictsPage": {"conflicts": [_CONFLICT], "next_page": None, "cursor": cursor(9)},
    "MergingDocument": {
        "policy": "merge",
        "rules": {"name": "value", "solution": "text", "tags": "tags", "hits": "counters"},
        "own": ["hits"],
        "default": "value",
        "cursor": cursor(9),
    },
    "AuditPage": {"entries": [_EVENT], "next_page": PAGE, "cursor": cursor(9)},
    "RefusalsPage": {"refusals": [_REFUSAL], "next_page": None, "cursor": cursor(9)},
    "TreeHeadDocument": _HEAD,
    "TreeHeadsPage": {"tree_heads": [_HEAD], "next_page": None},
    "SigningKeysDocument": {
        "name": "patternlog",
        "keys": ["patternlog+d6bd9ade+ASBxNgKJ5SGSKBhfkR0v0rS4wyKHPtHsyXkMqu1FDWE="],
        "notes": [],
    },
    "InclusionDocument": {"sequence": 2, "size": 2, "leaf": LEAF, "root": ROOT, "path": [LEAF]},
    "ConsistencyDocument": {"from": 1, "to": 2, "from_root": LEAF, "to_root": ROOT, "path": [LEAF]},
}
"""By the name of the answer's shape."""
_END = cursor(7)
EXPORT = {
    "ndjson": f'{{"sequence":7,"type":"pattern.edited.v3"}}\n{{"end":{{"count":1,"cursor":"{_END}"}}}}\n',
    "csv": f"sequence,stream,version\r\n7,patterns/{PATTERN},2\r\nend,1,{_END}\r\n",
    "log": '{"sequence":7,"headers":{"ce_type":"pattern.edited.v3"},"data":"{}"}\n',
}
