"""Settings come from the environment, `.env`, mounted files, Vault and AWS, in this order."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from runtime.loading import load_settings
from runtime.startup_failures import Misconfigured
from tests.secret_servers import FakeSecretsManager, FakeVault
from tests.unit.secrets.naming import DSN, aws_named, dsn, variables, vault_named

NAMES = ("environment", "dotenv", "files", "vault", "aws")


@pytest.mark.parametrize("first", range(len(NAMES)))
def test_the_first_source_that_has_a_setting_wins(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    hashicorp: FakeVault,
    amazon: FakeSecretsManager,
    first: int,
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    variables(monkeypatch, secrets_dir=folder)
    vault_named(monkeypatch, hashicorp)
    aws_named(monkeypatch, amazon)
    hashicorp.secrets["app"], amazon.secrets["app"] = {}, "{}"
    for name in NAMES[first:]:
        value = DSN.format(name)
        match name:
            case "environment":
                variables(monkeypatch, postgres_dsn=value)
            case "dotenv":
                (tmp_path / ".env").write_text(f"PATTERNLOG_POSTGRES_DSN={value}\n")
            case "files":
                (folder / "PATTERNLOG_POSTGRES_DSN").write_text(f"{value}\n")
            case "vault":
                hashicorp.secrets["app"] = {"postgres_dsn": value}
            case _:
                amazon.secrets["app"] = json.dumps({"PATTERNLOG_POSTGRES_DSN": value})
    assert dsn() == DSN.format(NAMES[first])


def test_a_source_that_is_not_named_is_not_asked_and_its_library_not_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for library in ("hvac", "boto3"):
        monkeypatch.setitem(__import__("sys").modules, library, None)
    assert dsn() == "postgresql://postgres@127.0.0.1:5432/patternlog"


@pytest.mark.parametrize(
    ("library", "named", "extra"),
    [("hvac", {"vault_url": "https://vault"}, "vault"), ("boto3", {"aws_secret_id": "app"}, "aws")],
)
def test_a_library_that_is_missing_is_told_with_the_extra_that_has_it(
    monkeypatch: pytest.MonkeyPatch, library: str, named: Mapping[str, str], extra: str
) -> None:
    variables(monkeypatch, **named, vault_path="app", vault_token="t")
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(Misconfigured, match=rf"needs {library}: install `patternlog\[{extra}\]`"):
        load_settings()


def test_any_setting_may_come_from_afar_but_not_where_to_look(
    monkeypatch: pytest.MonkeyPatch, hashicorp: FakeVault
) -> None:
    vault_named(monkeypatch, hashicorp)
    hashicorp.secrets["app"] = {
        "max_batch": 7,
        "PATTERNLOG_TOPIC_PREFIX": "theirs",
        "aws_secret_id": "another",
        "vault_mount": "another",
        "not_a_setting": "x",
    }
    settings = load_settings()
    assert (settings.max_batch, settings.topic_prefix) == (7, "theirs")
    assert (settings.aws_secret_id, settings.vault_mount) == ("", "secret")


def test_the_token_for_vault_may_be_a_mounted_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hashicorp: FakeVault
) -> None:
    (tmp_path / "patternlog_vault_token").write_text("hvs.static\n")
    variables(monkeypatch, secrets_dir=tmp_path, vault_url=hashicorp.url, vault_path="app")
    hashicorp.secrets["app"] = {"postgres_dsn": DSN.format("v")}
    assert dsn() == DSN.format("v")


def test_a_volume_of_kubernetes_is_read_in_one_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for state in ("..1", "..2"):
        (tmp_path / state).mkdir()
        (tmp_path / state / "PATTERNLOG_POSTGRES_DSN").write_text(DSN.format(state))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "PATTERNLOG_POSTGRES_DSN").symlink_to("..data/PATTERNLOG_POSTGRES_DSN")
    variables(monkeypatch, secrets_dir=tmp_path)
    assert dsn() == DSN.format("..1")
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert dsn() == DSN.format("..2")


def test_a_volume_that_is_swapped_while_it_is_read_is_read_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for state in ("..1", "..2"):
        (tmp_path / state).mkdir()
        (tmp_path / state / "patternlog_postgres_dsn").write_text(DSN.format(state))
    link = tmp_path / "..data"
    link.symlink_to("..1")
    read_text = Path.read_text

    def swap(path: Path, *arguments: str, **options: str) -> str:
        text = read_text(path, *arguments, **options)
        if link.readlink().name == "..1":
            link.unlink()
            link.symlink_to("..2")
        return text

    monkeypatch.setattr(Path, "read_text", swap)
    variables(monkeypatch, secrets_dir=tmp_path)
    assert dsn() == DSN.format("..2")


def test_a_folder_that_is_not_there_or_not_text_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variables(monkeypatch, secrets_dir=tmp_path / "missing")
    with pytest.raises(Misconfigured, match="missing is no folder"):
        load_settings()
    (tmp_path / "PATTERNLOG_POSTGRES_DSN").write_bytes(b"\xff\xfe")
    variables(monkeypatch, secrets_dir=tmp_path)
    with pytest.raises(Misconfigured, match="not text in UTF-8"):
        load_settings()
