import pytest

from events.errors import ImpossibleEvent
from events.merge_rules import Policy, Rule
from events.team import NoTeam, Team, TeamCreated, TeamMergingChanged, evolve


def test_a_team_is_created_once() -> None:
    created = evolve(NoTeam(), TeamCreated(name="Compilers"))
    assert created == Team(version=1, name="Compilers")
    with pytest.raises(ImpossibleEvent):
        evolve(created, TeamCreated(name="Compilers"))


def test_a_teams_setting_takes_the_place_of_the_one_before() -> None:
    first = TeamMergingChanged(policy=Policy.REJECT, rules={"x": Rule.TEXT, "y": Rule.TAGS})
    second = TeamMergingChanged(policy=Policy.MERGE, rules={"y": Rule.COUNTERS})
    state = evolve(evolve(Team(version=1, name="A"), first), second)
    assert state == Team(version=3, name="A", policy=Policy.MERGE, rules={"y": Rule.COUNTERS})
    with pytest.raises(ImpossibleEvent):
        evolve(NoTeam(), first)
