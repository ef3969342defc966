from dataclasses import replace

import pytest

from command_api.decider import memory as memory_module
from command_api.decider.memory import CheckpointWentBack, Draft, Memory, RowsRepaired, WorkingSet
from command_api.decider.overlay import Overlay
from command_api.decider.snapshot import LogHead
from events.pattern import Pattern, PatternEvent
from tests.commands import COMMAND
from tests.facts import detected, edited, sides
from tests.snapshots import snapshot

TEAM = "0198c0de-0000-7000-8000-00000000000a"


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
    memory.keep_events(Draft(names={(TEAM, "n"): None}), offset=9, size=1)
    working = WorkingSet(memory, snapshot(3, 3, names={(TEAM, "n"): "old"}))
    assert working.name_holder((TEAM, "n")) is None


def test_the_draft_comes_before_memory_and_memory_before_postgres() -> None:
    memory = Memory()
    rows = {TEAM: LogHead(sequence=1, hash="one")}
    assert WorkingSet(memory, snapshot(3, 3, logs=rows)).log_head(TEAM).sequence == 1
    memory.keep_events(Draft(logs={TEAM: LogHead(sequence=2, hash="two")}), offset=9, size=1)
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
    gone = replace(snapshot(), heads_checkpoint=None, outcomes_checkpoint=None)
    with pytest.raises(CheckpointWentBack):
        memory.observe(gone)


def test_memory_lets_go_of_versions_that_are_too_many_and_of_no_open_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory_module, "_MOST_VERSIONS", 3)
    memory, conflict = Memory(), detected(x=sides(1, 2, 3))
    over = replace(conflict, conflict_id=COMMAND)
    stream = "patterns/11111111-1111-4111-8111-111111111111"
    state = Pattern(
        version=5, status="live", fields={}, field_versions={}, conflicts={conflict.conflict_id: 2}
    )
    for version in range(1, 6):
        key = (TEAM, stream, version)
        told: dict[int, PatternEvent] = {1: over, 2: conflict}
        event = told.get(version, edited(1, x=version))
        draft = Draft(states={(TEAM, stream): state}, versions={key: {"x": version}}, events={key: event})
        memory.keep_events(draft, offset=version, size=1)
    working = WorkingSet(memory, snapshot(0, 0))
    held = [version for version in range(1, 6) if working.fields_at((TEAM, stream, version)) is not None]
    assert held == [5]
    events = {version: working.event_at((TEAM, stream, version)) for version in range(1, 6)}
    assert [version for version, event in events.items() if event is not None] == [2, 5]
    memory.evict(snapshot(9, 9))
    assert working.event_at((TEAM, stream, 2)) is None


def test_memory_that_was_built_on_rows_repaired_since_is_void() -> None:
    memory = Memory()
    memory.evict(snapshot())
    memory.observe(snapshot())
    with pytest.raises(RowsRepaired):
        memory.observe(replace(snapshot(), repairs=1))
