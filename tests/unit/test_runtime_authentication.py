"""The actor comes from a development token, in development and nowhere else."""

import pytest

from runtime.authentication import create_authenticator
from runtime.problems import Problem
from runtime.settings import Environment
from runtime.startup_failures import Misconfigured
from tests.web import development


@pytest.mark.parametrize(
    ("header", "actor"),
    [
        ("Bearer dev-ada", "ada"),
        ("bearer dev-ada@example.org", "ada@example.org"),
        ("Bearer dev-" + "x" * 64, "x" * 64),
        ("Bearer dev-dev-a_b.c-9", "dev-a_b.c-9"),
    ],
)
def test_a_development_token_names_its_actor(header: str, actor: str) -> None:
    assert create_authenticator(development()).actor_of(header) == actor


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer dev-",
        "Bearer ada",
        "Basic dev-ada",
        "dev-ada",
        "Bearer dev-ada\n",
        "Bearer dev-ada extra",
        "Bearer dev-ädä",
        "Bearer dev-" + "x" * 65,
    ],
)
def test_anything_else_is_unauthenticated(header: str | None) -> None:
    with pytest.raises(Problem) as caught:
        create_authenticator(development()).actor_of(header)
    assert (caught.value.code, caught.value.status) == ("unauthenticated", 401)
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize("environment", sorted(set(Environment) - {Environment.DEVELOPMENT}))
def test_no_other_environment_takes_them(environment: Environment) -> None:
    with pytest.raises(Misconfigured, match="no authentication is configured"):
        create_authenticator(development(environment=environment))
