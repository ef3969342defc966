"""The file of credentials: whose it is, what it survives, and what of it is shown."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from sync_client.credentials import Account, Credentials, credentials_path
from sync_client.errors import SIGN_IN, CredentialsError, NeedsSignIn

ADA = Account(
    server="http://one.example",
    username="ada",
    user_id="6f1c2a8e-0000-4000-8000-000000000000",
    access_token="access-1",
    refresh_token="refresh-1",
    obtained_at=1_700_000_000.0,
    expires_in=900.0,
)
BEN = replace(ADA, username="ben", access_token="access-2", refresh_token="refresh-2")


@pytest.fixture
def file(tmp_path: Path) -> Credentials:
    return Credentials(tmp_path / "home" / "patternlog" / "credentials.json")


def test_several_people_on_several_servers_are_kept_apart(file: Credentials) -> None:
    elsewhere = replace(ADA, server="http://two.example", access_token="access-3", refresh_token="refresh-3")
    for account in (ADA, BEN, elsewhere):
        file.sign_in(account)
    assert file.find("http://one.example/") == BEN
    assert file.find("HTTP://ONE.example", "ada") == ADA
    assert file.find("http://two.example") == elsewhere
    file.sign_in(ADA)
    assert file.find("http://one.example") == ADA
    file.sign_out(ADA)
    assert file.find("http://one.example") == BEN


def test_who_is_not_signed_in_is_told_what_to_type(file: Credentials) -> None:
    with pytest.raises(NeedsSignIn, match=r"patternlog login --server http://one\.example$"):
        file.find("http://one.example/")
    file.sign_in(ADA)
    with pytest.raises(NeedsSignIn, match="--username ben"):
        file.find("http://one.example", "ben")


def test_the_file_and_its_folder_are_their_users_alone(file: Credentials) -> None:
    before = os.umask(0)
    try:
        file.sign_in(ADA)
    finally:
        os.umask(before)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in file.path.parent.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_file_that_others_can_read_is_refused(file: Credentials, mode: int) -> None:
    file.sign_in(ADA)
    file.path.chmod(mode)
    for use in (file.accounts, lambda: file.sign_in(BEN)):
        with pytest.raises(CredentialsError, match="chmod 600") as refused:
            use()
        assert (refused.value.code, refused.value.exit_code) == ("credentials_exposed", SIGN_IN)
    file.path.chmod(0o600)
    assert list(file.accounts()) == [ADA]


@pytest.mark.parametrize("text", ["", "{", '{"version": 2}', '{"accounts": [{"access_token": "refresh-1"}]}'])
def test_a_damaged_file_is_said_to_be_damaged_and_not_shown(file: Credentials, text: str) -> None:
    file.sign_in(ADA)
    file.path.write_text(text)
    with pytest.raises(CredentialsError, match="damaged") as refused:
        file.accounts()
    assert "refresh-1" not in repr(refused.value) + str(refused.value)
    assert refused.value.__cause__ is None


def test_a_change_that_is_cut_off_leaves_the_file_as_it_was(
    file: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.sign_in(ADA)

    def cut_off(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut_off)
        with pytest.raises(KeyboardInterrupt):
            file.sign_in(BEN)
    assert list(file.accounts()) == [ADA]
    file.sign_in(BEN)
    assert list(file.accounts()) == [ADA, BEN]


def test_a_renewal_brings_nobody_back_who_signed_out(file: Credentials) -> None:
    file.sign_in(ADA)
    file.sign_out(ADA)
    file.renew(replace(ADA, access_token="access-9"))
    assert list(file.accounts()) == []


def test_signing_out_leaves_a_session_that_began_meanwhile(file: Credentials) -> None:
    file.sign_in(replace(ADA, refresh_token="refresh-9"))
    file.sign_out(ADA)
    assert file.find(ADA.server).refresh_token == "refresh-9"


def test_a_machine_stays_known_when_people_sign_out(file: Credentials) -> None:
    assert file.device_of(ADA.server, "ada") is None
    file.sign_in(ADA, "device-1")
    file.sign_out(ADA)
    file.sign_in(ADA)
    assert file.device_of(f"{ADA.server}/", "ada") == "device-1"
    assert file.device_of(ADA.server, "ben") is None


def test_one_at_a_time_renews(file: Credentials) -> None:
    with file.turn_of(ADA) as first, file.turn_of(ADA) as second, file.turn_of(BEN) as another:
        assert (first, second, another) == (True, False, True)
    with file.turn_of(ADA) as again:
        assert again


def test_an_account_shows_none_of_its_secrets() -> None:
    assert "access-1" not in repr(ADA)
    assert "refresh-1" not in repr(ADA)


def test_the_file_is_where_the_user_keeps_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    for name in ("PATTERNLOG_CREDENTIALS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert credentials_path() == Path("/home/ada/.config/patternlog/credentials.json")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert credentials_path() == Path("/home/ada/.config/patternlog/credentials.json")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/xdg")
    assert credentials_path() == Path("/etc/xdg/patternlog/credentials.json")
    monkeypatch.setenv("PATTERNLOG_CREDENTIALS", "/elsewhere.json")
    assert credentials_path() == Path("/elsewhere.json")
