"""The HTTP API answers as its document says, whatever is sent to it: made up by Schemathesis."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from devstack.services import Services as ServiceProcesses
from runtime.settings import Settings
from tests.accounts import CHEAPEST
from tests.command_client import new_id
from tests.contracts.callers import ENDINGS, Person, credentials, library, log_in, organization, register
from tests.databases import fresh_database, settings_for, variables_of
from tests.services import Services
from tools.generate_openapi import document

Case = schemathesis.Case[Any]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SOON = {"Prefer": "wait=1"}
REPEATABLE = settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""The same examples in every run, and few enough for all routes in a minute and a half."""
# What each route is told wrong is made up systematically, and the rest of it at random.
PHASES = {"coverage": {"unexpected-methods": []}, "examples": {"enabled": True}}
GOOD = {"phases": {"coverage": {"enabled": False}}, "generation": {"mode": "positive"}, "seed": 6}

contract = document()
anything = schemathesis.openapi.from_dict(
    contract, config=SchemathesisConfig.from_dict({"phases": PHASES, "seed": 6})
)
good = schemathesis.openapi.from_dict(contract, config=SchemathesisConfig.from_dict(GOOD))


@schemathesis.serializer("application/x-ndjson")
def as_it_is(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
async def own_settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        yield settings_for(services, dsn)


@pytest.fixture(scope="module")
def url(own_settings: Settings) -> Iterator[str]:
    """Where a gateway listens, with a decider and a projector behind it."""
    variables = {
        f"PATTERNLOG_{name.upper()}": str(value) for name, value in variables_of(own_settings).items()
    }
    with ServiceProcesses({**variables, "PATTERNLOG_BCRYPT_COST": str(CHEAPEST)}) as started:
        started.set_up()
        started.start("gateway", "decider", "projector")
        yield started.url("gateway")


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def ada(http: httpx.Client) -> Person:
    """Who asks, and stays logged in."""
    return register(http, "ada")


@pytest.fixture(scope="module")
def guest(http: httpx.Client) -> Person:
    """Who asks for what ends sessions."""
    return register(http, "guest")


@pytest.fixture(scope="module")
def known(url: str, ada: Person) -> dict[str, str]:
    """Ids of what is there, and ada's."""
    headers = {"Authorization": ada.authorization, "Prefer": "wait=30"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        return {
            **library(client),
            **credentials(client, ada.username),
            "organization_id": organization(client),
        }


@pytest.fixture(scope="module")
def check(http: httpx.Client, url: str, ada: Person, guest: Person) -> Callable[[Case], None]:
    """Sends a case as somebody whom it may log out, and looks at the answer."""

    def checked(case: Case) -> None:
        operation = case.operation.definition.raw
        headers = dict(SOON)
        if operation["operationId"] in ENDINGS:
            headers["Authorization"] = f"Bearer {log_in(http, guest.username)['access_token']}"
        elif operation.get("security"):
            headers["Authorization"] = ada.authorization
        response = case.call(base_url=url, headers=headers)
        case.validate_response(response, checks=CHECKS)

    return checked


@anything.parametrize()
@REPEATABLE
def test_every_answer_is_one_that_is_documented(case: Case, check: Callable[[Case], None]) -> None:
    check(case)


@good.include(path_regex="^/api/").parametrize()
@REPEATABLE
def test_what_is_asked_of_what_is_there_is_answered_as_documented(
    case: Case, check: Callable[[Case], None], known: dict[str, str]
) -> None:
    case.path_parameters = {name: known[name] for name in case.path_parameters}
    for name in {"import_id", "batch_id"} & set(case.query):
        case.query[name] = new_id()
    check(case)


def test_nobody_was_logged_out_meanwhile(http: httpx.Client, ada: Person) -> None:
    told = http.get("/api/v1/auth/me", headers={"Authorization": ada.authorization})
    assert told.json()["username"] == ada.username
