"""Every route and every type of command stands in the table of rights, so that a new one has to be placed."""

from typing import get_args

import pytest
from fastapi.routing import iter_route_contexts

from command_api.decisions.commands import Command
from command_api.offered import OFFERED, SYSTEM_ONLY
from runtime.rate_limits.budgets import Allowances
from server.apps import app_of
from server.process import Process
from tests.command_rights import EXAMPLES, TAKES, Takes
from tests.rights_table import PUBLIC_PATHS, ROUTES, Key, Needs
from tests.web import development


def routes_of(process: Process) -> set[Key]:
    """Methods and paths; HEAD is GET without its body."""
    contexts = iter_route_contexts(app_of(process, development()).routes)
    return {
        (method, context.path)
        for context in contexts
        if context.path is not None
        for method in (context.methods or ())
        if method != "HEAD"
    }


def test_every_route_stands_in_the_table() -> None:
    assert routes_of(Process.GATEWAY) == ROUTES.keys()


@pytest.mark.parametrize("process", [one for one in Process if one not in (Process.ALL, Process.GATEWAY)])
def test_no_other_process_has_a_route_of_its_own(process: Process) -> None:
    assert routes_of(process) <= ROUTES.keys()


def test_what_is_for_everybody_is_little() -> None:
    public = {path for (_, path), route in ROUTES.items() if route.needs is Needs.NOTHING}
    auth = {"register", "login", "refresh", "password/forgotten", "password/reset", "email/verify"}
    assert public == {*PUBLIC_PATHS, *(f"/api/v1/auth/{name}" for name in auth)}


@pytest.mark.parametrize(
    "path",
    [path for (method, path), one in ROUTES.items() if method == "POST" and one.needs is Needs.NOTHING],
)
def test_what_anybody_may_post_is_limited_by_address(path: str) -> None:
    scope = {"type": "http", "method": "POST", "path": path, "client": ("192.0.2.1", 1), "state": {}}
    (budget,) = Allowances.of(development()).budgets_of(scope)
    # A refresh token cannot be guessed.
    assert budget.name == ("anonymous-writes" if path.endswith("/refresh") else "login")


def test_every_type_of_command_stands_in_the_table() -> None:
    assert {kind.type for kind in get_args(Command)} == TAKES.keys()


def test_what_is_offered_has_an_example_and_what_the_service_sends_is_not_offered() -> None:
    assert {name: set(types) for name, types in OFFERED.items()} == {
        name: set(examples) for name, examples in EXAMPLES.items()
    }
    assert {kind for kind, takes in TAKES.items() if takes is Takes.SERVICE} == SYSTEM_ONLY
