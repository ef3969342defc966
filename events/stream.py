"""Streams of any kind: the state of one that has events, and how an event changes it."""

from events import pattern, team
from events.errors import ImpossibleEvent
from events.pattern import DeletedPattern, NoPattern, Pattern
from events.registry import Event
from events.team import NoTeam, Team, TeamEvent

StreamState = Pattern | DeletedPattern | Team


def evolve(state: StreamState | None, event: Event) -> StreamState:
    """The state after one more event (None: before the first); raise `ImpossibleEvent`."""
    if isinstance(event, TeamEvent):
        if isinstance(state, Pattern | DeletedPattern):
            raise ImpossibleEvent("a team's event in a pattern's stream")
        return team.evolve(state or NoTeam(), event)
    if isinstance(state, Team):
        raise ImpossibleEvent("a pattern's event in a team's stream")
    return pattern.evolve(state or NoPattern(), event)
