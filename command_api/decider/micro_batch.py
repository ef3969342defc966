"""The decisions on one micro-batch of commands: pure, given the working set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import assert_never

import structlog

from command_api.decider.memory import WorkingSet
from command_api.decider.snapshot import Answered, Wanted
from command_api.decider.stream_writer import Origin, append
from command_api.decisions.commands import Command, InvalidCommand, RestorePattern, command_hash, read_command
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView, stream_for, wanted_name
from command_api.decisions.refusals import Accepted, Conflict, Refusal, Rejected
from events import registry
from events.envelope import Envelope
from events.errors import MalformedRecord
from events.identifiers import is_uuid, uuid7_ms
from events.json_text import Json, dump, parse
from events.outcome import Outcome, OutcomeStatus
from events.pattern import DeletedPattern, NoPattern, Pattern, PatternEdited, PatternState, pattern_id_of
from events.record import NewRecord, Record, text_of
from events.team import STREAM as TEAM_STREAM
from events.team import NoTeam, Team
from runtime.topics import partition_of

MAX_COMMAND_AGE_MS = 30 * 24 * 60 * 60 * 1000
_OUTCOME_BYTES = 8 * 1024
MAX_COMMAND_AHEAD_MS = 5 * 60 * 1000

logger = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One record of [commands], read: a command, or why it holds none."""

    record: Record
    team_id: str
    actor: str
    request_id: str
    command: Command | Rejected
    command_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PartitionIdentity:
    """Which partition of which log is decided on."""

    log_id: str
    partition: int
    partitions: int


@dataclass(slots=True)
class Decided:
    """What a micro-batch becomes: records of events, and one outcome per command offset, in order."""

    events: list[NewRecord] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    bytes: int = 0


def read_request(record: Record, identity: PartitionIdentity) -> Request:
    """Read a record of [commands]; what is malformed gets a refusal, never an exception."""
    team_id = (record.key or b"").decode("utf-8", "replace")
    command: Command | Rejected
    actor = request_id = body_hash = ""
    try:
        actor, request_id = text_of(record.headers, "actor"), text_of(record.headers, "request_id")
        if not is_uuid(team_id) or partition_of(team_id, identity.partitions) != identity.partition:
            raise MalformedRecord("the key is not a team of this partition")
        command, value = read_command(record.value or b"")
        body_hash = command_hash(value)
    except InvalidCommand as error:
        command = Rejected(code=error.code, detail=error.detail)
    except MalformedRecord as error:
        command = Rejected(code=Refusal.MALFORMED_COMMAND, detail=error.reason)
    return Request(
        record=record,
        team_id=team_id,
        actor=actor,
        request_id=request_id,
        command=command,
        command_hash=body_hash,
    )


def wanted_by(requests: Sequence[Request]) -> Wanted:
    """The keys that the decisions on these requests need, but for names of patterns to restore."""
    wanted = Wanted()
    for request in requests:
        command, team_id = request.command, request.team_id
        if isinstance(command, Rejected):
            continue
        wanted.teams.add(team_id)
        wanted.streams |= {(team_id, TEAM_STREAM), (team_id, stream_for(command))}
        wanted.commands.add((team_id, command.command_id))
        name = wanted_name(command, NoPattern())
        if name is not None:
            wanted.names.add((team_id, name))
    return wanted


def names_to_restore(requests: Sequence[Request], working: WorkingSet) -> Wanted:
    """The names that archived patterns want back, which only their states tell."""
    wanted = Wanted()
    for request in requests:
        if isinstance(request.command, RestorePattern):
            state = working.state((request.team_id, stream_for(request.command)))
            name = wanted_name(request.command, state) if isinstance(state, Pattern) else None
            if name is not None:
                wanted.names.add((request.team_id, name))
    return wanted


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
        decided.bytes += sum(record.size for record in events) + _size(answer)
        if decided.bytes > max_bytes:
            break
    return decided


def _answer(
    request: Request, working: WorkingSet, identity: PartitionIdentity, orphan: Sequence[Envelope]
) -> tuple[list[NewRecord], Outcome]:
    if isinstance(request.command, Rejected):
        return [], _outcome(request, identity, "rejected", _refused(request.command))
    command = request.command
    key = (request.team_id, command.command_id)
    first = working.answered(key)
    if first is not None:
        return [], _repeated(request, identity, first)
    if orphan:
        events: list[NewRecord] = []
        answer = _outcome(request, identity, *_of_events(orphan))
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
            answer = _accepted(stream_for(command), version, head.sequence)
            return records, _outcome(request, identity, "merged" if decision.merged else "accepted", answer)
    except Exception as error:
        # Poison: pure code raised, so it would raise for ever. It gets an answer and blocks nothing.
        logger.exception("decision_failed", team_id=request.team_id, command_id=command.command_id)
        decision = Rejected(
            code=Refusal.INTERNAL_ERROR, detail=f"the decision failed: {type(error).__name__}"
        )
    return [], _not_accepted(request, command, identity, decision)


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
    )


def _origin(request: Request, command: Command, identity: PartitionIdentity) -> Origin:
    claimed = _utc(datetime.fromisoformat(command.occurred_at)) if command.occurred_at else None
    return Origin(
        log_id=identity.log_id,
        team_id=request.team_id,
        stream=stream_for(command),
        command_id=command.command_id,
        command_hash=request.command_hash,
        command_offset=request.record.offset,
        actor=request.actor,
        request_id=request.request_id,
        occurred_at=claimed or _time(uuid7_ms(command.command_id)),
        recorded_at=_time(request.record.timestamp_ms),
    )


def _outcome(
    request: Request, identity: PartitionIdentity, status: OutcomeStatus, answer: dict[str, Json]
) -> Outcome:
    return Outcome(
        log_id=identity.log_id,
        team_id=request.team_id,
        command_id=None if isinstance(request.command, Rejected) else request.command.command_id,
        command_hash=request.command_hash,
        recorded_at=_time(request.record.timestamp_ms),
        status=status,
        answer=answer,
    )


def _accepted(stream: str, version: int, sequence: int) -> dict[str, Json]:
    pattern_id = pattern_id_of(stream)
    about = {} if pattern_id is None else {"pattern_id": pattern_id}
    return {**about, "version": version, "sequence": sequence}


def _refused(decision: Rejected) -> dict[str, Json]:
    return {"code": str(decision.code), "detail": decision.detail}


def _not_accepted(
    request: Request, command: Command, identity: PartitionIdentity, decision: Conflict | Rejected
) -> Outcome:
    match decision:
        case Rejected():
            return _outcome(request, identity, "rejected", _refused(decision))
        case Conflict():
            fields = list(decision.fields)
            answer = {
                "code": str(Refusal.EDIT_CONFLICT),
                "detail": f"changed since the base version: {', '.join(fields)[:1000]}",
                "pattern_id": pattern_id_of(stream_for(command)),
                "conflict": {"current_version": decision.current_version, "fields": fields},
            }
            return _outcome(request, identity, "conflict", answer)
        case _:
            assert_never(decision)


def _of_events(orphan: Sequence[Envelope]) -> tuple[OutcomeStatus, dict[str, Json]]:
    """The answer that a command's events stand for, when its decider died between the two appends."""
    last = orphan[-1]
    first = registry.read(orphan[0].type, orphan[0].data)
    merged = isinstance(first, PatternEdited) and first.base_version < orphan[0].version - 1
    return "merged" if merged else "accepted", _accepted(last.stream, last.version, last.sequence)


def answered_by(answer: Outcome) -> Answered:
    """What memory keeps of an outcome."""
    return Answered(
        command_hash=answer.command_hash,
        recorded_at=answer.recorded_at,
        status=answer.status,
        answer=dump(answer.answer).decode(),
    )


def _repeated(request: Request, identity: PartitionIdentity, first: Answered) -> Outcome:
    if first.command_hash != request.command_hash:
        refusal = Rejected(
            code=Refusal.COMMAND_ID_REUSED, detail="another command was sent under this id before"
        )
        return replace(_outcome(request, identity, "rejected", _refused(refusal)), repeat=True)
    answer: dict[str, Json] = parse(first.answer.encode())
    bare = {name: value for name, value in answer.items() if name not in ("command_id", "status")}
    again = _outcome(request, identity, first.status, bare)
    return replace(again, recorded_at=first.recorded_at, repeat=True)


def _size(answer: Outcome) -> int:
    """Bytes of an outcome's record, overstated; only a conflict's fields make it large."""
    fields = answer.answer.get("conflict", {}).get("fields", ())
    # A character can take six bytes of JSON.
    return _OUTCOME_BYTES + 6 * sum(map(len, fields))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(unix_ms: int) -> str:
    return _utc(datetime.fromtimestamp(unix_ms / 1000, UTC))
