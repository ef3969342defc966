"""What a team is told of its organization."""

from dataclasses import replace

import pytest

from command_api.coordination.telling import (
    Source,
    Standing,
    TeamKnowledge,
    command_id,
    standing_of,
    tellings,
)
from command_api.decisions.commands import command_from, to_json
from command_api.decisions.team_commands import ApplyOrganization, OpenTeam
from events.identifiers import is_uuid7, uuid7_ms
from events.membership import Membership
from events.organization import Organization, OrganizationTeam
from events.roles import OrganizationRole, Tier

ORGANIZATION = "7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01"
TEAM = "11111111-1111-4111-8111-111111111111"
NOW = 1_760_000_000_000
DAY = 24 * 60 * 60 * 1000
SOURCE = Source(
    organization_id=ORGANIZATION,
    organization=Organization(
        version=9,
        name="Acme",
        tier=Tier.TEAM,
        people=Membership(
            members={
                "eve": OrganizationRole.ADMIN,
                "ada": OrganizationRole.ADMIN,
                "ben": OrganizationRole.MEMBER,
            }
        ),
        removed={"old": 2, "gone": 5, "late": 8},
        teams={TEAM: OrganizationTeam(name="Platform", admin="ada", since=4)},
        settings={"review_days": 7},
        enforced=("review_days",),
    ),
    recorded_ms=NOW,
    cause="0199c2b4-8e00-7000-8000-000000000001 9f86d081",
)


def knows(version: int, organization_id: str | None = ORGANIZATION) -> TeamKnowledge:
    return TeamKnowledge(organization_id=organization_id, version=version)


@pytest.mark.parametrize(
    ("team", "standing"),
    [
        (None, Standing.BEHIND),
        (knows(0), Standing.BEHIND),
        (knows(8), Standing.BEHIND),
        (knows(9), Standing.KNOWS),
        (knows(10), Standing.KNOWS),
        (knows(9, None), Standing.FOREIGN),
        (knows(9, TEAM), Standing.FOREIGN),
    ],
)
def test_a_team_knows_its_organization_or_is_behind_or_is_none_of_its(
    team: TeamKnowledge | None, standing: Standing
) -> None:
    assert standing_of(SOURCE, team) is standing


def test_a_team_that_is_not_there_is_opened_and_told_in_that_order() -> None:
    opening, applying = tellings(SOURCE, TEAM, None, NOW)
    assert isinstance(opening, OpenTeam)
    assert (opening.name, opening.organization_id, opening.admin) == ("Platform", ORGANIZATION, "ada")
    assert isinstance(applying, ApplyOrganization)
    assert (applying.organization_version, applying.admins, applying.tier) == (9, ["ada", "eve"], Tier.TEAM)
    assert (applying.defaults, applying.enforced) == ({"review_days": 7}, ["review_days"])


@pytest.mark.parametrize(
    ("team", "removed"),
    [(None, ["gone", "late"]), (knows(0), ["gone", "late"]), (knows(5), ["late"]), (knows(8), [])],
)
def test_a_team_is_told_who_left_since_it_last_heard_and_since_it_is_there(
    team: TeamKnowledge | None, removed: list[str]
) -> None:
    applying = tellings(SOURCE, TEAM, team, NOW)[-1]
    assert isinstance(applying, ApplyOrganization)
    assert applying.removed == removed


def test_the_same_word_has_the_same_id_and_another_word_another() -> None:
    later = replace(SOURCE, organization=replace(SOURCE.organization, version=10))
    ids = [
        command_id(SOURCE, TEAM, "open_team", NOW),
        command_id(SOURCE, TEAM, "apply_organization", NOW),
        command_id(SOURCE, ORGANIZATION, "apply_organization", NOW),
        command_id(later, TEAM, "apply_organization", NOW),
    ]
    assert len(set(ids)) == 4
    assert ids[0] == command_id(SOURCE, TEAM, "open_team", NOW + 20 * DAY)
    assert all(is_uuid7(one) and uuid7_ms(one) == NOW for one in ids)


def test_an_id_cannot_be_known_by_who_does_not_know_what_happened() -> None:
    other = replace(SOURCE, cause="0199c2b4-8e00-7000-8000-000000000002 9f86d081")
    for kind in ("open_team", "apply_organization"):
        assert command_id(SOURCE, TEAM, kind, NOW) != command_id(other, TEAM, kind, NOW)


@pytest.mark.parametrize(("days", "is_fresh"), [(28, False), (30, True), (400, True)])
def test_what_happened_too_long_ago_is_told_as_of_today(days: int, is_fresh: bool) -> None:
    now = NOW + days * DAY
    one = command_id(SOURCE, TEAM, "open_team", now)
    assert (uuid7_ms(one) != NOW) is is_fresh
    assert now - uuid7_ms(one) < 30 * DAY
    assert uuid7_ms(one) <= now


def test_what_is_told_has_the_form_of_a_command() -> None:
    for command in tellings(SOURCE, TEAM, None, NOW):
        assert command_from(to_json(command)) == command
