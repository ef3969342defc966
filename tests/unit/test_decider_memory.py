import pytest

from command_api.decider.conditional_log import Point
from command_api.decider.memory import CheckpointWentBack, Draft, Memory, WorkingSet
from command_api.decider.overlay import Overlay
from command_api.decider.snapshot import LogHead, Snapshot
from events.readers_rule import NO_ONE

TEAM = "0198c0de-0000-7000-8000-00000000000a"


def snapshot(heads: int, outcomes: int, **rows: object) -> Snapshot:
    empty: dict[str, object] = {"states": {}, "versions": {}, "names": {}, "logs": {}, "answers": {}}
    return Snapshot(
        heads_checkpoint=Point(offset=heads, standing=NO_ONE),
        outcomes_checkpoint=Point(offset=outcomes, standing=NO_ONE),
        position=None,
        **{**empty, **rows},  # type: ignore[arg-type]
    )


def test_an_overlay_keeps_the_newest_value_until_the_checkpoint_has_passed_it() -> None:
    overlay: Overlay[str, int] = Overlay()
    overlay.update([("a", 1)], offset=5)
    overlay.update([("a", 2)], offset=8)
    overlay.evict(checkpoint=6)
    assert overlay["a"] == 2
    overlay.evict(checkpoint=8)
    assert "a" in overlay
    overlay.evict(checkpoint=9)
    assert "a" not in overlay


def test_a_value_set_at_the_checkpoint_is_kept() -> None:
    overlay: Overlay[str, int] = Overlay()
    overlay.update([("a", 1)], offset=5)
    overlay.evict(checkpoint=5)
    assert overlay["a"] == 1


def test_a_freed_name_in_memory_hides_the_holder_that_postgres_still_has() -> None:
    memory = Memory()
    memory.keep_events(Draft(names={(TEAM, "n"): None}), offset=9)
    working = WorkingSet(memory, snapshot(3, 3, names={(TEAM, "n"): "old"}))
    assert working.name_holder((TEAM, "n")) is None


def test_the_draft_comes_before_memory_and_memory_before_postgres() -> None:
    memory = Memory()
    rows = {TEAM: LogHead(sequence=1, hash="one")}
    assert WorkingSet(memory, snapshot(3, 3, logs=rows)).log_head(TEAM).sequence == 1
    memory.keep_events(Draft(logs={TEAM: LogHead(sequence=2, hash="two")}), offset=9)
    working = WorkingSet(memory, snapshot(3, 3, logs=rows))
    assert working.log_head(TEAM).sequence == 2
    working.draft.logs[TEAM] = LogHead(sequence=3, hash="three")
    assert working.log_head(TEAM).sequence == 3


@pytest.mark.parametrize(("heads", "outcomes"), [(9, 20), (10, 19)])
def test_a_checkpoint_below_the_eviction_voids_the_memory(heads: int, outcomes: int) -> None:
    memory = Memory()
    memory.evict(snapshot(10, 20))
    memory.observe(snapshot(10, 20))
    with pytest.raises(CheckpointWentBack):
        memory.observe(snapshot(heads, outcomes))


def test_a_checkpoint_that_is_gone_voids_the_memory_too() -> None:
    memory = Memory()
    memory.evict(snapshot(10, 20))
    gone = Snapshot(
        heads_checkpoint=None,
        outcomes_checkpoint=None,
        position=None,
        states={},
        versions={},
        names={},
        logs={},
        answers={},
    )
    with pytest.raises(CheckpointWentBack):
        memory.observe(gone)
