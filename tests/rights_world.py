"""Two organizations with teams, and somebody of each role, behind a real gateway; and what they ask with."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from devstack.services import Services as ServiceProcesses
from events.roles import Role
from tests.accounts import CHEAPEST, PASSWORD
from tests.command_client import new_id
from tests.databases import fresh_database, settings_for, variables_of
from tests.forged_tokens import expired, forged
from tests.rights_table import Key, Route, Where, Who
from tests.services import Services
from tests.tokens import bearer, token_of
from tests.waiting import eventually

_MOST_AT_ONCE = 32
_FOREIGN_ADMIN = "foreign-admin"
Answer = tuple[int, str]
"""Status, and the code of a problem (or of the one row that was asked)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A team with a pattern in it, its organization, and a command to each."""

    team_id: str
    organization_id: str
    pattern_id: str
    team_command: str
    organization_command: str


@dataclass(kw_only=True)
class World:
    """Everybody, by name the id of their account."""

    http: httpx.AsyncClient
    pg: asyncpg.Connection
    actors: dict[str, str] = field(default_factory=dict)
    places: dict[Where, Place] = field(default_factory=dict)
    bad: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Credentials of the organization's admin that are no good, and the code of the refusal."""
    narrowed: dict[Role, str] = field(default_factory=dict)
    """Keys of the organization's admin that are good for the rights of a role."""
    key_of_other_team: str = ""

    async def register(self, name: str) -> None:
        """Make somebody an account."""
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        answer = await self.http.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        self.actors[name] = answer.json()["user_id"]

    async def log_in(self, name: str) -> dict[str, Any]:
        """A session of somebody's."""
        body = {"username": name, "password": PASSWORD}
        answer = await self.http.post("/api/v1/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def key(self, name: str, right: Role, team_id: str | None = None) -> dict[str, Any]:
        """A new API key of somebody's."""
        body = {"name": "ci", "right": right.value, "team_id": team_id}
        headers = {"Authorization": self.session(name)}
        answer = await self.http.post("/api/v1/auth/keys", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def session(self, name: str) -> str:
        """`Authorization` with a new token of somebody's."""
        return bearer(self.actors[name])

    async def send(self, authorization: str, path: str, command: Mapping[str, Any]) -> httpx.Response:
        """One command, with its outcome."""
        headers = {"Authorization": authorization, "Prefer": "wait=30"}
        return await self.http.post(f"/api/v1/{path}/commands", json=command, headers=headers)

    async def done(self, who: str, path: str, kind: str, /, **members: Any) -> str:
        """The id of a command that somebody has sent, and that was accepted."""
        command = {"type": kind, "command_id": new_id(), **members}
        answer = await self.send(self.session(who), path, command)
        assert answer.status_code == 200, answer.text
        return str(command["command_id"])

    async def ask(self, key: Key, route: Route, place: Place, authorization: str | None) -> Answer:
        """Ask a route, and say how it answers."""
        words = self._words(place, key[1])
        path, query = _filled(key[1], words), _filled(route.query, words)
        body = None if route.body is None else json.loads(_filled(json.dumps(route.body), words))
        headers = {"Prefer": "wait=30"} | ({} if authorization is None else {"Authorization": authorization})
        answer = await self.http.request(key[0], f"{path}?{query}", json=body, headers=headers)
        return answer.status_code, _code(answer, route)

    def _words(self, place: Place, path: str) -> dict[str, str]:
        of_organization = path.startswith("/api/v1/organizations/")
        names = ("new", "conflict_id", "session_id", "key_id")
        return {
            **{name: str(uuid.uuid4()) for name in names},
            "short": uuid.uuid4().hex[:16],
            "new7": new_id(),
            "spare": token_of("nobody"),
            "organization_id": place.organization_id,
            "team_id": place.organization_id if of_organization else place.team_id,
            "pattern_id": place.pattern_id,
            "command_id": place.organization_command if of_organization else place.team_command,
        }


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace("{" + name + "}", word)
    return text


def _code(answer: httpx.Response, route: Route) -> str:
    if answer.status_code >= 400:
        return str(answer.json()["code"])
    if route.in_rows:
        (row,) = answer.json()["rows"]
        return str(row.get("code", ""))
    return ""


@asynccontextmanager
async def world(services: Services, **variables: str) -> AsyncIterator[World]:
    """Everybody in their places behind a gateway of their own, once the read models know."""
    async with fresh_database(services) as dsn:
        told = variables_of(settings_for(services, dsn)) | {"bcrypt_cost": CHEAPEST} | variables
        with ServiceProcesses({f"PATTERNLOG_{name.upper()}": str(v) for name, v in told.items()}) as started:
            started.set_up()
            started.start("gateway", "decider", "projector")
            async with _clients(dsn, started.url("gateway")) as made:
                await asyncio.gather(*(made.register(name) for name in (*Who, _FOREIGN_ADMIN)))
                await _settle(made)
                await _hand_out(made)
                yield made


@asynccontextmanager
async def _clients(dsn: str, url: str) -> AsyncIterator[World]:
    limits = httpx.Limits(max_connections=_MOST_AT_ONCE)
    pg = await asyncpg.connect(dsn)
    try:
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
            yield World(http=http, pg=pg)
    finally:
        await pg.close()


async def _settle(made: World) -> None:
    own = await _organization(made, Who.ORGANIZATION_ADMIN)
    foreign = await _organization(made, _FOREIGN_ADMIN)
    member = {"member": made.actors[Who.ORGANIZATION_MEMBER], "role": "member"}
    await made.done(Who.ORGANIZATION_ADMIN, f"organizations/{own[0]}", "add_organization_member", **member)
    made.places[Where.OWN] = await _place(made, Who.ORGANIZATION_ADMIN, *own)
    made.places[Where.OTHER] = await _place(made, Who.ORGANIZATION_ADMIN, *own)
    made.places[Where.FOREIGN] = await _place(made, _FOREIGN_ADMIN, *foreign)
    team = f"teams/{made.places[Where.OWN].team_id}"
    last = ""
    for role in Role:
        last = await made.done(
            Who.ORGANIZATION_ADMIN, team, "add_member", member=made.actors[role.value], role=role.value
        )
    for place in made.places.values():
        await _projected(made, place.team_command)
    await _projected(made, last)


async def _organization(made: World, admin: str) -> tuple[str, str]:
    organization_id = str(uuid.uuid4())
    command = await made.done(admin, f"organizations/{organization_id}", "create_organization", name="Acme")
    return organization_id, command


async def _place(made: World, admin: str, organization_id: str, command: str) -> Place:
    team_id, pattern_id = str(uuid.uuid4()), str(uuid.uuid4())
    await made.done(admin, f"organizations/{organization_id}", "add_team", team_id=team_id, name="Platform")

    headers = {"Authorization": made.session(admin)}

    async def is_open() -> bool:
        return (await made.http.get(f"/api/v1/teams/{team_id}/members", headers=headers)).is_success

    await eventually(is_open)
    sent = await made.done(
        admin, f"teams/{team_id}", "record_pattern", pattern_id=pattern_id, fields={"name": "Race"}
    )
    return Place(
        team_id=team_id,
        organization_id=organization_id,
        pattern_id=pattern_id,
        team_command=sent,
        organization_command=command,
    )


async def _projected(made: World, command_id: str) -> None:
    """Wait until the read models have what a command did, and its outcome."""
    schemas = await made.pg.fetch("SELECT schemaname, tablename FROM pg_tables WHERE tablename = 'outcomes'")

    async def is_there() -> bool:
        found = [
            await made.pg.fetchval(
                f'SELECT true FROM "{row["schemaname"]}".outcomes WHERE command_id = $1',
                command_id,
            )
            for row in schemas
        ]
        return True in found

    await eventually(is_there)


async def _hand_out(made: World) -> None:
    admin = Who.ORGANIZATION_ADMIN
    actor = made.actors[admin]
    for role in Role:
        made.narrowed[role] = f"Bearer {(await made.key(admin, role))['key']}"
    other = made.places[Where.OTHER].team_id
    made.key_of_other_team = f"Bearer {(await made.key(admin, Role.ADMIN, other))['key']}"
    made.bad = {
        name: (f"Bearer {token}", "unauthenticated")
        for name, token in forged(actor, made.actors[Who.STRANGER]).items()
    }
    made.bad |= {
        "expired token": (f"Bearer {expired(actor)}", "token_expired"),
        "revoked token": (f"Bearer {await _revoked_token(made)}", "token_revoked"),
        "token of a session that was ended": (f"Bearer {await _ended_session(made)}", "token_revoked"),
        "expired key": (f"Bearer {await _expired_key(made)}", "token_expired"),
        "deleted key": (f"Bearer {await _deleted_key(made, used=True)}", "token_revoked"),
        "deleted key that was never used": (f"Bearer {await _deleted_key(made)}", "unauthenticated"),
        "key that nobody has": ("Bearer fl_" + "x" * 43, "unauthenticated"),
    }


async def _revoked_token(made: World) -> str:
    token: str = (await made.log_in(Who.ORGANIZATION_ADMIN))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = await made.http.post("/api/v1/auth/tokens/revoke", json={"token": token}, headers=headers)
    assert answer.status_code == 204, answer.text
    return token


async def _ended_session(made: World) -> str:
    token: str = (await made.log_in(Who.ORGANIZATION_ADMIN))["access_token"]
    answer = await made.http.post("/api/v1/auth/logout", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 204, answer.text
    return token


async def _expired_key(made: World) -> str:
    key = await made.key(Who.ORGANIZATION_ADMIN, Role.ADMIN)
    await made.pg.execute(
        "UPDATE identity.api_keys SET expires_at = now() - interval '1 minute' WHERE key_id = $1",
        key["key_id"],
    )
    return str(key["key"])


async def _deleted_key(made: World, *, used: bool = False) -> str:
    key = await made.key(Who.ORGANIZATION_ADMIN, Role.ADMIN)
    if used:
        with_key = {"Authorization": f"Bearer {key['key']}"}
        assert (await made.http.get("/api/v1/teams", headers=with_key)).status_code == 200
    headers = {"Authorization": made.session(Who.ORGANIZATION_ADMIN)}
    answer = await made.http.delete(f"/api/v1/auth/keys/{key['key_id']}", headers=headers)
    assert answer.status_code == 204, answer.text
    return str(key["key"])
