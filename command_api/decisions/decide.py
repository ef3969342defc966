"""The decision on any command but a batch: pure, so that a sync client runs the same one offline."""

from command_api.decisions import pattern, team
from command_api.decisions.commands import SingleCommand, TeamCommand
from command_api.decisions.library import LibraryView
from command_api.decisions.refusals import Decision


def decide(library: LibraryView, command: SingleCommand) -> Decision:
    """What becomes of a command, given all that it depends on."""
    if isinstance(command, TeamCommand):
        return team.decide(library, command)
    return pattern.decide(library, command)
