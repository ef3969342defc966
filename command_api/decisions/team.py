"""Decisions on teams."""

from typing import assert_never

from command_api.decisions.commands import CreateTeam, SetMerging, TeamCommand
from command_api.decisions.library import LibraryView
from command_api.decisions.refusals import Accepted, Decision, Refusal, Rejected
from events.team import NoTeam, Team, TeamCreated, TeamMergingChanged

MAX_RULES = 100


def decide(library: LibraryView, command: TeamCommand) -> Decision:
    """What becomes of a command that changes a team."""
    match command:
        case CreateTeam():
            if not isinstance(library.team, NoTeam):
                return Rejected(code=Refusal.TEAM_EXISTS, detail="the team was created before")
            return Accepted(events=(TeamCreated(name=command.name),))
        case SetMerging():
            if isinstance(library.team, NoTeam):
                return unknown_team()
            return _set_merging(library.team, command)
        case _:
            assert_never(command)


def unknown_team() -> Rejected:
    """The refusal of every command to a team that is not there."""
    return Rejected(code=Refusal.UNKNOWN_TEAM, detail="nobody has created this team")


def _set_merging(team: Team, command: SetMerging) -> Decision:
    rules = {name: rule for name, rule in {**team.rules, **command.rules}.items() if rule is not None}
    if len(rules) > MAX_RULES:
        detail = f"a library has at most {MAX_RULES} rules of its own"
        return Rejected(code=Refusal.TOO_LARGE, detail=detail)
    return Accepted(events=(TeamMergingChanged(policy=command.policy or team.policy, rules=rules),))
