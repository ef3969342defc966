"""What becomes of a file's rows: one command each, whose ids tell a repeat of the same upload."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from command_api.decisions.commands import InvalidCommand, command_from
from command_api.decisions.refusals import Refusal
from events.identifiers import uuid7, uuid7_ms
from events.json_text import Json, dump
from events.pattern import name_key
from runtime.uploads.rows import Row, RowFile

_FIELDS = "/fields"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowCommand:
    """The command of a row."""

    index: int
    command_id: str
    pattern_id: str
    text: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class InvalidRow:
    """A row that becomes no command, and why; the pointer is into the file, by the row's index."""

    index: int
    code: str
    detail: str
    pointer: str


PlannedRow = RowCommand | InvalidRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What the ids are derived from, beside a row's index: the same upload gets the same ones."""

    team_id: str
    import_id: str
    digest: bytes


def plan(file: RowFile, team_id: str, import_id: str, most_bytes: int) -> tuple[PlannedRow, ...]:
    """A command for each row that is a pattern whose name no row before it has."""
    upload = Upload(team_id=team_id, import_id=import_id, digest=file.digest)
    return tuple(_planned(upload, file.rows, most_bytes))


def _planned(upload: Upload, rows: tuple[Row, ...], most_bytes: int) -> Iterator[PlannedRow]:
    first: dict[str, int] = {}
    for row in rows:
        if row.error is not None:
            yield _invalid(row, row.error.code, row.error.reason)
            continue
        command_id, pattern_id = ids_of(upload, row.index)
        value = _command(command_id, pattern_id, row.value)
        try:
            command_from(value)
        except InvalidCommand as error:
            yield _invalid(row, error.code, error.detail, error.pointer.removeprefix(_FIELDS))
            continue
        name = name_key(row.value["name"])
        if first.setdefault(name, row.index) != row.index:
            detail = f"name: stands in the file before, in row {first[name]}"
            yield _invalid(row, Refusal.NAME_TAKEN, detail, "/name")
            continue
        text = dump(value)
        if len(text) > most_bytes:
            yield _invalid(row, Refusal.TOO_LARGE, f"a command has at most {most_bytes} bytes of JSON")
            continue
        yield RowCommand(index=row.index, command_id=command_id, pattern_id=pattern_id, text=text)


def ids_of(upload: Upload, index: int) -> tuple[str, str]:
    """The ids of a row's command and of its pattern; their time is that of the import's id."""
    parts = (upload.team_id.encode(), upload.import_id.encode(), upload.digest, str(index).encode())
    digest = sha256(b"\n".join(parts)).digest()
    at = uuid7_ms(upload.import_id)
    return uuid7(at, digest[:10]), uuid7(at, digest[10:20])


def _command(command_id: str, pattern_id: str, fields: Json) -> dict[str, Json]:
    return {"type": "record_pattern", "command_id": command_id, "pattern_id": pattern_id, "fields": fields}


def _invalid(row: Row, code: str, detail: str, pointer: str = "") -> InvalidRow:
    return InvalidRow(index=row.index, code=str(code), detail=detail, pointer=row.pointer + pointer)
