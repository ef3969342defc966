"""What becomes of a list of members: up to two commands a row, whose ids tell a repeat of the same list."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from command_api.decisions.command_shapes import Id
from command_api.decisions.commands import Command, to_json
from command_api.decisions.organization_commands import (
    AddOrganizationMember,
    ChangeOrganizationRole,
    RemoveOrganizationMember,
)
from command_api.decisions.team_commands import AddMember, ChangeMemberRole, RemoveMember
from command_api.offered import Collection
from events.identifiers import uuid7, uuid7_ms
from events.json_text import Json, dump
from events.roles import OrganizationRole, Role
from events.shapes import Person
from runtime.uploads.rows import Row

Target = tuple[Collection, str]
"""What a command goes to: a team or an organization, by id."""


class MemberRow(BaseModel):
    """A row: who, and what they are to be in the organization, in one of its teams, or in both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["add", "remove", "set"]
    member: Person | None = None
    username: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    email: Annotated[str | None, Field(min_length=1, max_length=254)] = None
    role: OrganizationRole | None = None
    team_id: Id | None = None
    team_role: Role | None = None

    @property
    def name(self) -> str | None:
        """By what they have to be looked up; None for a row that has their id."""
        return self.username or self.email


@dataclass(frozen=True, kw_only=True, slots=True)
class InvalidRow:
    """A row that becomes no command, and why."""

    index: int
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCommand:
    """A command of a row."""

    index: int
    target: Target
    command_id: str
    text: bytes


_Maker = Callable[[MemberRow, str, str], Command]


def read_row(row: Row) -> MemberRow | InvalidRow:
    """A row of a file as one of the list; empty values of CSV are none."""
    if row.error is not None:
        return InvalidRow(index=row.index, code=row.error.code, detail=row.error.reason)
    value = row.value
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if part not in ("", None)}
    try:
        read = MemberRow.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        return InvalidRow(index=row.index, code="invalid_row", detail=f"{where or 'the row'}: {reason}")
    wrong = _wrong(read)
    return read if wrong is None else InvalidRow(index=row.index, code="invalid_row", detail=wrong)


def _wrong(row: MemberRow) -> str | None:
    if sum(one is not None for one in (row.member, row.username, row.email)) != 1:
        return "a row has one of member, username and email"
    if (row.team_id is None) != (row.team_role is None) and row.action != "remove":
        return "team_id and team_role come together"
    if row.action == "remove" and (row.role or row.team_role):
        return "who is removed has no role"
    if row.action == "set" and row.role is None and row.team_id is None:
        return "a row that sets something has a role, or a team_id and a team_role"
    return None


def planned(
    rows: Mapping[int, tuple[MemberRow, str]], organization_id: str, batch_id: str
) -> Iterator[PlannedCommand]:
    """The commands of rows, by index, each with the member's id."""
    for index, (row, member) in rows.items():
        for target, kind in _kinds(row, organization_id):
            command_id = _derived(batch_id, index, target)
            command = kind(row, member, command_id)
            yield PlannedCommand(
                index=index, target=target, command_id=command_id, text=dump(to_json(command))
            )


def _kinds(row: MemberRow, organization_id: str) -> list[tuple[Target, _Maker]]:
    found: list[tuple[Target, _Maker]] = []
    if row.team_id is None or row.role is not None:
        found.append(((Collection.ORGANIZATIONS, organization_id), _for_organization))
    if row.team_id is not None:
        found.append(((Collection.TEAMS, row.team_id), _for_team))
    return found


def _for_organization(row: MemberRow, member: str, command_id: str) -> Command:
    role = row.role or OrganizationRole.MEMBER
    match row.action:
        case "add":
            return AddOrganizationMember(command_id=command_id, member=member, role=role)
        case "set":
            return ChangeOrganizationRole(command_id=command_id, member=member, role=role)
        case "remove":
            return RemoveOrganizationMember(command_id=command_id, member=member)


def _for_team(row: MemberRow, member: str, command_id: str) -> Command:
    role = row.team_role or Role.VIEWER
    match row.action:
        case "add":
            return AddMember(command_id=command_id, member=member, role=role)
        case "set":
            return ChangeMemberRole(command_id=command_id, member=member, role=role)
        case "remove":
            return RemoveMember(command_id=command_id, member=member)


def _derived(batch_id: str, index: int, target: Target) -> str:
    name = f"{batch_id} {index} {target[0]} {target[1]}"
    return uuid7(uuid7_ms(batch_id), hashlib.sha256(name.encode()).digest()[:10])


def invalid_result(row: InvalidRow) -> dict[str, Json]:
    """The result of a row that becomes no command."""
    return {"index": row.index, "status": "invalid", "code": row.code, "detail": row.detail}
