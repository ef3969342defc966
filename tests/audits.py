"""Audits in the read models, written by the projections themselves, without Kafka."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from events.outcome import Outcome, RefusedCommand, encode
from events.record import NewRecord, Record
from projectors.library import Library
from projectors.origins import Origins
from projectors.outcomes import Outcomes
from tests.libraries import ReadApi
from tests.scribe import RECORDED_AT, Scribe


@dataclass(kw_only=True)
class AuditedLog:
    """A log whose events are projected when `project` is called."""

    pg: asyncpg.Connection
    events: Scribe
    outcomes: Scribe
    projected: int = 0

    async def project(self) -> None:
        """Apply the events since the last time."""
        left = self.events.records[self.projected :]
        work = Library(topic="events").take(0, self.events.log_id, left)
        async with self.pg.transaction():
            await work.write(self.pg)
        self.projected += len(left)

    async def answered(self, *outcomes: Outcome, first: int) -> None:
        """Project outcomes of commands that lie one after the other from an offset on."""
        records = [
            self.outcomes.counting(
                encode(replace(one, log_id=self.outcomes.log_id), command_offset=offset, events_end=0)
            )
            for offset, one in enumerate(outcomes, start=first)
        ]
        work = Outcomes(topic="outcomes").take(0, self.outcomes.log_id, records)
        async with self.pg.transaction():
            await work.write(self.pg)

    async def came_from(self, offset: int, *origin: tuple[str, bytes], at_ms: int = 0) -> None:
        """Project the record of a command that came from there."""
        new = NewRecord(key=None, value=b"{}", headers=dict(origin))
        record = Record(
            partition=0, offset=offset, timestamp_ms=at_ms, key=new.key, value=new.value, headers=new.headers
        )
        async with self.pg.transaction():
            await Origins(topic="commands").take(0, self.events.log_id, [record]).write(self.pg)


_ROWS = """
INSERT INTO audit
SELECT $1::uuid, n, timestamptz '2026-01-01' + n * interval '1 second', $2, 'patterns/' || $1::uuid, n,
       CASE WHEN n % 5000 = 1 THEN 'pattern.archived.v1' ELSE 'pattern.recorded.v1' END,
       lpad(to_hex(n), 32, '0')::uuid, $4, 0, 1, 'u-' || n % 100, 'r', '2026-03-01T12:00:00Z',
       '2026-03-01T12:00:00Z', $4, CASE WHEN n % 5000 = 1 THEN '{}' ELSE '{"fields":{"name":"n"}}' END, NULL
  FROM generate_series(1, $3::bigint) AS n
"""
_READ_BY = "INSERT INTO members VALUES ($1, 'ada', 'admin', 'team', 1, now())"
_LOGGED = "INSERT INTO projected_logs VALUES ('library', $1, 0, $2, $3, $3, '')"


async def fill_audit(pg: asyncpg.Connection, team_id: str, log_id: str, rows: int) -> None:
    """Add so many rows, one a second: 1 in 100 of each actor, 1 in 5,000 of a rare type."""
    await pg.execute(_ROWS, team_id, log_id, rows, bytes(32))
    await pg.execute(_LOGGED, team_id, log_id, rows)
    await pg.execute(_READ_BY, team_id)


async def audited_log(api: ReadApi, seed: int) -> AuditedLog:
    """A log under its first fence, of which nothing is projected."""
    events = Scribe(log_id=api.log_id, seed=seed)
    events.fence()
    outcomes = Scribe(log_id=api.log_id, seed=seed)
    return AuditedLog(pg=api.pg, events=events, outcomes=outcomes, projected=1)


def refusal(
    team_id: str, command_id: str | None, code: str = "name_taken", *, by: str = "ada", **other: str
) -> Outcome:
    """The outcome of a refused command; `other` replaces what its record tells."""
    told = {"request_id": "r-1", "command_type": "edit_pattern", "stream": "team", **other}
    recorded_at = told.pop("recorded_at", RECORDED_AT)
    detail = told.pop("detail", "no")
    return Outcome(
        log_id="",
        team_id=team_id,
        command_id=command_id,
        command_hash="h",
        recorded_at=recorded_at,
        status="rejected",
        answer={"code": code, "detail": detail},
        repeat=code == "command_id_reused",
        refused=RefusedCommand(actor=by, **told),
    )


def commands_of(records: Sequence[Record]) -> list[str]:
    """The ids of the commands that events came of."""
    return [record.headers["ce_commandid"].decode() for record in records if "ce_commandid" in record.headers]
