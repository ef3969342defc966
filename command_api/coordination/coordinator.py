"""The process manager between organizations and their teams: what an organization says reaches each team.

It looks at what is, not at what happened: which organizations have a version that some of their teams do not
know, and tells those teams. So it may die at any point, miss any event, or run twice.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from asyncpg import Connection

from command_api.command_log import Sender
from command_api.coordination import rows
from command_api.coordination.telling import Source, Standing, TeamKnowledge, sorted_by_standing, tellings
from command_api.decisions.commands import to_json
from command_api.decisions.refusals import Refusal
from events.errors import MalformedRecord
from events.json_text import dump
from runtime.health import Health
from runtime.metrics import ORGANIZATION_LAG, ORGANIZATION_REFUSALS, ORGANIZATION_SECONDS

ACTOR = "system:organizations"
PART = "organizations"
_ASK_AFTER_S = 2.0
"""Until what a team was told and does not show is looked into, and told again if nothing came of it."""
_AT_ONCE = 32

_log = structlog.get_logger(__name__)


class Appending(Protocol):
    """The end of [commands]; raises `Problem` when it does not acknowledge."""

    async def append(self, sender: Sender, commands: Sequence[bytes]) -> list[tuple[int, int]]:
        """Append commands in order."""


@dataclass(kw_only=True, slots=True)
class _Told:
    """What was sent to a team for a version of its organization, and when."""

    command_ids: list[str]
    at: float


@dataclass(kw_only=True, slots=True)
class Coordinator:
    """Brings teams up to their organizations; of several, each does the same."""

    log: Appending
    health: Health
    log_id: str
    ask_after_s: float = _ASK_AFTER_S
    _told: dict[tuple[str, int], _Told] = field(default_factory=dict)

    async def work(self, pg: Connection) -> int:
        """Do what can be done now; how many organizations are not done. Raise what Kafka and Postgres do."""
        left, oldest = 0, None
        for organization_id in await rows.due(pg, self.log_id):
            try:
                due = await rows.source_of(pg, organization_id, self.log_id)
            except MalformedRecord as error:
                self.health.alarm(f"{PART}:{organization_id}", str(error))
                continue
            if due is None or await self._tell(pg, due):
                continue
            left += 1
            oldest = due.since_s if oldest is None else min(oldest, due.since_s)
        ORGANIZATION_LAG.set(0.0 if oldest is None else max(0.0, time.time() - oldest))
        return left

    async def count_refusals(self, pg: Connection) -> None:
        """Say how many teams do not do what their organization says."""
        count = await pg.fetchval(rows.REFUSED)
        ORGANIZATION_REFUSALS.set(count)
        reason = f"{count} teams refuse what their organization says: see docs/organizations.md"
        self.health.remark("organizations:refusals", reason if count else None)

    async def _tell(self, pg: Connection, due: rows.Due) -> bool:
        """Tell the teams of one organization; whether all of them know."""
        source = due.source
        team_ids = list(source.organization.teams)
        known = await rows.knowledge_of(pg, team_ids)
        by_standing = sorted_by_standing(source, known, team_ids)
        behind = by_standing[Standing.BEHIND]
        refused = await self._refused(pg, source, behind)
        waiting = [team_id for team_id in behind if team_id not in refused]
        if waiting:
            await self._send(source, known, waiting)
            return False
        foreign = dict.fromkeys(by_standing[Standing.FOREIGN], str(Refusal.TEAM_EXISTS))
        await self._finish(pg, due, refused | foreign)
        return True

    async def _finish(self, pg: Connection, due: rows.Due, refused: dict[str, str]) -> None:
        source = due.source
        for team_id, code in refused.items():
            _log.error("team refuses", organization_id=source.organization_id, team_id=team_id, code=code)
        await rows.write_done(pg, source, self.log_id, list(refused.items()))
        ORGANIZATION_SECONDS.observe(max(0.0, time.time() - due.since_s))
        for team_id in source.organization.teams:
            self._told.pop((team_id, source.organization.version), None)

    async def _refused(self, pg: Connection, source: Source, behind: Sequence[str]) -> dict[str, str]:
        """By team the code of a refusal, of those that were told some time ago; forgets what got lost."""
        version, now = source.organization.version, time.monotonic()
        asked = {
            team_id: told
            for team_id in behind
            if (told := self._told.get((team_id, version))) and now - told.at >= self.ask_after_s
        }
        if not asked:
            return {}
        answers = await rows.refusals_of(
            pg, [(key, one) for key, told in asked.items() for one in told.command_ids]
        )
        refused: dict[str, str] = {}
        for team_id, told in asked.items():
            codes = [code for one in told.command_ids if (code := answers.get(one)) is not None]
            if codes and codes[0] != Refusal.STALE_ORGANIZATION:
                refused[team_id] = codes[0]
            elif not all(one in answers for one in told.command_ids):
                del self._told[team_id, version]
        return refused

    async def _send(self, source: Source, known: dict[str, TeamKnowledge], waiting: Sequence[str]) -> None:
        version = source.organization.version
        left = [team_id for team_id in waiting if (team_id, version) not in self._told]
        for begin in range(0, len(left), _AT_ONCE):
            some = left[begin : begin + _AT_ONCE]
            await asyncio.gather(*(self._send_to(source, team_id, known.get(team_id)) for team_id in some))

    async def _send_to(self, source: Source, team_id: str, team: TeamKnowledge | None) -> None:
        version = source.organization.version
        commands = tellings(source, team_id, team, time.time_ns() // 1_000_000)
        sender = Sender(team_id=team_id, actor=ACTOR, request_id=f"{source.organization_id}:{version}")
        await self.log.append(sender, [dump(to_json(command)) for command in commands])
        ids = [command.command_id for command in commands]
        self._told[team_id, version] = _Told(command_ids=ids, at=time.monotonic())
