"""What must hold in every state, whatever has happened, and the names of what can go wrong.

An API process may trust an outcome as soon as it counts, and the rule looks only backwards. So a promise
is kept for ever if it holds in every state for the records that count in it.
"""

from collections import Counter
from dataclasses import replace
from enum import StrEnum

from tests.model.config import Config
from tests.model.protocol import undisturbed
from tests.model.records import Fence, Log
from tests.model.rule import (
    NO_ONE,
    Rule,
    Standing,
    answers,
    cached,
    counted,
    facts,
    midlog_start,
    position,
    read,
)
from tests.model.state import Decider, State, Step


class Violation(StrEnum):
    """The promises, by what breaks them."""

    LOST = "a command was answered as accepted, but its events do not count"
    DOUBLED = "a command has two sets of events that count"
    EXCLUDED = "two accepted commands exclude one another"
    CONTRADICTED = "a command was answered as refused, but has events that count"
    ANSWERED_TWICE = "a command has two outcomes that count, or its id two different answers"
    SKIPPED = "a command has no outcome, and a later one has"
    OUT_OF_ORDER = "a command took effect after one that came later"
    GAP = "the sequences of the events that count are not gapless"
    DISAGREEMENT = "two readers disagree on what counts"
    STUCK = "a decider that nothing disturbs cannot finish"


def violations(config: Config, state: State) -> tuple[Violation, ...]:
    """Check one state. It is judged by its logs and checkpoints, which many states share."""
    return judge(config, state.events, state.outcomes, state.heads, state.answered, state.trimmed)


@cached
def judge(
    config: Config, events: Log, outcomes: Log, heads: int, answered: int, trimmed: int
) -> tuple[Violation, ...]:
    """Check what lies in Kafka and Postgres."""
    alone = State(events, outcomes, (), (), config.takings, heads, answered, trimmed, config.restores)
    return (
        *broken_promises(config, events, outcomes),
        *disagreements(events, config.events_rule, 0),
        *disagreements(outcomes, config.outcomes_rule, trimmed),
        *stuck(config, alone),
    )


@cached
def broken_promises(config: Config, events: Log, outcomes: Log) -> tuple[Violation, ...]:
    """Compare the events that count with the outcomes that count."""
    happened = [event for _, event in facts(events, config.events_rule)]
    given = [outcome for _, outcome in answers(outcomes, config.outcomes_rule)]
    ids = Counter(config.commands[event.command].id for event in happened)
    holders = {config.commands[event.command] for event in happened}
    replies = {(config.commands[outcome.command].id, outcome.accepted) for outcome in given}
    answered = Counter(outcome.command for outcome in given)
    found = {
        Violation.LOST: any(accepted and id not in ids for id, accepted in replies),
        Violation.DOUBLED: any(count > 1 for count in ids.values()),
        Violation.EXCLUDED: len({command.name for command in holders}) < len(holders),
        Violation.CONTRADICTED: any(not accepted and id in ids for id, accepted in replies),
        Violation.ANSWERED_TWICE: answered.total() > len(answered) or len(dict(replies)) < len(replies),
        Violation.SKIPPED: set(answered) != set(range(len(answered))),
        Violation.OUT_OF_ORDER: [event.command for event in happened]
        != sorted(event.command for event in happened),
        Violation.GAP: [event.sequence for event in happened] != list(range(1, len(happened) + 1)),
    }
    return tuple(kind for kind, broken in found.items() if broken)


@cached
def disagreements(log: Log, rule: Rule, trimmed: int) -> tuple[Violation, ...]:
    """Compare every reader that begins in mid-log or at a checkpoint with the one from the very start.

    A reader in mid-log knows nothing; one at a checkpoint knows the standing there. Readers of what retention
    has left must also find the position that the whole log gives (as the outcomes' projection keeps it).
    """
    standings, known = read(log, rule).standings, data(log, rule, 0, NO_ONE)
    for first in range(trimmed, len(log)):
        start = midlog_start(log, rule, first, trimmed)
        if start is not None and data(log, rule, start, NO_ONE) != {at for at in known if at >= start}:
            return (Violation.DISAGREEMENT,)
        if data(log, rule, first, standings[first]) != {at for at in known if at >= first}:
            return (Violation.DISAGREEMENT,)
    found = position(log, rule, trimmed)
    return (Violation.DISAGREEMENT,) if found and found != position(log, rule, 0) else ()


def data(log: Log, rule: Rule, start: int, standing: Standing) -> set[int]:
    """The offsets of all but fences that count, for a reader that begins where it knows the standing."""
    found = counted(log, rule, start, standing)
    return {offset for offset, record in found if not isinstance(record, Fence)}


def is_answered(config: Config, state: State) -> bool:
    """Tell whether every command has an outcome that counts."""
    given = {outcome.command for _, outcome in answers(state.outcomes, config.outcomes_rule)}
    return len(given) == len(config.commands)


def is_dead_end(config: Config, state: State) -> bool:
    """Tell whether a state without a next step is wrong: commands are left, and not for want of takings."""
    waits = any(decider.step not in (Step.DOWN, Step.READY) for decider in state.deciders)
    return not is_answered(config, state) and (waits or state.taken < config.takings)


def stuck(config: Config, state: State) -> tuple[Violation, ...]:
    """Let one new decider (and creator) loose on what all others have left: it must answer all."""
    calm = without_faults(config)
    processes = (Decider(),) + (Decider(creator=True),) * min(config.creators, 1)
    after = undisturbed(calm, state._replace(deciders=processes), lambda later: is_answered(calm, later))
    return () if is_answered(calm, after) else (Violation.STUCK,)


@cached
def without_faults(config: Config) -> Config:
    """The same configuration with none of its faults, and room for a few more takings."""
    return replace(
        config,
        takings=config.takings + 4,
        batch=1,
        eager=True,
        whims=False,
        heads_projected=False,
        outcomes_projected=False,
        evictions=False,
        retention=False,
    )
