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
from command_api.decisions.sender import Sender
from command_api.decisions.team_commands import CreateTeam, OpenTeam
from events.errors import MalformedRecord
from events.identifiers import is_uuid
from events.organization import STREAM as ORGANIZATION_STREAM
from events.pattern import NoPattern
from events.record import RIGHTS, Record, text_of
from events.roles import Role
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
    at_most: Role | None = None
    """The rights that the sender's credential is good for at the most."""
    commands: tuple[SingleCommand, ...] = ()
    """The commands to decide on: those of a batch, or the one."""

    @property
    def sender(self) -> Sender:
        """Who sent it, and when the log took it."""
        return Sender(actor=self.actor, at_most=self.at_most, at_ms=self.record.timestamp_ms)


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
    at_most: Role | None = None
    try:
        actor, request_id = text_of(record.headers, "actor"), text_of(record.headers, "request_id")
        at_most = _at_most(record)
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
        at_most=at_most,
        commands=commands,
    )


def _at_most(record: Record) -> Role | None:
    """The rights that the record is good for; raise `MalformedRecord` for any that are not known."""
    if RIGHTS not in record.headers:
        return None
    text = text_of(record.headers, RIGHTS)
    try:
        return Role(text)
    except ValueError:
        raise MalformedRecord(f"header {RIGHTS} is not a role") from None


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
            if isinstance(command, CreateTeam | OpenTeam):
                # A log is of a team or of an organization.
                wanted.streams.add((team_id, ORGANIZATION_STREAM))
            name = wanted_name(command, NoPattern())
            if name is not None:
                wanted.names.add((team_id, name))
            if isinstance(command, BasedCommand) and command.base_command is not None:
                wanted.commands.add((team_id, command.base_command))
    return wanted
