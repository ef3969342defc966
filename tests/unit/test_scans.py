"""The scans of the build find what they are there for, and except nothing without a reason."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools import scan_secrets

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_OF_RUFF = {"B403", "B404", "B603", "B607"}


def test_a_secret_in_a_file_is_found_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "ghp_" + "a1B2c3" * 6
    (tmp_path / "code.py").write_text(f'value = "{token}"\n')
    monkeypatch.setattr(scan_secrets, "ROOT", tmp_path)
    monkeypatch.setattr(scan_secrets, "files", lambda: ["code.py"])
    monkeypatch.setattr(scan_secrets, "REASONS", {"": "all"})
    assert scan_secrets.main([]) == 1
    said = capsys.readouterr().err
    assert "code.py:1: GitHub Token: new" in said
    assert token not in said


def test_what_the_baseline_knows_has_a_reason() -> None:
    known = json.loads(scan_secrets.BASELINE.read_text())["results"]
    assert [name for name in known if not name.startswith(tuple(scan_secrets.REASONS))] == []
    assert [name for name in known if not (ROOT / name).exists()] == []


def test_no_find_is_verified_over_the_network() -> None:
    filters = json.loads(scan_secrets.BASELINE.read_text())["filters_used"]
    assert [one for one in filters if "verification" in one["path"]] == []


def test_insecure_code_is_found(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("import yaml\n\nyaml.load(open('x'))\n")
    command = [
        "-m",
        "bandit",
        "--quiet",
        "--configfile",
        str(ROOT / "pyproject.toml"),
        str(tmp_path / "code.py"),
    ]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "B506" in done.stdout


def test_what_bandit_skips_is_what_ruff_judges_line_by_line() -> None:
    ruff = PROJECT["tool"]["ruff"]["lint"]
    assert "S" in ruff["select"]
    skipped = {code for code in PROJECT["tool"]["bandit"]["skips"] if code not in NOT_OF_RUFF}
    assert {f"S{code[1:]}" for code in skipped} & set(ruff["ignore"]) == set()


def test_the_audit_of_dependencies_reads_the_whole_lock_and_asks_nobody_when_it_is_dry() -> None:
    command = ["-m", "pip_audit", "--dry-run", "--requirement", "requirements/lock.txt", "--require-hashes"]
    done = subprocess.run(
        [sys.executable, *command, "--disable-pip"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
