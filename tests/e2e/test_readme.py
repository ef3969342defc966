"""What the README tells its readers to type works as it stands there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack.services import Services as ServiceProcesses
from devstack.stack import DevStack
from tests.databases import fresh_database, settings_for, variables_of
from tests.notarizing import SIGNING
from tests.services import Services

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SERVER = "http://127.0.0.1:8080"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATTERNS = {"patterns": [{"name": "bounds_checking", "severity": "medium", "summary": "Check the index."}]}
WITHIN_S = 240.0
EVENTS = 6
SIGNED = f"""
until curl --silent --fail --output /dev/null --header "Authorization: Bearer $AUDIT" \\
  "{SERVER}/api/v1/teams/$TEAM/audit/tree-head?size={EVENTS}"
do sleep 0.1; done
"""
"""Waits for a tree head of what the blocks before wrote."""

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What each block of the README printed."""

    client: str
    http: str
    auditor: str
    consumer: str


def blocks(language: str) -> list[str]:
    """The blocks to be executed, without the one of `make` commands, which tests of their own cover."""
    found = [block for tongue, block in BLOCK.findall(README) if tongue == language]
    return [block for block in found if not block.startswith("make ")]


@pytest.fixture(scope="module")
async def environment(
    devstack: DevStack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """Services as `make up` starts them, and the environment of a terminal beside them."""
    shared = Services.of_stack(devstack)
    async with fresh_database(shared) as dsn:
        settings = settings_for(shared, dsn).model_copy(
            update={"topic_prefix": "patternlog", **SIGNING, "tree_head_s": 1.0}
        )
        told = {f"PATTERNLOG_{name.upper()}": str(value) for name, value in variables_of(settings).items()}
        folder = tmp_path_factory.mktemp("beside")
        told |= {"PATTERNLOG_ENVIRONMENT": "development", "PATTERNLOG_MAIL_FOLDER": str(folder / "mails")}
        with ServiceProcesses(told) as services:
            services.set_up()
            services.start("gateway", "decider", "projector")
            path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
            told |= {"PATTERNLOG_CREDENTIALS": str(folder / "credentials.json")}
            yield dict(os.environ) | told | {"PATH": path, "README_SERVER": services.url("gateway")}


@pytest.fixture(scope="module")
def printed(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """The README's blocks, executed in order and in one folder; the shell's in one shell."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "patterns.json").write_text(json.dumps(PATTERNS))
    mark = "=== the next block ==="
    client, http, auditor = blocks("sh")
    # By then the notary has signed what the blocks before wrote, as it has when people type them.
    auditor = auditor.replace("patternlog audit", SIGNED + "patternlog audit")
    script = f"echo '{mark}'\n".join((client, http, auditor))
    script = script.replace(SERVER, environment["README_SERVER"])
    shell = run(["bash", "-euo", "pipefail", "-c", script], folder, environment).split(mark)
    (consume,) = blocks("python")
    consumer = run([sys.executable, "-c", consume], folder, environment)
    return Printed(client=shell[0], http=shell[1], auditor=shell[2], consumer=consumer)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def json_values(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, as curl leaves them: without a line of their own."""
    found, decoder, at = [], json.JSONDecoder(), text.find("{")
    while at >= 0:
        value, end = decoder.raw_decode(text, at)
        found.append(value)
        at = text.find("{", end)
    return found


def test_a_client_imports_pushes_edits_and_is_in_step(printed: Printed) -> None:
    assert "signed in on" in printed.client
    assert "1 recorded, 0 edited, 0 unchanged, 0 invalid" in printed.client
    assert re.search(r"pushed 1 command in 1 batch: 1 accepted", printed.client)
    assert "edited 'bounds_checking'" in printed.client
    assert "1 pattern, 0 archived" in printed.client
    assert "0 to push, 0 sent and not answered" in printed.client


def test_a_command_over_http_is_answered_with_its_outcome(printed: Printed) -> None:
    (outcome,) = json_values(printed.http)
    assert outcome["status"] == "accepted"
    assert outcome["version"] == 1


def test_an_auditor_reads_the_history_and_verifies_the_read_models(printed: Printed) -> None:
    history, blame = json_values(printed.auditor)[-2:]
    versions = history["versions"]
    assert [(one["version"], one["type"]) for one in versions] == [
        (1, "pattern.recorded.v1"),
        (2, "pattern.edited.v3"),
    ]
    assert versions[0]["actor"] == versions[1]["actor"]
    assert versions[1]["data"]["set"] == {"severity": "high"}
    assert (blame["fields"]["severity"]["version"], blame["fields"]["name"]["version"]) == (2, 1)
    assert "The read models are what the log says" in printed.auditor


def test_an_auditor_proves_the_log_up_to_a_signed_tree_head(printed: Printed) -> None:
    assert f"whole: {EVENTS} events" in printed.auditor
    assert f"signed up to sequence {EVENTS}" in printed.auditor


def test_a_consumer_reads_every_event_once(printed: Printed) -> None:
    types = [line.split()[1] for line in printed.consumer.splitlines()]
    assert sorted(types) == [
        "pattern.edited.v3",
        "pattern.recorded.v1",
        "pattern.recorded.v1",
        "team.created.v2",
        "team.invitation_accepted.v1",
        "team.member_invited.v1",
    ]
    assert "bounds_checking" in printed.consumer
    assert "Close what you open" in printed.consumer


def test_every_make_command_is_a_documented_target() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    documented = re.findall(r"^([a-z-]+):.*## .", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert named >= {"demo", "test", "up", "down"}
    assert named <= set(documented)


def test_every_link_leads_to_a_file() -> None:
    links = set(re.findall(r"\]\(([^)#]+)", README))
    assert "docs/events.md" in links
    assert {link for link in links if not (ROOT / link).exists()} == set()
