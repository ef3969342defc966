"""The log folded anew up to a point, from Kafka alone: no read model is asked; a fresh one can be filled."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import TopicPartition

from events.pattern import Pattern, pattern_id_of
from events.record import text_of
from events.stream import StreamState
from events.team import Team
from projectors.chain import Step, StreamKey, TeamLog
from projectors.entries import UNREADABLE, recorded_at
from projectors.errors import Broken, WrongLog
from projectors.fold import Fold, PartitionWalk
from projectors.fresh_tables import FreshTables
from projectors.json_rows import json_text
from projectors.links import Link
from projectors.log_reading import read_records
from projectors.proven import PROVEN
from projectors.reader import open_reader, read_bounds
from runtime.settings import Settings
from runtime.topics import Topics, partition_of

Advance = Callable[[str, int, int], None]

_CLIENT = "patternlog-replay"


class NoSuchPoint(Exception):
    """The log has no such team, or does not go as far."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """What is folded: all teams' logs or one's, up to the present, a time, or a sequence of the one team.

    The point that a time means is just before the first event of a pattern that was recorded later.
    """

    team_id: str | None = None
    time: datetime | None = None
    sequence: int | None = None

    def has(self, team_id: str) -> bool:
        """Whether a team's log is folded."""
        return self.team_id in (None, team_id)


@dataclass(kw_only=True, slots=True)
class TeamTotals:
    """One team's log as far as it was folded."""

    team_id: str
    name: str = ""
    last_sequence: int = 0
    last_hash: str = ""
    first_recorded: datetime | None = None
    last_recorded: datetime | None = None
    patterns: Counter[str] = field(default_factory=Counter)
    open_conflicts: int = 0


@dataclass(kw_only=True, slots=True)
class Replayed:
    """What the log folds to, and what it is made of. Of times, the earliest and the latest are kept."""

    log_ids: Sequence[str]
    records: int = 0
    void_records: int = 0
    types: Counter[str] = field(default_factory=Counter)
    actors: Counter[str] = field(default_factory=Counter)
    teams: dict[str, TeamTotals] = field(default_factory=dict)
    states: dict[StreamKey, StreamState] = field(default_factory=dict)

    @property
    def log_id(self) -> str:
        """The log's, without those that it had before."""
        return self.log_ids[0]

    def library(self, team_id: str) -> Iterator[str]:
        """The fields of a team's live patterns as JSON texts, by name and then by id."""
        live = sorted(
            (state.name, stream, state)
            for (team, stream), state in self.states.items()
            if team == team_id and isinstance(state, Pattern) and state.status == "live"
        )
        return (json_text(state.fields) for _, _, state in live)


async def replay(
    settings: Settings,
    log_ids: Sequence[str],
    extent: Extent,
    advance: Advance,
    tables: FreshTables | None = None,
) -> Replayed:
    """Fold the log as it is, into `tables` too.

    Raise `NoSuchPoint`; `Broken` or `WrongLog` where a projector would stop.
    """
    replayed = Replayed(log_ids=log_ids)
    partitions = range(settings.log_partitions)
    if extent.team_id is not None:
        home = partition_of(extent.team_id, settings.log_partitions)
        partitions = range(home, home + 1)
    for partition in partitions:
        at = TopicPartition(Topics(settings.topic_prefix).events, partition)
        async with open_reader(settings, _CLIENT, at) as reader:
            bounds = (await read_bounds(reader, at.topic, [partition]))[partition]
            if bounds.begin > 0:
                raise WrongLog(f"{at.topic} partition {partition} begins at offset {bounds.begin}")
            folding = _Folding(partition, extent, replayed, tables)
            async for records in read_records(settings, reader, at, 0, bounds.end):
                await folding.take(folding.walk.read(records))
                advance(f"events {partition}", folding.walk.reached.next_offset, bounds.end)
            await folding.end()
    _check(extent, replayed)
    _sum_up(replayed)
    return replayed


class _Folding:
    """One partition on its way."""

    def __init__(
        self, partition: int, extent: Extent, replayed: Replayed, tables: FreshTables | None
    ) -> None:
        self.walk = PartitionWalk(partition, replayed.log_ids)
        self._extent = extent
        self._replayed = replayed
        self._fold = Fold(
            self.walk.links,
            replayed.log_ids,
            lambda team_id, _: extent.has(team_id),
            () if tables is None else PROVEN,
        )
        self._partition = partition
        self._tables = tables
        self._logs: dict[str, TeamLog] = {}
        self._past: set[str] = set()

    async def take(self, links: list[Link]) -> None:
        """Fold what is up to the point."""
        taken = self._fold.apply([link for link in links if self._is_within(link)])
        for link, step in taken:
            self._count(link, step)
        for fault in self.walk.links.faults:
            if fault.team_id is None or self._extent.has(fault.team_id):
                raise Broken(fault.offset, f"team {fault.team_id}, sequence {fault.sequence}: {fault.reason}")
        if self._tables is not None:
            await self._tables.take(self._fold, ((link.team_id, link.hashes.leaf) for link, _ in taken))

    async def end(self) -> None:
        """Add what it came to."""
        if self._tables is not None:
            await self._tables.end(self._fold, self._partition, self._replayed.log_ids, self._logs)
        self._replayed.records += self.walk.reached.next_offset
        self._replayed.void_records += self.walk.reached.void_records
        self._replayed.states |= self._fold.states

    def _is_within(self, link: Link) -> bool:
        if not self._extent.has(link.team_id):
            return False
        self._replayed.teams.setdefault(link.team_id, TeamTotals(team_id=link.team_id))
        if link.team_id not in self._past and self._is_past(link):
            self._past.add(link.team_id)
        return link.team_id not in self._past

    def _is_past(self, link: Link) -> bool:
        if self._extent.sequence is not None:
            return link.sequence > self._extent.sequence
        if self._extent.time is None:
            return False
        try:
            of_pattern = pattern_id_of(text_of(link.record.headers, "ce_subject")) is not None
            return of_pattern and recorded_at(link.record) > self._extent.time
        except UNREADABLE:
            # Folding it says what is wrong with it.
            return False

    def _count(self, link: Link, step: Step) -> None:
        team = self._replayed.teams[link.team_id]
        team.last_sequence, team.last_hash = link.sequence, link.hashes.link
        self._logs[link.team_id] = TeamLog(
            last_sequence=link.sequence, event_count=link.sequence, last_hash=link.hashes.link
        )
        at = step.recorded_at
        team.first_recorded = min(at, team.first_recorded or at)
        team.last_recorded = max(at, team.last_recorded or at)
        self._replayed.types[step.envelope.type] += 1
        self._replayed.actors[step.envelope.actor] += 1


def _check(extent: Extent, replayed: Replayed) -> None:
    if extent.team_id is None:
        return
    team = replayed.teams.get(extent.team_id)
    if team is None:
        raise NoSuchPoint(f"the log has no team {extent.team_id}")
    if extent.sequence is not None and team.last_sequence < extent.sequence:
        raise NoSuchPoint(f"the log of team {team.team_id} ends at sequence {team.last_sequence}")


def _sum_up(replayed: Replayed) -> None:
    for (team_id, _), state in replayed.states.items():
        team = replayed.teams[team_id]
        match state:
            case Team():
                team.name = state.name
            case Pattern():
                team.patterns[state.status] += 1
                team.open_conflicts += len(state.conflicts)
            case _:
                team.patterns["deleted"] += 1
