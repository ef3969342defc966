"""The decisions on one micro-batch of commands: pure, given the working set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from command_api.decider.answering import (
    accepted,
    answered_by,
    not_accepted,
    of_events,
    outcome_of,
    refused,
    repeated,
    size_of,
    time_text,
)
from command_api.decider.memory import WorkingSet
from command_api.decider.requests import PartitionIdentity, Request
from command_api.decider.snapshot import Fields
from command_api.decider.stream_writer import Origin, append
from command_api.decisions.commands import Command, EditPattern
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView, stream_for, wanted_name
from command_api.decisions.refusals import Accepted, Refusal, Rejected
from events.envelope import Envelope
from events.identifiers import uuid7_ms
from events.outcome import Outcome
from events.pattern import DeletedPattern, NoPattern, Pattern, PatternState
from events.record import NewRecord
from events.shapes import utc_text
from events.team import STREAM as TEAM_STREAM
from events.team import NoTeam, Team

MAX_COMMAND_AGE_MS = 30 * 24 * 60 * 60 * 1000
MAX_COMMAND_AHEAD_MS = 5 * 60 * 1000

_MERGE_BYTES = 128 * 1024
"""What a merge counts for in a batch: it may take as long as the writing of so much."""

logger = structlog.get_logger()


@dataclass(slots=True)
class Decided:
    """What a micro-batch becomes: records of events, and one outcome per command offset, in order."""

    events: list[NewRecord] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    bytes: int = 0


def decide_batch(
    requests: Sequence[Request],
    working: WorkingSet,
    identity: PartitionIdentity,
    orphans: Callable[[int], Sequence[Envelope]],
    max_bytes: int,
) -> Decided:
    """Decide on requests in order, until the records would take more than `max_bytes`.

    `orphans` gives the events that a command, by its offset, has already.
    """
    decided = Decided()
    for request in requests:
        events, answer = _answer(request, working, identity, orphans(request.record.offset))
        decided.events += events
        decided.outcomes.append((request.record.offset, answer))
        decided.bytes += sum(record.size for record in events) + size_of(answer)
        if answer.status in ("merged", "conflict"):
            decided.bytes += _MERGE_BYTES
        if decided.bytes > max_bytes:
            break
    return decided


def _answer(
    request: Request, working: WorkingSet, identity: PartitionIdentity, orphan: Sequence[Envelope]
) -> tuple[list[NewRecord], Outcome]:
    if isinstance(request.command, Rejected):
        return [], outcome_of(request, identity, "rejected", refused(request.command))
    command = request.command
    key = (request.team_id, command.command_id)
    first = working.answered(key)
    if first is not None:
        return [], repeated(request, identity, first)
    if orphan:
        events: list[NewRecord] = []
        answer = outcome_of(request, identity, *of_events(orphan))
    else:
        events, answer = _decide(request, command, working, identity)
    working.draft.answers[key] = answered_by(answer)
    return events, answer


def _decide(
    request: Request, command: Command, working: WorkingSet, identity: PartitionIdentity
) -> tuple[list[NewRecord], Outcome]:
    try:
        decision = _judge_age(request, command) or decide(_view(request.team_id, command, working), command)
        if isinstance(decision, Accepted):
            records, head = append(working, _origin(request, command, identity), decision.events)
            version = int(records[-1].headers["ce_streamversion"])
            answer = accepted(stream_for(command), version, head.sequence)
            return records, outcome_of(request, identity, "merged" if decision.merged else "accepted", answer)
    except Exception as error:
        # Poison: pure code raised, so it would raise for ever. It gets an answer and blocks nothing.
        logger.exception("decision_failed", team_id=request.team_id, command_id=command.command_id)
        decision = Rejected(
            code=Refusal.INTERNAL_ERROR, detail=f"the decision failed: {type(error).__name__}"
        )
    return [], not_accepted(request, command, identity, decision)


def _judge_age(request: Request, command: Command) -> Rejected | None:
    age_ms = request.record.timestamp_ms - uuid7_ms(command.command_id)
    if age_ms > MAX_COMMAND_AGE_MS:
        return Rejected(code=Refusal.TOO_OLD, detail="the command's id was made over 30 days before it came")
    if age_ms < -MAX_COMMAND_AHEAD_MS:
        return Rejected(
            code=Refusal.IN_FUTURE, detail="the command's id was made over 5 minutes ahead of time"
        )
    return None


def _view(team_id: str, command: Command, working: WorkingSet) -> LibraryView:
    team_state = working.state((team_id, TEAM_STREAM))
    pattern_state = working.state((team_id, stream_for(command)))
    pattern: PatternState = NoPattern()
    if isinstance(pattern_state, Pattern | DeletedPattern):
        pattern = pattern_state
    name = wanted_name(command, pattern)
    return LibraryView(
        team=team_state if isinstance(team_state, Team) else NoTeam(),
        pattern=pattern,
        name_holder=None if name is None else working.name_holder((team_id, name)),
        base=_base(team_id, command, working),
    )


def _base(team_id: str, command: Command, working: WorkingSet) -> Fields | None:
    if isinstance(command, EditPattern):
        return working.fields_at((team_id, stream_for(command), command.base_version))
    return None


def _origin(request: Request, command: Command, identity: PartitionIdentity) -> Origin:
    claimed = utc_text(datetime.fromisoformat(command.occurred_at)) if command.occurred_at else None
    return Origin(
        log_id=identity.log_id,
        team_id=request.team_id,
        stream=stream_for(command),
        command_id=command.command_id,
        command_hash=request.command_hash,
        command_offset=request.record.offset,
        actor=request.actor,
        request_id=request.request_id,
        occurred_at=claimed or time_text(uuid7_ms(command.command_id)),
        recorded_at=time_text(request.record.timestamp_ms),
    )
