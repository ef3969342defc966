"""The audit of a team's events over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from events.cursor import Cursor
from events.merge_rules import Policy, Rule
from events.outcome import Outcome
from events.pattern import PatternArchived, PatternDeleted, PatternRecorded, PatternRestored
from events.team import STREAM, TeamMergingChanged
from read_api import scanning
from read_api.audit_documents import AuditPage
from tests.audits import AuditedLog, audited_log, commands_of
from tests.libraries import ReadApi, pages_of, running_read_api
from tests.scribe import detected, edited, resolved
from tests.services import Services

_SEEDS = count(1)


@pytest.fixture(scope="module")
async def api(services: Services) -> AsyncIterator[ReadApi]:
    async with running_read_api(services) as api:
        yield api


@dataclass(frozen=True, kw_only=True)
class Story:
    """A team and two of its patterns, of which something is told at each sequence."""

    log: AuditedLog
    team: str
    one: str
    two: str

    @property
    def url(self) -> str:
        return f"/api/v1/teams/{self.team}/audit"


@pytest.fixture
async def story(api: ReadApi) -> Story:
    log = await audited_log(api, next(_SEEDS))
    events = log.events

    def at(minute: int) -> None:
        events.recorded_at = f"2026-03-01T12:{minute:02}:00.000Z"

    at(1)
    team = events.team("Ada's")
    at(2)
    one = events.pattern(team, PatternRecorded(fields={"name": "One", "severity": "low", "x": None}))
    two = events.pattern(team, PatternRecorded(fields={"name": "Two", "description": 'say "Grüße"\n'}))
    at(5)
    events.command(team, (f"patterns/{one}", edited(1, "x", severity="high", tags=["a"])), actor="bob")
    # The brokers' clock went back.
    at(3)
    conflict = events.new_id()
    events.pattern(team, detected(conflict, severity="medium"), one)
    at(6)
    events.command(team, (f"patterns/{one}", resolved(conflict, 3, "tags", severity="medium")), actor="bob")
    events.command(team, (STREAM, TeamMergingChanged(policy=Policy.REJECT, rules={"x": Rule.TEXT})))
    at(7)
    events.command(team, (f"patterns/{one}", PatternArchived()), (f"patterns/{one}", PatternRestored()))
    events.pattern(team, PatternDeleted(), two)
    await log.project()
    return Story(log=log, team=team, one=one, two=two)


async def sequences(api: ReadApi, story: Story, **asked: Any) -> list[int]:
    return [one["sequence"] for one in await pages_of(api, story.url, "entries", **asked)]


async def test_every_event_tells_who_did_what_and_when(api: ReadApi, story: Story) -> None:
    body = await api.get(story.url)
    AuditPage.model_validate(body)
    assert [one["sequence"] for one in body["entries"]] == list(range(1, 11))
    assert body["cursor"] == str(Cursor(log_id=api.log_id, team_id=story.team, sequence=10))
    fourth = body["entries"][3]
    assert fourth.pop("changes")
    assert fourth == {
        "sequence": 4,
        "stream": f"patterns/{story.one}",
        "version": 2,
        "type": "pattern.edited.v3",
        "actor": "bob",
        "command_id": commands_of(story.log.events.records)[3],
        "request_id": "r-1",
        "occurred_at": "2026-03-01T12:00:00.000Z",
        "recorded_at": "2026-03-01T12:05:00.000Z",
        "origin": None,
    }


def side(value: Any) -> dict[str, Any]:
    return {"value": value}


async def test_what_an_event_changed_is_told_by_field(api: ReadApi, story: Story) -> None:
    changes = [one["changes"] for one in (await api.get(story.url))["entries"]]
    first = {"before": None, "after": side("admin")}
    assert changes[0] == {"name": {"before": None, "after": side("Ada's")}, "members/ada": first}
    assert changes[1]["x"] == {"before": None, "after": side(None)}
    assert changes[3] == {
        "severity": {"before": side("low"), "after": side("high")},
        "tags": {"before": None, "after": side(["a"])},
        "x": {"before": side(None), "after": None},
    }
    assert changes[4] == {}
    assert changes[5] == {
        "severity": {"before": side("high"), "after": side("medium")},
        "tags": {"before": side(["a"]), "after": None},
    }
    assert changes[6] == {
        "policy": {"before": side("merge"), "after": side("reject")},
        "rules": {"before": side({}), "after": side({"x": "text"})},
    }
    assert changes[7] == changes[8] == {}
    assert changes[9] == {
        "name": {"before": side("Two"), "after": None},
        "description": {"before": side('say "Grüße"\n'), "after": None},
    }


FILTERS: list[tuple[dict[str, str], list[int]]] = [
    ({"actor": "bob"}, [4, 6]),
    ({"actor": "nobody"}, []),
    ({"action": "pattern.edited"}, [4]),
    ({"action": "pattern.edited.v3"}, [4]),
    ({"action": "pattern.edited.v1"}, []),
    ({"action": "pattern.recorded"}, [2, 3]),
    ({"action": "pattern.conflict_resolved", "actor": "bob"}, [6]),
    ({"action": "pattern.conflict_resolved", "actor": "ada"}, []),
    ({"action": "pattern.edited", "actor": "bob"}, [4]),
    ({"stream": "team"}, [1, 7]),
    ({"stream": "team", "action": "team.created"}, [1]),
    ({"stream": "patterns/{one}"}, [2, 4, 5, 6, 8, 9]),
    ({"pattern_id": "{one}"}, [2, 4, 5, 6, 8, 9]),
    ({"pattern_id": "{one}", "actor": "bob"}, [4, 6]),
    ({"pattern_id": "{two}", "stream": "patterns/{two}"}, [3, 10]),
    ({"text": "GRÜSSE"}, [3, 10]),
    ({"text": 'say "gru\u0308ße"\n'}, [3, 10]),
    ({"text": "high"}, [4, 6]),
    ({"text": "high", "actor": "bob", "pattern_id": "{one}"}, [4, 6]),
    ({"text": "nowhere"}, []),
    ({"from": "2026-03-01T12:02:00Z"}, [2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ({"to": "2026-03-01T12:02:00Z"}, [1]),
    ({"from": "2026-03-01T12:02:00Z", "to": "2026-03-01T12:05:00Z"}, [2, 3]),
    # What was recorded after the clock went back stays with what it follows.
    ({"from": "2026-03-01T13:05:00+01:00", "to": "2026-03-01T12:05:00.001Z"}, [4, 5]),
    ({"from": "2026-03-01T12:07:00Z", "to": "2030-01-01T00:00:00Z"}, [8, 9, 10]),
    ({"from": "2030-01-01T00:00:00Z"}, []),
    ({"to": "0001-01-01T00:00:00Z"}, []),
    ({"from": "2026-03-01T12:06:00Z", "actor": "bob"}, [6]),
]


@pytest.mark.parametrize(("asked", "found"), FILTERS, ids=str)
@pytest.mark.parametrize("limit", [1, 3, 1000])
async def test_filters_combine_in_both_orders_and_pages_of_any_length(
    api: ReadApi, story: Story, asked: dict[str, str], found: list[int], limit: int
) -> None:
    wanted = {name: value.format(one=story.one, two=story.two) for name, value in asked.items()}
    assert await sequences(api, story, limit=limit, **wanted) == found
    assert await sequences(api, story, limit=limit, order="desc", **wanted) == found[::-1]


async def test_a_page_goes_over_so_many_events_and_then_ends_with_what_it_found(
    api: ReadApi, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "CHUNK", 2)
    monkeypatch.setattr(scanning, "MOST_CHUNKS", 2)
    found: list[int] = []
    token: dict[str, str] = {}
    pages = 0
    while True:
        body = await api.get(story.url, text="grüsse", limit=2, **token)
        found += [one["sequence"] for one in body["entries"]]
        pages += 1
        if body["next_page"] is None:
            break
        token = {"page": body["next_page"]}
    assert (found, pages) == ([3, 10], 3)


async def test_an_event_tells_where_its_command_came_from_while_that_is_kept(
    api: ReadApi, story: Story
) -> None:
    command_id = commands_of(story.log.events.records)[0]
    answer = Outcome(
        log_id=api.log_id,
        team_id=story.team,
        command_id=command_id,
        command_hash="h",
        recorded_at="2026-03-01T12:00:00Z",
        status="accepted",
        answer={},
    )
    number = 1000 * next(_SEEDS)
    await story.log.answered(*[answer], first=number)
    await story.log.came_from(number, ("address", b"203.0.113.7"), ("user_agent", b"cli"))
    first, second = (await api.get(story.url))["entries"][:2]
    assert first["origin"] == {"address": "203.0.113.7", "user_agent": "cli", "credential": None}
    assert second["origin"] is None
    await api.pg.execute("DELETE FROM origins")
    assert (await api.get(story.url))["entries"][0]["origin"] is None


async def test_a_team_sees_nothing_of_another_one(api: ReadApi, story: Story) -> None:
    other = story.log.events.team("Other")
    story.log.events.pattern(other, PatternRecorded(fields={"name": "One"}))
    await story.log.project()
    assert await sequences(api, story) == list(range(1, 11))
    for asked in ({"actor": "ada"}, {"text": "one"}, {"stream": "team"}, {"action": "team.created"}):
        found = await pages_of(api, f"/api/v1/teams/{other}/audit", "entries", **asked)
        assert {one["sequence"] for one in found} <= {1, 2}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from": "yesterday"}, "invalid_parameter"),
        ({"to": "2026-02-30T00:00:00Z"}, "invalid_parameter"),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "invalid_parameter"),
        ({"action": "pattern.renamed"}, "invalid_parameter"),
        ({"stream": "Patterns/1"}, "invalid_parameter"),
        ({"pattern_id": "1"}, "invalid_parameter"),
        ({"pattern_id": "3d1b0c64-6f0e-4a54-9a0e-1d2c3b4a5f60", "stream": "team"}, "invalid_parameter"),
        ({"text": ""}, "invalid_parameter"),
        ({"actor": "a\x00"}, "invalid_parameter"),
        ({"order": "up"}, "invalid_parameter"),
        ({"limit": 1001}, "invalid_parameter"),
        ({"as_of": "2026-03-01T00:00:00Z"}, "invalid_parameter"),
        ({"page": "AAAA"}, "bad_page"),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused(
    api: ReadApi, story: Story, asked: dict[str, Any], code: str
) -> None:
    assert await api.problem(story.url, **asked) == (400, code)


async def test_a_page_token_is_good_for_its_question_alone(api: ReadApi, story: Story) -> None:
    token = (await api.get(story.url, limit=1))["next_page"]
    assert await api.problem(story.url, limit=1, page=token, actor="ada") == (400, "bad_page")
    assert await api.problem(f"{story.url}/refusals", page=token) == (400, "bad_page")


async def test_a_team_without_a_log_is_unknown(api: ReadApi) -> None:
    url = "/api/v1/teams/3d1b0c64-6f0e-4a54-9a0e-1d2c3b4a5f60/audit"
    for asked in ({}, {"from": "2026-03-01T00:00:00Z"}, {"text": "a"}):
        assert await api.problem(url, **asked) == (404, "unknown_team")
    assert await api.problem(f"{url}/refusals") == (404, "unknown_team")
    assert await api.problem(f"{url}/export") == (404, "unknown_team")
    assert await api.problem(f"{url}/log") == (404, "unknown_team")
