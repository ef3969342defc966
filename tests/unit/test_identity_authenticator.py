"""What was verified is remembered, and never for longer than it is good."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from pydantic import SecretStr

from events.roles import Role, Tier
from identity.affiliations import Affiliation
from identity.api_keys import ApiKey, ApiKeys
from identity.authenticator import Authenticator, Clock
from identity.problems import identity_unavailable
from identity.revocations import KEY_UNHEARD_S, UNHEARD_S, Kind, Revocation, Revocations
from identity.secret_texts import hash_of
from identity.signing import Signing
from identity.token_keys import new_seed
from runtime.authentication import Principal
from runtime.problems import Problem
from runtime.settings import Settings
from tests.tokens import SEED, bearer, claims_of, form
from tests.web import development

KEY = "fl_a-key"
LIFE_S = 600


@dataclass
class Keys:
    """The API keys of a database that can be away."""

    found: ApiKey | None = None
    asked: int = 0
    away: bool = False

    async def find(self, digest: bytes) -> ApiKey | None:
        self.asked += 1
        if self.away:
            raise identity_unavailable()
        return self.found if digest == hash_of(KEY) else None


class Nowhere:
    """Nobody belongs anywhere."""

    async def of(self, user_id: str) -> Affiliation:
        return Affiliation()


@dataclass
class Door:
    """An authenticator whose clocks and settings the test moves."""

    settings: Settings = field(default_factory=development)
    keys: Keys = field(default_factory=Keys)
    mirror: Revocations = field(default_factory=Revocations)
    wall: float = field(default_factory=lambda: datetime.now(UTC).timestamp())
    steady: float = 1000.0
    most: int = 100

    def __post_init__(self) -> None:
        clock = Clock(wall=lambda: self.wall, steady=lambda: self.steady)
        self.signing = Signing(lambda: self.settings)
        keys = cast(ApiKeys, self.keys)
        self.door = Authenticator(self.signing, self.mirror, keys, Nowhere(), self.most, clock)
        self.hear()

    def hear(self) -> None:
        self.mirror.heard_postgres(self.steady)
        self.mirror.heard_redis(self.steady)

    def wait(self, seconds: float, *, hearing: bool = True) -> None:
        self.wall += seconds
        self.steady += seconds
        if hearing:
            self.hear()

    async def enter(self, authorization: str) -> Principal | str:
        try:
            return await self.door.principal_of(authorization)
        except Problem as problem:
            return problem.code


def token(door: Door, **changes: Any) -> str:
    now = int(door.wall)
    return bearer("ada", **{"iat": now, "exp": now + LIFE_S, **changes})


def key(**changes: Any) -> ApiKey:
    members = {
        "key_id": "k",
        "user_id": "ada",
        "name": "ci",
        "team_id": "t",
        "at_most": Role.VIEWER,
        "created_at": datetime.now(UTC),
        "expires_at": None,
        "last_used_at": None,
    }
    return ApiKey(**{**members, **changes})


async def test_a_token_says_who_asks() -> None:
    door = Door()
    organization = "01890a5d-ac96-474b-bcce-b302099a8057"
    found = await door.enter(token(door, sid="s", org=organization, tier=Tier.TEAM))
    assert found == Principal(actor="ada", session_id="s", organization_id=organization, tier=Tier.TEAM)


async def test_a_remembered_token_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    authorization = token(door)
    assert isinstance(await door.enter(authorization), Principal)
    monkeypatch.setattr("identity.access_tokens.jwt.decode", None)
    assert isinstance(await door.enter(authorization), Principal)


async def test_a_remembered_token_expires_although_nobody_looks_at_its_text() -> None:
    door = Door()
    authorization = token(door, exp=int(door.wall) + 1)
    assert isinstance(await door.enter(authorization), Principal)
    door.wait(5)
    assert isinstance(await door.enter(authorization), Principal)
    door.wait(5)
    verified = Remembered(door)
    assert not verified.lasts(authorization)


class Remembered:
    """Looks at what an authenticator remembers."""

    def __init__(self, door: Door) -> None:
        self._door = door.door

    def lasts(self, authorization: str) -> bool:
        known = self._door._tokens.get(hash_of(authorization.removeprefix("Bearer ")))
        return known is not None and self._door._lasts(known)


async def test_a_clock_that_is_put_back_keeps_nothing_in_memory_for_longer() -> None:
    door = Door()
    authorization = token(door)
    await door.enter(authorization)
    door.wall -= 3600
    door.steady += LIFE_S + 10
    door.hear()
    assert not Remembered(door).lasts(authorization)


async def test_a_clock_that_is_put_ahead_ends_what_is_remembered() -> None:
    door = Door()
    authorization = token(door)
    await door.enter(authorization)
    door.wall += LIFE_S + 10
    assert not Remembered(door).lasts(authorization)


@pytest.mark.parametrize("kind", [Kind.TOKEN, Kind.SESSION])
async def test_a_remembered_token_is_refused_once_it_is_revoked(kind: Kind) -> None:
    door = Door()
    claims = claims_of("ada")
    authorization = f"Bearer {form().sign(claims)}"
    assert isinstance(await door.enter(authorization), Principal)
    subject = claims.jti if kind is Kind.TOKEN else claims.sid
    door.mirror.add(Revocation(kind=kind, subject=subject, expires_at=door.wall + 9))
    assert await door.enter(authorization) == "token_revoked"


async def test_keys_are_rotated_without_logging_anyone_out_and_a_dropped_one_vouches_for_nothing() -> None:
    door, new = Door(), new_seed()
    old = token(door)
    fresh = ""
    for seeds in (f"{SEED},{new}", f"{new},{SEED}"):
        door.settings = development(token_keys=SecretStr(seeds))
        assert isinstance(await door.enter(old), Principal)
        fresh = f"Bearer {door.signing.current().sign(claims_of('bob'))}"
        assert isinstance(await door.enter(fresh), Principal)
    door.settings = development(token_keys=SecretStr(new))
    assert await door.enter(old) == "unauthenticated"
    assert isinstance(await door.enter(fresh), Principal)


async def test_keys_that_cannot_be_used_leave_the_old_ones_at_work() -> None:
    door = Door()
    authorization = token(door)
    door.settings = development(token_keys=SecretStr("nonsense"))
    assert isinstance(await door.enter(authorization), Principal)


async def test_a_key_is_looked_up_once_and_is_good_for_what_it_was_made_for() -> None:
    door = Door(keys=Keys(found=key()))
    for _ in range(3):
        assert await door.enter(f"Bearer {KEY}") == Principal(
            actor="ada", key_id="k", team_id="t", at_most=Role.VIEWER
        )
    assert door.keys.asked == 1
    door.mirror.add(Revocation(kind=Kind.KEY, subject="k", expires_at=door.wall + 9))
    assert await door.enter(f"Bearer {KEY}") == "token_revoked"


async def test_a_key_ends_while_it_is_remembered() -> None:
    door = Door()
    door.keys.found = key(expires_at=datetime.fromtimestamp(door.wall + 60, UTC))
    assert isinstance(await door.enter(f"Bearer {KEY}"), Principal)
    door.wait(61)
    assert await door.enter(f"Bearer {KEY}") == "token_expired"


async def test_a_key_is_good_for_five_minutes_without_postgres() -> None:
    door = Door(keys=Keys(found=key()))
    assert isinstance(await door.enter(f"Bearer {KEY}"), Principal)
    door.keys.away = True
    for _ in range(2):
        door.wait(KEY_UNHEARD_S / 2, hearing=False)
        door.mirror.heard_redis(door.steady)
        assert isinstance(await door.enter(f"Bearer {KEY}"), Principal)
    door.wait(1, hearing=False)
    door.mirror.heard_redis(door.steady)
    assert await door.enter(f"Bearer {KEY}") == "auth_unavailable"


async def test_after_a_long_silence_each_key_is_looked_up_again() -> None:
    door = Door(keys=Keys(found=key()))
    assert isinstance(await door.enter(f"Bearer {KEY}"), Principal)
    door.wait(KEY_UNHEARD_S + 1)
    door.keys.found = None
    assert await door.enter(f"Bearer {KEY}") == "unauthenticated"


async def test_a_key_that_is_looked_up_again_in_vain_is_kept_while_postgres_was_just_heard() -> None:
    door = Door(keys=Keys(found=key()))
    await door.enter(f"Bearer {KEY}")
    for _ in range(10):
        door.wait(100)
    door.keys.away = True
    assert isinstance(await door.enter(f"Bearer {KEY}"), Principal)
    assert door.keys.asked == 2


async def test_nobody_is_judged_when_nobody_is_heard() -> None:
    door = Door(keys=Keys(found=key()))
    authorizations: Sequence[str] = (token(door), f"Bearer {KEY}", "Bearer nonsense")
    door.wait(UNHEARD_S, hearing=False)
    assert isinstance(await door.enter(authorizations[0]), Principal)
    door.wait(1, hearing=False)
    assert {await door.enter(one) for one in authorizations} == {"auth_unavailable"}
    door.hear()
    assert isinstance(await door.enter(authorizations[0]), Principal)


async def test_no_more_is_remembered_than_was_allowed() -> None:
    door = Door(most=3)
    for _ in range(10):
        await door.enter(token(door))
    assert len(door.door._tokens) == 3


@pytest.mark.parametrize(
    "text", ["", "Bearer", "Bearer ", "Basic x", "bearer  ", "\xff", "Bearer \xff", "fl_a-key"]
)
async def test_what_is_no_credential_is_refused(text: str) -> None:
    assert await Door().enter(text) == "unauthenticated"


def test_what_has_expired_is_forgotten() -> None:
    mirror = Revocations()
    for at in (30.0, 10.0, 20.0):
        mirror.add(Revocation(kind=Kind.TOKEN, subject=str(at), expires_at=at))
    mirror.add(Revocation(kind=Kind.TOKEN, subject="10.0", expires_at=40.0))
    mirror.forget_expired(30.0)
    assert len(mirror) == 1
    assert mirror.is_revoked(("token", "10.0"))
    mirror.forget_expired(40.0)
    assert len(mirror) == 0
