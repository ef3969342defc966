"""Why a process does not start, when the reason is one that its operator can act on."""

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from runtime.log_setup import LogNotUsable
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured, StartupFailure, Unreachable

_NO_SUCH_DATABASE = (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError)
_NOT_THERE = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError, OSError)


def failure_of(error: Exception, settings: Settings) -> StartupFailure | None:
    """The failure that an error amounts to; None for a bug, whose traceback is wanted."""
    match error:
        case StartupFailure():
            return error
        case LogNotUsable():
            return Misconfigured(str(error))
        case KafkaError():
            return Unreachable(f"Kafka at {settings.kafka_bootstrap} does not answer: {_said(error)}")
        case DBAPIError(orig=BaseException(__cause__=cause)):
            return _of_postgres(cause, settings)
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | OSError():
            # Sockets and files of our own are explained where they are opened: this is the driver.
            return _of_postgres(error, settings)
        case _:
            return None


def _of_postgres(cause: BaseException | None, settings: Settings) -> StartupFailure | None:
    url = make_url(settings.latest().postgres_dsn.get_secret_value())
    place = f"Postgres at {url.host}:{url.port or 5432}, database {url.database}"
    if isinstance(cause, _NO_SUCH_DATABASE):
        return Misconfigured(f"{place}: {_said(cause)}")
    if isinstance(cause, _NOT_THERE):
        return Unreachable(f"{place} does not answer: {_said(cause)}")
    return None


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
