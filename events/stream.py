"""Streams of any kind: the state of one that has events, and how an event changes it."""

from events import organization, pattern, team
from events.errors import ImpossibleEvent
from events.organization import NoOrganization, Organization, OrganizationEvent
from events.pattern import DeletedPattern, NoPattern, Pattern
from events.registry import Event
from events.team import NoTeam, Team, TeamEvent

StreamState = Pattern | DeletedPattern | Team | Organization


def evolve(state: StreamState | None, event: Event) -> StreamState:
    """The state after one more event (None: before the first); raise `ImpossibleEvent`."""
    if isinstance(event, TeamEvent):
        if not isinstance(state, Team | None):
            raise ImpossibleEvent("a team's event in another stream")
        return team.evolve(state or NoTeam(), event)
    if isinstance(event, OrganizationEvent):
        if not isinstance(state, Organization | None):
            raise ImpossibleEvent("an organization's event in another stream")
        return organization.evolve(state or NoOrganization(), event)
    if isinstance(state, Team | Organization):
        raise ImpossibleEvent("a pattern's event in another stream")
    return pattern.evolve(state or NoPattern(), event)
