"""Affiliations as the read models show them: with the organization that somebody joined first."""

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from events.roles import Tier
from identity.affiliations import Affiliation
from projectors.schema.live_rows import live_row
from runtime.postgres import FAILED

_log = structlog.get_logger(__name__)

_FIRST = """
SELECT m.organization_id::text, m.role, o.tier
  FROM organization_members AS m JOIN organizations AS o ON o.organization_id = m.organization_id
 WHERE m.member = $1 ORDER BY m.since, m.organization_id LIMIT 1
"""


class ProjectedAffiliations:
    """Looks in the live generation. While Postgres is away nobody belongs anywhere."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, user_id: str) -> Affiliation:
        """That of a user."""
        try:
            row = await live_row(self._engine, ["library"], _FIRST, user_id)
        except FAILED as error:
            _log.warning("an affiliation cannot be known now", reason=repr(error))
            return Affiliation()
        if row is None:
            return Affiliation()
        return Affiliation(organization_id=row["organization_id"], role=row["role"], tier=Tier(row["tier"]))
