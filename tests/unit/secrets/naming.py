"""Naming sources in the environment."""

import pytest

from runtime.loading import load_settings
from tests.secret_servers import FakeSecretsManager, FakeVault

DSN = "postgresql://app:{}@db/x"


def variables(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"PATTERNLOG_{name.upper()}", str(value))


def vault_named(monkeypatch: pytest.MonkeyPatch, fake: FakeVault, **other: object) -> None:
    known = {"vault_url": fake.url, "vault_path": "app", "vault_token": "hvs.static"}
    variables(monkeypatch, **{**known, **other})


def aws_named(monkeypatch: pytest.MonkeyPatch, fake: FakeSecretsManager) -> None:
    variables(monkeypatch, aws_secret_id="app", aws_endpoint_url=fake.url, aws_region="eu-north-1")


def dsn() -> str:
    return load_settings().postgres_dsn.get_secret_value()
