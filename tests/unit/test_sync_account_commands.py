"""People at the command line: register, sign in and out, keys, sessions, teams."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_client.errors import CONFLICTS, SERVER, SIGN_IN, TRY_LATER, USAGE
from tests.sync_fakes.http_server import ServedFake, served
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.terminal import Terminal

PASSWORD = "an unlikely sentence"


class People:
    """Several people at one terminal, on one server."""

    def __init__(self, terminal: Terminal, fake: ServedFake) -> None:
        self.terminal = terminal
        self.fake = fake
        self.said = ""

    def run(self, *arguments: str, expect: int = 0, typed: str | None = None) -> str:
        output = self.terminal.run(*arguments, expect=expect, typed=typed)
        self.said += output + self.terminal.errors
        return output

    def register(self, name: str) -> None:
        place = ("--server", self.fake.url, "--username", name, "--email", f"{name}@example.com")
        self.run("register", *place, "--password-stdin", typed=f"{PASSWORD}\n")

    def login(self, name: str, password: str = PASSWORD, expect: int = 0) -> str:
        place = ("--server", self.fake.url, "--username", name)
        return self.run("login", *place, "--password-stdin", typed=f"{password}\n", expect=expect)

    def id_of(self, name: str) -> str:
        return self.fake.accounts.users[name].user_id


@pytest.fixture
def people(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    monkeypatch.delenv("PATTERNLOG_TOKEN")
    with served(FakeServer.without_team()) as fake:
        yield People(terminal, fake)


# ---------------------------------------------------------------- signing in and out


def test_who_registers_is_signed_in_and_works(people: People) -> None:
    people.register("ada")
    assert people.run("whoami").split()[:2] == ["ada", people.id_of("ada")]
    people.run("init", "--server", people.fake.url, "--create", "Ours")
    people.run("record", "n")
    assert "1 accepted" in people.run("push")


def test_a_name_that_is_taken_and_a_wrong_password_are_told(people: People) -> None:
    people.register("ada")
    place = ("--server", people.fake.url, "--username", "ada", "--email", "a@example.com", "--password-stdin")
    people.run("register", *place, typed="x\n", expect=SERVER)
    assert "[username_taken]" in people.terminal.errors
    people.login("ada", "another", expect=SIGN_IN)
    assert "[invalid_credentials]" in people.terminal.errors


def test_a_password_comes_from_standard_input_or_a_terminal(people: People) -> None:
    place = ("login", "--server", people.fake.url, "--username", "ada")
    people.run(*place, typed=PASSWORD, expect=USAGE)
    assert "--password-stdin" in people.terminal.errors
    people.run(*place, "--password-stdin", typed="\n", expect=USAGE)
    people.run("login", "--server", people.fake.url, "--password-stdin", typed="x\n", expect=USAGE)
    people.run("whoami", expect=USAGE)
    assert "--server" in people.terminal.errors


def test_a_password_to_another_machine_goes_encrypted_or_is_warned_of(people: People) -> None:
    place = ("login", "--server", "http://one.invalid:1", "--username", "ada", "--password-stdin")
    people.run(*place, typed="x\n", expect=TRY_LATER)
    assert "unencrypted" in people.terminal.errors


def test_who_signs_out_is_out_here_and_on_the_server(people: People) -> None:
    people.register("ada")
    people.run("logout")
    assert [one.ended for one in people.fake.accounts.sessions] == [True]
    people.run("whoami", "--server", people.fake.url, expect=SIGN_IN)
    people.login("ada")
    people.fake.accounts.end_all()
    people.run("logout")
    assert "over already" in people.terminal.errors
    people.login("ada")
    assert len(set(people.fake.accounts.devices)) == 1
    people.run("logout", "--local")
    assert [one.ended for one in people.fake.accounts.sessions] == [True, True, False]


def test_a_server_that_asks_for_patience_at_the_door_is_tried_later(people: People) -> None:
    people.register("ada")
    later = (429, {"Retry-After": "60"}, b'{"code": "too_many_attempts", "detail": "slow"}')
    people.fake.canned.append(later)
    people.login("ada", expect=TRY_LATER)
    assert "[too_many_attempts]" in people.terminal.errors


# ---------------------------------------------------------------- sessions that end while one works


def test_a_session_is_renewed_in_the_middle_of_work(people: People) -> None:
    people.register("ada")
    people.run("init", "--server", people.fake.url, "--create", "Ours")
    people.run("record", "n")
    people.fake.accounts.expire()
    assert "1 accepted" in people.run("sync")
    assert people.fake.accounts.refreshes == 1
    assert list(people.fake.server.live()) == ["n"]


def test_a_session_that_is_over_leaves_the_outbox_as_it_is(people: People) -> None:
    people.register("ada")
    people.run("init", "--server", people.fake.url, "--create", "Ours")
    people.run("record", "n")
    people.fake.accounts.end_all()
    people.run("push", expect=SIGN_IN)
    assert "patternlog login" in people.terminal.errors
    assert "--username ada" in people.terminal.errors
    found = json.loads(people.run("status", "--json"))
    assert (found["unanswered"], found["refused"]) == (1, 0)
    people.login("ada")
    assert "1 accepted" in people.run("push")


def test_a_workspace_is_its_users_whoever_signs_in_later(people: People) -> None:
    people.register("ada")
    people.run("init", "--server", people.fake.url, "--create", "Ours")
    people.register("ben")
    people.run("record", "n")
    assert "1 accepted" in people.run("push")
    people.run("logout")
    people.run("push", expect=SIGN_IN)
    assert "ada is not signed in" in people.terminal.errors
    assert people.run("whoami", "--username", "ben").startswith("ben")


# ---------------------------------------------------------------- teams


def test_a_team_is_made_joined_by_invitation_and_left_by_removal(people: People) -> None:
    people.register("ada")
    team = people.run("team", "create", "Ours").split()[1]
    people.run("init", "--server", people.fake.url, "--team", team)
    invitation = people.run("team", "invite", "--role", "developer").strip()
    people.register("ben")
    people.run("init", "--server", people.fake.url, "--team", team, "--dir", "b", "--username", "ben")
    joined = people.run("team", "join", "-", "--dir", "b", typed=invitation + "\n")
    assert joined == f"joined team {team}\n"
    people.run("record", "n", "--dir", "b")
    people.run("push", "--dir", "b")
    roles = {line.split()[1]: line.split()[0] for line in people.run("team", "members").splitlines()}
    assert roles == {people.id_of("ada"): "admin", people.id_of("ben"): "developer"}
    people.run("team", "join", invitation, "--username", "ada", expect=CONFLICTS)
    assert "[unknown_invitation]" in people.terminal.errors
    people.run("team", "role", people.id_of("ben"), "viewer")
    people.run("record", "m", "--dir", "b")
    assert "1 refused" in people.run("push", "--dir", "b", expect=CONFLICTS)
    assert "forbidden" in people.run("conflicts", "--dir", "b", expect=CONFLICTS)
    people.run("team", "remove", people.id_of("ben"))
    assert people.run("team", "list", "--username", "ben") == ""
    assert people.run("team", "list") == f"{team}  admin      Ours\n"


def test_an_invitation_is_taken_back(people: People) -> None:
    people.register("ada")
    people.run("init", "--server", people.fake.url, "--create", "Ours")
    invitation = people.run("team", "invite", "--role", "viewer").strip()
    people.run("team", "revoke", invitation.split(".")[1])
    people.register("ben")
    people.run("team", "join", invitation, "--username", "ben", expect=CONFLICTS)
    people.run("team", "join", "nonsense", expect=USAGE)


def test_a_team_is_named_or_the_workspaces(people: People) -> None:
    people.register("ada")
    people.run("team", "members", expect=USAGE)
    people.run("team", "members", "--team", "ours", expect=USAGE)


def test_who_was_cut_off_keeps_what_is_here(people: People) -> None:
    people.register("ada")
    people.run("init", "--server", people.fake.url, "--create", "Ours")
    people.run("record", "n")
    people.run("sync")
    problem = b'{"code": "forbidden", "detail": "you are no member of this team"}'
    people.fake.canned.append((403, {}, problem))
    people.run("pull", expect=SERVER)
    assert "you are no member of this team [forbidden]" in people.terminal.errors
    assert people.run("list").strip().startswith("n")


# ---------------------------------------------------------------- keys and sessions


def test_a_key_is_shown_once_and_is_good_until_it_is_deleted(people: People) -> None:
    people.register("ada")
    key = people.run("keys", "create", "ci", "--role", "developer").strip()
    assert key.startswith("fl_")
    people.run("init", "--server", people.fake.url, "--create", "Ours", "--token", key)
    listed = people.run("keys", "list")
    assert key not in listed + people.run("keys", "list", "--json")
    people.run("keys", "delete", listed.split()[0])
    people.run("pull", "--token", key, expect=SIGN_IN)


def test_sessions_are_shown_and_ended(people: People) -> None:
    people.register("ada")
    people.login("ada")
    first = people.run("sessions", "list").splitlines()[0].split()[0]
    people.run("sessions", "end", first)
    assert len(people.run("sessions", "list").splitlines()) == 1
    people.run("sessions", "end", expect=USAGE)
    people.run("sessions", "end", "--all")
    people.run("sessions", "list", expect=SIGN_IN)


# ---------------------------------------------------------------- secrets


def test_no_secret_is_said_logged_or_kept_but_in_the_one_file(
    people: People, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    people.register("ada")
    people.run("init", "--server", people.fake.url, "--create", "Ours")
    people.fake.accounts.expire()
    people.run("sync")
    people.run("sessions", "list", "--json")
    people.run("whoami", "--json")
    people.fake.canned.append((200, {}, b'{"access_token": "access-x", "refresh_token": 1}'))
    people.login("ada", expect=SERVER)
    people.fake.accounts.end_all()
    people.run("pull", expect=SIGN_IN)
    accounts = people.fake.accounts
    secrets = [PASSWORD, "access-x", *accounts.access]
    secrets += accounts.devices
    secrets += [token for session in accounts.sessions for token in session.tokens]
    assert len(secrets) > 5
    said = people.said + caplog.text
    assert [secret for secret in secrets if secret in said] == []
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "credentials.json"]
    assert not any(secret.encode() in path.read_bytes() for secret in secrets for path in kept)
