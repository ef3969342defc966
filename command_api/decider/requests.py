"""Records of [commands] as requests, and the keys that deciding on them needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from command_api.decider.snapshot import Wanted
from command_api.decisions.commands import (
    BasedCommand,
    Batch,
    Command,
    InvalidCommand,
    SingleCommand,
    command_hash,
    members_of,
    read_command,
)
from command_api.decisions.library import stream_for, wanted_name
from command_api.decisions.refusals import Refusal, Rejected
from events.errors import MalformedRecord
from events.identifiers import is_uuid
from events.pattern import NoPattern
from events.record import Record, text_of
from events.team import STREAM as TEAM_STREAM
from runtime.topics import partition_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One record of [commands], read: a command, or why it holds none."""

    record: Record
    team_id: str
    actor: str
    request_id: str
    command: Command | Rejected
    command_hash: str
    commands: tuple[SingleCommand, ...] = ()
    """The commands to decide on: those of a batch, or the one."""


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
    commands: tuple[SingleCommand, ...] = ()
    actor = request_id = body_hash = ""
    try:
        actor, request_id = text_of(record.headers, "actor"), text_of(record.headers, "request_id")
        if not is_uuid(team_id) or partition_of(team_id, identity.partitions) != identity.partition:
            raise MalformedRecord("the key is not a team of this partition")
        command, value = read_command(record.value or b"")
        commands = members_of(command) if isinstance(command, Batch) else (command,)
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
        commands=commands,
    )


def wanted_by(requests: Sequence[Request]) -> Wanted:
    """The keys that the decisions on these requests need, but for what the states tell."""
    wanted = Wanted()
    for request in requests:
        if isinstance(request.command, Rejected):
            continue
        team_id = request.team_id
        wanted.teams.add(team_id)
        wanted.streams.add((team_id, TEAM_STREAM))
        wanted.commands.add((team_id, request.command.command_id))
        for command in request.commands:
            wanted.streams.add((team_id, stream_for(command)))
            name = wanted_name(command, NoPattern())
            if name is not None:
                wanted.names.add((team_id, name))
            if isinstance(command, BasedCommand) and command.base_command is not None:
                wanted.commands.add((team_id, command.base_command))
    return wanted
