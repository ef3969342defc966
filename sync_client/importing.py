"""Importing a pattern file: what is new is recorded, what differs is edited, what is the same is left."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from command_api.decisions.pattern_fields import InvalidField, check_fields
from events.json_text import Json
from events.pattern import name_key
from sync_client.edits import Editor
from sync_client.errors import LocalRefusal
from sync_client.foreign import differing
from sync_client.library import Library
from sync_client.pattern_files import Item
from sync_client.progress import Progress
from sync_client.replica import Replica

_STEP = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Invalid:
    """An item that was left out: its place in the file, its name as far as it has one, and why."""

    place: int
    name: str
    code: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import came to."""

    recorded: int = 0
    edited: int = 0
    unchanged: int = 0
    invalid: int = 0


class Importer:
    """Makes the local edits of one import, all of them in one transaction."""

    def __init__(self, replica: Replica, now: Callable[[], datetime], progress: Progress) -> None:
        self._replica = replica
        self._editor = Editor(replica)
        self._library = Library(replica.connection)
        self._now = now
        self._progress = progress
        self._places: dict[str, int] = {}

    def run(self, items: Iterable[Item], on_invalid: Callable[[Invalid], None]) -> ImportReport:
        """Import all that is valid; a file that breaks off, or a process that dies, leaves nothing behind."""
        report, place = ImportReport(), 0
        with self._replica.transaction():
            for place, item in enumerate(items, 1):
                try:
                    report = self._take(item, report)
                except LocalRefusal as refusal:
                    on_invalid(_invalid(item, refusal))
                    report = replace(report, invalid=report.invalid + 1)
                if place % _STEP == 0:
                    self._progress.step("read", place, None)
        self._progress.step("read", place, place)
        return report

    def _take(self, item: Item, report: ImportReport) -> ImportReport:
        fields = self._checked(item)
        present = self._library.by_name(fields["name"])
        if present is None:
            self._editor.record(fields, self._now())
            return replace(report, recorded=report.recorded + 1)
        old = present.fields
        changed = {name: fields[name] for name in fields if name in differing(old, {**old, **fields})}
        if not changed:
            return replace(report, unchanged=report.unchanged + 1)
        self._editor.edit(present.pattern_id, changed, (), self._now())
        return replace(report, edited=report.edited + 1)

    def _checked(self, item: Item) -> dict[str, Json]:
        """The item as fields with a name that this file has not used before."""
        if item.error is not None:
            raise LocalRefusal(item.error.code, item.error.reason)
        if not isinstance(item.value, dict):
            raise LocalRefusal("invalid_field", "a pattern is a JSON object")
        fields: dict[str, Json] = item.value
        if "name" not in fields:
            raise LocalRefusal("invalid_field", "name: a pattern needs a name")
        try:
            check_fields(fields)
        except InvalidField as error:
            raise LocalRefusal("invalid_field", str(error)) from None
        first = self._places.setdefault(name_key(fields["name"]), item.place)
        if first != item.place:
            raise LocalRefusal("name_taken", f"name: stands in the file before, at {first}")
        return fields


def _invalid(item: Item, refusal: LocalRefusal) -> Invalid:
    name = item.value.get("name", "") if isinstance(item.value, dict) else ""
    return Invalid(
        place=item.place,
        name=name if isinstance(name, str) else "",
        code=refusal.code,
        reason=refusal.message,
    )
