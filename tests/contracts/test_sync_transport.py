"""What the sync client relies on, of the server and of the one in memory that stands for it."""

import uuid
from collections.abc import AsyncIterator

import pytest

from events.cursor import Cursor
from server.setup import set_up
from sync_client.errors import BatchRefused, LogChanged, NeedsSignIn, RequestRefused
from sync_client.http_transport import Endpoint, http_transport
from sync_client.session_auth import BearerToken
from sync_client.wire import Accepted, PatternItem, Rejected
from tests.commands import command_id
from tests.contracts.sync_conflicts import ConflictContract
from tests.databases import fresh_database, settings_for
from tests.everything import everything
from tests.services import Services
from tests.sync_fakes.http_server import TOKEN, served
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.teams import Team, created, editing, recording, team_at
from tests.sync_fakes.transport import FakeTransport


class TransportContract(ConflictContract):
    """What every transport keeps to."""

    async def test_every_command_of_a_batch_gets_its_answer(self, team: Team) -> None:
        commands = [recording(str(uuid.uuid4()), name=f"n{index}") for index in range(3)]
        answers = await team.submit(*commands)
        assert [answer.command_id for answer in answers] == [one["command_id"] for one in commands]
        accepted = [answer for answer in answers if isinstance(answer, Accepted)]
        assert [answer.version for answer in accepted] == [1, 1, 1]
        assert [answer.sequence for answer in accepted] == [2, 3, 4]

    async def test_a_command_sent_again_gets_its_first_outcome_and_is_applied_once(self, team: Team) -> None:
        command = recording(str(uuid.uuid4()), name="n")
        (first,) = await team.submit(command)
        (second,) = await team.submit(command)
        assert first == second
        assert isinstance(second, Accepted)
        changes, _ = await team.all_changes(at_least=second.cursor, limit=10)
        assert len(changes) == 1

    async def test_an_id_with_another_body_is_refused(self, team: Team) -> None:
        command = recording(str(uuid.uuid4()), name="n")
        await team.submit(command)
        (answer,) = await team.submit({**command, "fields": {"name": "other"}})
        assert isinstance(answer, Rejected)
        assert answer.code == "command_id_reused"

    async def test_a_refusal_says_why_and_holds_up_nothing(self, team: Team) -> None:
        await team.record(name="n")
        refused, accepted = await team.submit(
            recording(str(uuid.uuid4()), name="n"), recording(str(uuid.uuid4()), name="m")
        )
        assert isinstance(refused, Rejected)
        assert (refused.code, bool(refused.detail)) == ("name_taken", True)
        assert isinstance(accepted, Accepted)

    async def test_a_malformed_command_is_named_and_nothing_of_its_batch_is_taken(self, team: Team) -> None:
        commands = [
            recording(str(uuid.uuid4()), name="n"),
            recording(str(uuid.uuid4()), name="m", severity="huge"),
        ]
        with pytest.raises(BatchRefused) as refused:
            await team.submit(*commands)
        assert (refused.value.code, refused.value.index) == ("invalid_field", 1)
        assert await team.transport.look_up(commands[0]["command_id"]) is None

    async def test_what_became_of_a_command_can_be_asked(self, team: Team) -> None:
        command = recording(str(uuid.uuid4()), name="n")
        (answer,) = await team.submit(command)
        assert isinstance(answer, Accepted)
        await team.transport.changes(None, at_least=answer.cursor, limit=1)
        found = None
        while found is None or found.status == "pending":
            found = await team.transport.look_up(command["command_id"])
        assert found == answer
        assert await team.transport.look_up(command_id()) is None

    async def test_changes_come_in_pages_in_order_each_pattern_once(self, team: Team) -> None:
        ids = [(await team.record(name=f"n{index}", x=[index, {"é": 0.5}]))[0] for index in range(5)]
        (last,) = await team.submit(editing(ids[0], 1, x="moved to the end"))
        assert isinstance(last, Accepted)
        changes, pages = await team.all_changes(at_least=last.cursor, limit=2)
        assert [change.pattern_id for change in changes] == [*ids[1:], ids[0]]
        assert pages == 3
        items = [change for change in changes if isinstance(change, PatternItem)]
        assert items[0].fields == {"name": "n1", "x": [1, {"é": 0.5}]}
        assert (items[-1].version, items[-1].sequence) == (2, last.sequence)

    async def test_a_cursor_leads_to_what_came_after_it(self, team: Team) -> None:
        _, first = await team.record(name="n")
        page = await team.transport.changes(None, at_least=first.cursor, limit=10)
        assert str(page.cursor) == first.cursor
        nothing = await team.transport.changes(str(page.cursor), at_least=None, limit=10)
        assert (nothing.changes, nothing.has_more, nothing.cursor) == ([], False, page.cursor)
        later, second = await team.record(name="m")
        more = await team.transport.changes(str(page.cursor), at_least=second.cursor, limit=10)
        assert [change.pattern_id for change in more.changes] == [later]

    async def test_archived_patterns_and_tombstones_are_changes(self, team: Team) -> None:
        pattern_id, _ = await team.record(name="n")
        for kind, status in (("archive_pattern", "archived"), ("delete_pattern", "deleted")):
            (answer,) = await team.submit(
                {"command_id": command_id(), "type": kind, "pattern_id": pattern_id}
            )
            assert isinstance(answer, Accepted)
            changes, _ = await team.all_changes(at_least=answer.cursor, limit=10)
            assert [(change.status, change.version) for change in changes] == [(status, answer.version)]

    async def test_a_cursor_of_another_log_says_that_the_log_changed(self, team: Team) -> None:
        _, answer = await team.record(name="n")
        await team.transport.changes(None, at_least=answer.cursor, limit=1)
        stranger = Cursor(log_id=str(uuid.uuid4()), team_id=team.team_id, sequence=1)
        with pytest.raises(LogChanged):
            await team.transport.changes(str(stranger), at_least=None, limit=10)

    @pytest.mark.parametrize("kind", ["another team's", "none"])
    async def test_a_cursor_that_is_not_of_this_team_is_refused(self, team: Team, kind: str) -> None:
        stranger = Cursor(log_id=str(uuid.uuid4()), team_id=str(uuid.uuid4()), sequence=1)
        with pytest.raises(RequestRefused) as refused:
            await team.transport.changes("x" if kind == "none" else str(stranger), at_least=None, limit=10)
        assert refused.value.code == ("bad_cursor" if kind == "none" else "cursor_of_another_team")


class HttpContract(TransportContract):
    """What can be told over a network only."""

    async def test_a_token_that_the_server_does_not_take_needs_a_sign_in(self, team: Team) -> None:
        endpoint = Endpoint(server=team.url, team_id=team.team_id, auth=BearerToken("nobody"))
        async with http_transport(endpoint) as transport:
            calls = (
                transport.send([recording(str(uuid.uuid4()), name="n")]),
                transport.look_up(command_id()),
                transport.changes(None, at_least=None, limit=1),
            )
            for call in calls:
                with pytest.raises(NeedsSignIn):
                    await call

    async def test_a_team_that_nobody_created_has_no_changes_and_takes_no_patterns(self, team: Team) -> None:
        endpoint = Endpoint(server=team.url, team_id=str(uuid.uuid4()), auth=BearerToken(TOKEN))
        async with http_transport(endpoint) as transport:
            with pytest.raises(RequestRefused):
                await transport.changes(None, at_least=None, limit=1)


class TestInMemory(TransportContract):
    """The fake that the client's tests run on."""

    @pytest.fixture
    async def team(self) -> Team:
        fake = FakeServer.without_team()
        return await created(Team(transport=FakeTransport(fake), team_id=fake.team_id))


class TestTheFakeOverHttp(HttpContract):
    """The same behind a socket."""

    @pytest.fixture
    async def team(self) -> AsyncIterator[Team]:
        with served(FakeServer.without_team()) as fake:
            async with team_at(fake.url) as team:
                yield team


@pytest.fixture(scope="module")
async def server_url(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        async with everything(settings, tmp_path_factory.mktemp("server")) as all_:
            yield str(all_.client.base_url)


@pytest.mark.integration
class TestTheServer(HttpContract):
    """The whole backend behind one base URL, a new team for each test."""

    @pytest.fixture
    async def team(self, server_url: str) -> AsyncIterator[Team]:
        async with team_at(server_url) as team:
            yield team
