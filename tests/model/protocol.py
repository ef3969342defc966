"""The model: from a state, every step that a process, the network, a projector or retention can take next.

A pause needs no step of its own: whoever is not chosen for a while is paused. Nor does a crash: a process
that has crashed and one that is paused for ever leave the same logs behind, and one that comes back begins
to take the partition with nothing in memory (`takings`), as does one whose append has an unknown fate.
A request that never lands is one that stays in flight; a lost acknowledgement is one never received.
"""

from collections.abc import Callable

from tests.model.appending import acknowledge, append, send
from tests.model.config import Config
from tests.model.creating import FIRST_TERM, begin_creating, create_outcomes
from tests.model.deciding import decisions, evict, must_retake
from tests.model.environment import projections, restores, retention
from tests.model.mutants import Mutant
from tests.model.records import Fence, Log, Mark, Request
from tests.model.rule import position
from tests.model.state import Decider, Move, Moves, State, Step, put
from tests.model.taking import begin_taking, fence_outcomes, settle


def initial(config: Config) -> State:
    """The state at first: empty logs if creators take part, else logs that a creator (W0) has made."""
    fence = Fence(FIRST_TERM, 0)
    events: Log = () if config.creators else (fence,)
    outcomes: Log = () if config.creators else (fence, Mark(FIRST_TERM, 0, 0, 0, 1))
    processes = (Decider(),) * config.deciders + (Decider(creator=True),) * config.creators
    state = State(events, outcomes, (), processes)
    return undisturbed(config, state, is_owned) if config.owned else state


def is_owned(state: State) -> bool:
    """Tell whether a decider owns the partition, as far as it knows."""
    return any(decider.step is Step.READY for decider in state.deciders)


def undisturbed(config: Config, state: State, done: Callable[[State], bool]) -> State:
    """Let things go on without any fault, one step after the other, until done or until nothing can."""
    while not done(state) and (move := next(moves(config, state), None)):
        state = move.state
    return state


def moves(config: Config, state: State) -> Moves:
    """Every step that can come next; the first one is always progress."""
    yield from landings(config, state)
    yield from acknowledgements(config, state)
    yield from batches(config, state)
    yield from takings(config, state)
    yield from evictions(config, state)
    yield from resends(config, state)
    yield from projections(config, state)
    yield from restores(config, state)
    yield from retention(config, state)


def landings(config: Config, state: State) -> Moves:
    """A request lands at the end of its topic, however late, whether or not its sender still waits.

    With `eager` its sender learns of it at once. No log is lost by that: what an acknowledgement sets off
    is one more request, made from what no longer changes (the log below the offset that was acknowledged).
    So if it came later instead, that request would land later, and if never, that request would never land.
    """
    for request in dict.fromkeys(state.flight):
        landed = land(state, request)
        if config.eager:
            landed = next((move.state for move in acknowledgements(config, landed)), landed)
        yield Move(f"a request of W{request.records[0].writer} lands", landed)


def land(state: State, request: Request) -> State:
    """Append a request's batch, and keep its base offset for the sender if it still waits."""
    index = state.flight.index(request)
    flight = state.flight[:index] + state.flight[index + 1 :]
    if request.topic == "events":
        base = len(state.events)
        after = state._replace(flight=flight, events=state.events + request.records)
    else:
        base = len(state.outcomes)
        after = state._replace(flight=flight, outcomes=state.outcomes + request.records)
    for decider in state.deciders:
        if decider.pending == request and decider.landed < 0:
            return put(after, decider, decider._replace(landed=base))
    return after


def acknowledgements(config: Config, state: State) -> Moves:
    """A sender learns the base offset of its batch, and goes on."""
    for decider in state.deciders:
        if decider.landed >= 0:
            after = send(state, decider, acknowledged(config, state, decider))
            yield Move(f"W{decider.writer} is acknowledged", after)


def acknowledged(config: Config, state: State, decider: Decider) -> Decider:
    """Go on to the next step of a creation, a taking or a batch."""
    match decider.step:
        case Step.CREATING_EVENTS:
            return create_outcomes(config, state, decider)
        case Step.CREATING_OUTCOMES:
            return Decider(creator=True)
        case Step.FENCING_EVENTS:
            return fence_outcomes(config, state, decider)
        case Step.FENCING_OUTCOMES:
            return settle(config, state, decider)
        case _:
            return acknowledge(config, state, decider)


def batches(config: Config, state: State) -> Moves:
    """An owner decides the next commands on what it knows, and appends."""
    for decider in state.deciders:
        if decider.step is Step.READY and not must_retake(config, state, decider):
            for decision in decisions(config, state, decider):
                yield Move(f"W{decider.writer} decides", append(config, state, decider, decision))


def takings(config: Config, state: State) -> Moves:
    """A process begins anew, at any time: it was started, or assigned the partition, has crashed and come
    back, has given up waiting, has found Postgres restored, has stood down, or a day is over.

    A decider needs a position in [outcomes]: none is an alarm. A creator needs an empty topic; one that
    crashed is paused for ever, and the other one does its work.
    """
    if state.taken == config.takings:
        return
    found = position(state.outcomes, config.outcomes_rule, state.trimmed)
    reckless = bool(state.events) and config.mutant is Mutant.NO_POSITION_IS_POSITION_ZERO
    for old in dict.fromkeys(state.deciders):
        if old.creator and old.writer == 0 and not (state.events and state.outcomes):
            new = begin_creating(config, state)
        elif (found or reckless) and not old.creator:
            new = begin_taking(config, state)
        else:
            continue
        yield Move(begun(old), send(state._replace(taken=state.taken + 1), old, new))


def begun(old: Decider) -> str:
    """Say why a process begins anew."""
    if old.writer == 0:
        return "a creator begins" if old.creator else "a decider begins to take the partition"
    if old.step is Step.READY:
        return f"W{old.writer} has crashed and come back, or a day is over: it takes the partition anew"
    return f"W{old.writer} has crashed or given up waiting: it begins anew"


def evictions(config: Config, state: State) -> Moves:
    """An owner evicts from memory what Postgres holds."""
    for decider in state.deciders:
        if config.evictions and decider.step is Step.READY:
            after = evict(config, state, decider)
            if after != decider:
                yield Move(f"W{decider.writer} evicts", put(state, decider, after))


def resends(config: Config, state: State) -> Moves:
    """Only as a mutant: a sender that knows nothing of its batch sends it once more, as the same writer."""
    if config.mutant is not Mutant.UNKNOWN_FATE_RESENT_UNDER_SAME_TERM:
        return
    for decider in state.deciders:
        if decider.pending and state.flight.count(decider.pending) < 2:
            yield Move(f"W{decider.writer} sends again", put(state, decider, decider, decider.pending))
