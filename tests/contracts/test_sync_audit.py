"""What clients and auditors rely on of a server's tree heads and proofs, and of the one in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidence.auditing import Auditor, Report
from evidence.head_book import Trust
from evidence.merkle import is_consistent
from evidence.tree_heads import SignedTreeHead, open_head
from server.setup import set_up
from sync_client.audit_download import AuditDownload
from sync_client.audit_files import head_lines, log_lines
from sync_client.http_transport import Endpoint, http_transport
from sync_client.progress import Silent
from sync_client.retrying import Patience
from sync_client.session_auth import BearerToken
from sync_client.wire import read_cursor
from tests.databases import fresh_database, settings_for
from tests.everything import everything
from tests.notarizing import SIGNING
from tests.services import Services
from tests.sync_fakes.audited import SIGNER
from tests.sync_fakes.http_server import TOKEN, served
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.teams import Team, created, team_at
from tests.sync_fakes.transport import FakeTransport


async def head_of(team: Team, size: int) -> SignedTreeHead:
    """The newest head, when it is of a size, by the keys that the server names."""
    keys = (await team.transport.server_keys()).keys
    while True:
        note = await team.transport.tree_head()
        if note is not None and (found := open_head(note, keys)).head.size >= size:
            return found


class AuditContract:
    """What every transport to a server with a signing key keeps to."""

    async def test_heads_are_signed_and_each_goes_on_from_the_one_before(self, team: Team) -> None:
        _, first = await team.record(name="n")
        old = (await head_of(team, first.sequence)).head
        _, second = await team.record(name="m")
        new = (await head_of(team, second.sequence)).head
        assert (old.size, new.size, new.origin) == (first.sequence, second.sequence, old.origin)
        log_id = read_cursor(first.cursor).log_id
        assert old.origin.split("/")[-2:] == [log_id, team.team_id]
        path = await team.transport.consistency(old.size, new.size)
        assert path is not None
        assert is_consistent(old=old.size, new=new.size, old_root=old.root, new_root=new.root, path=path)
        assert await team.transport.consistency(0, new.size) == []

    async def test_a_proof_beyond_the_tree_is_refused(self, team: Team) -> None:
        _, answer = await team.record(name="n")
        await head_of(team, answer.sequence)
        assert await team.transport.consistency(1, 1_000_000) is None


class HttpAuditContract(AuditContract):
    """What auditors use over a network."""

    @pytest.mark.parametrize("first", [1, 3])
    async def test_a_log_that_was_downloaded_is_whole_by_the_heads_that_were(
        self, team: Team, tmp_path: Path, first: int
    ) -> None:
        for name in ("a", "b", "ü", "d"):
            _, answer = await team.record(name=name, data={"x": [0.5, None], "é": "\u2028"})
            await head_of(team, answer.sequence)
        report = await self.download(team, tmp_path, first)
        assert report.findings == []
        assert (report.first, report.last, report.signed_to) == (first, 5, 5)

    async def download(self, team: Team, folder: Path, first: int) -> Report:
        endpoint = Endpoint(server=team.url, team_id=team.team_id, auth=BearerToken(TOKEN))
        async with http_transport(endpoint) as transport:
            found = await AuditDownload(folder, transport, Patience(), Silent()).run(first)
            trust = Trust(keys=(await transport.server_keys()).keys)
        auditor = Auditor(head_lines(found.heads), trust)
        for line in log_lines(found.log):
            auditor.feed(line)
        return auditor.finish()


def fake_server() -> FakeServer:
    server = FakeServer.without_team()
    server.log.signers = [SIGNER]
    return server


class TestInMemory(AuditContract):
    """The fake that the client's tests run on."""

    @pytest.fixture
    async def team(self) -> Team:
        fake = fake_server()
        return await created(Team(transport=FakeTransport(fake), team_id=fake.team_id))


class TestTheFakeOverHttp(HttpAuditContract):
    """The same behind a socket."""

    @pytest.fixture
    async def team(self) -> AsyncIterator[Team]:
        with served(fake_server()) as fake:
            async with team_at(fake.url) as team:
                yield team


@pytest.fixture(scope="module")
async def server_url(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn).model_copy(update=SIGNING)
        await set_up(settings)
        async with everything(settings, tmp_path_factory.mktemp("server")) as all_:
            yield str(all_.client.base_url)


@pytest.mark.integration
class TestTheServer(HttpAuditContract):
    """The whole backend with a notary, a new team for each test."""

    @pytest.fixture
    async def team(self, server_url: str) -> AsyncIterator[Team]:
        async with team_at(server_url) as team:
            yield team
