"""Refused commands over HTTP."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from read_api import scanning
from read_api.audit_documents import RefusalsPage
from tests.audits import AuditedLog, audited_log, refusal
from tests.libraries import ReadApi, pages_of, running_read_api
from tests.services import Services

_SEEDS = count(1)
_OFFSETS = count(0, 100)


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@pytest.fixture
async def log(api: ReadApi) -> AuditedLog:
    return await audited_log(api, next(_SEEDS))


def at(minute: int) -> str:
    return f"2026-03-01T12:{minute:02}:00.000Z"


async def told(log: AuditedLog) -> tuple[str, int]:
    """A team with six refusals, and the offset of the first one's command."""
    team, first = log.events.team(), next(_OFFSETS)
    await log.project()
    ids = [log.events.new_id() for _ in range(6)]
    await log.answered(
        refusal(team, ids[0], recorded_at=at(1), occurred_at="2026-03-01T11:00:00.000Z"),
        refusal(team, ids[1], "too_old", by="bob", recorded_at=at(2)),
        # The brokers' clock went back.
        refusal(team, ids[2], by="bob", recorded_at=at(1), detail="Käse"),
        refusal(team, ids[0], "command_id_reused", recorded_at=at(3)),
        refusal(team, None, "malformed_command", by="", recorded_at=at(3), command_type="", stream=""),
        refusal(team, ids[5], "batch_refused", recorded_at=at(4)),
        first=first,
    )
    return f"/api/v1/teams/{team}/audit/refusals", first


async def test_a_refusal_tells_who_wanted_what_and_why_not(api: ReadApi, log: AuditedLog) -> None:
    url, first = await told(log)
    await log.came_from(first, ("address", b"::1"))
    body = await api.get(url)
    RefusalsPage.model_validate(body)
    shown = body["refusals"][0]
    assert {name: shown[name] for name in shown if name != "command_id"} == {
        "code": "name_taken",
        "detail": "no",
        "actor": "ada",
        "request_id": "r-1",
        "command_type": "edit_pattern",
        "stream": "team",
        "occurred_at": "2026-03-01T11:00:00.000Z",
        "recorded_at": at(1),
        "origin": {"address": "::1", "user_agent": None, "credential": None},
    }
    malformed = body["refusals"][4]
    assert [malformed[name] for name in ("command_id", "actor", "command_type", "stream", "origin")] == [
        None
    ] * 5


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["name_taken", "name_taken", "too_old", "command_id_reused", "malformed_command", "batch_refused"]),
    ({"actor": "bob"}, ["name_taken", "too_old"]),
    ({"actor": "nobody"}, []),
    ({"code": "name_taken"}, ["name_taken", "name_taken"]),
    ({"code": "name_taken", "actor": "bob"}, ["name_taken"]),
    ({"text": "KÄSE"}, ["name_taken"]),
    ({"text": "reused"}, ["command_id_reused"]),
    ({"from": at(2)}, ["too_old", "command_id_reused", "malformed_command", "batch_refused"]),
    ({"to": at(2)}, ["name_taken", "name_taken"]),
    ({"from": at(2), "to": at(3)}, ["too_old"]),
    ({"from": at(9)}, []),
]


@pytest.mark.parametrize(("asked", "found"), FILTERS, ids=str)
@pytest.mark.parametrize("limit", [1, 1000])
async def test_filters_combine_in_both_orders_and_pages_of_any_length(
    api: ReadApi, log: AuditedLog, asked: dict[str, str], found: list[str], limit: int
) -> None:
    url, _ = await told(log)
    for order, wanted in (("asc", found), ("desc", found[::-1])):
        refusals = await pages_of(api, url, "refusals", order=order, limit=limit, **asked)
        assert [one["code"] for one in refusals] == wanted


async def test_a_page_goes_over_so_many_refusals_and_then_ends_with_what_it_found(
    api: ReadApi, log: AuditedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = await told(log)
    monkeypatch.setattr(scanning, "CHUNK", 1)
    monkeypatch.setattr(scanning, "MOST_CHUNKS", 2)
    first = await api.get(url, text="batch", limit=1)
    assert first["refusals"] == []
    assert first["next_page"] is not None
    assert len(await pages_of(api, url, "refusals", text="batch")) == 1


@pytest.mark.parametrize("asked", [{"from": "2026"}, {"from": at(3), "to": at(2)}, {"code": ""}], ids=str)
async def test_what_cannot_be_meant_is_refused(api: ReadApi, log: AuditedLog, asked: dict[str, Any]) -> None:
    url, _ = await told(log)
    assert await api.problem(url, **asked) == (400, "invalid_parameter")
    token = (await api.get(url, limit=1))["next_page"]
    assert await api.problem(url, page=token, actor="ada") == (400, "bad_page")
