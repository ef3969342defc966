"""Breadth-first search of every state that a configuration can reach; a violation has its shortest run."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.model.config import Config
from tests.model.invariants import Violation, is_dead_end, violations
from tests.model.protocol import initial, moves
from tests.model.state import State
from tests.model.trace import tell

Parents = dict[State, State | None]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A violation, and the shortest run that leads to it, told in words."""

    kinds: tuple[Violation, ...]
    trace: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a search saw: distinct states, steps between them, the longest shortest run, and what broke."""

    states: int
    steps: int
    depth: int
    found: Found | None


def search(config: Config, visit: Callable[[State], None] = lambda state: None) -> Result:
    """Visit every reachable state once, nearest first, and stop at the first that is wrong."""
    first = initial(config)
    parents: Parents = {first: None}
    steps = depth = 0
    level, wrong = [first], None
    with garbage_collection_paused():
        while level and wrong is None:
            following: list[State] = []
            for state in level:
                visit(state)
                seen, wrong = expand(config, state, parents, following)
                steps += seen
                if wrong is not None:
                    break
            level, depth = following, depth + bool(following)
    found = explain(config, *wrong, parents) if wrong else None
    return Result(states=len(parents), steps=steps, depth=depth, found=found)


def expand(
    config: Config, state: State, parents: Parents, following: list[State]
) -> tuple[int, tuple[State, tuple[Violation, ...]] | None]:
    """Take every step from a state: how many there are, and the first new state that is wrong."""
    steps = 0
    for move in moves(config, state):
        steps += 1
        if move.state in parents:
            continue
        parents[move.state] = state
        following.append(move.state)
        if kinds := violations(config, move.state):
            return steps, (move.state, kinds)
    if steps == 0 and is_dead_end(config, state):
        return steps, (state, (Violation.STUCK,))
    return steps, None


def explain(config: Config, last: State, kinds: tuple[Violation, ...], parents: Parents) -> Found:
    """Walk back from a state to the first one, and find again what each step was called."""
    run = []
    while (before := parents[last]) is not None:
        run.append((next(move.what for move in moves(config, before) if move.state == last), last))
        last = before
    return Found(kinds=kinds, trace=tell([("at first", last), *reversed(run)]))


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """A search makes no cycles and keeps all it makes: looking for garbage would double its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
