"""Proof that the read models are what the log says: [events] and [outcomes] read anew, and compared.

Checkpoints and tables are read in one snapshot, and each partition is read up to its checkpoint, so it works
beside running projectors. Memory grows with the live state and the conflicts of one partition.
"""

from dataclasses import dataclass

from asyncpg import Connection

from projectors import library, outcomes
from projectors.findings import Difference
from projectors.generations import live
from projectors.library_proof import LibraryProof
from projectors.links import Fault
from projectors.outcomes_proof import OutcomesProof
from projectors.proof import Progress, Proof, Tell
from projectors.sample import Rows, Sample
from runtime.log_setup import check_log
from runtime.postgres import create_engine, driver
from runtime.settings import Settings

_SESSION = """
SET LOCAL statement_timeout = 0;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off
"""
"""The only joins look up keys, some thousand at a time: not once should that read a whole table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was read and compared: `rows` counts by table, `behind` the events past the checkpoints.

    `faults` are of the log itself. `first_bad_sequences` names by team the lowest one that is shown wrong.
    """

    events: int
    answers: int
    void_records: int
    behind: int
    rows: dict[str, int]
    faults: list[Fault]
    difference_count: int
    differences: list[Difference]
    first_bad_sequences: dict[str, int]
    not_compared: list[str]

    @property
    def is_equal(self) -> bool:
        """Whether the log is whole, and the tables are what it makes of them."""
        return not self.faults and self.difference_count == 0


def _tell_no_one(_: Progress) -> None:
    """For callers that do not care."""


async def verify(
    settings: Settings,
    report: Tell = _tell_no_one,
    *,
    rows: Rows = Rows.FULL,
    sample: Sample | None = None,
) -> Report:
    """Read the log up to the checkpoints, check it, and compare; `sample` says of which streams the rows."""
    identity = await check_log(settings)
    engine = create_engine(settings, "patternlog-verify")
    try:
        async with driver(engine) as pg, pg.transaction(isolation="repeatable_read", readonly=True):
            await pg.execute(_SESSION)
            under_way = Proof(
                settings=settings, pg=pg, log_ids=identity.log_ids, rows=rows, sample=sample, report=report
            )
            await _read_live(pg, library.NAME)
            await LibraryProof(under_way).run()
            if rows is Rows.NONE:
                under_way.not_compared.append("outcomes: their records are in no chain of hashes")
            else:
                await _read_live(pg, outcomes.NAME)
                await OutcomesProof(under_way).run()
            return _report(under_way)
    finally:
        await engine.dispose()


async def _read_live(pg: Connection, projection: str) -> None:
    """Let plain names mean the live generation, as the snapshot has it."""
    await pg.execute(f"SET LOCAL search_path TO {(await live(pg, projection)).schema}")


def _report(under_way: Proof) -> Report:
    findings = under_way.findings
    return Report(
        events=under_way.events,
        answers=under_way.answers,
        void_records=under_way.void_records,
        behind=under_way.behind,
        rows=findings.rows,
        faults=under_way.faults,
        difference_count=findings.difference_count,
        differences=findings.differences,
        first_bad_sequences=findings.first_bad,
        not_compared=under_way.not_compared,
    )
