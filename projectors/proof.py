"""What the proofs of all projections share: the snapshot, how much is compared, and what was found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from asyncpg import Connection

from projectors.findings import Difference, Findings
from projectors.links import Fault
from projectors.sample import Rows, Sample
from runtime.settings import Settings
from runtime.topics import Topics


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the reading of a partition has come."""

    topic: Literal["events", "outcomes"]
    partition: int
    offset: int
    end: int


Tell = Callable[[Progress], None]
"""Told how far it has come."""


@dataclass(kw_only=True)
class Proof:
    """One proof under way: `sample` is None where all rows are compared, or none."""

    settings: Settings
    pg: Connection
    log_ids: Sequence[str]
    rows: Rows
    sample: Sample | None
    report: Tell
    findings: Findings = field(default_factory=Findings)
    faults: list[Fault] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    events: int = 0
    answers: int = 0
    void_records: int = 0
    behind: int = 0

    @property
    def log_id(self) -> str:
        """The log's, without those that it had before."""
        return self.log_ids[0]

    @property
    def topics(self) -> Topics:
        """The log's."""
        return Topics(self.settings.topic_prefix)

    def has(self, team_id: str, name: str) -> bool:
        """Whether the rows of a stream, or what else has a name, are compared."""
        return self.sample is None or self.sample.has(team_id, name)

    def fail(self, fault: Fault) -> None:
        """Note where the log cannot be followed."""
        self.faults.append(fault)
        if fault.team_id is not None and fault.sequence is not None:
            self.findings.bad(fault.team_id, fault.sequence)

    def fail_partition(self, topic: str, partition: int, offset: int, reason: str) -> None:
        """The same of a whole partition."""
        self.fail(Fault(partition=partition, offset=offset, reason=f"{topic}: {reason}"))

    def differing(self, table: str, partition: int) -> None:
        """Note a row per partition that is not what the records up to the checkpoint come to."""
        self.findings.add(Difference(table=table, key=str(partition), kind="altered"))

    def passed(self, topic: Literal["events", "outcomes"], partition: int, offset: int, end: int) -> None:
        """Tell how far it has come."""
        self.report(Progress(topic=topic, partition=partition, offset=offset, end=end))
