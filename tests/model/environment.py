"""What happens around the deciders: projectors advance, Postgres is restored, retention trims [outcomes]."""

from itertools import product

from tests.model.config import Config
from tests.model.mutants import Mutant
from tests.model.records import Mark
from tests.model.rule import answers, counted, facts
from tests.model.state import Move, Moves, State

LOOSE_RETENTION = (Mutant.RETENTION_REMOVES_LAST_FENCE, Mutant.NO_POSITION_IS_POSITION_ZERO)


def projections(config: Config, state: State) -> Moves:
    """A projector applies the next record that counts, rows and checkpoint in one transaction.

    What does not count changes no row, so where the checkpoint stands between two that do means nothing.
    """
    if config.heads_projected:
        for head in next_above(state.heads, heads_checkpoints(config, state)):
            yield Move("the heads are projected on", state._replace(heads=head))
    if config.outcomes_projected:
        for answered in next_above(state.answered, outcomes_checkpoints(config, state)):
            yield Move("the outcomes are projected on", state._replace(answered=answered))


def next_above(checkpoint: int, checkpoints: tuple[int, ...]) -> list[int]:
    """The next of ascending checkpoints, if there is one."""
    return [later for later in checkpoints if later > checkpoint][:1]


def heads_checkpoints(config: Config, state: State) -> tuple[int, ...]:
    """Every checkpoint that the heads can have."""
    return (0, *(offset + 1 for offset, _ in facts(state.events, config.events_rule)))


def outcomes_checkpoints(config: Config, state: State) -> tuple[int, ...]:
    """Every checkpoint that the projected outcomes can have."""
    return (0, *(offset + 1 for offset, _ in answers(state.outcomes, config.outcomes_rule)))


def restores(config: Config, state: State) -> Moves:
    """Postgres is restored to a state that it was in before, not older than what [outcomes] still hold."""
    if state.restored == config.restores:
        return
    for head, answered in product(heads_checkpoints(config, state), outcomes_checkpoints(config, state)):
        lower = head <= state.heads and answered <= state.answered
        if lower and (head, answered) != (state.heads, state.answered):
            restored = state._replace(heads=head, answered=answered, restored=state.restored + 1)
            if projectable(config, restored):
                yield Move("Postgres is restored", restored)


def retention(config: Config, state: State) -> Moves:
    """Retention removes a prefix of [outcomes]: not the last fence and mark, nor what is not projected."""
    if not config.retention:
        return
    for start in range(state.trimmed + 1, last_kept(config, state) + 1):
        trimmed = state._replace(trimmed=start)
        if projectable(config, trimmed):
            yield Move("retention trims [outcomes]", trimmed)


def last_kept(config: Config, state: State) -> int:
    """The offset of the fence of the last mark that counts: owners take their partitions anew each day."""
    if config.mutant in LOOSE_RETENTION:
        return len(state.outcomes)
    records = reversed(counted(state.outcomes, config.outcomes_rule))
    return next((record.fence for _, record in records if isinstance(record, Mark)), 0)


def projectable(config: Config, state: State) -> bool:
    """Tell whether [outcomes] still hold every outcome past the checkpoint of their projection."""
    given = answers(state.outcomes, config.outcomes_rule)
    return not any(state.answered <= offset < state.trimmed for offset, _ in given)
