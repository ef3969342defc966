"""The state of the model, small and immutable."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from tests.model.records import Log, Request, Topic


class Step(StrEnum):
    """What a process is doing; in all but DOWN and READY it waits for an acknowledgement."""

    DOWN = "down"
    CREATING_EVENTS = "creating [events]"
    CREATING_OUTCOMES = "creating [outcomes]"
    FENCING_EVENTS = "fencing [events]"
    FENCING_OUTCOMES = "fencing [outcomes]"
    MARKING = "marking"
    READY = "ready"
    APPENDING = "appending events"
    ANSWERING = "appending outcomes"


class Memory(NamedTuple):
    """What a decider holds of a topic: all that counts from `held` on.

    `floor` is the highest checkpoint that it has evicted at: Postgres must never be found below it.
    """

    held: int = 0
    floor: int = 0


class Decider(NamedTuple):
    """A decider, or a creator of the log. The writer id is new with each taking; 0 while it is down.

    `pending` is the request that it waits for, `landed` the base offset that this one got (-1: none yet).
    `orphans`: commands that have events but no outcome, each with the offset of its events.
    `answers`: of the batch at hand, in order.
    """

    creator: bool = False
    writer: int = 0
    step: Step = Step.DOWN
    term: int = 0
    pending: Request | None = None
    landed: int = -1
    events_fence: int = 0
    outcomes_fence: int = 0
    events_end: int = 0
    outcomes_end: int = 0
    next: int = 0
    orphans: tuple[tuple[int, int], ...] = ()
    events_memory: Memory = Memory()
    outcomes_memory: Memory = Memory()
    answers: tuple[bool, ...] = ()


class State(NamedTuple):
    """Everything about one partition: its logs, the network, the processes, the checkpoints in Postgres.

    `taken` counts takings, `restored` restores of Postgres; [outcomes] below `trimmed` are gone. Postgres
    needs no rows here: its rows at a checkpoint are the fold of what counts below it.
    """

    events: Log
    outcomes: Log
    flight: tuple[Request, ...]
    deciders: tuple[Decider, ...]
    taken: int = 0
    heads: int = 0
    answered: int = 0
    trimmed: int = 0
    restored: int = 0


class Move(NamedTuple):
    """One step: what happens, and the state that it leads to."""

    what: str
    state: State


Moves = Iterator[Move]


def put(state: State, old: Decider, new: Decider, *requests: Request) -> State:
    """Replace one process, and put what it sends on the network.

    Processes and requests are kept sorted: only its writer id names a process, so their order means nothing.
    """
    deciders = list(state.deciders)
    deciders[deciders.index(old)] = new
    deciders.sort(key=by_writer)
    flight = tuple(sorted((*state.flight, *requests), key=by_sender)) if requests else state.flight
    return state._replace(deciders=tuple(deciders), flight=flight)


def by_writer(decider: Decider) -> tuple[int, bool]:
    """The order of processes; those that are down are alike but for their role."""
    return decider.writer, decider.creator


def by_sender(request: Request) -> tuple[int, Topic]:
    """The order of requests; equal ones can only be copies."""
    return request.records[0].writer, request.topic
