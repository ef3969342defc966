"""Affiliations as the read models show them: with the organization that somebody joined first."""

from typing import Any

import structlog
from sqlalchemy import Row, Select, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from events.roles import Tier
from identity.affiliations import Affiliation
from projectors.schema.generations import LIVE
from projectors.schema.people import organization_members, organizations
from runtime.postgres import FAILED

_log = structlog.get_logger(__name__)


class ProjectedAffiliations:
    """Looks in the live generation. While Postgres is away nobody belongs anywhere."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, user_id: str) -> Affiliation:
        """That of a user."""
        try:
            try:
                row = await self._find(_of(user_id))
            except ProgrammingError:
                # The generation that was live a moment ago is dropped.
                row = await self._find(_of(user_id))
        except FAILED as error:
            _log.warning("an affiliation cannot be known now", reason=repr(error))
            return Affiliation()
        if row is None:
            return Affiliation()
        return Affiliation(organization_id=row.organization_id, role=row.role, tier=Tier(row.tier))

    async def _find(self, statement: Select[Any]) -> Row[Any] | None:
        async with self._engine.connect() as connection:
            live = {row[0]: row[1] for row in await connection.execute(text(LIVE))}
            await connection.execution_options(schema_translate_map={None: live["library"]})
            found: Row[Any] | None = (await connection.execute(statement)).one_or_none()
            return found


def _of(user_id: str) -> Select[Any]:
    member = organization_members.c
    return (
        select(member.organization_id, member.role, organizations.c.tier)
        .join(organizations, organizations.c.organization_id == member.organization_id)
        .where(member.member == user_id)
        .order_by(member.since, member.organization_id)
        .limit(1)
    )
