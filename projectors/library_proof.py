"""The read models of `library` compared with [events], partition by partition."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from projectors.chain import TeamLog
from projectors.checkpoints import Checkpoint, load
from projectors.comparison import AppendedRows, Scope, compare_logs, compare_states, load_all_logs
from projectors.errors import Broken
from projectors.fold import Fold, PartitionWalk
from projectors.library import NAME
from projectors.links import Link
from projectors.log_reading import read_records
from projectors.proof import Proof
from projectors.proven import PROVEN, Proven
from projectors.reader import Bounds, open_reader, read_bounds
from projectors.sample import Rows
from projectors.tree_comparison import TreeProof, find_strange_trees

_CLIENT = "patternlog-verify"


@dataclass
class _Teams:
    """What the log says of teams, and of which nothing can be said."""

    wanted: dict[str, tuple[int, TeamLog]] = field(default_factory=dict)
    found: dict[str, tuple[int, TeamLog]] = field(default_factory=dict)
    unproven: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    """Of these, those of whose logs not even the end is known."""


class LibraryProof:
    """One comparison."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof
        self._pg = proof.pg
        self._findings = proof.findings
        self._teams = _Teams()

    async def run(self) -> None:
        """Read every partition up to its checkpoint, and compare what it comes to."""
        self._teams.found = await load_all_logs(self._pg)
        for partition in range(self._proof.settings.log_partitions):
            at = TopicPartition(self._proof.topics.events, partition)
            async with open_reader(self._proof.settings, _CLIENT, at) as reader:
                await self._prove(reader, at)
        teams = self._teams
        wanted, found = (_without(logs, teams.unknown) for logs in (teams.wanted, teams.found))
        compare_logs(wanted, found, self._findings)
        known = sorted({*teams.wanted, *teams.unproven})
        await find_strange_trees(self._pg, known, self._findings)
        if self._proof.rows is not Rows.NONE:
            await self._find_strangers(known)

    async def _prove(self, reader: AIOKafkaConsumer, at: TopicPartition) -> None:
        bounds = (await read_bounds(reader, at.topic, [at.partition]))[at.partition]
        end = await load(self._pg, NAME, at.partition)
        self._proof.behind += bounds.end - (end.next_offset if end else 0)
        if end is None:
            return
        if bounds.begin > 0:
            self._fail(at, bounds.begin, "the log begins here: what was before is gone")
            self._teams.unknown |= self._living_in(at.partition)
            return
        partition = _Partition(self._proof, at)
        whole = end.next_offset <= bounds.end
        try:
            await partition.read(reader, end, bounds)
        except Broken as broken:
            whole = False
            self._fail(at, broken.offset, broken.reason)
        else:
            if not whole:
                reason = f"the log ends here, the checkpoint is at offset {end.next_offset}"
                self._fail(at, bounds.end, reason)
        await self._conclude(partition, whole=whole)

    async def _conclude(self, partition: "_Partition", *, whole: bool) -> None:
        links, teams = partition.walk.links, self._teams
        for team_id, log in links.logs().items():
            if team_id in teams.wanted:
                partition.fail_twice(team_id, teams.wanted[team_id][0])
            teams.wanted.setdefault(team_id, (partition.number, log))
        for fault in links.faults:
            self._proof.fail(fault)
        teams.unproven |= links.broken_teams if whole else {*links.logs()}
        teams.unknown |= links.broken_teams
        proven = [team_id for team_id in links.logs() if team_id not in teams.unproven]
        await partition.compare(proven)

    def _fail(self, at: TopicPartition, offset: int, reason: str) -> None:
        self._proof.fail_partition(at.topic, at.partition, offset, reason)
        self._teams.unproven |= self._living_in(at.partition)

    def _living_in(self, partition: int) -> set[str]:
        return {team_id for team_id, (there, _) in self._teams.found.items() if there == partition}

    async def _find_strangers(self, known: Sequence[str]) -> None:
        """Rows of teams that are in no log."""
        scope = Scope(teams=known, others=True, sample=self._proof.sample)
        for table in PROVEN:
            if table.appended:
                await AppendedRows(self._pg, table, self._findings).find_added(scope)
            else:
                await compare_states(self._pg, table, scope, (), {}, self._findings)


class _Partition:
    """One partition on its way."""

    def __init__(self, proof: Proof, at: TopicPartition) -> None:
        self.number = at.partition
        self.walk = PartitionWalk(at.partition, proof.log_ids)
        self._proof = proof
        self._at = at
        self._tree = TreeProof(proof.pg, proof.findings)
        tables = PROVEN if proof.rows is not Rows.NONE else ()
        self._fold = Fold(self.walk.links, proof.log_ids, proof.has, tables)
        self._states = [table for table in tables if not table.appended]
        self._appended = {
            table: AppendedRows(proof.pg, table, proof.findings) for table in tables if table.appended
        }

    async def read(self, reader: AIOKafkaConsumer, end: Checkpoint, bounds: Bounds) -> None:
        """Read up to the checkpoint, or as far as Kafka holds the log."""
        last, begun = min(end.next_offset, bounds.end), self._proof.void_records
        async for records in read_records(self._proof.settings, reader, self._at, 0, last):
            links = self.walk.read(records)
            self._proof.events += len(links)
            self._proof.void_records = begun + self.walk.reached.void_records
            await self._take(links)
            self._proof.passed("events", self.number, self.walk.reached.next_offset, last)
        if last == end.next_offset and (self.walk.reached != end or not self.walk.links.is_whole):
            self._proof.differing("checkpoints", self.number)

    async def _take(self, links: Sequence[Link]) -> None:
        await self._tree.take(links)
        if self._proof.rows is Rows.NONE:
            return
        self._fold.apply(links)
        for table, rows in self._appended.items():
            await rows.compare(self._fold.rows(table))

    def fail_twice(self, team_id: str, there: int) -> None:
        """A team lives in one partition."""
        self._proof.fail_partition(
            self._at.topic, self.number, 0, f"team {team_id} has events in partition {there}, too"
        )

    async def compare(self, teams: Sequence[str]) -> None:
        """Compare the trees and rows of teams whose logs could be followed."""
        await self._tree.compare(teams)
        scope = Scope(teams=teams, sample=self._proof.sample)
        for rows in self._appended.values():
            await rows.find_added(scope)
        for table in self._states:
            await self._compare(table, scope)

    async def _compare(self, table: Proven, scope: Scope) -> None:
        teams = set(scope.teams)
        expected = (row for row in self._fold.rows(table) if row[0] in teams)
        await compare_states(
            self._proof.pg, table, scope, expected, self._fold.sequences, self._proof.findings
        )


def _without(logs: dict[str, tuple[int, TeamLog]], teams: set[str]) -> dict[str, tuple[int, TeamLog]]:
    return {team_id: log for team_id, log in logs.items() if team_id not in teams}
