"""A pool of Postgres connections that follows its DSN when that is rotated."""

from collections.abc import Mapping
from typing import Any

from asyncpg import InvalidAuthorizationSpecificationError
from pydantic import SecretStr
from sqlalchemy import Engine, event, make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from runtime.settings import Settings

_MADE_UNDER = "dsn in force"


def follow_rotation(engine: Engine, settings: Settings, options: Mapping[str, Any]) -> None:
    """Connect with the DSN in force.

    A connection from before a rotation is replaced when it is next asked for; whoever is using it goes on.
    """
    rotation = _Rotation(settings, options)
    event.listen(engine, "do_connect", rotation.connect)
    event.listen(engine.pool, "checkout", rotation.check)


class _Rotation:
    def __init__(self, settings: Settings, options: Mapping[str, Any]) -> None:
        self._settings = settings
        self._options = options
        self._good = settings.postgres_dsn

    def connect(
        self, dialect: Dialect, entry: ConnectionPoolEntry | None, _arguments: object, _options: object
    ) -> DBAPIConnection:
        newest = self._settings.latest().postgres_dsn
        try:
            connection = self._connected(dialect, newest)
            self._good = newest
        except Exception as error:
            # A secret and its role do not change in one instant: until both have, the one before is good.
            if newest == self._good or not _is_refused(error):
                raise
            connection = self._connected_by_either(dialect, newest)
        if entry is not None:
            entry.info[_MADE_UNDER] = newest
        return connection

    def _connected_by_either(self, dialect: Dialect, newest: SecretStr) -> DBAPIConnection:
        try:
            return self._connected(dialect, self._good)
        except Exception as error:
            if not _is_refused(error):
                raise
            # The role has changed since the newest was refused.
            connection = self._connected(dialect, newest)
            self._good = newest
            return connection

    def check(self, _connection: object, entry: ConnectionPoolEntry, _proxy: object) -> None:
        if entry.info.get(_MADE_UNDER) != self._settings.latest().postgres_dsn:
            raise DisconnectionError("made before the DSN was rotated")

    def _connected(self, dialect: Dialect, dsn: SecretStr) -> DBAPIConnection:
        url = make_url(dsn.get_secret_value()).set(drivername="postgresql+asyncpg")
        arguments, options = dialect.create_connect_args(url)
        return dialect.connect(*arguments, **{**options, **self._options})


def _is_refused(error: Exception) -> bool:
    """Whether Postgres does not take user and password; SQLAlchemy wraps what the driver says."""
    return any(isinstance(one, InvalidAuthorizationSpecificationError) for one in (error, error.__cause__))
