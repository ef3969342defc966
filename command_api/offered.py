"""Which commands are sent to teams, which to organizations, and which by the service itself alone."""

from collections.abc import Mapping
from enum import StrEnum
from typing import get_args

from command_api.decisions.command_shapes import InvalidCommand, pointer_to
from command_api.decisions.commands import Batch, Command, PatternCommand, SingleCommand, command_from
from command_api.decisions.organization_commands import ChangeTier, OrganizationCommand
from command_api.decisions.refusals import Refusal
from command_api.decisions.team_commands import ApplyOrganization, OpenTeam, TeamCommand
from events.json_text import Json

SYSTEM_ONLY: frozenset[str] = frozenset({OpenTeam.type, ApplyOrganization.type, ChangeTier.type})
"""Offered nowhere; that the decider refuses them from anybody else is what counts."""


class Collection(StrEnum):
    """What a log is of, as paths name it."""

    TEAMS = "teams"
    ORGANIZATIONS = "organizations"


_KINDS: Mapping[Collection, tuple[type[SingleCommand], ...]] = {
    Collection.TEAMS: (*get_args(TeamCommand), *get_args(PatternCommand)),
    Collection.ORGANIZATIONS: get_args(OrganizationCommand),
}
OFFERED: Mapping[Collection, tuple[str, ...]] = {
    collection: tuple(kind.type for kind in (*kinds, Batch) if kind.type not in SYSTEM_ONLY)
    for collection, kinds in _KINDS.items()
}
"""The types of commands by where they are sent, in the order of documents."""
_TAKEN = {collection: frozenset(types) for collection, types in OFFERED.items()}


def offered_command(value: Json, collection: Collection) -> Command:
    """A command from parsed JSON, of a type that is sent there; raise `InvalidCommand`."""
    command = command_from(value)
    if command.type not in _TAKEN[collection]:
        raise _not_offered(command.type, collection, "/type")
    if isinstance(command, Batch):
        for index, member in enumerate(command.commands):
            if member["type"] not in _TAKEN[collection]:
                raise _not_offered(member["type"], collection, pointer_to("commands", index, "type"))
    return command


def _not_offered(kind: str, collection: Collection, pointer: str) -> InvalidCommand:
    detail = f"type: {kind} is not sent to {collection}"
    return InvalidCommand(Refusal.UNKNOWN_COMMAND_TYPE, detail, pointer)


def commands_url(collection: str, key: str, command_id: str) -> str:
    """Where the outcome of a command is."""
    return f"/api/v1/{collection}/{key}/commands/{command_id}"
