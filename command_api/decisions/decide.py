"""The decision on any command but a batch: pure, so that a sync client runs the same one offline."""

from command_api.decisions import organization, pattern, team
from command_api.decisions.authority import refusal_of
from command_api.decisions.commands import PatternCommand, SingleCommand
from command_api.decisions.library import LibraryView
from command_api.decisions.organization_commands import OrganizationCommand
from command_api.decisions.refusals import Decision
from command_api.decisions.sender import Sender


def decide(library: LibraryView, command: SingleCommand, sender: Sender) -> Decision:
    """What becomes of a command, given all that it depends on."""
    refusal = refusal_of(library, command, sender)
    if refusal is not None:
        return refusal
    if isinstance(command, PatternCommand):
        return pattern.decide(library, command)
    if isinstance(command, OrganizationCommand):
        return organization.decide(library, command, sender)
    return team.decide(library, command, sender)
