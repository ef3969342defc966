"""Vault: its versions, its logins, and what it cannot or should not answer."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from runtime.loading import load_settings
from runtime.startup_failures import Misconfigured, StartupFailure, Unreachable
from tests.secret_servers import FakeVault
from tests.unit.secrets.naming import DSN, dsn, vault_named


def test_version_1_of_the_kv_engine_is_read_too(
    monkeypatch: pytest.MonkeyPatch, hashicorp: FakeVault
) -> None:
    vault_named(monkeypatch, hashicorp, vault_kv_version=1, vault_mount="kv", vault_namespace="team")
    hashicorp.secrets["app"] = {"postgres_dsn": DSN.format("1")}
    assert dsn() == DSN.format("1")
    assert hashicorp.asked[-1].headers["X-Vault-Namespace"] == "team"


@pytest.mark.parametrize("login", ["approle", "kubernetes"])
def test_a_login_is_kept_renewed_and_made_anew_when_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hashicorp: FakeVault, login: str
) -> None:
    (tmp_path / "jwt").write_text("a.service.account\n")
    named = {"vault_role": "patternlog", "vault_jwt_file": tmp_path / "jwt"}
    if login == "approle":
        named = {"vault_role_id": "role", "vault_secret_id": "sesame"}
    vault_named(monkeypatch, hashicorp, vault_auth=login, **named)
    hashicorp.secrets["app"] = {"postgres_dsn": DSN.format("x")}
    now = [0.0]
    monkeypatch.setattr("runtime.secrets.vault.VaultSession.__init__.__defaults__", (lambda: now[0],))
    logged_in, read, renewed = f"/v1/auth/{login}/login", "/v1/secret/data/app", "/v1/auth/token/renew-self"
    dsn()
    dsn()
    assert hashicorp.paths() == [logged_in, read, read]
    now[0] = hashicorp.ttl / 2 + 1
    dsn()
    assert hashicorp.paths()[3:] == [renewed, read]
    now[0] *= 2
    hashicorp.renews = False
    dsn()
    assert hashicorp.paths()[5:] == [renewed, logged_in, read]
    hashicorp.tokens.clear()
    dsn()
    assert hashicorp.paths()[8:] == [read, logged_in, read]


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"vault_token": "hvs.canary"}, Misconfigured, "permission denied"),
        ({"vault_path": "other"}, Misconfigured, "there is no such secret"),
        ({"vault_path": ""}, Misconfigured, "PATTERNLOG_VAULT_PATH: needed"),
        ({"vault_auth": "ldap"}, Misconfigured, "token, kubernetes or approle"),
        ({"vault_url": "http://vault.example"}, Misconfigured, "https:// is needed"),
        ({"vault_url": "https://me:hvs.canary@vault.example"}, Misconfigured, "without user and password"),
        ({"vault_url": "http://127.0.0.1:1"}, Unreachable, "does not answer"),
        ({"vault_auth": "approle", "vault_role_id": "role", "vault_secret_id": "hvs.canary"},
         Misconfigured, "the request or the login was refused"),
        ({"vault_auth": "kubernetes", "vault_role": "x", "vault_jwt_file": "/missing"},
         Misconfigured, "cannot be read"),
    ],
)  # fmt: skip
def test_what_vault_cannot_give_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    hashicorp: FakeVault,
    change: Mapping[str, object],
    kind: type[StartupFailure],
    said: str,
) -> None:
    vault_named(monkeypatch, hashicorp, **change)
    hashicorp.secrets["app"] = {}
    with pytest.raises(kind, match=said) as caught:
        load_settings()
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", Misconfigured),
        (200, b"[]", Misconfigured),
        (200, b'{"data": {"data": ["canary"]}}', Misconfigured),
        (200, b'{"data": {"data": {"postgres_dsn": ["canary"]}}}', Misconfigured),
        (200, b'{"data": {"data": {"postgres_dsn": "canary"}}}', Misconfigured),
        (500, b'{"errors": ["canary"]}', Unreachable),
        (503, b'{"errors": ["sealed"]}', Unreachable),
    ],
)
def test_what_vault_should_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    hashicorp: FakeVault,
    status: int,
    body: bytes,
    kind: type[StartupFailure],
) -> None:
    vault_named(monkeypatch, hashicorp)
    hashicorp.secrets["app"] = {}
    load_settings()
    hashicorp.instead = status, body
    with pytest.raises(kind) as caught:
        load_settings()
    assert "canary" not in str(caught.value)
