"""What an owner knows as it decides, and in which ways it can decide a batch."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.config import Config
from tests.model.mutants import Mutant
from tests.model.records import Command, Event
from tests.model.rule import answers, facts
from tests.model.state import Decider, Memory, State


class Knowledge(NamedTuple):
    """Names taken, the first answer given to each command id, and the last sequence."""

    names: frozenset[str]
    answers: tuple[tuple[str, bool], ...]
    sequence: int


class Decision(NamedTuple):
    """One way in which a batch can be decided: its answers, and the events to append."""

    answers: tuple[bool, ...]
    events: tuple[Event, ...]


def must_retake(config: Config, state: State, decider: Decider) -> bool:
    """Tell whether Postgres was found below what memory relies on: what was evicted is then nowhere."""
    if config.mutant is Mutant.IGNORE_LOWER_CHECKPOINT:
        return False
    return state.heads < decider.events_memory.floor or state.answered < decider.outcomes_memory.floor


def evict(config: Config, state: State, decider: Decider) -> Decider:
    """Drop from memory what Postgres holds by now, and keep the checkpoint in mind."""
    if config.mutant is Mutant.EVICT_WITHOUT_CHECKPOINT:
        forgetful = decider.events_memory._replace(held=decider.events_end)
        return decider._replace(events_memory=forgetful)
    heads = max(state.heads, decider.events_memory.held)
    answered = max(state.answered, decider.outcomes_memory.held)
    return decider._replace(events_memory=Memory(heads, heads), outcomes_memory=Memory(answered, answered))


def knowledge(config: Config, state: State, decider: Decider) -> Knowledge:
    """Join the rows in Postgres, read in one snapshot with their checkpoints, with what memory holds."""
    events = [
        event
        for offset, event in facts(state.events, config.events_rule)
        if offset < state.heads or decider.events_memory.held <= offset < decider.events_end
    ]
    given = tuple(
        (config.commands[outcome.command].id, outcome.accepted)
        for offset, outcome in answers(state.outcomes, config.outcomes_rule)
        if offset < state.answered or decider.outcomes_memory.held <= offset < decider.outcomes_end
    )
    names = frozenset(config.commands[event.command].name for event in events)
    return Knowledge(names, given, max((event.sequence for event in events), default=0))


def decide(config: Config, known: Knowledge, command: Command) -> tuple[bool, ...]:
    """Decide a command seen for the first time: the answers that it can get."""
    if command.name in known.names:
        return (False,)
    return (True, False) if config.whims else (True,)


def decisions(config: Config, state: State, decider: Decider) -> Iterator[Decision]:
    """Decide the next commands, in batches of every size up to the limit."""
    known = knowledge(config, state, decider)
    last = min(decider.next + config.batch, len(config.commands))
    for stop in range(decider.next + 1, last + 1):
        yield from decide_batch(config, decider, known, decider.next, stop)


def decide_batch(
    config: Config, decider: Decider, known: Knowledge, offset: int, stop: int
) -> Iterator[Decision]:
    """Decide the commands from `offset` to `stop`, each knowing what the ones before it have changed."""
    if offset == stop:
        yield Decision((), ())
        return
    command = config.commands[offset]
    for accepted, events in choices(config, decider, known, offset):
        learned = Knowledge(
            known.names | {command.name} if events else known.names,
            (*known.answers, (command.id, accepted)),
            known.sequence + len(events),
        )
        for rest in decide_batch(config, decider, learned, offset + 1, stop):
            yield Decision((accepted, *rest.answers), (*events, *rest.events))


def choices(
    config: Config, decider: Decider, known: Knowledge, offset: int
) -> Iterator[tuple[bool, tuple[Event, ...]]]:
    """Give each answer that a command can get, with its events: a new one is decided, no other."""
    command, seen = config.commands[offset], dict(reversed(known.answers))
    if command.id in seen and config.mutant is not Mutant.RESENT_COMMAND_DECIDED_ANEW:
        yield seen[command.id], ()
    elif any(orphan == offset for orphan, _ in decider.orphans):
        yield True, ()
    elif (
        any(orphan > offset for orphan, _ in decider.orphans)
        and config.mutant is not Mutant.REFUSED_DECIDED_ANEW
    ):
        yield False, ()
    else:
        event = Event(decider.term, decider.writer, decider.events_fence, offset, known.sequence + 1)
        for accepted in decide(config, known, command):
            yield accepted, (event,) if accepted else ()
