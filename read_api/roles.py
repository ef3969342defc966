"""What people are in teams and organizations, as the read models show it now."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic
from typing import NamedTuple

from events.roles import OrganizationRole, Role
from read_api.database import Database
from read_api.problems import DatabaseUnavailable

KNOWN_S = 0.5
"""Seconds for which a role that was found is taken for what it is; that somebody has none is never kept."""
INTERVAL_S = 0.05
MOST_WAITS = 16
"""Requests of one person that may wait for a role at once."""
_MOST_KNOWN = 10_000
WROTE = """
SELECT FROM audit WHERE team_id = $1::uuid AND "left"(actor, 256) = $2 AND actor = $2 LIMIT 1
"""
"""Whether somebody wrote in the log of a team or an organization."""


class Kind(Enum):
    """What people belong to; the statement finds what some are in some of them."""

    TEAM = """
SELECT m.team_id::text, m.member, m.role FROM unnest($1::uuid[], $2::text[]) AS k (team_id, member)
  JOIN members AS m ON m.team_id = k.team_id AND m.member = k.member COLLATE "C"
"""
    ORGANIZATION = """
SELECT m.organization_id::text, m.member, m.role
  FROM unnest($1::uuid[], $2::text[]) AS k (organization_id, member)
  JOIN organization_members AS m
       ON m.organization_id = k.organization_id AND m.member = k.member COLLATE "C"
"""


class Membership(NamedTuple):
    """Somebody in a team or an organization, whether they belong to it or not."""

    kind: Kind
    id: str
    actor: str


_OF_ORGANIZATION = {OrganizationRole.ADMIN: Role.ADMIN, OrganizationRole.MEMBER: Role.VIEWER}
"""What roles of organizations allow, as those of teams are named: its members see it, its admins do all."""


@dataclass(eq=False, slots=True)
class _Waiter:
    wanted: Membership
    found: asyncio.Future[Role] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Roles:
    """Looks roles up; one per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Membership, tuple[Role, float]] = {}
        self._waiters: set[_Waiter] = set()
        self._wanted = asyncio.Event()

    async def of(self, membership: Membership) -> Role | None:
        """The role, at most `KNOWN_S` old; None for nobody who belongs there. Raise `DatabaseUnavailable`."""
        known = self._known.get(membership)
        if known is not None and monotonic() < known[1]:
            return known[0]
        return await self.now(membership)

    async def now(self, membership: Membership) -> Role | None:
        """The role as it is in the tables."""
        # It may be taken away while it is looked for.
        until = monotonic() + KNOWN_S
        role = (await self._find({membership})).get(membership)
        if role is None:
            self._known.pop(membership, None)
        else:
            self._make_room()
            self._known[membership] = (role, until)
        return role

    async def belonged(self, membership: Membership) -> bool:
        """Whether they did write there: nobody could who did not belong there."""
        return await self._database.row(WROTE, membership.id, membership.actor) is not None

    async def wait(self, membership: Membership, timeout_s: float) -> Role | None:
        """The role of somebody who has none yet, as soon as they have one; None if they have none by then.

        One query looks for all who wait. It says nothing about whether there is such a team.
        """
        waiter = _Waiter(membership)
        same = sum(one.wanted.actor == membership.actor for one in self._waiters)
        if same >= MOST_WAITS:
            return None
        self._waiters.add(waiter)
        self._wanted.set()
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter.found
        except TimeoutError:
            return None
        finally:
            self._waiters.discard(waiter)

    async def run(self) -> None:
        """Look on behalf of those who wait, as long as the process runs."""
        while True:
            await self._wanted.wait()
            await self._look_once()
            await asyncio.sleep(INTERVAL_S)
            if not self._waiters:
                self._wanted.clear()

    async def _look_once(self) -> None:
        asked = [waiter for waiter in self._waiters if not waiter.found.done()]
        try:
            found = await self._find({waiter.wanted for waiter in asked})
        except DatabaseUnavailable as error:
            for waiter in asked:
                if not waiter.found.done():
                    waiter.found.set_exception(error)
            return
        for waiter in asked:
            if waiter.wanted in found and not waiter.found.done():
                waiter.found.set_result(found[waiter.wanted])

    async def _find(self, wanted: Collection[Membership]) -> Mapping[Membership, Role]:
        found: dict[Membership, Role] = {}
        for kind in Kind:
            asked = [one for one in wanted if one.kind is kind]
            if asked:
                keys = [one.id for one in asked], [one.actor for one in asked]
                for log, actor, role in await self._database.rows(kind.value, *keys):
                    found[Membership(kind, log, actor)] = _role(kind, role)
        return found

    def _make_room(self) -> None:
        if len(self._known) >= _MOST_KNOWN:
            now = monotonic()
            self._known = {key: known for key, known in self._known.items() if now < known[1]}


def _role(kind: Kind, name: str) -> Role:
    return Role(name) if kind is Kind.TEAM else _OF_ORGANIZATION[OrganizationRole(name)]
