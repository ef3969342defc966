"""What the topics hold in the end, and whether it is what the clients were told."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from events import envelope, outcome
from events.envelope import FIRST_PREVIOUS_HASH, Envelope
from events.outcome import Outcome, is_mark
from events.readers_rule import NO_ONE, Verdict, judge
from events.record import COMMAND_OFFSET, Record, integer_of
from runtime.kafka import create_reader, record_of
from runtime.settings import Settings
from runtime.topics import Topics
from tests.faults.workload import CommandKey


@dataclass(frozen=True)
class History:
    """All that counts, for a reader from the start."""

    events: list[tuple[Record, Envelope]]
    outcomes: list[tuple[Record, Outcome]]
    void: int

    def check(self, acknowledged: Mapping[CommandKey, dict[str, Any]]) -> None:
        """Every acknowledged command has exactly one outcome and its events once; the logs are gapless."""
        self._check_chains()
        self._check_one_outcome_per_record()
        events = Counter((event.team_id, event.command_id) for _, event in self.events)
        first = {
            (answer.team_id, answer.command_id): answer
            for _, answer in self.outcomes
            if answer.command_id is not None and not answer.repeat
        }
        assert len(first) == sum(not answer.repeat for _, answer in self.outcomes)
        for key, told in acknowledged.items():
            answer = first[key]
            assert told["status"] == answer.status, (key, told, answer)
            assert {name: told[name] for name in answer.answer} == answer.answer, (key, told, answer)
        for key, answer in first.items():
            assert events[key] == (1 if answer.status in ("accepted", "merged") else 0), (key, answer)
        assert set(events) <= set(first)

    def _check_chains(self) -> None:
        heads: dict[str, tuple[int, str]] = {}
        versions: Counter[tuple[str, str]] = Counter()
        for record, event in self.events:
            sequence, previous = heads.get(event.team_id, (0, FIRST_PREVIOUS_HASH))
            assert (event.sequence, event.previous_hash) == (sequence + 1, previous)
            heads[event.team_id] = (event.sequence, envelope.record_hash(record))
            versions[(event.team_id, event.stream)] += 1
            assert event.version == versions[(event.team_id, event.stream)]

    def _check_one_outcome_per_record(self) -> None:
        places = [
            (record.partition, integer_of(record.headers, COMMAND_OFFSET)) for record, _ in self.outcomes
        ]
        assert len(set(places)) == len(places)
        by_partition: dict[int, list[int]] = {}
        for partition, offset in places:
            by_partition.setdefault(partition, []).append(offset)
        for offsets in by_partition.values():
            assert offsets == list(range(len(offsets)))


async def read_history(settings: Settings) -> History:
    """Read both topics from the start."""
    topics = Topics(settings.topic_prefix)
    events, void_events = await _counting(settings, topics.events)
    answers, void_answers = await _counting(settings, topics.outcomes)
    return History(
        events=[(record, envelope.decode(record)) for record in events],
        outcomes=[(record, outcome.decode(record)) for record in answers if not is_mark(record)],
        void=void_events + void_answers,
    )


async def _counting(settings: Settings, topic: str) -> tuple[list[Record], int]:
    counting: list[Record] = []
    void = 0
    for partition in range(settings.log_partitions):
        standing = NO_ONE
        for record in await read_all(settings, TopicPartition(topic, partition)):
            verdict, standing = judge(standing, record)
            if verdict is Verdict.COUNTS:
                counting.append(record)
            void += verdict is Verdict.VOID
    return counting, void


async def read_all(settings: Settings, at: TopicPartition) -> list[Record]:
    """Every record of a partition, up to its present end."""
    records: list[Record] = []
    async with create_reader(settings, "history", at) as reader:
        end = (await reader.end_offsets([at]))[at]
        reader.seek(at, 0)
        while len(records) < end:
            found = await reader.getmany(at, timeout_ms=1000)
            records += map(record_of, found.get(at, ()))
    return records
