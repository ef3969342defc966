"""Teams: the facts, the state, and how a fact changes the state."""

from dataclasses import dataclass
from typing import assert_never

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked_dataclass

from events.errors import ImpossibleEvent

STREAM = "team"

# ---------------------------------------------------------------- events


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=ConfigDict(extra="forbid"))
class TeamCreated:
    """A team, and with it a library, came into being."""

    name: str


TeamEvent = TeamCreated

# ---------------------------------------------------------------- state


@dataclass(frozen=True, kw_only=True, slots=True)
class NoTeam:
    """Nobody has created the team."""

    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """A team that owns a library."""

    version: int
    name: str


TeamState = NoTeam | Team

# ---------------------------------------------------------------- evolve


def evolve(state: TeamState, event: TeamEvent) -> Team:
    """The state after one more event; raise `ImpossibleEvent` when it cannot follow."""
    match event:
        case TeamCreated():
            if not isinstance(state, NoTeam):
                raise ImpossibleEvent("created twice")
            return Team(version=1, name=event.name)
        case _:
            assert_never(event)
