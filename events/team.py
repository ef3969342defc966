"""Teams: the facts, the state, and how a fact changes the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked_dataclass

from events.errors import ImpossibleEvent
from events.merge_rules import Policy, Rule

STREAM = "team"

_CLOSED = ConfigDict(extra="forbid")

# ---------------------------------------------------------------- events


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class TeamCreated:
    """A team, and with it a library, came into being."""

    name: str


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class TeamMergingChanged:
    """How the library merges from now on: its policy, and the rules of its own fields, all of them."""

    policy: Policy
    rules: dict[str, Rule]


TeamEvent = TeamCreated | TeamMergingChanged

# ---------------------------------------------------------------- state


@dataclass(frozen=True, kw_only=True, slots=True)
class NoTeam:
    """Nobody has created the team."""

    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """A team that owns a library; `rules` are those that it has chosen for fields of its own."""

    version: int
    name: str
    policy: Policy = Policy.MERGE
    rules: Mapping[str, Rule] = field(default_factory=dict)


TeamState = NoTeam | Team

# ---------------------------------------------------------------- evolve


def evolve(state: TeamState, event: TeamEvent) -> Team:
    """The state after one more event; raise `ImpossibleEvent` when it cannot follow."""
    match event:
        case TeamCreated():
            if not isinstance(state, NoTeam):
                raise ImpossibleEvent("created twice")
            return Team(version=1, name=event.name)
        case TeamMergingChanged():
            if not isinstance(state, Team):
                raise ImpossibleEvent("a setting of no team")
            return replace(state, version=state.version + 1, policy=event.policy, rules=event.rules)
        case _:
            assert_never(event)
