"""Which right each type of command takes, and an example of each."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from command_api.decisions.commands import Batch
from command_api.examples import COMMANDS, ORGANIZATION_COMMANDS
from command_api.offered import Collection
from events.roles import RIGHTS, Right, Role
from tests.command_client import new_id


class Takes(Enum):
    """What a type takes, where it is sent."""

    ANYTHING = "a credential that is as good as its owner"
    WRITE = Right.WRITE
    MANAGE = Right.MANAGE
    SERVICE = "the service itself"
    MEMBERS = "what those take of which it consists"


TAKES: Mapping[str, Takes] = {
    **dict.fromkeys(
        ("create_team", "accept_invitation", "create_organization", "accept_organization_invitation"),
        Takes.ANYTHING,
    ),
    **dict.fromkeys(
        (
            *("record_pattern", "edit_pattern", "resolve_conflict", "abandon_conflict"),
            *("archive_pattern", "restore_pattern", "delete_pattern"),
        ),
        Takes.WRITE,
    ),
    **dict.fromkeys(
        (
            *("set_merging", "change_settings", "add_member", "change_member_role", "remove_member"),
            *("invite_member", "revoke_invitation"),
            *("add_organization_member", "change_organization_role", "remove_organization_member"),
            *("invite_organization_member", "revoke_organization_invitation"),
            *("add_team", "change_organization_settings"),
        ),
        Takes.MANAGE,
    ),
    **dict.fromkeys(("open_team", "apply_organization", "change_tier"), Takes.SERVICE),
    Batch.type: Takes.MEMBERS,
}
EXAMPLES: Mapping[Collection, Mapping[str, Any]] = {
    Collection.TEAMS: COMMANDS,
    Collection.ORGANIZATIONS: ORGANIZATION_COMMANDS,
}


def command_of(collection: Collection, kind: str) -> dict[str, Any]:
    """A command of a type, to be sent once."""
    return {**EXAMPLES[collection][kind], "command_id": new_id()}


def batch_of(collection: Collection, kind: str) -> dict[str, Any]:
    """The same as the one member of a batch."""
    of_the_batch = ("command_id", "occurred_at")
    member = {k: v for k, v in EXAMPLES[collection][kind].items() if k not in of_the_batch}
    return {"type": Batch.type, "command_id": new_id(), "commands": [member]}


def refusal(collection: Collection, kind: str, role: Role | None, at_most: Role | None = None) -> str | None:
    """The code with which the decider refuses somebody of a role, with a credential that may be narrowed."""
    takes = _taken(collection, kind)
    if takes is Takes.ANYTHING:
        return None if at_most in (None, Role.ADMIN) else "forbidden"
    if role is None:
        return "unknown_organization" if collection is Collection.ORGANIZATIONS else "unknown_team"
    rights = RIGHTS[role] if at_most is None else RIGHTS[role] & RIGHTS[at_most]
    return None if takes.value in rights else "forbidden"


def _taken(collection: Collection, kind: str) -> Takes:
    if TAKES[kind] is not Takes.MEMBERS:
        return TAKES[kind]
    (takes,) = {TAKES[member["type"]] for member in EXAMPLES[collection][kind]["commands"]}
    return takes
