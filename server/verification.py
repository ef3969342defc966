"""`verify`: the log read anew and compared with the read models, told to a person."""

import secrets
import sys
from collections.abc import Iterator

from migrations.check import check_migrated
from projectors import verify
from projectors.findings import Difference
from projectors.proof import Progress, Tell
from projectors.sample import Rows, Sample
from runtime.settings import Settings
from server.progress import Advance, reading_bars

DIFFERENT = 3
"""The exit code when the read models are not what the log says."""
_SHOWN = 20


async def verify_and_tell(settings: Settings, rows: Rows, share: float, seed: str | None) -> int:
    """Compare, and say on stdout what was compared and what differs; 0 when all is equal, else 3."""
    await check_migrated(settings)
    sample = Sample(share=share, seed=seed or secrets.token_hex(4)) if rows is Rows.SAMPLE else None
    with reading_bars() as advance:
        report = await verify.verify(settings, _teller(advance), rows=rows, sample=sample)
    lines = lines_of(report, scope_of(rows, sample))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if report.is_equal else DIFFERENT


def scope_of(rows: Rows, sample: Sample | None) -> str:
    """What is said of how much was compared."""
    if sample is not None:
        return f"Rows of {sample.share:.2%} of the streams were compared, chosen by the seed {sample.seed}."
    if rows is Rows.NONE:
        return (
            "No rows were compared, and no data was read: checkpoints, counts and the chains of hashes alone."
        )
    return "All rows were compared."


def lines_of(report: verify.Report, scope: str) -> Iterator[str]:
    """What a report says."""
    behind = f"; {report.behind:,} records are not projected yet" if report.behind else ""
    yield (
        f"Read {report.events:,} events and {report.answers:,} outcomes, "
        f"passed over {report.void_records:,} void records{behind}."
    )
    yield scope
    for table, rows in report.rows.items():
        yield f"  {table:<21} {rows:>12,} rows"
    yield from (f"Not compared: {what}." for what in report.not_compared)
    if report.is_equal:
        yield "The read models are what the log says."
        return
    if report.faults:
        yield f"The log cannot be followed in {len(report.faults):,} places; nothing beyond is compared:"
        yield from (f"  {fault}" for fault in report.faults[:_SHOWN])
    if report.difference_count:
        yield f"The read models differ from the log in {report.difference_count:,} places:"
        yield from (_line_of(one) for one in report.differences[:_SHOWN])
    for team_id, sequence in report.first_bad_sequences.items():
        yield f"Team {team_id}: wrong from sequence {sequence} on."
    if not report.faults:
        yield from _repairs(report)


def _line_of(one: Difference) -> str:
    team = f"team {one.team_id}, " if one.team_id else ""
    return f"  {one.table} {one.kind}: {team}{one.key}, sequence {one.sequence or 'unknown'}"


def _repairs(report: verify.Report) -> Iterator[str]:
    streams = {(one.team_id, one.stream) for one in report.differences[:_SHOWN] if one.stream}
    yield from (f"To repair: patternlog repair {team_id} {stream}" for team_id, stream in sorted(streams))


def _teller(advance: Advance) -> Tell:
    def tell(progress: Progress) -> None:
        advance(f"{progress.topic} {progress.partition}", progress.offset, progress.end)

    return tell
