import pytest

from events.errors import ImpossibleEvent
from events.membership import Membership
from events.merge_rules import Policy, Rule
from events.roles import Role
from events.team import NoTeam, Team, TeamMergingChanged, evolve
from tests.facts import team_created


def test_a_team_is_created_once() -> None:
    created = evolve(NoTeam(), team_created("Compilers"))
    assert created == Team(version=1, name="Compilers", people=Membership(members={"ada": Role.ADMIN}))
    with pytest.raises(ImpossibleEvent):
        evolve(created, team_created("Compilers"))


def test_a_teams_setting_takes_the_place_of_the_one_before() -> None:
    first = TeamMergingChanged(policy=Policy.REJECT, rules={"x": Rule.TEXT, "y": Rule.TAGS})
    second = TeamMergingChanged(policy=Policy.MERGE, rules={"y": Rule.COUNTERS})
    state = evolve(evolve(Team(version=1, name="A"), first), second)
    assert state == Team(version=3, name="A", policy=Policy.MERGE, rules={"y": Rule.COUNTERS})
    with pytest.raises(ImpossibleEvent):
        evolve(NoTeam(), first)
