"""Outcomes: the one answer to each command, as records of [outcomes]; and marks, which keep the place."""

from dataclasses import asdict, dataclass, field, fields
from typing import Literal, get_args

from events.errors import InvalidJson, MalformedRecord
from events.json_text import Json, dump, parse
from events.record import COMMAND_OFFSET, KIND, LOG_ID, Headers, NewRecord, Record, integer_of, text_of

OutcomeStatus = Literal["accepted", "merged", "conflict", "rejected"]

EVENTS_END = "events_end"
OUTCOME_KIND = b"outcome"
MARK_KIND = b"mark"
_REPEAT = {b"0": False, b"1": True}
_STATUSES = frozenset(get_args(OutcomeStatus))


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """How far a partition's decider has come: the next command to answer, and the end of [events] it knew."""

    next_command_offset: int
    events_end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedCommand:
    """Whose command was refused, and what it was, for the audit; empty is what its record did not tell."""

    actor: str = ""
    request_id: str = ""
    command_type: str = ""
    stream: str = ""
    occurred_at: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a command.

    `answer` is what else its sender reads: code, detail, pattern_id, version, sequence, conflict.
    `repeat` says that it is not the first answer under its command id: the first one stands.
    `command_id` is None for a record that held no command. `refused` is in the outcome of each refusal, but
    not where that is told again.
    """

    log_id: str
    team_id: str
    command_id: str | None
    command_hash: str
    recorded_at: str
    status: OutcomeStatus
    answer: dict[str, Json]
    repeat: bool = False
    refused: RefusedCommand | None = field(default=None, compare=False)


def encode(outcome: Outcome, *, command_offset: int, events_end: int) -> NewRecord:
    """The record of an outcome; it also says how far its decider has come."""
    headers = {
        KIND: OUTCOME_KIND,
        COMMAND_OFFSET: b"%d" % command_offset,
        EVENTS_END: b"%d" % events_end,
        LOG_ID: outcome.log_id.encode(),
        "command_hash": outcome.command_hash.encode(),
        "recorded_at": outcome.recorded_at.encode(),
        "repeat": b"1" if outcome.repeat else b"0",
    }
    if outcome.refused is not None:
        headers |= {name: text.encode() for name, text in asdict(outcome.refused).items() if text}
    value = {"command_id": outcome.command_id, "status": outcome.status, **outcome.answer}
    return NewRecord(key=outcome.team_id.encode(), value=dump(value), headers=headers)


def decode(record: Record | NewRecord) -> Outcome:
    """Read an outcome's record; raise `MalformedRecord` for one without the published shape."""
    if record.headers.get(KIND) != OUTCOME_KIND or record.key is None or record.value is None:
        raise MalformedRecord("not an outcome")
    if (repeat := _REPEAT.get(record.headers.get("repeat", b""))) is None:
        raise MalformedRecord("header repeat is not 0 or 1")
    answer = _answer(record.value)
    return Outcome(
        log_id=text_of(record.headers, LOG_ID),
        team_id=_team_id(record.key),
        command_id=answer.pop("command_id"),
        command_hash=text_of(record.headers, "command_hash"),
        recorded_at=text_of(record.headers, "recorded_at"),
        status=answer.pop("status"),
        answer=answer,
        repeat=repeat,
        refused=_refused(record.headers),
    )


def _refused(headers: Headers) -> RefusedCommand | None:
    """What a refusal's headers tell; None for any other outcome, and for those before there were any."""
    names = [one.name for one in fields(RefusedCommand) if one.name in headers]
    return RefusedCommand(**{name: text_of(headers, name) for name in names}) if names else None


def _answer(value: bytes) -> dict[str, Json]:
    try:
        answer = parse(value)
    except InvalidJson as error:
        raise MalformedRecord(f"outcome: {error}") from None
    if not isinstance(answer, dict) or not {"command_id", "status"} <= answer.keys():
        raise MalformedRecord("outcome: command_id or status is missing")
    if not isinstance(answer["command_id"], str | None):
        raise MalformedRecord("outcome: command_id is no text")
    if not isinstance(answer["status"], str) or answer["status"] not in _STATUSES:
        raise MalformedRecord("outcome: status is none of the published ones")
    return answer


def _team_id(key: bytes) -> str:
    try:
        return key.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRecord("outcome: the key is not UTF-8") from None


def mark(position: Position, *, log_id: str) -> NewRecord:
    """The record that a new owner of a partition writes first: where it goes on."""
    headers = {
        KIND: MARK_KIND,
        COMMAND_OFFSET: b"%d" % position.next_command_offset,
        EVENTS_END: b"%d" % position.events_end,
        LOG_ID: log_id.encode(),
    }
    return NewRecord(key=None, value=None, headers=headers)


def is_mark(record: Record | NewRecord) -> bool:
    """Whether a record of [outcomes] is a mark."""
    return record.headers.get(KIND) == MARK_KIND


def position_of(record: Record | NewRecord) -> Position:
    """The position after an outcome or a mark; raise `MalformedRecord` for any other record."""
    if record.headers.get(KIND) not in (OUTCOME_KIND, MARK_KIND):
        raise MalformedRecord("neither an outcome nor a mark")
    command_offset = integer_of(record.headers, COMMAND_OFFSET)
    answered = 0 if is_mark(record) else 1
    return Position(
        next_command_offset=command_offset + answered, events_end=integer_of(record.headers, EVENTS_END)
    )
