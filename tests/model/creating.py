"""Genesis: a creator gives a new log its first fences, with term 1, and its first mark."""

from tests.model.config import Config
from tests.model.mutants import Mutant
from tests.model.records import Fence, Mark, Request
from tests.model.state import Decider, State, Step
from tests.model.taking import last_term_seen

FIRST_TERM = 1


def begin_creating(config: Config, state: State) -> Decider:
    """Fence [events] where it is empty, else go on with [outcomes]."""
    creator = Decider(creator=True, writer=state.taken + 1, term=FIRST_TERM)
    if state.events:
        return create_outcomes(config, state, creator)
    request = Request("events", (Fence(creator.term, creator.writer),))
    return creator._replace(step=Step.CREATING_EVENTS, pending=request)


def create_outcomes(config: Config, state: State, creator: Decider) -> Decider:
    """Write the first fence and mark in one batch where [outcomes] is empty, else leave it alone.

    Two creators can both find it empty. The second one's fence has an equal term, so it and its mark are
    void. The mark points to offset 0: whichever fence lies there is the one that counts.
    """
    term = creator.term
    if config.mutant is Mutant.CREATOR_TAKES_NEXT_TERM:
        term = last_term_seen(config, state) + 1
    elif state.outcomes:
        return Decider(creator=True)
    fence, mark = Fence(term, creator.writer), Mark(term, creator.writer, 0, 0, 1)
    request = Request("outcomes", (fence, mark))
    return creator._replace(step=Step.CREATING_OUTCOMES, pending=request, landed=-1)
