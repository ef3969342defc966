"""A decider on a log in memory, before read models that lag: the real session, recovery and decisions."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from command_api.decider.conditional_log import NotReady, Point, Superseded
from command_api.decider.memory import CheckpointWentBack
from command_api.decider.partition_io import Topic, UnknownFate
from command_api.decider.recovery import read_tail
from command_api.decider.requests import PartitionIdentity
from command_api.decider.session import Seat, Session, take_session
from command_api.decider.snapshot import Answered, LogHead, Snapshot, Wanted
from events import outcome
from events.envelope import record_hash
from events.json_text import Json, dump
from events.outcome import Outcome, Position, is_mark, position_of
from events.pattern import Pattern, PatternEvent, pattern_id_of, taken_name
from events.readers_rule import NO_ONE, Standing, Verdict, judge
from events.record import Record
from events.registry import read
from events.stream import StreamState, evolve
from runtime.settings import Settings
from tests.simulated_log import LOG_ID, SimulatedIO, SimulatedPartition, made_log

SETTINGS = Settings.model_construct()
HERE = PartitionIdentity(log_id=LOG_ID, partition=0, partitions=1)


class Lands(Enum):
    """When an append of unknown fate gets into the log."""

    UNHEARD = "at once, but its writer never hears of it"
    BEFORE_TAKING = "before the next writer takes the partition"
    LATE = "after the next writer has taken the partition"


@dataclass
class ReadModels:
    """What Postgres holds of both topics up to its checkpoints, which move as tests want them to."""

    partition: SimulatedPartition
    ends: dict[Topic, int] = field(default_factory=lambda: dict.fromkeys(Topic, 0))
    standings: dict[Topic, Standing] = field(default_factory=lambda: dict.fromkeys(Topic, NO_ONE))
    rows: Snapshot = field(
        default_factory=lambda: Snapshot(
            heads_checkpoint=None,
            outcomes_checkpoint=None,
            position=None,
            states={},
            versions={},
            events={},
            names={},
            logs={},
            answers={},
        )
    )
    position: Position | None = None

    def advance(self, topic: Topic, records: int) -> None:
        """Project so many more records, if there are as many."""
        held = self.partition.topics[topic]
        for record in held[self.ends[topic] : self.ends[topic] + records]:
            verdict, self.standings[topic] = judge(self.standings[topic], record)
            if verdict is Verdict.COUNTS:
                self._take(topic, record)
            self.ends[topic] = record.offset + 1

    async def read(self, wanted: Wanted) -> Snapshot:
        """What a decider asks for."""
        rows = self.rows
        return Snapshot(
            heads_checkpoint=self._point(Topic.EVENTS),
            outcomes_checkpoint=self._point(Topic.OUTCOMES),
            position=self.position,
            states={key: rows.states[key] for key in wanted.streams & rows.states.keys()},
            versions={key: rows.versions[key] for key in wanted.versions & rows.versions.keys()},
            events={key: rows.events[key] for key in wanted.events & rows.events.keys()},
            names={key: rows.names[key] for key in wanted.names & rows.names.keys()},
            logs={key: rows.logs[key] for key in wanted.teams & rows.logs.keys()},
            answers={key: rows.answers[key] for key in wanted.commands & rows.answers.keys()},
        )

    def _point(self, topic: Topic) -> Point:
        return Point(offset=self.ends[topic], standing=self.standings[topic])

    def _take(self, topic: Topic, record: Record) -> None:
        if topic is Topic.EVENTS:
            self._event(record)
            return
        self.position = position_of(record)
        if not is_mark(record):
            self._outcome(outcome.decode(record))

    def _event(self, record: Record) -> None:
        (tail,) = read_tail([record])
        envelope, rows = tail.envelope, self.rows
        key = (envelope.team_id, envelope.stream)
        before, event = rows.states.get(key), read(envelope.type, envelope.data)
        rows.states[key] = after = evolve(before, event)
        rows.logs[envelope.team_id] = LogHead(sequence=envelope.sequence, hash=record_hash(record))
        if not isinstance(event, PatternEvent):
            return
        rows.events[(*key, after.version)] = event
        rows.versions[(*key, after.version)] = after.fields if isinstance(after, Pattern) else {}
        for name, holder in ((_name(before), None), (_name(after), pattern_id_of(envelope.stream))):
            if name is not None and holder is None:
                del rows.names[envelope.team_id, name]
            elif name is not None and holder is not None:
                rows.names[envelope.team_id, name] = holder

    def _outcome(self, told: Outcome) -> None:
        if told.command_id is not None and not told.repeat:
            answer = {"command_id": told.command_id, "status": told.status, **told.answer}
            self.rows.answers[told.team_id, told.command_id] = Answered(
                command_hash=told.command_hash,
                recorded_at=told.recorded_at,
                status=told.status,
                answer=dump(answer).decode(),
            )


class SimulatedDecider:
    """Commands in, outcomes out; it can die between any two appends, and be taken over."""

    def __init__(self) -> None:
        self.partition = made_log()
        self.read_models = ReadModels(self.partition)
        self.commands: list[Record] = []
        self._taken = 0
        self._late = False
        self._session: Session | None = None
        self._io = SimulatedIO(self.partition)

    def send(self, team_id: str, command: dict[str, Json], at_ms: int) -> int:
        """Append a command; its offset."""
        record = Record(
            partition=0,
            offset=len(self.commands),
            timestamp_ms=at_ms,
            key=team_id.encode(),
            value=dump(command),
            headers={"actor": b"ann", "request_id": b"r"},
        )
        self.commands.append(record)
        return record.offset

    def fail_next_append(self, lands: Lands) -> None:
        """The next append is of unknown fate."""
        if lands is Lands.UNHEARD:
            self._io.lose_acknowledgement()
        else:
            self._io.delay()
            self._late = lands is Lands.LATE

    def run(self, most: int = 500) -> None:
        """Answer up to so many commands; whatever is in doubt ends in taking the partition anew."""
        asyncio.run(self._run(most))

    def project(self, records: int) -> None:
        """Project so many more records of both topics, if there are as many."""
        for topic in Topic:
            self.read_models.advance(topic, records)

    def restart(self) -> None:
        """Forget all that is in memory."""
        self._session = None

    def outcomes(self) -> list[Outcome]:
        """The outcomes that count, in order."""
        counting = self.partition.counting(Topic.OUTCOMES)
        return [outcome.decode(record) for record in counting if not is_mark(record)]

    def events(self) -> list[tuple[str, PatternEvent]]:
        """The events of patterns that count, in order, with their patterns' ids."""
        tail = read_tail(self.partition.counting(Topic.EVENTS))
        told = [
            (pattern_id_of(one.envelope.stream), read(one.envelope.type, one.envelope.data)) for one in tail
        ]
        return [(key, event) for key, event in told if key and isinstance(event, PatternEvent)]

    def states(self) -> dict[tuple[str, str], StreamState]:
        """What the whole log amounts to, folded anew."""
        fold = ReadModels(self.partition)
        fold.advance(Topic.EVENTS, len(self.partition.topics[Topic.EVENTS]))
        return fold.rows.states

    # ---------------------------------------------------------------- the port to commands

    def seek(self, offset: int) -> None:
        self._next = offset

    async def fetch(self, most: int) -> Sequence[Record]:
        return self.commands[self._next : self._next + most]

    async def _run(self, most: int) -> None:
        goal = min(len(self.commands), self._answered() + most)
        while self._session is None or self._answered() < goal:
            try:
                if self._session is None:
                    await self._take()
                if self._session is not None and self._answered() < goal:
                    await self._session.answer(self.commands[self._answered() : goal])
            except (UnknownFate, Superseded, CheckpointWentBack, NotReady):
                self._session = None

    async def _take(self) -> None:
        self._taken += 1
        before, self._io = self._io, SimulatedIO(self.partition)
        if not self._late:
            before.deliver()
        seat = Seat(settings=SETTINGS, identity=HERE, commands=self, read=self.read_models.read)
        self._session = await take_session(self._io, f"writer-{self._taken}", seat)
        before.deliver()
        self._late = False

    def _answered(self) -> int:
        records = self.partition.counting(Topic.OUTCOMES)
        return position_of(records[-1]).next_command_offset if records else 0


def _name(state: StreamState | None) -> str | None:
    return taken_name(state) if isinstance(state, Pattern) else None
