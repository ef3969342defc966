"""Outcomes: how the end of a decision is told, now and when its command comes again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import assert_never

from command_api.decider.requests import PartitionIdentity, Request
from command_api.decider.snapshot import Answered
from command_api.decisions.commands import Command
from command_api.decisions.library import stream_for
from command_api.decisions.refusals import Conflict, Refusal, Rejected
from events import registry
from events.envelope import Envelope
from events.json_text import Json, dump, parse
from events.outcome import Outcome, OutcomeStatus
from events.pattern import PatternEdited, pattern_id_of
from events.shapes import utc_text

_OUTCOME_BYTES = 8 * 1024


def outcome_of(
    request: Request, identity: PartitionIdentity, status: OutcomeStatus, answer: dict[str, Json]
) -> Outcome:
    """The outcome of a request."""
    return Outcome(
        log_id=identity.log_id,
        team_id=request.team_id,
        command_id=None if isinstance(request.command, Rejected) else request.command.command_id,
        command_hash=request.command_hash,
        recorded_at=time_text(request.record.timestamp_ms),
        status=status,
        answer=answer,
    )


def accepted(stream: str, version: int, sequence: int) -> dict[str, Json]:
    """What an accepted command is told: the version and sequence of its last event."""
    pattern_id = pattern_id_of(stream)
    about = {} if pattern_id is None else {"pattern_id": pattern_id}
    return {**about, "version": version, "sequence": sequence}


def refused(decision: Rejected) -> dict[str, Json]:
    """What a refused command is told."""
    return {"code": str(decision.code), "detail": decision.detail}


def not_accepted(
    request: Request, command: Command, identity: PartitionIdentity, decision: Conflict | Rejected
) -> Outcome:
    """The outcome of a command that is refused or in conflict."""
    match decision:
        case Rejected():
            return outcome_of(request, identity, "rejected", refused(decision))
        case Conflict():
            fields = list(decision.fields)
            answer = {
                "code": str(Refusal.EDIT_CONFLICT),
                "detail": f"changed since the base version: {', '.join(fields)[:1000]}",
                "pattern_id": pattern_id_of(stream_for(command)),
                "conflict": {"current_version": decision.current_version, "fields": fields},
            }
            return outcome_of(request, identity, "conflict", answer)
        case _:
            assert_never(decision)


def of_events(orphan: Sequence[Envelope]) -> tuple[OutcomeStatus, dict[str, Json]]:
    """The answer that a command's events stand for, when its decider died between the two appends."""
    last = orphan[-1]
    first = registry.read(orphan[0].type, orphan[0].data)
    merged = isinstance(first, PatternEdited) and first.base_version < orphan[0].version - 1
    return "merged" if merged else "accepted", accepted(last.stream, last.version, last.sequence)


def answered_by(answer: Outcome) -> Answered:
    """What memory keeps of an outcome."""
    return Answered(
        command_hash=answer.command_hash,
        recorded_at=answer.recorded_at,
        status=answer.status,
        answer=dump(answer.answer).decode(),
    )


def repeated(request: Request, identity: PartitionIdentity, first: Answered) -> Outcome:
    """The outcome of a command whose id has one already: the same again, or a refusal for another body."""
    if first.command_hash != request.command_hash:
        refusal = Rejected(
            code=Refusal.COMMAND_ID_REUSED, detail="another command was sent under this id before"
        )
        return replace(outcome_of(request, identity, "rejected", refused(refusal)), repeat=True)
    answer: dict[str, Json] = parse(first.answer.encode())
    bare = {name: value for name, value in answer.items() if name not in ("command_id", "status")}
    again = outcome_of(request, identity, first.status, bare)
    return replace(again, recorded_at=first.recorded_at, repeat=True)


def size_of(answer: Outcome) -> int:
    """Bytes of an outcome's record, overstated; only a conflict's fields make it large."""
    fields = answer.answer.get("conflict", {}).get("fields", ())
    # A character can take six bytes of JSON.
    return _OUTCOME_BYTES + 6 * sum(map(len, fields))


@lru_cache(maxsize=1024)
def time_text(unix_ms: int) -> str:
    """RFC 3339 in UTC, of milliseconds since 1970."""
    return utc_text(datetime.fromtimestamp(unix_ms / 1000, UTC))
