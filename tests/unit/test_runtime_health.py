"""Health says of each part whether it works, and why not."""

import httpx
from prometheus_client import REGISTRY

from runtime.health import Health
from runtime.web import build_app
from tests.web import client_of, development


async def ready(health: Health) -> httpx.Response:
    app = build_app("t", development(), [], [])
    app.state.health = health
    async with client_of(app) as client:
        assert (await client.get("/health/live")).status_code == 200
        return await client.get("/health/ready")


async def test_a_process_is_ready_when_all_its_parts_are() -> None:
    health = Health()
    health.set("kafka", None)
    response = await ready(health)
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "parts": {"kafka": "ok"}}


async def test_one_part_with_a_reason_is_enough_not_to_be() -> None:
    health = Health()
    health.set("kafka", None)
    health.set("postgres", "connection refused")
    response = await ready(health)
    assert response.status_code == 503
    expected = {"kafka": "ok", "postgres": "connection refused"}
    assert response.json() == {"status": "not_ready", "parts": expected}


def test_a_part_that_recovers_is_ready_again() -> None:
    health = Health()
    health.set("postgres", "connection refused")
    health.set("postgres", None)
    assert health.ready() == {}


def test_an_alarm_stays_whatever_the_part_says_later() -> None:
    health = Health()
    health.alarm("projection", "the chain is broken at 7")
    health.set("projection", None)
    health.alarm("projection", "another")
    assert health.ready() == health.parts() == {"projection": "the chain is broken at 7"}
    assert REGISTRY.get_sample_value("patternlog_part_ready", {"part": "projection"}) == 0


def test_the_metric_follows_each_part() -> None:
    health = Health()
    labels = {"part": "redis"}
    health.set("redis", "away")
    assert REGISTRY.get_sample_value("patternlog_part_ready", labels) == 0
    health.set("redis", None)
    assert REGISTRY.get_sample_value("patternlog_part_ready", labels) == 1


def test_a_remark_is_shown_and_leaves_the_process_ready() -> None:
    health = Health()
    health.remark("witness", "away")
    assert (health.parts(), health.ready()) == ({"witness": "away"}, {})
    health.remark("witness", None)
    assert health.parts() == {}
