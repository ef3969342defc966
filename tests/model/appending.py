"""The conditional append itself: events, then, once they are known to count, outcomes."""

from tests.model.config import Config
from tests.model.deciding import Decision
from tests.model.mutants import Mutant
from tests.model.records import Outcome, Request
from tests.model.rule import read
from tests.model.state import Decider, State, Step, put
from tests.model.taking import events_end


def append(config: Config, state: State, decider: Decider, decision: Decision) -> State:
    """Send the events of a batch, or its outcomes if it has no events."""
    chosen = decider._replace(answers=decision.answers)
    if not decision.events:
        return send(state, decider, answer(config, chosen))
    events = Request("events", decision.events)
    if config.mutant is Mutant.OUTCOME_BEFORE_EVENTS_COUNT:
        hasty = answer(config, chosen._replace(events_end=chosen.events_end + len(decision.events)))
        sent = send(state, decider, hasty)
        return put(sent, hasty, hasty, events)
    return send(state, decider, chosen._replace(step=Step.APPENDING, pending=events, landed=-1))


def answer(config: Config, decider: Decider) -> Decider:
    """Answer a batch. Its outcomes share one end, past the events of all: they must be one atomic batch."""
    end = events_end(config, decider._replace(next=decider.next + len(decider.answers)))
    outcomes = tuple(
        Outcome(decider.term, decider.writer, decider.outcomes_fence, command, accepted, end)
        for command, accepted in enumerate(decider.answers, decider.next)
    )
    return decider._replace(step=Step.ANSWERING, pending=Request("outcomes", outcomes), landed=-1)


def send(state: State, old: Decider, new: Decider) -> State:
    """Replace a process by one that has gone on, and send what it now waits for."""
    return put(state, old, new, new.pending) if new.pending else put(state, old, new)


def acknowledge(config: Config, state: State, decider: Decider) -> Decider:
    """A mark, events or outcomes have landed: go on if they count, or else stop and answer nothing."""
    if decider.pending is None or not counts(config, state, decider):
        return Decider()
    end = decider.landed + len(decider.pending.records)
    if decider.step is Step.APPENDING:
        return answer(config, decider._replace(events_end=end))
    return finish(decider._replace(outcomes_end=end))


def counts(config: Config, state: State, decider: Decider) -> bool:
    """Tell whether what has just landed counts: nobody came between, or nobody with a newer fence."""
    appending = decider.step is Step.APPENDING
    expected = decider.events_end if appending else decider.outcomes_end
    if decider.landed == expected or config.mutant is Mutant.BASE_OFFSET_NOT_CHECKED:
        return True
    if config.mutant is Mutant.OUTCOMES_NOT_FENCED and not appending:
        return True
    log, rule = (state.events, config.events_rule) if appending else (state.outcomes, config.outcomes_rule)
    return read(log, rule).standings[decider.landed] == (decider.term, decider.writer)


def finish(decider: Decider) -> Decider:
    """The mark or the outcomes count: ready for the next batch."""
    after = decider.next + len(decider.answers)
    orphans = tuple(orphan for orphan in decider.orphans if orphan[0] >= after)
    return decider._replace(step=Step.READY, pending=None, landed=-1, next=after, orphans=orphans, answers=())
