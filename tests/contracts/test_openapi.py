"""The HTTP API answers as its document says, whatever is sent to it: made up by Schemathesis."""

import uuid
from collections.abc import AsyncIterator, Iterator
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
from tests.command_client import create_team, edit, new_id, record_pattern
from tests.databases import fresh_database, settings_for, variables_of
from tests.services import Services
from tests.tokens import bearer
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
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""The same examples in every run, and few enough for all routes in a minute."""
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
    with ServiceProcesses(variables) as started:
        started.set_up()
        started.start("gateway", "decider", "projector")
        yield started.url("gateway")


@pytest.fixture(scope="module")
def known(url: str) -> dict[str, str]:
    """Ids of what is there: a team, a pattern, a command, and a conflict."""
    team, pattern, many = (
        str(uuid.uuid4()),
        record_pattern(severity="low"),
        [record_pattern() for _ in range(5)],
    )
    held_up = edit(pattern, 1, severity="critical")
    commands = [create_team(), pattern, *many, edit(pattern, 1, severity="high"), held_up]
    path = f"{url}/api/v1/teams/{team}"
    with httpx.Client(headers={"Authorization": bearer("ada"), "Prefer": "wait=30"}, timeout=60) as client:
        answer = client.post(f"{path}/commands", json={"commands": commands}).json()
        cursor = answer["outcomes"][-1]["cursor"]
        assert answer["outcomes"][-1]["status"] == "conflict"
        assert client.get(f"{path}/patterns", params={"at_least": cursor, "timeout": 30}).status_code == 200
    return {
        "team_id": team,
        "pattern_id": pattern["pattern_id"],
        "command_id": pattern["command_id"],
        "conflict_id": held_up["command_id"],
    }


def check(case: Case, url: str) -> None:
    response = case.call(base_url=url, headers={"Authorization": bearer("ada"), **SOON})
    case.validate_response(response, checks=CHECKS)


@anything.parametrize()
@REPEATABLE
def test_every_answer_is_one_that_is_documented(case: Case, url: str) -> None:
    check(case, url)


@good.include(path_regex="^/api/").parametrize()
@REPEATABLE
def test_what_is_asked_of_a_library_that_is_there_is_answered_as_documented(
    case: Case, url: str, known: dict[str, str]
) -> None:
    case.path_parameters = {name: known[name] for name in case.path_parameters}
    if "import_id" in case.query:
        case.query["import_id"] = new_id()
    check(case, url)
