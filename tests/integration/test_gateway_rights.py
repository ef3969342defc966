"""Keys, lists of members, and whatever else is sent as a credential: against a gateway with all behind it."""

import email
import email.policy
import re
import string
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.roles import Role
from tests.command_client import new_id, record_pattern
from tests.rights_table import ROUTES, Key, Needs, Where, Who
from tests.rights_world import World, world
from tests.services import Services
from tests.strategies import REPEATABLE
from tests.waiting import eventually

MANY = settings(REPEATABLE, max_examples=120)
ADMIN = Who.ORGANIZATION_ADMIN
VISIBLE = "".join(map(chr, (*range(0x21, 0x7F), *range(0xA1, 0x100))))
"""What may stand in a header at its ends."""
NAMES = (
    *("Prefer", "API-Version", "X-Request-Id", "Origin", "If-None-Match", "Accept", "Content-Type", "Cookie"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Range", "Last-Event-ID", "Accept-Encoding"),
)
pytestmark = pytest.mark.timeout(300)
"""Three processes start and eight people register before the first of them."""
ASKED = [key for key in sorted(ROUTES) if ROUTES[key].needs is not Needs.NOTHING]
READS = [key for key in ASKED if key[0] == "GET"]


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mails")


@pytest.fixture(scope="module")
async def everybody(services: Services, mails: Path) -> AsyncIterator[World]:
    async with world(services, mail_folder=str(mails)) as everybody:
        yield everybody


# ---------------------------------------------------------------- keys


async def audited(everybody: World, path: str, command_id: str) -> Any:
    """An entry of a team's audit, when it is projected."""
    team_id = everybody.places[Where.OWN].team_id
    found: list[Any] = []
    headers = {"Authorization": everybody.session(Who.AUDITOR)}

    async def is_there() -> bool:
        answer = await everybody.http.get(f"/api/v1/teams/{team_id}/{path}", headers=headers)
        entries = answer.json()[path.rpartition("/")[2].replace("audit", "entries").partition("?")[0]]
        found[:] = [entry for entry in entries if entry["command_id"] == command_id and entry["origin"]]
        return found != []

    await eventually(is_there)
    return found[0]


async def test_the_audit_names_the_key_by_which_something_was_done(everybody: World) -> None:
    key = await everybody.key(ADMIN, Role.DEVELOPER, everybody.places[Where.OWN].team_id)
    command = record_pattern()
    path = f"teams/{everybody.places[Where.OWN].team_id}"
    assert (await everybody.send(f"Bearer {key['key']}", path, command)).status_code == 200
    entry = await audited(everybody, "audit?order=desc", command["command_id"])
    assert entry["origin"]["credential"] == f"key:{key['key_id']}"
    assert entry["actor"] == everybody.actors[ADMIN]


async def test_an_admins_key_for_viewing_writes_nothing_and_the_audit_names_it(everybody: World) -> None:
    key = await everybody.key(ADMIN, Role.VIEWER)
    command = record_pattern()
    path = f"teams/{everybody.places[Where.OWN].team_id}"
    refused = await everybody.send(f"Bearer {key['key']}", path, command)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    entry = await audited(everybody, "audit/refusals?order=desc", command["command_id"])
    assert (entry["code"], entry["origin"]["credential"]) == ("forbidden", f"key:{key['key_id']}")
    own = await everybody.send(everybody.session(ADMIN), path, record_pattern())
    assert own.status_code == 200


async def test_a_key_of_another_team_opens_no_other(everybody: World) -> None:
    path = f"teams/{everybody.places[Where.OWN].team_id}"
    refused = await everybody.send(everybody.key_of_other_team, path, record_pattern())
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    headers = {"Authorization": everybody.key_of_other_team}
    mine = (await everybody.http.get("/api/v1/teams", headers=headers)).json()["teams"]
    assert [team["team_id"] for team in mine] == [everybody.places[Where.OTHER].team_id]


async def test_a_key_has_no_right_that_its_owner_lost(everybody: World) -> None:
    team_id = everybody.places[Where.OTHER].team_id
    await everybody.register("leaver")
    member = everybody.actors["leaver"]
    await everybody.done(ADMIN, f"teams/{team_id}", "add_member", member=member, role="developer")
    key = f"Bearer {(await everybody.key('leaver', Role.DEVELOPER))['key']}"
    assert (await everybody.send(key, f"teams/{team_id}", record_pattern())).status_code == 200
    await everybody.done(ADMIN, f"teams/{team_id}", "remove_member", member=member)
    refused = await everybody.send(key, f"teams/{team_id}", record_pattern())
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_team")


# ---------------------------------------------------------------- lists of members


def token_in(mails: Path, address: str) -> str | None:
    """The token of the mail to an address, once it is there."""
    for file in mails.glob("*.eml"):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = mail.get_body()
        if mail["To"] == address and body is not None:
            found = re.search(r"#token=([A-Za-z0-9_-]{43})", body.get_content())
            return found[1] if found else None
    return None


async def verified(everybody: World, mails: Path, name: str) -> None:
    """Somebody new, who has shown that their address is theirs."""
    await everybody.register(name)

    async def has_mail() -> bool:
        return token_in(mails, f"{name}@example.org") is not None

    await eventually(has_mail)
    body = {"token": token_in(mails, f"{name}@example.org")}
    assert (await everybody.http.post("/api/v1/auth/email/verify", json=body)).status_code == 204


async def listed(everybody: World, content: str, media_type: str) -> list[tuple[str, str | None]]:
    """What becomes of the rows of a list that the organization's admin sends: status, and member or code."""
    organization = everybody.places[Where.OWN].organization_id
    headers = {"Authorization": everybody.session(ADMIN), "Content-Type": media_type, "Prefer": "wait=30"}
    url = f"/api/v1/organizations/{organization}/members/batch?batch_id={new_id()}"
    answer = await everybody.http.post(url, content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    return [(row["status"], row.get("code") or row["member"]) for row in answer.json()["rows"]]


async def test_a_csv_names_members_by_username_and_by_verified_address(everybody: World, mails: Path) -> None:
    await verified(everybody, mails, "csv-carol")
    await everybody.register("csv-dave")
    await everybody.register("csv-erin")
    team_id = everybody.places[Where.OWN].team_id
    rows = [
        "action,username,email,role,team_id,team_role",
        f"add,,csv-carol@example.org,member,{team_id},developer",
        "add,CSV-Dave,,admin,,",
        "add,,csv-erin@example.org,member,,",
        "add,nobody-at-all,,member,,",
    ]
    told = await listed(everybody, "\n".join(rows) + "\n", "text/csv")
    carol, dave = everybody.actors["csv-carol"], everybody.actors["csv-dave"]
    assert told == [
        ("accepted", carol),
        ("accepted", dave),
        ("invalid", "unknown_user"),
        ("invalid", "unknown_user"),
    ]
    written = await everybody.send(everybody.session("csv-carol"), f"teams/{team_id}", record_pattern())
    assert written.status_code == 200


async def test_json_names_members_in_the_same_way(everybody: World, mails: Path) -> None:
    await verified(everybody, mails, "json-carol")
    await everybody.register("json-dave")
    rows = '[{"action":"add","email":"JSON-carol@example.org"},{"action":"add","username":"json-dave"}]'
    told = await listed(everybody, rows, "application/json")
    assert told == [("accepted", everybody.actors[f"json-{name}"]) for name in ("carol", "dave")]


@pytest.mark.parametrize("who", [Who.ADMIN, Who.ORGANIZATION_MEMBER, Who.STRANGER])
async def test_nobody_but_its_admins_learns_who_has_an_address(everybody: World, who: Who) -> None:
    organization = everybody.places[Where.OWN].organization_id
    url = f"/api/v1/organizations/{organization}/members/batch?batch_id={new_id()}"
    headers = {"Authorization": everybody.session(who)}
    for name in (str(Who.VIEWER), "nobody-at-all"):
        rows = [{"action": "add", "username": name}]
        answer = await everybody.http.post(url, json=rows, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


# ---------------------------------------------------------------- whatever is sent

texts = st.text(VISIBLE, min_size=1, max_size=60)
schemes = st.sampled_from(["Bearer ", "bearer ", "Basic ", "Bearer  ", "", "Bearer fl_", "Bearer ey"])
edits = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(string.printable[:94])), min_size=1, max_size=3
)
ids = st.sampled_from([None, "x" * 64, "..", "%00", "00000000-0000-0000-0000-000000000000", "%F0%9F%92%A9"])


async def answered(
    everybody: World, key: Key, headers: list[tuple[str, str]], query: dict[str, str], one: str | None = None
) -> httpx.Response:
    """What a route answers to a request without a body."""
    place = everybody.places[Where.OWN]
    words = {"team_id": place.team_id, "organization_id": place.organization_id} if one is None else {}
    path = re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], one or place.pattern_id), key[1])
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return await everybody.http.request(key[0], path, params=query, headers=raw)


def changed(text: str, at: list[tuple[int, str]]) -> str:
    """A text with other characters here and there."""
    signs = list(text)
    for place, sign in at:
        signs[place % len(signs)] = sign
    return "".join(signs)


@MANY
@given(key=st.sampled_from(ASKED), scheme=schemes, text=texts, at=edits, which=st.sampled_from("tkx"))
async def test_no_authorization_but_a_good_one_is_taken(
    everybody: World, key: Key, scheme: str, text: str, at: list[tuple[int, str]], which: str
) -> None:
    good = {"t": everybody.session(ADMIN), "k": everybody.narrowed[Role.ADMIN]}.get(which)
    given_ = f"{scheme}{text}" if good is None else "Bearer " + changed(good.removeprefix("Bearer "), at)
    if given_.strip() == good:
        return
    answer = await answered(everybody, key, [("Authorization", given_.strip())], {})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), given_


@MANY
@given(
    key=st.sampled_from(READS),
    headers=st.lists(st.tuples(st.sampled_from(NAMES), texts), max_size=6),
    query=st.dictionaries(st.sampled_from(["cursor", "at_least", "as_of", "page", "from", "to"]), texts),
    one=ids,
)
async def test_no_header_and_no_cursor_makes_a_read_fail(
    everybody: World, key: Key, headers: list[tuple[str, str]], query: dict[str, str], one: str | None
) -> None:
    session = ("Authorization", everybody.session(ADMIN))
    answer = await answered(everybody, key, [session, *headers], query, one)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["code"]


@pytest.mark.parametrize("key", ASKED, ids=" ".join)
async def test_two_credentials_are_none(everybody: World, key: Key) -> None:
    session = ("Authorization", everybody.session(ADMIN))
    answer = await answered(everybody, key, [session, session], {})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
