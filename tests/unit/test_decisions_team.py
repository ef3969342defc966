"""A library's choice of how it merges: a patch, of which the event tells what holds from now on."""

import pytest

from command_api.decisions.refusals import Refusal
from command_api.decisions.team import MAX_RULES
from command_api.decisions.team_commands import CreateTeam, SetMerging
from events.merge_rules import Policy, Rule
from events.team import TeamMergingChanged
from tests.commands import create_team, set_merging
from tests.facts import team_created
from tests.specs import given

CREATED = team_created("Compilers")
MERGE, REJECT, LAST_WRITER_WINS = Policy.MERGE, Policy.REJECT, Policy.LAST_WRITER_WINS


def changed(policy: Policy, **rules: Rule) -> TeamMergingChanged:
    return TeamMergingChanged(policy=policy, rules=rules)


def test_a_policy_and_rules_are_set_together_or_apart() -> None:
    given(CREATED).when(set_merging(REJECT, x=Rule.TEXT)).then(changed(REJECT, x=Rule.TEXT))
    given(CREATED).when(set_merging(REJECT)).then(changed(REJECT))
    given(CREATED).when(set_merging(x=Rule.TEXT)).then(changed(MERGE, x=Rule.TEXT))


def test_what_is_not_named_stays_as_it_was() -> None:
    history = (CREATED, changed(REJECT, x=Rule.TEXT, y=Rule.TAGS))
    given(*history).when(set_merging(MERGE)).then(changed(MERGE, x=Rule.TEXT, y=Rule.TAGS))
    given(*history).when(set_merging(y=Rule.COUNTERS, z=Rule.VALUE)).then(
        changed(REJECT, x=Rule.TEXT, y=Rule.COUNTERS, z=Rule.VALUE)
    )


def test_a_rule_is_taken_back_by_null() -> None:
    history = (CREATED, changed(REJECT, x=Rule.TEXT, y=Rule.TAGS))
    given(*history).when(set_merging(x=None)).then(changed(REJECT, y=Rule.TAGS))
    given(*history).when(set_merging(never=None)).then(changed(REJECT, x=Rule.TEXT, y=Rule.TAGS))


def test_a_library_has_so_many_rules_and_no_more() -> None:
    most = {f"x{number}": Rule.TEXT for number in range(MAX_RULES)}
    given(CREATED).when(set_merging(None, **most)).then(changed(MERGE, **most))
    given(CREATED).when(set_merging(None, **most, more=Rule.TEXT)).then_refused(
        Refusal.TOO_LARGE, str(MAX_RULES)
    )
    full = given(CREATED, changed(MERGE, **most))
    full.when(set_merging(more=Rule.TEXT)).then_refused(Refusal.TOO_LARGE)
    full.when(set_merging(REJECT)).then(changed(REJECT, **most))
    assert full.when(set_merging(x0=None, more=Rule.TEXT)).status == "accepted"


@pytest.mark.parametrize("command", [set_merging(REJECT), set_merging(x=Rule.TEXT)])
def test_a_team_that_nobody_created_chooses_nothing(command: SetMerging) -> None:
    given().when(command).then_refused(Refusal.UNKNOWN_TEAM)


@pytest.mark.parametrize("command", [create_team("Linkers")])
def test_a_team_is_created_once_whatever_it_has_chosen(command: CreateTeam) -> None:
    given(CREATED, changed(REJECT)).when(command).then_refused(Refusal.TEAM_EXISTS)
