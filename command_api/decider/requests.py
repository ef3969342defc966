"""Records of [commands] as requests, and the keys that deciding on them needs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from command_api.decider.memory import WorkingSet
from command_api.decider.snapshot import StreamKey, Wanted
from command_api.decisions.commands import (
    Command,
    EditPattern,
    InvalidCommand,
    RestorePattern,
    command_hash,
    read_command,
)
from command_api.decisions.library import overlap_of, stream_for, wanted_name
from command_api.decisions.refusals import Refusal, Rejected
from events.errors import MalformedRecord
from events.identifiers import is_uuid
from events.pattern import NoPattern, Pattern, name_key
from events.record import Record, text_of
from events.team import STREAM as TEAM_STREAM
from runtime.topics import partition_of

MOST_BASES = 32
"""Versions of patterns that are read at a time."""


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
    """The keys that the decisions on these requests need, but for what the states tell."""
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


def wanted_next(requests: Sequence[Request], working: WorkingSet) -> tuple[Wanted, int]:
    """What only the states tell: names that archived patterns want back, and the bases of merges.

    And for how many of the requests that is: each base may be as large as a pattern.
    """
    wanted = Wanted()
    edits = Counter(_stream_key(request) for request in requests if isinstance(request.command, EditPattern))
    for place, request in enumerate(requests):
        if len(wanted.versions) == MOST_BASES:
            return wanted, place
        state = working.state(_stream_key(request))
        if isinstance(request.command, RestorePattern) and isinstance(state, Pattern):
            wanted.names.add((request.team_id, name_key(state.name)))
        if isinstance(request.command, EditPattern) and isinstance(state, Pattern):
            behind = request.command.base_version < state.version
            # Another edit of the batch may be what it meets.
            if behind and (overlap_of(request.command, state) or edits[_stream_key(request)] > 1):
                wanted.versions.add((*_stream_key(request), request.command.base_version))
    return wanted, len(requests)


def _stream_key(request: Request) -> StreamKey:
    stream = "" if isinstance(request.command, Rejected) else stream_for(request.command)
    return (request.team_id, stream)
