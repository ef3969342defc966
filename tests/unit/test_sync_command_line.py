"""The command line: what it prints, and its exit codes."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from sync_client import mounting
from sync_client.replica import writable_replica
from tests.sync_fakes.http_server import TOKEN, ServedFake, served
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.terminal import Terminal


def status(terminal: Terminal, expect: int = 0) -> dict[str, object]:
    found: dict[str, object] = json.loads(terminal.run("status", "--json", expect=expect))
    return found


# ---------------------------------------------------------------- the way of a library


def test_a_team_is_created_filled_and_pulled_elsewhere(terminal: Terminal, tmp_path: Path) -> None:
    patterns = [{"name": f"n{index}", "x": [index]} for index in range(3)]
    (tmp_path / "library.json").write_text(json.dumps({"patterns": patterns}))
    with served(FakeServer.without_team()) as fake:
        team = terminal.run("init", "--server", fake.url, "--create", "Ours").split()[1]
        imported = terminal.run("import", "library.json")
        assert "3 recorded, 0 edited, 0 unchanged, 0 invalid" in imported
        assert "pushed 3 commands in 1 batch: 3 accepted" in terminal.run("sync")
        terminal.run("init", "--server", fake.url, "--team", team, "--dir", "elsewhere")
        terminal.run("export", "out.ndjson", "--dir", "elsewhere")
    lines = (tmp_path / "out.ndjson").read_text().splitlines()
    assert [json.loads(line) for line in lines] == patterns


def in_conflict(workspace: Terminal, fake: ServedFake) -> dict[str, Any]:
    """The draft of an edit in conflict over the severity, with another edit on top of it."""
    workspace.run("record", "n", "--set", "severity=low")
    workspace.run("push")
    workspace.run("init", "--server", fake.url, "--team", fake.server.team_id, "--dir", "other")
    workspace.run("edit", "n", "--set", "severity=high", "--dir", "other")
    workspace.run("push", "--dir", "other")
    workspace.run("edit", "n", "--set", "severity=critical", "--set-json", "x=[1]")
    workspace.run("edit", "n", "--set", "y=2")
    assert "1 in conflict, 1 held up" in workspace.run("push", expect=1)
    workspace.run("pull", expect=1)
    (draft,) = json.loads(workspace.run("conflicts", "--json", expect=1))
    assert isinstance(draft, dict)
    return draft


def test_a_conflict_is_shown_counted_and_dropped(workspace: Terminal, fake: ServedFake) -> None:
    draft = in_conflict(workspace, fake)
    assert (draft["code"], draft["kind"], draft["holds_up"]) == ("edit_conflict", "conflict", 1)
    assert (draft["conflict_id"], draft["being_resolved"]) == (draft["command_id"], False)
    assert (draft["mine"], draft["theirs"]) == ({"severity": "critical", "x": [1]}, {"severity": "high"})
    shown = workspace.run("conflicts", expect=1)
    assert f"conflict {draft['conflict_id']}" in shown
    assert "holds up 1 command" in shown
    assert (status(workspace, expect=1)["conflicts"], status(workspace, expect=1)["held"]) == (1, 1)
    assert workspace.run("conflicts", "--drop", str(draft["number"])) == ""
    assert (status(workspace)["conflicts"], status(workspace)["waiting"]) == (0, 1)


def test_a_conflict_is_resolved_offline_and_is_over_when_the_server_has_accepted_it(
    workspace: Terminal, fake: ServedFake
) -> None:
    number = str(in_conflict(workspace, fake)["number"])
    workspace.run("resolve", number, expect=1)
    assert "not decided: severity [unresolved_fields]" in workspace.errors
    resolved = workspace.run("resolve", number, "--take", "severity=mine", "--set-json", "x=[2]")
    assert resolved == f"resolved {number}; patternlog push sends it\n"
    assert json.loads(workspace.run("show", "n", "--json"))["fields"]["severity"] == "critical"
    assert "being resolved" in workspace.run("conflicts", expect=1)
    assert "pushed 2 commands in 2 batches: 2 accepted" in workspace.run("sync")
    assert workspace.run("conflicts") == ""
    fields = {"name": "n", "severity": "critical", "x": [2], "y": "2"}
    assert fake.server.live()["n"] == json.loads(workspace.run("show", "n", "--json"))["fields"] == fields


def test_one_side_is_taken_of_all_that_is_not_named(workspace: Terminal, fake: ServedFake) -> None:
    number = str(in_conflict(workspace, fake)["number"])
    workspace.run("resolve", number, "--theirs", "--remove", "x")
    workspace.run("sync")
    assert fake.server.live()["n"] == {"name": "n", "severity": "high", "y": "2"}


def test_a_conflict_is_given_up_for_everybody(workspace: Terminal, fake: ServedFake) -> None:
    number = str(in_conflict(workspace, fake)["number"])
    assert workspace.run("abandon", number) == f"abandoned {number}; patternlog push sends it\n"
    workspace.run("sync")
    assert fake.server.live()["n"] == {"name": "n", "severity": "high", "y": "2"}
    workspace.run("abandon", number, expect=1)
    assert "[unknown_draft]" in workspace.errors


def test_a_side_is_mine_or_theirs(workspace: Terminal) -> None:
    workspace.run("resolve", "1", "--take", "severity=ours", expect=2)
    assert "mine or theirs" in workspace.errors


def test_local_edits_are_seen_at_once_and_counted_as_waiting(workspace: Terminal) -> None:
    workspace.run("record", "n", "--set", "category=c", "--set-json", 'tags=["t"]')
    workspace.run("edit", "n", "--remove", "category", "--set", "severity=low")
    shown = json.loads(workspace.run("show", "n", "--json"))
    assert shown["fields"] == {"name": "n", "tags": ["t"], "severity": "low"}
    assert workspace.run("list") == "* n  low  -\n"
    assert (status(workspace)["waiting"], status(workspace)["patterns"]) == (2, 1)
    workspace.run("archive", "n")
    assert workspace.run("list") == ""
    assert json.loads(workspace.run("list", "--archived", "--json"))["patterns"][0]["status"] == "archived"
    workspace.run("restore", "n")
    workspace.run("delete", "n")
    assert status(workspace)["patterns"] == 0


def test_an_import_with_invalid_patterns_names_them_and_takes_the_others(
    workspace: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text('[{"name": "a"}, {"name": "b", "severity": 1}]')
    assert "1 recorded, 0 edited, 0 unchanged, 1 invalid" in workspace.run("import", "x.json", expect=1)
    assert (
        "pattern 2 'b': severity: must be one of low, medium, high, critical [invalid_field]"
        in workspace.errors
    )
    assert "0 recorded, 0 edited, 1 unchanged, 1 invalid" in workspace.run("import", "x.json", expect=1)


def test_export_to_stdout_is_the_file_and_nothing_else(workspace: Terminal) -> None:
    workspace.run("record", "é")
    assert json.loads(workspace.run("export", "-")) == {"patterns": [{"name": "é"}]}
    assert json.loads(workspace.run("export", "-", "--format", "ndjson")) == {"name": "é"}


# ---------------------------------------------------------------- exit codes


def test_2_is_for_usage(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("status", expect=2)
    assert "no workspace" in terminal.errors
    assert len(terminal.errors.splitlines()) == 1
    terminal.run("init", "--server", "http://127.0.0.1:1", expect=2)
    terminal.run("init", "--server", "http://127.0.0.1:1", "--team", "x", expect=2)
    terminal.run("nonsense-command", expect=2)


def test_2_is_for_a_second_workspace_and_a_bad_file(
    workspace: Terminal, fake: ServedFake, tmp_path: Path
) -> None:
    workspace.run("init", "--server", fake.url, "--team", fake.server.team_id, expect=2)
    (tmp_path / "x.json").write_text("nonsense")
    workspace.run("import", "x.json", expect=2)
    assert "[bad_pattern_file]" in workspace.errors
    workspace.run("import", "missing.json", expect=2)
    workspace.run("edit", "n", "--set", "no-equals-sign", expect=2)


def test_1_is_for_an_edit_that_the_library_refuses(workspace: Terminal) -> None:
    workspace.run("record", "n")
    workspace.run("record", "n", expect=1)
    assert "[name_taken]" in workspace.errors
    workspace.run("edit", "missing", "--set", "a=b", expect=1)
    assert "[unknown_pattern]" in workspace.errors


def test_3_is_for_another_writer(workspace: Terminal, tmp_path: Path) -> None:
    with writable_replica(tmp_path / ".patternlog"):
        workspace.run("record", "n", expect=3)
    assert "[replica_locked]" in workspace.errors


def test_3_is_for_a_server_that_asks_for_patience(workspace: Terminal, fake: ServedFake) -> None:
    workspace.run("record", "n")
    fake.canned.append((503, {"Retry-After": "3600"}, b'{"code": "log_unavailable"}'))
    workspace.run("push", expect=3)
    assert "[log_unavailable]" in workspace.errors
    assert status(workspace)["unanswered"] == 1
    workspace.run("push")


def test_4_is_for_signing_in(workspace: Terminal, fake: ServedFake, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.run("record", "n")
    monkeypatch.setenv("PATTERNLOG_TOKEN", "expired")
    workspace.run("push", expect=4)
    assert "[unauthenticated]" in workspace.errors
    monkeypatch.setenv("PATTERNLOG_TOKEN", TOKEN)
    workspace.run("push")
    monkeypatch.setenv("PATTERNLOG_TOKEN", "two\nlines")
    workspace.run("pull", expect=4)
    assert "[bad_token]" in workspace.errors
    monkeypatch.delenv("PATTERNLOG_TOKEN")
    workspace.run("init", "--server", fake.url, "--create", "x", "--dir", "new", expect=4)
    assert "patternlog login" in workspace.errors


def test_a_token_is_for_one_call_and_is_kept_nowhere(
    workspace: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PATTERNLOG_TOKEN")
    workspace.run("pull", "--token", "expired", expect=4)
    workspace.run("pull", "--token", TOKEN)
    workspace.run("pull", expect=4)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)


def test_5_is_for_a_server_that_is_none_of_patternlogs(workspace: Terminal, fake: ServedFake) -> None:
    fake.canned.append((200, {}, b"<html>hello</html>"))
    workspace.run("pull", expect=5)
    assert "[unexpected_answer]" in workspace.errors


def test_6_is_for_a_replica_that_cannot_be_used(workspace: Terminal, tmp_path: Path) -> None:
    (tmp_path / ".patternlog" / "replica.sqlite").write_bytes(b"damaged" * 1000)
    workspace.run("status", expect=6)
    assert "[replica_unusable]" in workspace.errors


def test_a_team_that_the_server_does_not_know_makes_no_workspace(terminal: Terminal, tmp_path: Path) -> None:
    with served(FakeServer()) as fake:
        stranger = "6f1c2a8e-0000-4000-8000-000000000000"
        terminal.run("init", "--server", fake.url, "--team", stranger, expect=5)
    assert not (tmp_path / ".patternlog").exists()


# ---------------------------------------------------------------- mounted commands


def mount(patch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint(name="server", value=value, group=mounting.GROUP)
    patch.setattr(mounting, "entry_points", lambda group: [entry])


def test_commands_of_other_packages_stand_beside_our_own(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount(monkeypatch, "tests.sync_fakes.mounted:app")
    assert terminal.run("greet", "you") == "hello you\n"
    assert "greet" in terminal.run("--help")


def test_an_extra_that_is_missing_is_said_and_hurts_no_other_command(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount(monkeypatch, "no_such_package.command_line:app")
    terminal.run("serve", expect=2)
    assert "patternlog[server] is not installed" in terminal.errors
    assert "status" in terminal.run("--help")
    terminal.run("stauts", expect=2)
    assert "Did you mean 'status'" in terminal.errors


def test_our_own_commands_load_no_other_package(workspace: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(group: str) -> list[EntryPoint]:
        pytest.fail("looked for other packages")

    monkeypatch.setattr(mounting, "entry_points", nobody)
    workspace.run("status")
