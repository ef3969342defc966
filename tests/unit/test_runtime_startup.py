"""A failure at start that an operator can act on is told apart from a bug."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from runtime.log_setup import LogNotUsable
from runtime.startup import failure_of
from runtime.startup_failures import Misconfigured, StartupFailure, Unreachable
from tests.web import development

SETTINGS = development(postgres_dsn=SecretStr("postgresql://app:hunter2@db/lib"), kafka_bootstrap="kafka:9")


def wrapped(cause: Exception) -> DBAPIError:
    """The error as SQLAlchemy's asyncpg dialect raises it."""
    original = RuntimeError(str(cause))
    original.__cause__ = cause
    return DBAPIError("SELECT secret", {}, original)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (Misconfigured("as it is"), Misconfigured, "as it is"),
        (LogNotUsable("run setup"), Misconfigured, "run setup"),
        (KafkaConnectionError("no broker"), Unreachable, "Kafka at kafka:9 does not answer"),
        (ConnectionRefusedError("refused"), Unreachable, "Postgres at db:5432, database lib does not answer"),
        (TimeoutError(), Unreachable, "does not answer: TimeoutError"),
        (wrapped(asyncpg.CannotConnectNowError("starting up")), Unreachable, "starting up"),
        (wrapped(asyncpg.InterfaceError("closed")), Unreachable, "closed"),
        (asyncpg.ConnectionDoesNotExistError("cut"), Unreachable, "cut"),
        (wrapped(asyncpg.InvalidCatalogNameError("no database")), Misconfigured, "no database"),
        (wrapped(asyncpg.InvalidPasswordError("denied")), Misconfigured, "denied"),
    ],
)
def test_it_says_what_to_act_on_and_no_secret(
    error: Exception, kind: type[StartupFailure], says: str
) -> None:
    failure = failure_of(error, SETTINGS)
    assert type(failure) is kind
    assert says in str(failure)
    assert "hunter2" not in str(failure)
    assert "\n" not in str(failure)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bug"),
        AssertionError(),
        asyncpg.UndefinedTableError("no table"),
        wrapped(asyncpg.UndefinedTableError("no table")),
    ],
)
def test_a_bug_is_no_failure_to_explain(error: Exception) -> None:
    assert failure_of(error, SETTINGS) is None


def test_what_starting_again_cannot_cure_has_another_exit_code() -> None:
    assert (Misconfigured.exit_code, Unreachable.exit_code) == (2, 1)
