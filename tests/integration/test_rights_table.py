"""Every route and every type of command, asked by everybody with every credential.

What is asked comes from tests/rights_table.py, which tests/unit/test_rights_table.py holds to the routes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from command_api.decisions.commands import Batch
from command_api.offered import OFFERED, Collection
from events.roles import Role
from tests.command_rights import batch_of, command_of
from tests.command_rights import refusal as refusal_of_command
from tests.rights_table import ROUTES, STATUS, Key, Needs, Scope, Where, Who, refusal, role_in, scope_of
from tests.rights_world import Answer, World, world
from tests.services import Services

pytestmark = pytest.mark.timeout(300)
"""Three processes start and eight people register before the first of them."""
KEYS = sorted(ROUTES)
Make = Callable[[Collection, str], dict[str, Any]]
COMMANDS: list[tuple[Collection, str, Make]] = [
    (collection, kind, make)
    for collection, kinds in OFFERED.items()
    for kind in kinds
    for make in (command_of, batch_of)
    if (kind, make) != (Batch.type, batch_of)
]
"""Each type by itself, and as the one command of a batch."""
PLACES = {
    Scope.NONE: (Where.OWN,),
    Scope.ORGANIZATION: (Where.OWN, Where.FOREIGN),
    Scope.TEAM: tuple(Where),
}
CELLS = {scope: [(where, who) for where in places for who in Who] for scope, places in PLACES.items()}
"""The places that differ by what a path names, each with everybody."""


@pytest.fixture(scope="module")
async def everybody(services: Services) -> AsyncIterator[World]:
    async with world(services) as everybody:
        yield everybody


def outcome(answer: Answer) -> str | None:
    """The code of an answer that refuses somebody; None for one to somebody who was let through."""
    status, code = answer
    assert status < 500, answer
    assert status in (200, STATUS.get(code, status)), answer
    return code if code in STATUS else None


@pytest.mark.parametrize("key", KEYS, ids=" ".join)
async def test_each_role_gets_what_is_its_own(everybody: World, key: Key) -> None:
    route, scope = ROUTES[key], scope_of(key[1])
    asked = [
        everybody.ask(key, route, everybody.places[w], everybody.session(who)) for w, who in CELLS[scope]
    ]
    found = dict(zip(CELLS[scope], map(outcome, await asyncio.gather(*asked)), strict=True))
    if route.needs is Needs.NOTHING:
        assert len(set(found.values())) == 1
    else:
        assert found == {
            (where, who): refusal(scope, route.needs, role_in(scope, where, who))
            for where, who in CELLS[scope]
        }


@pytest.mark.parametrize("key", KEYS, ids=" ".join)
async def test_no_credential_and_no_bad_one_lets_anybody_in(everybody: World, key: Key) -> None:
    route, place = ROUTES[key], everybody.places[Where.OWN]
    given = {"none": (None, "unauthenticated"), **everybody.bad}
    answers = await asyncio.gather(*(everybody.ask(key, route, place, text) for text, _ in given.values()))
    found = dict(zip(given, map(outcome, answers), strict=True))
    if route.needs is Needs.NOTHING:
        assert len(set(found.values())) == 1
    else:
        assert found == {name: code for name, (_, code) in given.items()}


def of_a_key(key: Key, at_most: Role) -> str | None:
    """How a key of the organization's admin is refused in their own team."""
    needs, scope = ROUTES[key].needs, scope_of(key[1])
    if needs is Needs.SESSION:
        return "session_required"
    if needs is Needs.WHOLE:
        return None if at_most is Role.ADMIN else "forbidden"
    return refusal(scope, needs, role_in(scope, Where.OWN, Who.ORGANIZATION_ADMIN), at_most)


def of_a_key_for_another_team(key: Key) -> str | None:
    """How the same admin's key for their other team is refused in the own team."""
    needs = ROUTES[key].needs
    if needs is Needs.SESSION:
        return "session_required"
    narrow = needs in (Needs.WHOLE, Needs.NO_TEAM_KEY) or scope_of(key[1]) is not Scope.NONE
    return "forbidden" if narrow else None


@pytest.mark.parametrize("key", [k for k in KEYS if ROUTES[k].needs is not Needs.NOTHING], ids=" ".join)
async def test_a_key_is_good_for_what_it_was_made_for(everybody: World, key: Key) -> None:
    given = {role.value: text for role, text in everybody.narrowed.items()}
    given["other team"] = everybody.key_of_other_team
    place = everybody.places[Where.OWN]
    answers = await asyncio.gather(*(everybody.ask(key, ROUTES[key], place, text) for text in given.values()))
    found = dict(zip(given, map(outcome, answers), strict=True))
    wanted: dict[str, str | None] = {role: of_a_key(key, role) for role in everybody.narrowed}
    assert found == wanted | {"other team": of_a_key_for_another_team(key)}


@pytest.mark.parametrize("key", [k for k in KEYS if scope_of(k[1]) is Scope.TEAM], ids=" ".join)
async def test_a_key_for_a_team_is_good_there(everybody: World, key: Key) -> None:
    place = everybody.places[Where.OTHER]
    assert outcome(await everybody.ask(key, ROUTES[key], place, everybody.key_of_other_team)) is None


async def commanded(
    everybody: World, collection: Collection, where: Where, command: dict[str, Any], text: str
) -> str | None:
    """How the decider refuses a command."""
    place = everybody.places[where]
    one = place.team_id if collection is Collection.TEAMS else place.organization_id
    answer = await everybody.send(text, f"{collection}/{one}", command)
    assert answer.status_code != 202, answer.text
    if answer.is_success:
        return outcome((answer.status_code, ""))
    refused = answer.json()
    if refused["code"] != "batch_refused":
        return outcome((answer.status_code, refused["code"]))
    inner: str = refused["outcome"]["failed"]["code"]
    return inner if inner in STATUS else None


@pytest.mark.parametrize(("collection", "kind", "make"), COMMANDS)
async def test_each_command_is_decided_by_the_senders_role_and_credential(
    everybody: World, collection: Collection, kind: str, make: Make
) -> None:
    scope = Scope.TEAM if collection is Collection.TEAMS else Scope.ORGANIZATION
    wanted: dict[tuple[Where, str], str | None] = {}
    sent = []
    for where, who in CELLS[scope]:
        wanted[where, who] = refusal_of_command(collection, kind, role_in(scope, where, who))
        sent.append(commanded(everybody, collection, where, make(collection, kind), everybody.session(who)))
    for role, text in everybody.narrowed.items():
        own = role_in(scope, Where.OWN, Who.ORGANIZATION_ADMIN)
        wanted[Where.OWN, f"key:{role}"] = refusal_of_command(collection, kind, own, role)
        sent.append(commanded(everybody, collection, Where.OWN, make(collection, kind), text))
    assert dict(zip(wanted, await asyncio.gather(*sent), strict=True)) == wanted
