"""Decisions on teams."""

from command_api.decisions.commands import TeamCommand
from command_api.decisions.library import LibraryView
from command_api.decisions.refusals import Accepted, Decision, Refusal, Rejected
from events.team import NoTeam, TeamCreated


def decide(library: LibraryView, command: TeamCommand) -> Decision:
    """What becomes of a command that changes a team."""
    if not isinstance(library.team, NoTeam):
        return Rejected(code=Refusal.TEAM_EXISTS, detail="the team was created before")
    return Accepted(events=(TeamCreated(name=command.name),))
