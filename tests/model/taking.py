"""Taking a partition: fence [events], fence [outcomes], read both up to one's own fences, write a mark."""

from tests.model.config import Config
from tests.model.mutants import Mutant
from tests.model.records import Event, Fence, Mark, Request
from tests.model.rule import NO_ONE, Position, facts, last_term, midlog_start, position, read
from tests.model.state import Decider, Memory, State, Step


def begin_taking(config: Config, state: State) -> Decider:
    """Begin with a new writer id, a term one above the last one seen, and a fence for [events]."""
    writer, term = state.taken + 1, last_term_seen(config, state) + 1
    request = Request("events", (Fence(term, writer),))
    return Decider(writer=writer, step=Step.FENCING_EVENTS, term=term, pending=request)


def last_term_seen(config: Config, state: State) -> int:
    """The highest term in either topic."""
    return max(last_term(state.events, config.events_rule), last_term(state.outcomes, config.outcomes_rule))


def fence_outcomes(config: Config, state: State, decider: Decider) -> Decider:
    """The fence in [events] has landed: send the second one."""
    fenced = decider._replace(events_fence=decider.landed)
    if config.mutant is Mutant.OUTCOMES_NOT_FENCED:
        return settle(config, state, fenced._replace(landed=len(state.outcomes)))
    request = Request("outcomes", (Fence(decider.term, decider.writer),))
    return fenced._replace(step=Step.FENCING_OUTCOMES, pending=request, landed=-1)


def settle(config: Config, state: State, decider: Decider) -> Decider:
    """Both fences have landed: read both topics up to them, then mark the position, or stand down."""
    fenced = decider._replace(outcomes_fence=decider.landed)
    found = last_position(config, state, fenced)
    if found is None or not both_fences_count(config, state, fenced):
        return Decider()
    owner = remember(config, state, fenced, found)
    mark = Mark(owner.term, owner.writer, owner.outcomes_fence, owner.next, events_end(config, owner))
    return owner._replace(step=Step.MARKING, pending=Request("outcomes", (mark,)), landed=-1)


def both_fences_count(config: Config, state: State, decider: Decider) -> bool:
    """Tell whether no rival's fence of the same or a higher term came before one's own."""
    unfenced = config.mutant is Mutant.OUTCOMES_NOT_FENCED
    return read(state.events, config.events_rule).counts[decider.events_fence] and (
        unfenced or read(state.outcomes, config.outcomes_rule).counts[decider.outcomes_fence]
    )


def last_position(config: Config, state: State, decider: Decider) -> Position | None:
    """Find where to go on, in what retention has left up to one's own fence. None is an alarm."""
    found = position(state.outcomes[: decider.outcomes_fence], config.outcomes_rule, state.trimmed)
    if found is None and config.mutant is Mutant.NO_POSITION_IS_POSITION_ZERO:
        return Position(0, decider.events_fence + 1, NO_ONE)
    return found


def remember(config: Config, state: State, decider: Decider, found: Position) -> Decider:
    """Read on from the position's end and the checkpoints, and keep what is past these."""
    start = min(found.end, state.heads)
    owner = decider._replace(
        events_end=decider.events_fence + 1,
        outcomes_end=decider.outcomes_fence + 1,
        next=found.next,
        orphans=orphans(config, state, decider, found),
        events_memory=Memory(start, start),
        outcomes_memory=Memory(state.answered, state.answered),
    )
    if config.mutant is Mutant.RECOVER_FROM_HEADS_ALONE:
        return owner._replace(orphans=(), events_memory=Memory(decider.events_fence, state.heads))
    return owner


def orphans(config: Config, state: State, decider: Decider, found: Position) -> tuple[tuple[int, int], ...]:
    """Find the commands that have events but no outcome, each with the offset of its events."""
    return tuple(
        (event.command, offset)
        for offset, event in events_since(config, state, found)
        if offset < decider.events_fence and event.command >= found.next
    )


def events_since(config: Config, state: State, found: Position) -> tuple[tuple[int, Event], ...]:
    """Read the events that count from the smaller of the position's end and the heads' checkpoint.

    The checkpoint says what standing was current there. The end does not: its reader begins as in mid-log.
    """
    log, rule, end = state.events, config.events_rule, found.end
    if state.heads <= end or config.mutant is Mutant.READ_FROM_CHECKPOINT_ALONE:
        return tuple(fact for fact in facts(log, rule) if fact[0] >= state.heads)
    if config.mutant is Mutant.END_READ_AS_ITS_WRITERS:
        return facts(log, rule, end, found.author)
    start = midlog_start(log, rule, end, 0)
    return () if start is None else tuple(fact for fact in facts(log, rule, start) if fact[0] >= end)


def events_end(config: Config, decider: Decider) -> int:
    """Where the events of commands from `next` on can begin: at the first orphan, else at the known end."""
    if config.mutant is Mutant.END_PASSES_ORPHANS:
        return decider.events_end
    orphans = (offset for command, offset in decider.orphans if command >= decider.next)
    return min(orphans, default=decider.events_end)
