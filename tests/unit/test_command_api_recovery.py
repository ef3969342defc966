import pytest

from command_api.decider.conditional_log import Point
from command_api.decider.memory import CheckpointWentBack
from command_api.decider.recovery import remember
from command_api.decider.snapshot import Snapshot
from events.readers_rule import NO_ONE


def snapshot(heads: int, outcomes: int) -> Snapshot:
    return Snapshot(
        heads_checkpoint=Point(offset=heads, standing=NO_ONE),
        outcomes_checkpoint=Point(offset=outcomes, standing=NO_ONE),
        position=None,
        states={},
        versions={},
        names={},
        logs={},
        answers={},
    )


@pytest.mark.parametrize("behind", [(4, 7), (5, 6)])
def test_a_postgres_that_is_restored_during_a_taking_is_not_trusted(behind: tuple[int, int]) -> None:
    with pytest.raises(CheckpointWentBack):
        remember([], [], snapshot(5, 7), snapshot(*behind))


def test_a_postgres_that_goes_on_during_a_taking_is() -> None:
    remember([], [], snapshot(5, 7), snapshot(6, 8)).observe(snapshot(6, 8))
