"""What a comparison of tables with the log finds."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["missing", "added", "altered"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A row that is not what the log makes of it, and the sequence of the event that it should show."""

    table: str
    key: str
    kind: Kind
    team_id: str = ""
    stream: str | None = None
    sequence: int | None = None


@dataclass(kw_only=True, slots=True)
class Findings:
    """What was compared, and the differences: all of them counted, the first ones kept."""

    rows: dict[str, int] = field(default_factory=dict)
    difference_count: int = 0
    differences: list[Difference] = field(default_factory=list)
    first_bad: dict[str, int] = field(default_factory=dict)
    keep: int = 1000

    def add(self, difference: Difference) -> None:
        """Note a difference."""
        self.difference_count += 1
        if len(self.differences) < self.keep:
            self.differences.append(difference)
        if difference.sequence is not None:
            self.bad(difference.team_id, difference.sequence)

    def bad(self, team_id: str, sequence: int) -> None:
        """Note that a team's log or rows are wrong at a sequence."""
        self.first_bad[team_id] = min(sequence, self.first_bad.get(team_id, sequence))

    def saw(self, table: str, rows: int) -> None:
        """Count rows that were compared."""
        self.rows[table] = self.rows.get(table, 0) + rows
