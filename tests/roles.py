"""A role of Postgres that needs its password, also where everybody else is trusted."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy import make_url


@dataclass(frozen=True)
class Role:
    """The role, by a connection of the owner's."""

    owner: asyncpg.Connection
    name: str

    async def set_password(self, password: str) -> None:
        await self.owner.execute(f"ALTER ROLE \"{self.name}\" PASSWORD '{password}'")

    async def oldest_connection_age_s(self) -> float:
        """Seconds since the role's oldest connection to this database was made; 0 without one."""
        age = await self.owner.fetchval(
            "SELECT max(extract(epoch FROM clock_timestamp() - backend_start)) FROM pg_stat_activity"
            " WHERE usename = $1 AND datname = current_database()",
            self.name,
        )
        return float(age or 0)


def dsn_of(dsn: str, user: str, password: str) -> str:
    """The database under another name."""
    return make_url(dsn).set(username=user, password=password).render_as_string(hide_password=False)


@asynccontextmanager
async def role_with_password(dsn: str, password: str) -> AsyncIterator[Role]:
    """A role that may do everything; gone at the end with what it is connected to."""
    owner = await asyncpg.connect(dsn)
    name = f"rotating_{secrets.token_hex(6)}"
    hba = await owner.fetchval("SELECT pg_read_file(current_setting('hba_file'))")
    try:
        await owner.execute(f"CREATE ROLE \"{name}\" SUPERUSER LOGIN PASSWORD '{password}'")
        await _write_hba(owner, f'host all "{name}" all scram-sha-256\n{hba}')
        yield Role(owner, name)
    finally:
        await _write_hba(owner, hba)
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", name)
        await owner.execute(f'DROP ROLE IF EXISTS "{name}"')
        await owner.close()


async def _write_hba(owner: asyncpg.Connection, text: str) -> None:
    # The server writes it: it may be another user's, or in a container. A line is a row there.
    path = await owner.fetchval("SELECT current_setting('hba_file')")
    lines = ", ".join("(" + literal(line) + ")" for line in text.splitlines())
    # Not as CSV: that quotes an empty line, which ends the server at its next start.
    await owner.execute(f"COPY (VALUES {lines}) TO {literal(path)} (FORMAT text)")
    wrong = await owner.fetchval("SELECT string_agg(error, '; ') FROM pg_hba_file_rules")
    assert wrong is None, wrong
    await owner.execute("SELECT pg_reload_conf()")


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
