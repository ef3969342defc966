"""Secrets are read anew while the process runs, judged, and put in force together; broken ones are not."""

import asyncio
import pickle
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from runtime.health import Health
from runtime.secrets.reloading import SECRETS, SettingsSource
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured, Unreachable
from tests.waiting import eventually
from tests.web import development

OLD, NEW = SecretStr("postgresql://app:old@db/x"), SecretStr("postgresql://app:new@db/x")


class Place:
    """Where settings are loaded from."""

    def __init__(self) -> None:
        self.settings = development(postgres_dsn=OLD)
        self.broken: Exception | None = None

    def load(self) -> Settings:
        if self.broken is not None:
            raise self.broken
        return self.settings

    def rotate(self, **changes: object) -> None:
        self.settings = self.settings.model_copy(update=changes)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def source(place: Place) -> SettingsSource:
    return SettingsSource(place.settings, place.load)


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("patternlog_secret_reloads_total", {"result": result}) or 0.0


async def test_whoever_holds_settings_gets_the_secrets_in_force(place: Place, source: SettingsSource) -> None:
    held, told = source.current(), list[Settings]()
    copy = held.model_copy(update={"postgres_pool_size": 3})
    source.subscribe(told.append)
    place.rotate(postgres_dsn=NEW)
    assert held.latest().postgres_dsn == OLD
    before = counted("rotated")
    assert await source.reload(Health())
    assert (held.postgres_dsn, held.latest().postgres_dsn, copy.latest().postgres_dsn) == (OLD, NEW, NEW)
    assert told == [source.current()]
    assert counted("rotated") == before + 1


async def test_what_is_no_secret_takes_a_restart(place: Place, source: SettingsSource) -> None:
    place.rotate(max_batch=7, postgres_dsn=NEW)
    assert await source.reload(Health())
    assert (source.current().max_batch, source.current().postgres_dsn) == (500, NEW)


async def test_settings_that_a_process_was_given_itself_stay(place: Place) -> None:
    own = place.settings.model_copy(update={"redis_url": SecretStr("redis://own"), "postgres_dsn": OLD})
    source = SettingsSource(own, lambda: own.model_copy(update={"postgres_dsn": NEW}))
    assert await source.reload(Health())
    assert source.current().redis_url.get_secret_value() == "redis://own"


@pytest.mark.parametrize(
    "error", [Unreachable("Vault is away"), Misconfigured("no URL"), ValueError("canary-1")]
)
async def test_a_broken_rotation_is_told_and_those_in_force_stay(
    place: Place, source: SettingsSource, error: Exception
) -> None:
    health, before = Health(), counted("refused")
    place.broken = error
    assert not await source.reload(health)
    assert source.current().postgres_dsn == OLD
    assert "those from before are in force" in health.parts()["secrets"]
    assert "canary" not in health.parts()["secrets"]
    # It works on, so it is ready.
    assert health.ready() == {}
    assert counted("refused") == before + 1
    place.broken = None
    assert await source.reload(health)
    assert health.parts() == {}


async def test_a_part_may_refuse_secrets_and_then_none_of_them_comes_into_force(
    place: Place, source: SettingsSource
) -> None:
    def refuse(settings: Settings) -> None:
        if settings.tree_head_keys.get_secret_value() == "bad":
            raise Misconfigured("no seed")

    source.check(refuse)
    place.rotate(postgres_dsn=NEW, tree_head_keys=SecretStr("bad"))
    assert not await source.reload(Health())
    assert source.current().postgres_dsn == OLD
    place.rotate(tree_head_keys=SecretStr("good"))
    assert await source.reload(Health())
    assert source.current().postgres_dsn == NEW


async def test_a_subscriber_that_fails_does_not_keep_others_from_it(
    place: Place, source: SettingsSource
) -> None:
    def fail(_: Settings) -> None:
        raise ValueError("a bug")

    told: list[Settings] = []
    source.subscribe(fail)
    source.subscribe(told.append)
    place.rotate(postgres_dsn=NEW)
    assert await source.reload(Health())
    assert len(told) == 1


@pytest.mark.parametrize(("every_s", "ask"), [(0.01, False), (3600.0, True)])
async def test_they_are_read_every_so_often_and_when_somebody_wants_it(
    place: Place, every_s: float, ask: bool
) -> None:
    place.rotate(secrets_reload_s=every_s)
    source = SettingsSource(place.settings, place.load)
    running = asyncio.create_task(source.run(Health()))
    place.rotate(postgres_dsn=NEW)
    if ask:
        source.want()

    async def is_new() -> bool:
        return source.current().postgres_dsn == NEW

    await eventually(is_new)
    running.cancel()


async def test_without_a_place_to_read_from_they_stay() -> None:
    source = SettingsSource(development())
    await source.run(Health())
    assert await source.reload(Health())


def test_what_is_sent_to_another_process_is_as_it_is(source: SettingsSource) -> None:
    sent: Callable[[], Settings] = pickle.loads(pickle.dumps(source.current())).latest  # noqa: S301 - just made
    assert sent().postgres_dsn == OLD


def test_every_secret_is_reloaded() -> None:
    assert {"postgres_dsn", "redis_url", "tree_head_keys", "vault_token"} <= set(SECRETS)
    sealed = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert sealed == set(SECRETS)
