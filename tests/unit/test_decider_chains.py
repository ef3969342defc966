"""Chains of edits before a decider whose memory has let go of them: what it needs is read again."""

from typing import Any

import pytest

from command_api.decider import judging
from command_api.decider.judging import MOST_MERGES
from command_api.decider.needs import MOST_BASES
from command_api.decider.partition_io import Topic
from command_api.decisions.commands import SingleCommand
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView
from command_api.decisions.refusals import Decision
from command_api.decisions.sender import Sender
from events.json_text import Json
from events.outcome import Outcome
from tests.desk import NOW, TEAM, batch, command_id, create_team, edit, on_pattern, pattern_id, record_pattern
from tests.simulated_decider import SimulatedDecider

TEXT = "a\nb\nc\nd\ne"


class Partition:
    """A decider and its read models."""

    def __init__(self, *, forgetful: bool) -> None:
        self.decider = SimulatedDecider()
        self.forgetful = forgetful
        self.send(create_team(), record_pattern(1, 1, "a", x=1, y=1, solution=TEXT))

    def send(self, *commands: dict[str, Any]) -> list[Outcome]:
        """Commands that come together; a forgetful decider has them projected, and knows nothing by heart."""
        for command in commands:
            self.decider.send(TEAM, command, NOW)
        self.decider.run()
        if self.forgetful:
            self.decider.read_models.advance(Topic.EVENTS, 1000)
            self.decider.read_models.advance(Topic.OUTCOMES, 1000)
            self.decider.restart()
        return self.decider.outcomes()[-len(commands) :]

    def fields(self) -> dict[str, Json]:
        state = self.decider.states()[TEAM, f"patterns/{pattern_id(1)}"]
        return dict(state.fields)  # type: ignore[union-attr]


@pytest.fixture(params=[False, True], ids=["in memory", "in Postgres"])
def partition(request: pytest.FixtureRequest) -> Partition:
    return Partition(forgetful=request.param)


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


@pytest.mark.parametrize("together", [1, 2, 3, 4])
def test_a_chain_never_conflicts_with_itself_however_it_is_cut_into_micro_batches(
    partition: Partition, together: int
) -> None:
    partition.send(edit(2, 1, z="foreign"))
    chain = [
        edit(3, 1, x=3),
        edit(4, command_id(3), y=4),
        edit(5, command_id(4), x=5, y=5),
        edit(6, command_id(5), x=6),
        edit(7, command_id(6), y=7),
        edit(8, command_id(7), x=8, y=8),
    ]
    told: list[str] = []
    for start in range(0, len(chain), together):
        told += statuses(partition.send(*chain[start : start + together]))
    assert told == ["merged"] * len(chain)
    fields = partition.fields()
    assert (fields["x"], fields["y"], fields["z"]) == (8, 8, "foreign")


def test_a_link_is_based_on_what_links_long_before_it_wrote(partition: Partition) -> None:
    partition.send(edit(2, 1, z="foreign"))
    first = partition.send(edit(3, 1, x=3), edit(4, command_id(3), w=4))
    second = partition.send(edit(5, command_id(4), y=5), edit(6, command_id(5), x=6))
    assert statuses(first + second) == ["merged"] * 4
    assert partition.fields()["x"] == 6


def test_a_link_that_was_merged_is_edited_on_as_its_editor_had_it(partition: Partition) -> None:
    partition.send(edit(2, 1, solution="A\nb\nc\nd\ne"))
    partition.send(edit(3, 1, solution="a\nb\nc\nd\nE"))
    assert partition.fields()["solution"] == "A\nb\nc\nd\nE"
    assert statuses(partition.send(edit(4, command_id(3), solution="a\nb\nC\nd\nE"))) == ["merged"]
    assert partition.fields()["solution"] == "A\nb\nC\nd\nE"
    (clashing,) = partition.send(edit(5, command_id(4), solution="x\nb\nC\nd\nE"))
    assert (clashing.status, clashing.answer["conflict"]["fields"]) == ("conflict", ["solution"])


def test_others_who_come_before_between_and_after_the_links_are_not_overwritten(partition: Partition) -> None:
    told = partition.send(
        edit(2, 1, y="before"),
        edit(3, 1, x=3),
        edit(4, 3, v="between"),
        edit(5, command_id(3), x=5, w=5),
        edit(6, 5, x="after"),
    )
    assert statuses(told) == ["accepted", "merged", "accepted", "merged", "accepted"]
    ends = partition.send(
        edit(7, command_id(5), w=7), edit(8, command_id(5), y=8), edit(9, command_id(5), x=9)
    )
    assert statuses(ends) == ["merged", "conflict", "conflict"]
    fields = partition.fields()
    assert [fields[name] for name in "vwxy"] == ["between", 7, "after", "before"]


def test_a_refused_link_ends_the_chain(partition: Partition) -> None:
    refused = on_pattern("edit_pattern", 3, 1, base_version=9, set={"x": 3})
    told = partition.send(refused, edit(4, command_id(3), y=4), edit(5, command_id(4), z=5))
    assert [outcome.answer["code"] for outcome in told] == [
        "unknown_base_version",
        "depends_on_refused",
        "depends_on_refused",
    ]
    assert [outcome.answer["base_command"] for outcome in told[1:]] == [command_id(3), command_id(4)]


def test_what_follows_a_pattern_that_was_not_recorded_depends_on_that(partition: Partition) -> None:
    told = partition.send(record_pattern(3, 2, "a"), edit(4, command_id(3), 2, y=4))
    assert [outcome.answer["code"] for outcome in told] == ["name_taken", "depends_on_refused"]


def test_a_chain_goes_on_after_a_conflict_was_resolved(partition: Partition) -> None:
    partition.send(edit(2, 1, x=2), edit(3, 1, x=3))
    resolving = on_pattern("resolve_conflict", 4, 1, conflict_id=command_id(3), rest="mine")
    assert statuses(partition.send(resolving, edit(5, command_id(4), x=5))) == ["accepted", "accepted"]
    assert partition.fields()["x"] == 5


def test_a_chain_goes_on_after_a_resolution_of_what_has_moved_on(partition: Partition) -> None:
    partition.send(edit(2, 1, x=2), edit(3, 1, x=3), edit(4, 3, solution="A\nb\nc\nd\ne"))
    resolving = on_pattern("resolve_conflict", 5, 1, conflict_id=command_id(3), rest="mine", base_version=2)
    told = partition.send(resolving, edit(6, command_id(5), solution="a\nb\nc\nd\nE"))
    assert statuses(told) == ["merged", "merged"]
    assert partition.fields()["solution"] == "A\nb\nc\nd\nE"


def test_an_edit_may_be_based_on_a_batch(partition: Partition) -> None:
    partition.send(edit(2, 1, z="foreign"), record_pattern(3, 2, "b"))
    partition.send(batch(4, edit(4, 1, x=4), edit(4, 1, 2, x=4), edit(4, command_id(4), y=4)))
    told = partition.send(edit(5, command_id(4), x=5, y=5), edit(6, command_id(4), 2, x=6))
    assert statuses(told) == ["merged", "accepted"]
    (unknown,) = partition.send(edit(7, command_id(4), 3, x=7))
    assert unknown.answer["code"] == "unknown_base_command"


# ---------------------------------------------------------------- what changed no field

COUNTED = edit(2, 1, counters={"seen": 1})
AWAY_AND_BACK = [on_pattern(kind, 0, 1) for kind in ("archive_pattern", "restore_pattern")]


@pytest.mark.parametrize("base", [2, command_id(9)])
def test_what_a_batch_wrote_is_its_own_also_after_commands_that_changed_no_field(
    partition: Partition, base: int | str
) -> None:
    partition.send(COUNTED, edit(3, 2, y="foreign"))
    first, last = edit(0, 2, counters={"seen": 2}), edit(0, base, counters={"seen": 3})
    (answer,) = partition.send(batch(9, first, *AWAY_AND_BACK, last))
    assert [one["status"] for one in answer.answer["outcomes"]] == ["merged", *["accepted"] * 2, "merged"]
    assert partition.fields()["counters"] == {"seen": 3}


@pytest.mark.parametrize("base", [{}, {"base_version": 1}, {"base_version": 2}])
def test_what_an_earlier_batch_wrote_is_so_too(partition: Partition, base: dict[str, Any]) -> None:
    partition.send(COUNTED, batch(9, edit(0, 2, counters={"seen": 2}), *AWAY_AND_BACK))
    later = {**edit(10, command_id(9), counters={"seen": 3}), **base}
    assert statuses(partition.send(later)) == ["accepted"]
    assert partition.fields()["counters"] == {"seen": 3}
    deleting = on_pattern("delete_pattern", 11, 1, base_command=command_id(10))
    assert statuses(partition.send(deleting)) == ["accepted"]


@pytest.mark.parametrize("before", [[edit(0, 1, x=2)], AWAY_AND_BACK])
def test_a_batch_puts_away_and_deletes_what_nobody_else_has_changed(
    partition: Partition, before: list[dict[str, Any]]
) -> None:
    ending = [on_pattern(kind, 0, 1, base_version=1) for kind in ("archive_pattern", "delete_pattern")]
    assert statuses(partition.send(batch(9, *before, *ending))) == ["accepted"]


# ---------------------------------------------------------------- how much one batch may take


def test_a_batch_resolves_so_many_conflicts_and_no_more() -> None:
    partition, numbers = Partition(forgetful=False), range(10, 10 + MOST_MERGES + 1)
    for number in numbers:
        recording = record_pattern(number, number, f"n{number}", x=1)
        edits = [edit(at + number, 1, number, x=at) for at in (100, 200)]
        assert statuses(partition.send(recording, *edits)) == ["accepted", "accepted", "conflict"]
    ends = [
        on_pattern("resolve_conflict", 0, number, conflict_id=command_id(200 + number), rest="mine")
        for number in numbers
    ]
    (refused,) = partition.send(batch(500, *ends))
    assert refused.answer["code"] == "too_large"
    assert statuses(partition.send(batch(501, *ends[1:]))) == ["accepted"]


def test_a_batch_is_not_decided_anew_for_each_base_that_it_turns_out_to_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    partition = Partition(forgetful=True)
    partition.send(*(edit(1 + base, base, x=9) for base in range(1, 2 * MOST_BASES + 2)))
    # What seems to need a base each, and does not: the second says no more than the first did.
    members = [edit(0, base, x=9) for base in range(1, 2 * MOST_BASES + 2)]
    for number in range(1000, 1020):
        partition.send(record_pattern(number, number, f"n{number}", tags=[]))
        partition.send(edit(number + 100, 1, number, tags=["a"]))
        members.append(edit(0, 1, number, tags=["b"]))
    decided: list[SingleCommand] = []

    def counted(view: LibraryView, command: SingleCommand, sender: Sender) -> Decision:
        decided.append(command)
        return decide(view, command, sender)

    monkeypatch.setattr(judging, "decide", counted)
    assert statuses(partition.send(batch(5000, *members))) == ["merged"]
    assert len(decided) <= 2 * len(members)
