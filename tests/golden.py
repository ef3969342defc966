"""The published records in events/golden: one per version of an event type, together logs of one team.

Each record follows another by its hash; some follow the same one, as histories that might have been.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from events.record import NewRecord

FOLDER = Path(__file__).parents[1] / "events" / "golden"


@dataclass(frozen=True, kw_only=True, slots=True)
class Golden:
    """A published record, and the hash that the next one of its log names."""

    record: NewRecord
    hash: str


def golden(event_type: str) -> Golden:
    """The published record of an event type."""
    shape = json.loads((FOLDER / f"{event_type}.json").read_text())
    headers = {name: text.encode() for name, text in shape["headers"].items()}
    record = NewRecord(key=shape["key"].encode(), value=shape["value"].encode(), headers=headers)
    return Golden(record=record, hash=shape["hash"])


def all_golden() -> Mapping[str, Golden]:
    """Every published record by its type, in the order of their log, older versions first."""
    found = {path.stem: golden(path.stem) for path in FOLDER.glob("*.json")}
    return dict(sorted(found.items(), key=lambda item: (item[1].record.headers["ce_sequence"], item[0])))
