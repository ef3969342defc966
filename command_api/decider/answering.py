"""Outcomes: how the end of a decision is told, now and when its command comes again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from command_api.decider.requests import PartitionIdentity, Request
from command_api.decider.snapshot import Answered
from command_api.decider.stream_writer import Fact
from command_api.decisions.commands import Batch, Command, SingleCommand
from command_api.decisions.library import stream_for
from command_api.decisions.refusals import Refusal, Rejected
from events import registry
from events.envelope import Envelope
from events.identifiers import uuid7_ms
from events.json_text import Json, dump, parse
from events.outcome import Outcome, OutcomeStatus, RefusedCommand
from events.pattern import (
    PatternConflictDetected,
    PatternConflictResolved,
    PatternEdited,
    pattern_id_of,
)
from events.shapes import utc_text

_HEADER_BYTES = 2 * 1024
"""What an outcome's record takes beside its answer, overstated."""
_MOST_SHOWN = 128
"""Characters of what a refusal tells of its sender: no record that the command API wrote has more."""


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


def refused(decision: Rejected) -> dict[str, Json]:
    """What a refused command is told."""
    return {"code": str(decision.code), "detail": decision.detail, **decision.about}


def rejected(request: Request, identity: PartitionIdentity, decision: Rejected) -> Outcome:
    """The outcome of a command that is refused."""
    told = outcome_of(request, identity, "rejected", refused(decision))
    return replace(told, refused=_refused_command(request, decision))


def _refused_command(request: Request, decision: Rejected) -> RefusedCommand:
    by = {"actor": request.actor[:_MOST_SHOWN], "request_id": request.request_id[:_MOST_SHOWN]}
    command = request.command
    if isinstance(command, Rejected):
        return RefusedCommand(**by)
    at_fault = _at_fault(request, decision) if isinstance(command, Batch) else command
    return RefusedCommand(
        **by,
        command_type=command.type,
        stream="" if at_fault is None else stream_for(at_fault),
        occurred_at=claimed_time(command),
    )


def _at_fault(request: Request, decision: Rejected) -> SingleCommand | None:
    """The command of a batch by which all of it failed; None if there is no such one."""
    failed = decision.about.get("failed")
    return None if failed is None else request.commands[failed["index"]]


def claimed_time(command: Command) -> str:
    """When a command was made, as its sender says, RFC 3339 in UTC; else its id does."""
    if command.occurred_at:
        return utc_text(datetime.fromisoformat(command.occurred_at))
    return time_text(uuid7_ms(command.command_id))


def answered_with(command: Command, facts: Sequence[Fact]) -> tuple[OutcomeStatus, dict[str, Json]]:
    """What a command's events amount to for its sender, now or when its decider died before it said so."""
    if not isinstance(command, Batch):
        return _told(facts[-1])
    members = [_told(fact) for fact in facts]
    status: OutcomeStatus = "merged" if any(told[0] == "merged" for told in members) else "accepted"
    outcomes = [{"status": told, **answer} for told, answer in members]
    return status, {"sequence": facts[-1].sequence, "outcomes": outcomes}


def _told(fact: Fact) -> tuple[OutcomeStatus, dict[str, Json]]:
    pattern_id = pattern_id_of(fact.stream)
    about = {} if pattern_id is None else {"pattern_id": pattern_id}
    answer: dict[str, Json] = {**about, "version": fact.version, "sequence": fact.sequence}
    if isinstance(fact.event, PatternConflictDetected):
        return "conflict", {**_in_conflict(fact.event, fact.version - 1), **answer}
    return "merged" if _saw_less(fact) else "accepted", answer


def _saw_less(fact: Fact) -> bool:
    """Whether the sender of an edit had not seen the version before it."""
    event = fact.event
    return (
        isinstance(event, PatternEdited | PatternConflictResolved) and event.base_version < fact.version - 1
    )


def _in_conflict(event: PatternConflictDetected, current_version: int) -> dict[str, Json]:
    fields = [name for name, sides in event.fields.items() if sides.clashes]
    return {
        "code": str(Refusal.EDIT_CONFLICT),
        "detail": f"changed since the base version: {', '.join(fields)[:1000]}",
        "conflict": {
            "conflict_id": event.conflict_id,
            "current_version": current_version,
            "fields": fields,
        },
    }


def facts_of(orphan: Sequence[Envelope]) -> list[Fact]:
    """The events that a command has already."""
    return [
        Fact(
            stream=envelope.stream,
            event=registry.read(envelope.type, envelope.data),
            version=envelope.version,
            sequence=envelope.sequence,
        )
        for envelope in orphan
    ]


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
        return replace(rejected(request, identity, refusal), repeat=True)
    answer: dict[str, Json] = parse(first.answer.encode())
    bare = {name: value for name, value in answer.items() if name not in ("command_id", "status")}
    again = outcome_of(request, identity, first.status, bare)
    return replace(again, recorded_at=first.recorded_at, repeat=True)


def size_of(answer: Outcome) -> int:
    """Bytes of an outcome's record, overstated."""
    return _HEADER_BYTES + len(dump(answer.answer))


@lru_cache(maxsize=1024)
def time_text(unix_ms: int) -> str:
    """RFC 3339 in UTC, of milliseconds since 1970."""
    return utc_text(datetime.fromtimestamp(unix_ms / 1000, UTC))
