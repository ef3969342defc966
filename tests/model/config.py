"""What bounds a search: who takes part, which faults may happen and how often, which mutant is at work."""

from dataclasses import dataclass
from functools import cached_property

from tests.model.mutants import Mutant, rule_of
from tests.model.records import Command
from tests.model.rule import Rule


@dataclass(frozen=True, kw_only=True, eq=False)
class Config:
    """One configuration.

    owned: the search begins with a partition that a first decider has taken undisturbed.
    batch: how many commands a decider takes at most at once.
    whims: `decide` may refuse what it could accept, as when two versions of it are at work.
    eager: an acknowledgement arrives as its batch lands (`protocol.landings` says why that loses nothing).
    """

    name: str
    commands: tuple[Command, ...]
    deciders: int = 2
    creators: int = 0
    takings: int = 2
    restores: int = 0
    batch: int = 1
    owned: bool = False
    whims: bool = False
    eager: bool = False
    heads_projected: bool = False
    outcomes_projected: bool = False
    evictions: bool = False
    retention: bool = False
    mutant: Mutant | None = None

    def __post_init__(self) -> None:
        if self.eager and (self.heads_projected or self.outcomes_projected or self.retention):
            raise ValueError("an acknowledgement reads checkpoints that move: when it comes matters")

    @cached_property
    def events_rule(self) -> Rule:
        """The rule that readers of [events] apply."""
        return rule_of("events", self.mutant)

    @cached_property
    def outcomes_rule(self) -> Rule:
        """The rule that readers of [outcomes] apply."""
        return rule_of("outcomes", self.mutant)
