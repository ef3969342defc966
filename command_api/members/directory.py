"""Finding users by what people call them: usernames and verified e-mail addresses."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.postgres import driver

# A name without an at sign can only be a username, one with it only an address.
_USERS = """
SELECT u.username_key AS name, u.user_id::text FROM identity.users AS u
 WHERE u.username_key = ANY($1::text[]) AND u.deactivated_at IS NULL
UNION ALL
SELECT u.email_key, u.user_id::text FROM identity.users AS u
 WHERE u.email_key = ANY($1::text[]) AND u.email_verified_at IS NOT NULL AND u.deactivated_at IS NULL
"""


class Directory(Protocol):
    """Who has which name."""

    async def user_ids(self, names: Sequence[str]) -> Mapping[str, str]:
        """The ids of the users who have those names; nobody's are left out."""


class StoredDirectory:
    """Accounts as the tables of identity hold them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def user_ids(self, names: Sequence[str]) -> Mapping[str, str]:
        """The ids of the users who have those names; an address counts once it is verified."""
        keys = {name: _key(name) for name in names}
        async with driver(self._engine) as pg:
            found = {row["name"]: row["user_id"] for row in await pg.fetch(_USERS, list(keys.values()))}
        return {name: found[key] for name, key in keys.items() if key in found}


def _key(name: str) -> str:
    """What two names have in common if they are the same, as accounts keep it."""
    return unicodedata.normalize("NFC", name.strip()).lower()
