"""Who may send what: every command, in every role, and from strangers."""

from typing import get_args

import pytest

from command_api.decisions.commands import PatternCommand, SingleCommand
from command_api.decisions.organization_commands import OrganizationCommand
from command_api.decisions.refusals import Refusal, Rejected
from command_api.decisions.team_commands import TeamCommand
from events.merge_rules import Policy
from events.pattern import PatternRecorded
from events.roles import OrganizationRole, Right, Role, allows
from tests.commands import OTHER, abandon, archive, delete, edit, record, resolve, restore, set_merging
from tests.facts import team_created
from tests.people import (
    MANAGING,
    ORGANIZING,
    SERVICE,
    SERVICE_ONLY,
    accept,
    accept_organization,
    applied,
    by,
    create_organization,
    opened,
    organization,
    organization_invited,
    organization_member,
    remove,
    remove_from_organization,
    team_invited,
    team_member,
)
from tests.specs import Given, given

WRITING: tuple[SingleCommand, ...] = (
    record(OTHER, name="Other"),
    edit(1, x=1),
    archive(),
    restore(),
    delete(),
    resolve(rest="mine"),
    abandon(),
)
MANAGING_ALL: tuple[SingleCommand, ...] = (*MANAGING, set_merging(Policy.REJECT))
MEMBERS = {Role.ADMIN: "ada", Role.DEVELOPER: "dev", Role.VIEWER: "vic", Role.AUDITOR: "aud"}


def team() -> Given:
    """A team with a member in each role, and an invitation."""
    others = [team_member(name, role) for role, name in MEMBERS.items() if role is not Role.ADMIN]
    return given(team_created(), *others, team_invited(), PatternRecorded(fields={"name": "Race"}))


def acme() -> Given:
    """An organization with two admins, two members and an invitation."""
    return given(
        organization(),
        organization_member("eve", OrganizationRole.ADMIN),
        organization_member("ben"),
        organization_member("zed"),
        organization_invited(),
    )


def refusal(spec: Given, command: SingleCommand, actor: str, at_most: Role | None = None) -> Refusal | None:
    decision = spec.when(command, by(actor, at_most)).decision
    return decision.code if isinstance(decision, Rejected) else None


def test_every_command_has_its_place_in_these_tests() -> None:
    placed = {type(one) for one in (*WRITING, *MANAGING_ALL, *SERVICE_ONLY, *ORGANIZING)}
    open_to_all = {
        "create_team",
        "create_organization",
        "accept_invitation",
        "accept_organization_invitation",
    }
    kinds = {*get_args(PatternCommand), *get_args(TeamCommand), *get_args(OrganizationCommand)}
    assert {kind.type for kind in kinds - placed} == open_to_all


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("command", WRITING, ids=lambda one: one.type)
def test_who_has_the_right_to_write_writes(command: SingleCommand, role: Role) -> None:
    told = refusal(team(), command, MEMBERS[role])
    assert (told is Refusal.FORBIDDEN) is not allows(role, Right.WRITE)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("command", MANAGING_ALL, ids=lambda one: one.type)
def test_who_has_the_right_to_manage_manages(command: SingleCommand, role: Role) -> None:
    is_leaving = command == remove("dev") and role is Role.DEVELOPER
    expected = None if allows(role, Right.MANAGE) or is_leaving else Refusal.FORBIDDEN
    assert refusal(team(), command, MEMBERS[role]) is expected


@pytest.mark.parametrize("command", [*WRITING, *MANAGING_ALL], ids=lambda one: one.type)
def test_to_a_stranger_a_team_is_not_there(command: SingleCommand) -> None:
    assert refusal(team(), command, "mallory") is Refusal.UNKNOWN_TEAM
    assert refusal(given(), command, "ada") is Refusal.UNKNOWN_TEAM


@pytest.mark.parametrize("command", ORGANIZING, ids=lambda one: one.type)
def test_in_an_organization_admins_alone_act(command: SingleCommand) -> None:
    assert refusal(acme(), command, "eve") is None
    assert refusal(acme(), command, "ben") is Refusal.FORBIDDEN
    assert refusal(acme(), command, "mallory") is Refusal.UNKNOWN_ORGANIZATION
    assert refusal(given(), command, "eve") is Refusal.UNKNOWN_ORGANIZATION


@pytest.mark.parametrize("command", SERVICE_ONLY, ids=lambda one: one.type)
@pytest.mark.parametrize("actor", ["ada", "eve", "dev", "mallory", "systemorganizations"])
def test_what_the_service_sends_nobody_else_may(command: SingleCommand, actor: str) -> None:
    for spec in (given(opened(), applied()), acme(), given()):
        assert refusal(spec, command, actor) is Refusal.FORBIDDEN


def test_the_service_itself_may() -> None:
    opening, applying, tier = SERVICE_ONLY
    assert refusal(given(), opening, SERVICE.actor) is None
    assert refusal(given(opened(), applied()), applying, SERVICE.actor) is None
    assert refusal(acme(), tier, "system:operator") is None


def test_everybody_may_leave() -> None:
    for role in (Role.DEVELOPER, Role.VIEWER, Role.AUDITOR):
        assert refusal(team(), remove(MEMBERS[role]), MEMBERS[role]) is None
    assert refusal(acme(), remove_from_organization("ben"), "ben") is None
    assert refusal(acme(), remove_from_organization("zed"), "ben") is Refusal.FORBIDDEN


def test_an_admin_of_the_organization_is_one_of_the_team() -> None:
    spec = given(opened(), applied(), team_member("dev", Role.DEVELOPER), team_invited())
    for command in MANAGING_ALL:
        assert refusal(spec, command, "eve") is None
    assert refusal(spec, record(), "eve") is None


@pytest.mark.parametrize("at_most", Role)
def test_a_credential_is_good_for_no_more_than_it_says(at_most: Role) -> None:
    writing = None if allows(at_most, Right.WRITE) else Refusal.FORBIDDEN
    assert refusal(team(), edit(1, x=1), "ada", at_most) is writing
    managing = None if at_most is Role.ADMIN else Refusal.FORBIDDEN
    for command in MANAGING_ALL:
        assert refusal(team(), command, "ada", at_most) is managing
    for command in (*ORGANIZING, remove_from_organization("eve")):
        assert refusal(acme(), command, "eve", at_most) is managing
    assert refusal(team(), remove("dev"), "dev", at_most) is managing
    assert refusal(given(), create_organization(), "ada", at_most) is managing
    assert refusal(team(), accept(), "zoe", at_most) is managing
    assert refusal(acme(), accept_organization(), "zoe", at_most) is managing


@pytest.mark.parametrize("role", Role)
def test_a_credential_gives_no_right_that_its_owner_has_not(role: Role) -> None:
    told = refusal(team(), set_merging(Policy.REJECT), MEMBERS[role])
    assert told is refusal(team(), set_merging(Policy.REJECT), MEMBERS[role], Role.ADMIN)
