"""What tests of sources share: an environment without settings, and servers that keep secrets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.secrets import aws, vault
from runtime.settings import Settings
from tests.secret_servers import FakeSecretsManager, FakeVault, served


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PATTERNLOG_{name.upper()}", raising=False)
    for name, value in (
        ("ACCESS_KEY_ID", "AKIAGOOD"),
        ("SECRET_ACCESS_KEY", "k"),
        ("DEFAULT_REGION", "eu-north-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    vault._session.cache_clear()
    aws._client.cache_clear()


@pytest.fixture
def hashicorp() -> Iterator[FakeVault]:
    with served(FakeVault()) as fake:
        yield fake


@pytest.fixture
def amazon() -> Iterator[FakeSecretsManager]:
    with served(FakeSecretsManager()) as fake:
        yield fake
