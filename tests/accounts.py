"""Accounts on a database of their own, and what their mails say."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.account_chores import AccountChores
from identity.accounts import Account, Accounts
from identity.mail.port import Mail, MailSender
from identity.mail.postman import Postman
from identity.password_changes import PasswordChanges
from identity.passwords import PasswordPool
from identity.schema.tables import metadata
from runtime.health import Health
from runtime.postgres import create_engine, driver
from runtime.settings import Settings
from tests.databases import fresh_database, settings_for
from tests.services import Services

PASSWORD = "a brass teapot sings"
OTHER_PASSWORD = "an iron kettle hums"
HOME = "192.0.2.1"
ELSEWHERE = "198.51.100.7"
CHEAPEST = 4
"""The least that bcrypt can cost."""


@dataclass
class Endings:
    """What was asked of the port that ends sessions; it fails as long as `broken`."""

    asked: list[tuple[str, str | None]] = field(default_factory=list)
    broken: bool = False

    async def __call__(self, user_id: str, *, but: str | None = None) -> None:
        if self.broken:
            raise OSError("away")
        self.asked.append((user_id, but))


@dataclass
class Letterbox:
    """Takes every mail; fails with `errors` first."""

    mails: list[Mail] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.mails.append(mail)

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.to == address]


def token_in(mail: Mail) -> str:
    """The token of a mail's link."""
    found = re.search(r"#token=([A-Za-z0-9_-]{43})\n", mail.text)
    assert found is not None
    return found[1]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything about accounts, on one database."""

    settings: Settings
    engine: AsyncEngine
    passwords: PasswordPool
    accounts: Accounts
    changes: PasswordChanges
    endings: Endings
    letterbox: Letterbox

    async def register(self, username: str = "ada", email: str = "ada@example.org") -> Account:
        return await self.accounts.register(username, email, PASSWORD, HOME)

    def postman(self, sender: MailSender | None = None) -> Postman:
        return Postman(self.engine, sender or self.letterbox, self.settings, Health())

    def chores(self) -> AccountChores:
        return AccountChores(self.engine, self.endings, self.postman())

    async def deliver(self) -> None:
        postman = self.postman()
        while await postman.deliver_one():
            pass

    async def verified(self, username: str = "ada", email: str = "ada@example.org") -> Account:
        """An account that has verified its address."""
        account = await self.register(username, email)
        await self.deliver()
        await self.accounts.verify_email(token_in(self.letterbox.to(account.email)[-1]))
        return account

    async def reset_token(self, email: str = "ada@example.org") -> str:
        await self.changes.forgotten(email)
        await self.deliver()
        return token_in(self.letterbox.to(email)[-1])

    async def rows(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        async with driver(self.engine) as pg:
            rows: list[asyncpg.Record] = await pg.fetch(statement, *arguments)
            return rows


def cheap_pool(**changes: int) -> PasswordPool:
    """A pool that does not take long."""
    return PasswordPool(**{"cost": CHEAPEST, "processes": 1, "most": 64} | changes)


@asynccontextmanager
async def open_desk(services: Services, passwords: PasswordPool) -> AsyncIterator[Desk]:
    """Accounts on a fresh database."""
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn).model_copy(update={"bcrypt_cost": CHEAPEST})
        engine = create_engine(settings, "test")
        async with engine.begin() as connection:
            await connection.execute(text("CREATE SCHEMA identity"))
            await connection.run_sync(metadata.create_all)
        endings = Endings()
        yield Desk(
            settings=settings,
            engine=engine,
            passwords=passwords,
            accounts=Accounts(engine, passwords, endings),
            changes=PasswordChanges(engine, passwords, endings),
            endings=endings,
            letterbox=Letterbox(),
        )
        await engine.dispose()
