"""The decisions on one micro-batch of commands: pure, given the working set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from command_api.decider.answering import (
    answered_by,
    answered_with,
    claimed_time,
    facts_of,
    outcome_of,
    rejected,
    repeated,
    size_of,
    time_text,
)
from command_api.decider.judging import changes_of
from command_api.decider.memory import WorkingSet
from command_api.decider.needs import NotAtHand
from command_api.decider.recovery import Orphans
from command_api.decider.requests import PartitionIdentity, Request
from command_api.decider.stream_writer import Origin, append
from command_api.decisions.commands import Command
from command_api.decisions.refusals import Refusal, Rejected
from events.identifiers import uuid7_ms
from events.outcome import Outcome
from events.record import NewRecord

MAX_COMMAND_AGE_MS = 30 * 24 * 60 * 60 * 1000
MAX_COMMAND_AHEAD_MS = 5 * 60 * 1000

_INTERRUPTED = Rejected(
    code=Refusal.INTERRUPTED,
    detail="it was refused, and why was lost with the decider; send it anew if it is still wanted",
)

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
    orphans: Orphans,
    is_enough: Callable[[int], bool],
) -> Decided:
    """Decide on requests in order, one at the least, until the records' bytes are said to be enough.

    It ends before a request that needs what was not read yet; raise `NotAtHand` if that is the first one.
    """
    decided = Decided()
    for request in requests:
        try:
            events, answer = _answer(request, working, identity, orphans)
        except NotAtHand:
            if decided.outcomes:
                break
            raise
        decided.events += events
        decided.outcomes.append((request.record.offset, answer))
        decided.bytes += sum(record.size for record in events) + size_of(answer)
        if is_enough(decided.bytes):
            break
    return decided


def _answer(
    request: Request, working: WorkingSet, identity: PartitionIdentity, orphans: Orphans
) -> tuple[list[NewRecord], Outcome]:
    if isinstance(request.command, Rejected):
        return [], rejected(request, identity, request.command)
    command = request.command
    key = (request.team_id, command.command_id)
    first = working.answered(key)
    if first is not None:
        return [], repeated(request, identity, first)
    events: list[NewRecord] = []
    if orphan := orphans.of(request.record.offset):
        answer = outcome_of(request, identity, *answered_with(command, facts_of(orphan)))
    elif orphans.begin_after(request.record.offset):
        answer = rejected(request, identity, _INTERRUPTED)
    else:
        events, answer = _decide(request, command, working, identity)
    working.draft.answers[key] = answered_by(answer)
    return events, answer


def _decide(
    request: Request, command: Command, working: WorkingSet, identity: PartitionIdentity
) -> tuple[list[NewRecord], Outcome]:
    try:
        found = _judge_age(request, command) or changes_of(request, working)
        if not isinstance(found, Rejected):
            records, facts = append(working, _origin(request, command, identity), found)
            return records, outcome_of(request, identity, *answered_with(command, facts))
    except NotAtHand:
        raise
    except Exception as error:
        # Poison: pure code raised, so it would raise for ever. It gets an answer and blocks nothing.
        logger.exception("decision_failed", team_id=request.team_id, command_id=command.command_id)
        found = Rejected(code=Refusal.INTERNAL_ERROR, detail=f"the decision failed: {type(error).__name__}")
    return [], rejected(request, identity, found)


def _judge_age(request: Request, command: Command) -> Rejected | None:
    age_ms = request.record.timestamp_ms - uuid7_ms(command.command_id)
    if age_ms > MAX_COMMAND_AGE_MS:
        return Rejected(code=Refusal.TOO_OLD, detail="the command's id was made over 30 days before it came")
    if age_ms < -MAX_COMMAND_AHEAD_MS:
        return Rejected(
            code=Refusal.IN_FUTURE, detail="the command's id was made over 5 minutes ahead of time"
        )
    return None


def _origin(request: Request, command: Command, identity: PartitionIdentity) -> Origin:
    return Origin(
        log_id=identity.log_id,
        team_id=request.team_id,
        command_id=command.command_id,
        command_hash=request.command_hash,
        command_offset=request.record.offset,
        actor=request.actor,
        request_id=request.request_id,
        occurred_at=claimed_time(command),
        recorded_at=time_text(request.record.timestamp_ms),
    )
