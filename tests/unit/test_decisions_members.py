"""Members of teams and organizations: who comes, who goes, and that somebody can always let others in."""

import random

import pytest

from command_api.decisions.commands import SingleCommand
from command_api.decisions.organization import MAX_ADMINS
from command_api.decisions.refusals import Accepted, Refusal, Rejected
from events.organization import Organization, OrganizationMemberRemoved, OrganizationMemberRoleChanged
from events.roles import OrganizationRole, Role
from events.team import (
    Team,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamMemberRoleChanged,
    TeamOrganizationApplied,
)
from tests.commands import create_team, record
from tests.facts import team_created
from tests.people import (
    ORGANIZATION,
    SERVICE,
    accept,
    add,
    add_team,
    add_to_organization,
    applied,
    apply,
    by,
    change_organization_role,
    change_role,
    create_organization,
    invite,
    open_team,
    opened,
    organization,
    organization_member,
    remove,
    remove_from_organization,
    team_invited,
    team_member,
)
from tests.specs import TEAM, given

ADMIN, MEMBER = OrganizationRole.ADMIN, OrganizationRole.MEMBER
SEEDS = range(60)


def test_a_member_is_added_once() -> None:
    spec = given(team_created())
    spec.when(add("ben")).then(TeamMemberAdded(member="ben", role=Role.DEVELOPER))
    spec.when(add("ada")).then_refused(Refusal.MEMBER_EXISTS)
    given(organization()).when(add_to_organization("ben")).then(organization_member("ben"))
    given(organization()).when(add_to_organization("ada")).then_refused(Refusal.MEMBER_EXISTS)


def test_nobody_changes_who_is_no_member() -> None:
    for command in (change_role("ben", Role.ADMIN), remove("ben")):
        given(team_created()).when(command).then_refused(Refusal.UNKNOWN_MEMBER)
    for other in (change_organization_role("ben", ADMIN), remove_from_organization("ben")):
        given(organization()).when(other).then_refused(Refusal.UNKNOWN_MEMBER)


@pytest.mark.parametrize("command", [remove("ada"), change_role("ada", Role.VIEWER)])
def test_the_last_admin_stays_until_there_is_another(command: SingleCommand) -> None:
    alone = given(team_created(), team_member("ben", Role.DEVELOPER))
    alone.when(command).then_refused(Refusal.LAST_ADMIN)
    two = given(team_created(), team_member("ben", Role.ADMIN))
    assert two.when(command).status == "accepted"


def test_the_last_admin_may_be_made_one_again() -> None:
    changed = TeamMemberRoleChanged(member="ada", role=Role.ADMIN)
    given(team_created()).when(change_role("ada", Role.ADMIN)).then(changed)


def test_a_teams_own_last_admin_may_go_where_the_organization_has_one() -> None:
    given(opened(), applied()).when(remove("ada")).then(TeamMemberRemoved(member="ada"))
    given(opened()).when(remove("ada")).then_refused(Refusal.LAST_ADMIN)


@pytest.mark.parametrize(
    "command", [remove_from_organization("ada"), change_organization_role("ada", MEMBER)]
)
def test_an_organizations_last_admin_stays(command: SingleCommand) -> None:
    given(organization(), organization_member("ben")).when(command).then_refused(Refusal.LAST_ADMIN)
    two = given(organization(), organization_member("ben", ADMIN))
    assert two.when(command).status == "accepted"


def test_an_organization_has_so_many_admins_and_no_more() -> None:
    many = [organization_member(f"a{number}", ADMIN) for number in range(MAX_ADMINS - 1)]
    spec = given(organization(), organization_member("ben"), *many)
    spec.when(change_organization_role("ben", ADMIN)).then_refused(Refusal.TOO_LARGE)
    spec.when(add_to_organization("zoe", ADMIN)).then_refused(Refusal.TOO_LARGE)
    spec.when(change_organization_role("a1", ADMIN)).then(
        OrganizationMemberRoleChanged(member="a1", role=ADMIN)
    )


def test_who_comes_back_to_an_organization_is_no_longer_gone_in_teams_that_hear_of_it_later() -> None:
    gone = OrganizationMemberRemoved(member="ben")
    library = given(organization(), organization_member("ben"), gone, organization_member("ben")).library
    state = library.states["organization"]
    assert isinstance(state, Organization)
    assert state.removed == {"ben": 3}
    assert "ben" in state.people.members


def test_one_id_is_a_team_or_an_organization() -> None:
    given(organization()).when(create_team()).then_refused(Refusal.ORGANIZATION_EXISTS)
    given(organization()).when(open_team(), SERVICE).then_refused(Refusal.ORGANIZATION_EXISTS)
    given(team_created()).when(create_organization()).then_refused(Refusal.TEAM_EXISTS)
    given(organization()).when(create_organization()).then_refused(Refusal.ORGANIZATION_EXISTS)


def test_an_organization_names_each_of_its_teams_once() -> None:
    library = given(organization()).library
    assert isinstance(library.send(add_team()), Accepted)
    again = library.send(add_team())
    assert isinstance(again, Rejected)
    assert again.code is Refusal.TEAM_EXISTS


def test_a_team_is_opened_where_there_is_none() -> None:
    given().when(open_team(), SERVICE).then(opened())
    given(team_created()).when(open_team(), SERVICE).then_refused(Refusal.TEAM_EXISTS)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_what_an_organization_said_before_is_stale(version: int) -> None:
    given(opened(), applied(3)).when(apply(version), SERVICE).then_refused(Refusal.STALE_ORGANIZATION)


def test_an_organization_says_nothing_in_a_team_of_others() -> None:
    given(team_created()).when(apply(1), SERVICE).then_refused(Refusal.FORBIDDEN)
    given(opened()).when(apply(1, organization_id=TEAM), SERVICE).then_refused(Refusal.FORBIDDEN)
    given().when(apply(1), SERVICE).then_refused(Refusal.UNKNOWN_TEAM)


def test_who_left_the_organization_leaves_the_team() -> None:
    spec = given(opened(), team_member("ben", Role.DEVELOPER), applied(3, "ben"))
    spec.when(record(), by("ben")).then_refused(Refusal.UNKNOWN_TEAM)
    given(opened()).when(apply(4, "ben", "ada"), SERVICE).then(applied(4, "ben", "ada"))


def test_who_is_no_longer_an_admin_of_the_organization_is_none_of_the_team() -> None:
    spec = given(opened(), applied(3), applied(4, admins=("zoe",)))
    spec.when(record(), by("eve")).then_refused(Refusal.UNKNOWN_TEAM)
    assert spec.when(record(), by("zoe")).status == "accepted"


PEOPLE = ("ada", "ben", "eve", "zoe")


def _random_command(choose: random.Random, version: int) -> SingleCommand:
    who, role = choose.choice(PEOPLE), choose.choice([*Role])
    told = apply(version, *choose.sample(PEOPLE, choose.randint(0, 2)))
    any_of: list[SingleCommand] = [
        *(add(who, role), change_role(who, role), remove(who)),
        *(invite(), accept(), told),
    ]
    return choose.choice(any_of)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("is_organizations", [True, False])
def test_no_commands_leave_a_team_that_nobody_can_manage(seed: int, is_organizations: bool) -> None:
    choose = random.Random(seed)
    library = given(opened() if is_organizations else team_created(), team_invited()).library
    for version in range(1, 120):
        command = _random_command(choose, version)
        sender = SERVICE if command.type == "apply_organization" else by(choose.choice(PEOPLE))
        library.send(command, sender)
        state = library.states["team"]
        assert isinstance(state, Team)
        known = set(PEOPLE) | set(state.people.members)
        assert [who for who in known if state.role_of(who) is Role.ADMIN], (seed, version, command)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_commands_leave_an_organization_that_nobody_can_manage(seed: int) -> None:
    choose = random.Random(seed)
    library = given(organization()).library
    for step in range(120):
        who, role = choose.choice(PEOPLE), choose.choice([*OrganizationRole])
        any_of: list[SingleCommand] = [
            add_to_organization(who, role),
            change_organization_role(who, role),
            remove_from_organization(who),
        ]
        command = choose.choice(any_of)
        library.send(command, by(choose.choice(PEOPLE)))
        state = library.states["organization"]
        assert isinstance(state, Organization)
        assert state.admins, (seed, step, command)


def test_a_team_knows_its_organization_by_id() -> None:
    state = given(opened(), applied(7)).library.states["team"]
    assert isinstance(state, Team)
    assert state.organization is not None
    assert (state.organization.organization_id, state.organization.version) == (ORGANIZATION, 7)
    assert isinstance(applied(7), TeamOrganizationApplied)
