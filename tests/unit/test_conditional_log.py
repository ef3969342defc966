import pytest

from command_api.decider.conditional_log import (
    BEGINNING,
    NotReady,
    Point,
    Start,
    Superseded,
    Taken,
    take,
)
from command_api.decider.partition_io import Topic, UnknownFate
from events.outcome import Outcome, Position, encode, is_mark, position_of
from events.readers_rule import NO_ONE, judge
from events.record import NewRecord
from tests.simulated_log import LOG_ID, SimulatedIO, SimulatedPartition, made_log

FROM_NOTHING = Start(heads=BEGINNING, outcomes=BEGINNING, position=None)


def event(name: str) -> NewRecord:
    return NewRecord(key=b"team", value=name.encode(), headers={"kind": b"event", "command_offset": b"0"})


def answer(command_offset: int, events_end: int) -> NewRecord:
    outcome = Outcome(
        log_id=LOG_ID,
        team_id="team",
        command_id=None,
        command_hash="",
        recorded_at="",
        status="rejected",
        answer={},
    )
    return encode(outcome, command_offset=command_offset, events_end=events_end)


async def taken(io: SimulatedIO, writer: str, start: Start = FROM_NOTHING) -> Taken:
    return await take(io, writer=writer, log_id=LOG_ID, start=start)


def values(partition: SimulatedPartition) -> list[bytes | None]:
    return [record.value for record in partition.counting(Topic.EVENTS)]


async def test_a_taken_partition_goes_on_at_the_first_mark() -> None:
    partition = made_log()
    result = await taken(SimulatedIO(partition), "a")
    assert result.next_command_offset == 0
    assert result.events == []
    await result.log.append_mark(Position(next_command_offset=0, events_end=2))
    last = partition.counting(Topic.OUTCOMES)[-1]
    assert is_mark(last)
    assert position_of(last) == Position(next_command_offset=0, events_end=2)


async def test_what_an_owner_appends_counts() -> None:
    partition = made_log()
    owner = await taken(SimulatedIO(partition), "a")
    await owner.log.append_events([event("one"), event("two")])
    assert values(partition) == [b"one", b"two"]
    assert owner.log.events_end == 4


async def test_the_next_owner_sees_all_that_counts_and_goes_on_after_the_last_outcome() -> None:
    partition = made_log()
    first = await taken(SimulatedIO(partition), "a")
    await first.log.append_events([event("one")])
    await first.log.append_outcomes([answer(7, first.log.events_end)])
    second = await taken(SimulatedIO(partition), "b")
    assert [record.value for record in second.events] == [b"one"]
    assert second.next_command_offset == 8


async def test_what_an_older_owner_appends_is_void_and_it_is_told_so() -> None:
    partition = made_log()
    first = await taken(SimulatedIO(partition), "a")
    second = await taken(SimulatedIO(partition), "b")
    with pytest.raises(Superseded):
        await first.log.append_events([event("late")])
    await second.log.append_events([event("mine")])
    assert values(partition) == [b"mine"]


async def test_an_older_owner_cannot_answer_either() -> None:
    partition = made_log()
    first = await taken(SimulatedIO(partition), "a")
    await taken(SimulatedIO(partition), "b")
    before = len(partition.counting(Topic.OUTCOMES))
    with pytest.raises(Superseded):
        await first.log.append_outcomes([answer(0, 2)])
    assert len(partition.counting(Topic.OUTCOMES)) == before


async def test_void_records_in_between_move_the_end_and_stop_nobody() -> None:
    partition = made_log()
    owner = await taken(SimulatedIO(partition), "a")
    partition.land(Topic.EVENTS, [NewRecord(key=None, value=b"garbage", headers={})])
    await owner.log.append_events([event("one")])
    assert values(partition) == [b"one"]
    assert owner.log.events_end == len(partition.topics[Topic.EVENTS])


async def test_an_offset_before_the_known_end_is_an_unknown_fate() -> None:
    partition = made_log()
    owner = await taken(SimulatedIO(partition), "a")
    await owner.log.append_events([event("one")])
    del partition.topics[Topic.EVENTS][1:]
    with pytest.raises(UnknownFate):
        await owner.log.append_events([event("two")])


async def test_after_a_lost_acknowledgement_the_next_taking_finds_the_events() -> None:
    partition = made_log()
    io = SimulatedIO(partition)
    first = await taken(io, "a")
    io.lose_acknowledgement()
    with pytest.raises(UnknownFate):
        await first.log.append_events([event("one")])
    second = await taken(SimulatedIO(partition), "b")
    assert [record.value for record in second.events] == [b"one"]
    assert second.next_command_offset == 0


async def test_a_batch_that_lands_after_the_next_taking_is_void() -> None:
    partition = made_log()
    io = SimulatedIO(partition)
    first = await taken(io, "a")
    io.delay()
    with pytest.raises(UnknownFate):
        await first.log.append_events([event("late")])
    second = await taken(SimulatedIO(partition), "b")
    io.deliver()
    await second.log.append_events([event("mine")])
    assert values(partition) == [b"mine"]


async def test_a_fence_of_unknown_fate_is_followed_by_another_writer() -> None:
    partition = made_log()
    io = SimulatedIO(partition)
    io.delay()
    with pytest.raises(UnknownFate):
        await taken(io, "a")
    second = await taken(SimulatedIO(partition), "b")
    io.deliver()
    await second.log.append_events([event("mine")])
    assert values(partition) == [b"mine"]


async def test_of_two_that_take_at_once_the_second_fence_of_a_term_is_void() -> None:
    partition = made_log()

    class Overtaken(SimulatedIO):
        async def append(self, topic, records):  # type: ignore[no-untyped-def]
            if self.rival_due:
                self.rival_due = False
                await taken(SimulatedIO(partition), "rival")
            return await super().append(topic, records)

        rival_due = True

    with pytest.raises(Superseded):
        await taken(Overtaken(partition), "slow")


async def test_a_projection_past_the_end_of_the_log_is_not_taken_for_granted() -> None:
    start = Start(heads=Point(offset=99, standing=NO_ONE), outcomes=BEGINNING, position=None)
    with pytest.raises(NotReady, match="stands at offset 99"):
        await taken(SimulatedIO(made_log()), "a", start)


async def test_a_projection_of_another_cluster_is_not_taken_for_this_logs() -> None:
    partition, other = made_log(), made_log()
    await taken(SimulatedIO(other), "there")
    await taken(SimulatedIO(partition), "here")
    with pytest.raises(NotReady, match="of another cluster"):
        await taken(SimulatedIO(partition), "a", projected(other, events_end=1))


async def test_a_trimmed_beginning_without_a_checkpoint_is_not_taken() -> None:
    partition = made_log()
    partition.begins[Topic.OUTCOMES] = 2
    with pytest.raises(NotReady):
        await taken(SimulatedIO(partition), "a")


async def test_outcomes_without_a_position_are_not_position_zero() -> None:
    partition = made_log()
    partition.topics[Topic.OUTCOMES].clear()
    with pytest.raises(NotReady, match="no position"):
        await taken(SimulatedIO(partition), "a")


async def test_answers_owed_are_found_though_the_heads_are_past_their_events() -> None:
    partition = made_log()
    first = await taken(SimulatedIO(partition), "a")
    await first.log.append_events([event("owed")])
    second = await taken(SimulatedIO(partition), "b", projected(partition, events_end=2))
    assert [record.value for record in second.events] == [b"owed"]


async def test_answers_owed_are_found_after_more_than_one_owner_died() -> None:
    partition = made_log()
    first = await taken(SimulatedIO(partition), "a")
    await first.log.append_events([event("owed")])
    second = await taken(SimulatedIO(partition), "b")
    await second.log.append_mark(Position(next_command_offset=0, events_end=2))
    third = await taken(SimulatedIO(partition), "c", projected(partition, events_end=2))
    assert [record.value for record in third.events] == [b"owed"]


async def test_a_late_void_record_does_not_hide_the_answers_owed() -> None:
    partition = made_log()
    late = SimulatedIO(partition)
    first = await taken(late, "a")
    late.delay()
    with pytest.raises(UnknownFate):
        await first.log.append_events([event("late")])
    second = await taken(SimulatedIO(partition), "b")
    late.deliver()
    await second.log.append_events([event("owed")])
    third = await taken(SimulatedIO(partition), "c", projected(partition, events_end=3))
    assert [record.value for record in third.events] == [b"owed"]


def projected(partition: SimulatedPartition, events_end: int) -> Start:
    """Projections that have seen everything, with a position before the last events."""
    standing = NO_ONE
    for record in partition.topics[Topic.EVENTS]:
        _, standing = judge(standing, record)
    outcomes = NO_ONE
    for record in partition.topics[Topic.OUTCOMES]:
        _, outcomes = judge(outcomes, record)
    return Start(
        heads=Point(offset=len(partition.topics[Topic.EVENTS]), standing=standing),
        outcomes=Point(offset=len(partition.topics[Topic.OUTCOMES]), standing=outcomes),
        position=Position(next_command_offset=0, events_end=events_end),
    )
