import pytest

from command_api.decider.memory import CheckpointWentBack
from command_api.decider.recovery import remember
from tests.snapshots import snapshot


@pytest.mark.parametrize("behind", [(4, 7), (5, 6)])
def test_a_postgres_that_is_restored_during_a_taking_is_not_trusted(behind: tuple[int, int]) -> None:
    with pytest.raises(CheckpointWentBack):
        remember([], [], snapshot(5, 7), snapshot(*behind))


def test_a_postgres_that_goes_on_during_a_taking_is() -> None:
    remember([], [], snapshot(5, 7), snapshot(6, 8)).observe(snapshot(6, 8))
