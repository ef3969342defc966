"""What the client's sessions rely on, of the server and of the one in memory that stands for it."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.setup import set_up
from sync_client.api import Api
from sync_client.credentials import Account, Credentials
from sync_client.errors import NeedsSignIn, RequestRefused
from sync_client.http_transport import http_client
from sync_client.session_auth import SessionAuth
from tests.databases import fresh_database, settings_for
from tests.everything import everything
from tests.services import Services
from tests.sync_fakes.http_server import served
from tests.sync_fakes.server import FakeServer

PASSWORD = "seven unlikely words, none of them mine"


class SessionContract:
    """What every server keeps to."""

    async def test_who_registers_can_sign_in_and_is_known(self, url: str, tmp_path: Path) -> None:
        credentials, account = await signed_in(url, tmp_path)
        async with http_client(SessionAuth(credentials, account)) as client:
            me = await Api(client, url, url).get("auth/me")
        assert (me["username"], me["user_id"]) == (account.username, account.user_id)

    async def test_a_name_is_given_once_and_a_wrong_password_is_refused(
        self, url: str, tmp_path: Path
    ) -> None:
        _, account = await signed_in(url, tmp_path)
        async with http_client(None) as client:
            api = Api(client, url, url)
            with pytest.raises(RequestRefused) as taken:
                await api.post("auth/register", registration(account.username))
            with pytest.raises(NeedsSignIn) as wrong:
                await api.log_in(account.username, "something else entirely", "d", None)
        assert (taken.value.code, wrong.value.code) == ("username_taken", "invalid_credentials")

    async def test_a_session_is_renewed_and_its_old_refresh_token_is_replaced(
        self, url: str, tmp_path: Path
    ) -> None:
        credentials, account = await signed_in(url, tmp_path)
        old = replace(account, obtained_at=account.obtained_at - 10_000)
        credentials.sign_in(old)
        async with http_client(SessionAuth(credentials, old)) as client:
            await Api(client, url, url).get("auth/me")
        renewed = credentials.find(url)
        assert renewed.user_id == account.user_id
        assert renewed.refresh_token != account.refresh_token

    async def test_a_session_that_was_ended_asks_for_a_sign_in(self, url: str, tmp_path: Path) -> None:
        credentials, account = await signed_in(url, tmp_path)
        async with http_client(SessionAuth(credentials, account)) as client:
            api = Api(client, url, url)
            await api.post("auth/logout", {})
            with pytest.raises(NeedsSignIn) as over:
                await api.get("auth/sessions")
        assert over.value.code == "token_revoked"

    async def test_a_refresh_token_that_nobody_has_asks_for_a_sign_in(self, url: str, tmp_path: Path) -> None:
        credentials, account = await signed_in(url, tmp_path)
        stranger = replace(account, refresh_token="x" * 43, obtained_at=1.0)
        credentials.sign_in(stranger)
        async with http_client(SessionAuth(credentials, stranger)) as client:
            with pytest.raises(NeedsSignIn) as refused:
                await Api(client, url, url).get("auth/me")
        assert refused.value.code == "unauthenticated"


def registration(username: str) -> dict[str, str]:
    return {"username": username, "email": f"{username}@example.org", "password": PASSWORD}


async def signed_in(url: str, folder: Path) -> tuple[Credentials, Account]:
    username = f"u{uuid.uuid4().hex[:12]}"
    async with http_client(None) as client:
        api = Api(client, url, url)
        await api.post("auth/register", registration(username))
        found = await api.log_in(username, PASSWORD, "a test", None)
    credentials = Credentials(folder / "credentials.json")
    credentials.sign_in(found.account, found.known_device)
    return credentials, found.account


class TestTheFake(SessionContract):
    """The fake behind a socket."""

    @pytest.fixture
    def url(self) -> Iterator[str]:
        with served(FakeServer()) as fake:
            yield fake.url


@pytest.fixture(scope="module")
async def server_url(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        async with everything(settings, tmp_path_factory.mktemp("server")) as all_:
            yield str(all_.client.base_url)


@pytest.mark.integration
class TestTheServer(SessionContract):
    """The whole backend behind one base URL."""

    @pytest.fixture
    def url(self, server_url: str) -> str:
        return server_url
