"""Samples, and the table that they become."""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Sample:
    """What one run measured; latencies are seconds."""

    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Requests answered per second."""
        return len(self.latencies) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """The latency in milliseconds that `share` of the requests stay below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


@dataclass(frozen=True)
class Row:
    """One figure; `beside` names what it is compared with in the same run, `ratio` is ours over theirs."""

    workload: str
    metric: str
    value: float
    unit: str
    beside: str = ""
    ratio: float | None = None


@dataclass
class Report:
    """All figures of a run."""

    rows: list[Row] = field(default_factory=list)

    def add(self, workload: str, metric: str, values: list[float], unit: str) -> float:
        """Add the median of a figure's runs and return it."""
        value = median(values)
        self._keep(Row(workload, metric, round(value, 2), unit))
        return value

    def add_beside(
        self, workload: str, metric: str, values: list[float], unit: str, beside: str, other: float
    ) -> None:
        """Add the median of a figure's runs, with its ratio to another one of the same run."""
        value = median(values)
        self._keep(Row(workload, metric, round(value, 2), unit, beside, round(value / other, 2)))

    def _keep(self, row: Row) -> None:
        self.rows.append(row)
        beside = f"  {row.ratio} times {row.beside}" if row.beside else ""
        sys.stderr.write(f"{row.workload}: {row.metric}: {row.value:,.2f} {row.unit}{beside}\n")

    def write(self, path: Path) -> None:
        """Write the rows as a JSON list."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(row) for row in self.rows], indent=1) + "\n")

    def print(self) -> None:
        """Print the rows as a table."""
        table = Table("workload", "metric", "value", "unit", "beside", "ratio")
        for row in self.rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            table.add_row(row.workload, row.metric, f"{row.value:,.2f}", row.unit, row.beside, ratio)
        Console(width=140).print(table)
