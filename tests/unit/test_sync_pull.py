"""Pulling: pages, interruptions, another log, and answers that must not be believed."""

from dataclasses import replace
from pathlib import Path

import pytest

from events.cursor import Cursor
from sync_client import pull
from sync_client.errors import LocalRefusal, RequestRefused, TryLater, UnexpectedAnswer
from sync_client.wire import ChangesPage, PatternItem
from tests.sync_fakes.clients import Client, client_of
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault


async def fill(server: FakeServer, folder: Path, count: int) -> None:
    with client_of(server, folder) as author:
        for index in range(count):
            author.record(name=f"pattern {index:03}")
        await author.sync_client.push()


async def test_a_pull_brings_every_page(
    server: FakeServer, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "PAGE", 10)
    await fill(server, tmp_path / "author", 35)
    report = await client.sync_client.pull()
    assert (report.changes, report.pages) == (35, 4)
    assert client.live() == server.live()


async def test_a_first_pull_that_fails_shows_nothing_half_and_goes_on_where_it_was(
    server: FakeServer, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "PAGE", 10)
    await fill(server, tmp_path / "author", 35)
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    transport.fail_next(Fault.NONE, Fault.NONE, Fault.LOST_ANSWER)
    with pytest.raises(TryLater):
        await client.sync_client.pull()
    assert client.live() == {}
    report = await client.restarted().pull()
    assert (report.changes, client.live()) == (15, server.live())


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.UNAVAILABLE])
async def test_a_failed_pull_leaves_the_library_as_it_was(
    server: FakeServer, client: Client, tmp_path: Path, fault: Fault
) -> None:
    await fill(server, tmp_path / "author", 3)
    await client.sync_client.pull()
    before, cursor = client.live(), client.replica.get("cursor")
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    transport.fail_next(fault)
    with pytest.raises(TryLater):
        await client.restarted().pull()
    assert (client.live(), client.replica.get("cursor")) == (before, cursor)


async def test_tombstones_and_archived_patterns_leave_the_list(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    await fill(server, tmp_path / "author", 3)
    await client.sync_client.pull()
    gone, away, _ = client.visible()
    with client_of(server, tmp_path / "author") as author:
        await author.sync_client.pull()
        author.change_status(gone.pattern_id, "delete_pattern")
        author.change_status(away.pattern_id, "archive_pattern")
        await author.sync_client.push()
    await client.restarted().pull()
    assert client.library.counts() == {"live": 1, "archived": 1, "deleted": 1}
    with pytest.raises(LocalRefusal) as refusal:
        client.edit(gone.pattern_id, description="too late")
    assert refusal.value.code == "pattern_deleted"


async def test_what_was_pushed_does_not_vanish_by_a_pull_from_a_projection_that_lags(
    server: FakeServer, client: Client
) -> None:
    client.record(name="n")
    await client.sync_client.push()
    lagging = server.sequence - 1
    server.sequence, behind = lagging, server.sequence
    with pytest.raises(TryLater) as later:
        await client.restarted().pull()
    assert later.value.code == "not_yet_visible"
    assert set(client.live()) == {"n"}
    server.sequence = behind
    await client.restarted().pull()
    assert set(client.live()) == {"n"}


# ---------------------------------------------------------------- another log


async def test_another_log_rebuilds_the_library_and_keeps_the_outbox(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    await fill(server, tmp_path / "author", 2)
    backup = server.backup()
    with client_of(server, tmp_path / "late") as late:
        late.record(name="lost by the restore")
        await late.sync()
    await client.sync_client.pull()
    pattern = client.visible()[-1]
    client.edit(pattern.pattern_id, description="mine")
    client.record(name="new")
    server.restore(backup)
    report = await client.restarted().pull()
    assert report.rebuilt
    assert set(client.live()) == {"new", *server.live()}
    pushed = await client.restarted().push()
    assert pushed.accepted == 2
    assert client.live() == server.live()


async def test_a_rebuild_that_breaks_off_shows_the_old_library_until_it_is_whole(
    server: FakeServer, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "PAGE", 10)
    await fill(server, tmp_path / "author", 25)
    await client.sync_client.pull()
    before = client.live()
    server.restore(server.backup())
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    transport.fail_next(Fault.NONE, Fault.NONE, Fault.LOST_ANSWER)
    with pytest.raises(TryLater):
        await client.restarted().pull()
    assert client.live() == before
    report = await client.restarted().pull()
    assert report.rebuilt
    assert client.live() == server.live()


# ---------------------------------------------------------------- answers that must not be believed


class Lying(FakeTransport):
    """Changes every page of changes on its way."""

    def __init__(self, server: FakeServer, **lies: object) -> None:
        super().__init__(server)
        self.lies = lies

    async def changes(self, cursor: str | None, *, at_least: str | None, limit: int) -> ChangesPage:
        page = await super().changes(cursor, at_least=at_least, limit=limit)
        return replace(page, **self.lies)  # type: ignore[arg-type]


def item(sequence: int, **fields: object) -> PatternItem:
    return PatternItem(
        pattern_id=f"6f1c2a8e-0000-4000-8000-{sequence:012}",
        version=1,
        sequence=sequence,
        status="live",
        fields=fields,
    )


def at(server: FakeServer, sequence: int) -> Cursor:
    return Cursor(log_id=server.log_id, team_id=server.team_id, sequence=sequence)


@pytest.mark.parametrize(
    "lie",
    [
        "another team",
        "beyond the cursor",
        "out of order",
        "twice",
        "no name",
        "a number that is none",
        "more, but no further",
    ],
)
async def test_a_page_that_cannot_be_is_not_used(server: FakeServer, tmp_path: Path, lie: str) -> None:
    elsewhere = replace(at(server, 5), team_id="6f1c2a8e-0000-4000-8000-000000000000")
    lies: dict[str, dict[str, object]] = {
        "another team": {"cursor": elsewhere},
        "beyond the cursor": {"changes": [item(9, name="n")], "cursor": at(server, 5)},
        "out of order": {"changes": [item(3, name="n"), item(2, name="m")], "cursor": at(server, 5)},
        "twice": {"changes": [item(3, name="n"), item(3, name="m")], "cursor": at(server, 5)},
        "no name": {"changes": [item(2, description="x")], "cursor": at(server, 5)},
        "a number that is none": {"changes": [item(2, name="n", x=float("nan"))], "cursor": at(server, 5)},
        "more, but no further": {"changes": [], "cursor": at(server, 0), "has_more": True},
    }
    with client_of(server, tmp_path / "one") as client:
        client.record(name="mine")
    with client_of(server, tmp_path / "one", transport=Lying(server, **lies[lie])) as client:
        with pytest.raises(UnexpectedAnswer):
            await client.sync_client.pull()
        assert set(client.live()) == {"mine"}
        assert client.replica.get("cursor") is None


async def test_a_team_that_the_server_does_not_know_is_said_and_changes_nothing(tmp_path: Path) -> None:
    with client_of(FakeServer.without_team(), tmp_path / "one") as client:
        client.record(name="mine")
        with pytest.raises(RequestRefused) as refused:
            await client.sync_client.pull()
        assert refused.value.code == "unknown_team"
        assert set(client.live()) == {"mine"}


async def test_a_pull_reports_the_commands_that_it_made_inapplicable(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    await client.sync_client.pull()
    client.record(name="pattern 001")
    client.record(name="mine")
    await fill(server, tmp_path / "author", 3)
    report = await client.restarted().pull()
    assert report.drafts == 1
    assert client.states() == ["refused", "pending"]
    assert client.live() == {**server.live(), "mine": {"name": "mine"}}
