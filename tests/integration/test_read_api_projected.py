"""What the projector writes is what the read API reads."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from events.cursor import Cursor
from events.merge_rules import Policy, Rule
from events.pattern import PatternArchived, PatternDeleted, PatternRecorded, PatternRestored
from events.team import STREAM as TEAM_STREAM
from events.team import TeamMergingChanged
from read_api.documents import BlameDocument, ChangesPage, ConflictsPage, HistoryPage, PatternsPage
from read_api.part import read_api_part
from read_api.routes import router
from runtime.web import build_app
from tests.libraries import client_of
from tests.projecting import TopicLog, events_log, fresh_log, projecting
from tests.scribe import detected, edited, resolved
from tests.services import Services
from tests.tokens import signed_tokens_part


@dataclass(frozen=True, kw_only=True)
class Running:
    """A log, its projector and a read API."""

    log: TopicLog
    client: httpx.AsyncClient

    async def publish(self, team_id: str, sequence: int) -> dict[str, str]:
        """Append what was written; the parameters of a read that waits for it."""
        await self.log.publish()
        return {"at_least": str(Cursor(log_id=self.log.scribe.log_id, team_id=team_id, sequence=sequence))}


@pytest.fixture
async def running(services: Services) -> AsyncIterator[Running]:
    async with fresh_log(services) as settings, projecting(settings):
        app = build_app("read", settings, [router], [signed_tokens_part, read_api_part])
        async with app.router.lifespan_context(app), client_of(app) as client:
            yield Running(log=await events_log(settings), client=client)


async def test_what_was_decided_is_read_as_soon_as_it_is_asked_for(running: Running) -> None:
    scribe = running.log.scribe
    team_id = scribe.team()
    fields = {"name": "a", "category": "io", "severity": "high", "tags": ["x,y", '"'], "extra": {"n": [1.5]}}
    kept = scribe.pattern(team_id, PatternRecorded(fields=fields))
    gone = scribe.pattern(team_id, PatternRecorded(fields={"name": "b", "category": "io"}))
    scribe.pattern(team_id, edited(1, "tags", category="ui"), kept)
    scribe.pattern(team_id, PatternDeleted(), gone)
    written = await running.publish(team_id, 5)
    url = f"/api/v1/teams/{team_id}"

    after = {"name": "a", "category": "ui", "severity": "high", "extra": {"n": [1.5]}}
    document = {"pattern_id": kept, "version": 2, "sequence": 4, "status": "live", "fields": after}
    changes = (await running.client.get(f"{url}/changes", params=written)).json()
    assert changes["changes"] == [
        document,
        {"pattern_id": gone, "version": 2, "sequence": 5, "status": "deleted"},
    ]
    assert changes["cursor"] == written["at_least"]
    ChangesPage.model_validate(changes)
    assert (await running.client.get(f"{url}/patterns/{kept}")).json() == document
    assert (await running.client.get(f"{url}/patterns/{gone}")).json()["code"] == "pattern_deleted"
    history = (await running.client.get(f"{url}/patterns/{kept}/history")).json()
    assert [one["fields"] for one in history["versions"]] == [fields, after]
    HistoryPage.model_validate(history)


async def test_conflicts_and_what_became_of_them_are_read(running: Running) -> None:
    scribe = running.log.scribe
    team_id, one, two = scribe.team(), scribe.new_id(), scribe.new_id()
    pattern_id = scribe.pattern(team_id, PatternRecorded(fields={"name": "a", "notes": "x\ny"}))
    changed = TeamMergingChanged(policy=Policy.REJECT, rules={"notes": Rule.TEXT})
    scribe.command(team_id, (TEAM_STREAM, changed))
    for conflict_id in (one, two):
        scribe.pattern(team_id, detected(conflict_id, notes="mine"), pattern_id)
    scribe.pattern(team_id, resolved(one, 3, notes="x\nmine"), pattern_id)
    written = await running.publish(team_id, 6)
    url = f"/api/v1/teams/{team_id}"

    answer = await running.client.get(f"{url}/conflicts", params={"status": "any", **written})
    page = ConflictsPage.model_validate(answer.json())
    assert [(each.conflict_id, each.status, each.version) for each in page.conflicts] == [
        (one, "resolved", 2),
        (two, "open", 3),
    ]
    assert answer.json()["conflicts"][0]["fields"] == {
        "notes": {
            "rule": "value",
            "clashes": True,
            "base": None,
            "theirs": {"value": "theirs"},
            "mine": {"value": "mine"},
        }
    }
    closed = (await running.client.get(f"{url}/conflicts/{one}")).json()["closed"]
    assert (closed["version"], closed["choices"]) == (4, {"notes": "new"})
    merging = (await running.client.get(f"{url}/merging")).json()
    assert (merging["policy"], merging["own"], merging["rules"]["notes"]) == ("reject", ["notes"], "text")
    blame = BlameDocument.model_validate(
        (await running.client.get(f"{url}/patterns/{pattern_id}/blame")).json()
    )
    assert (blame.fields["notes"].lines, blame.versions["4"].sequence) == ([1, 4], 6)


async def test_filters_follow_what_patterns_become(running: Running) -> None:
    scribe = running.log.scribe
    team_id = scribe.team()
    fields = {"name": "a", "category": "io", "severity": "critical", "tags": ["old", "both"]}
    pattern_id = scribe.pattern(team_id, PatternRecorded(fields=fields))

    async def found(sequence: int, **query: str) -> bool:
        written = await running.publish(team_id, sequence)
        answer = await running.client.get(f"/api/v1/teams/{team_id}/patterns", params={**query, **written})
        page = PatternsPage.model_validate(answer.json())
        return [one.pattern_id for one in page.patterns] == [pattern_id]

    assert await found(2, category="io", severity="critical", tag="old", name="a")
    assert not await found(2, category="ui")
    scribe.pattern(
        team_id,
        edited(1, "severity", tags=["both", "new"]),
        pattern_id,
    )
    assert await found(3, category="io", tag="new")
    assert not await found(3, tag="old")
    assert not await found(3, severity="critical")
    scribe.pattern(team_id, PatternArchived(), pattern_id)
    assert not await found(4, tag="both")
    assert await found(4, tag="both", status="archived")
    scribe.pattern(team_id, PatternRestored(), pattern_id)
    assert await found(5, tag="both")
