"""Auditors at the command line: exports, verifying them, and evidence."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from evidence.notes import TIMESTAMPED
from sync_client import audit_source
from sync_client.audit_download import LOG
from sync_client.errors import EVIDENCE, SIGN_IN, TRY_LATER, USAGE
from sync_client.retrying import Patience
from tests.exported_logs import LOG_KEY, WITNESS, ExportedLog
from tests.sync_fakes.audited import SIGNER
from tests.sync_fakes.http_server import ServedFake
from tests.sync_fakes.terminal import Terminal

KEY = LOG_KEY.key().vkey
EXPORT = ExportedLog.of(12)


def write(folder: Path, log: ExportedLog = EXPORT, sizes: tuple[int, ...] = (5, 12)) -> None:
    (folder / "log.ndjson").write_bytes(b"".join(log.texts))
    heads = [json.dumps({"head": one.head}, ensure_ascii=False) for one in EXPORT.heads(*sizes)]
    (folder / "heads.ndjson").write_text("\n".join(heads) + "\n\n")


def verify(terminal: Terminal, *more: str, expect: int = 0) -> str:
    heads = ("--heads", "heads.ndjson", "--key", KEY)
    return terminal.run("audit", "verify", "log.ndjson", *heads, *more, expect=expect)


def test_a_whole_export_is_verified_without_a_network(terminal: Terminal, tmp_path: Path) -> None:
    write(tmp_path, sizes=(5, 10))
    told = (
        "whole: 12 events, 2 heads, signed up to sequence 10; 2 later events: no head yet, only the chain; "
    )
    assert verify(terminal).startswith(f"{told}team ")


def test_what_is_wrong_is_told_with_its_place_and_an_exit_code(terminal: Terminal, tmp_path: Path) -> None:
    forged = EXPORT.copy()
    forged.alter(7)
    write(tmp_path, forged)
    told = verify(terminal, expect=EVIDENCE)
    assert told.startswith("altered: sequence 7: ")
    assert "heads fit up to size 5; that of size 12 does not" in told
    report = json.loads(verify(terminal, "--json", expect=EVIDENCE))
    finding = {"kind": "altered", "first": 7, "last": 7}
    assert (report["is_whole"], report["signed_to"], report["misfit"]) == (False, 5, 12)
    assert [{name: one[name] for name in finding} for one in report["findings"]] == [finding]


def test_an_export_is_read_packed_and_from_standard_input(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    plain = (tmp_path / "log.ndjson").read_bytes()
    (tmp_path / "log.ndjson").write_bytes(gzip.compress(plain))
    assert verify(terminal).startswith("whole")
    (tmp_path / "log.ndjson").write_bytes(gzip.compress(plain)[:-20])
    verify(terminal, expect=USAGE)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(plain)))
    heads = ("--heads", "heads.ndjson", "--key", KEY)
    assert terminal.run("audit", "verify", "-", *heads).startswith("whole")


def test_witnesses_are_asked_for(terminal: Terminal, tmp_path: Path) -> None:
    write(tmp_path)
    witness = ("--witness", WITNESS.key(TIMESTAMPED).vkey, "--require-witnesses", "1")
    told = verify(terminal, *witness, expect=EVIDENCE)
    assert "passed over 2 heads without enough witnesses" in told
    note = EXPORT.head(12).signed([LOG_KEY], 1)
    seen = str(note.with_signatures([WITNESS.sign_at(note.text, 2)]))
    (tmp_path / "heads.ndjson").write_text(json.dumps({"head": seen}))
    assert verify(terminal, *witness).startswith("whole: 12 events, 1 head,")


def test_an_export_that_is_meant_to_end_early_is_no_cut(terminal: Terminal, tmp_path: Path) -> None:
    write(tmp_path, ExportedLog(EXPORT.lines[:5]))
    assert "cut: sequences 6 to 12" in verify(terminal, expect=EVIDENCE)
    assert verify(terminal, "--to", "5").startswith("whole: 5 events")
    write(tmp_path, ExportedLog(EXPORT.lines[:5]), sizes=(12,))
    assert "unproven: sequences 1 to 5" in verify(terminal, "--to", "5", expect=EVIDENCE)


def test_what_cannot_be_verified_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    write(tmp_path)
    terminal.run("audit", "verify", "log.ndjson", expect=USAGE)
    terminal.run("audit", "verify", "log.ndjson", "--heads", "heads.ndjson", expect=USAGE)
    terminal.run("audit", "verify", "log.ndjson", "--heads", "heads.ndjson", "--key", "no key", expect=USAGE)
    terminal.run("audit", "verify", "none", "--heads", "heads.ndjson", "--key", KEY, expect=USAGE)
    (tmp_path / "heads.ndjson").write_text("{\n")
    verify(terminal, expect=USAGE)
    assert "line 1 of the tree heads" in terminal.errors


# ---------------------------------------------------------------- from a server


@pytest.fixture
def audited(workspace: Terminal, fake: ServedFake, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A workspace that has seen the head of a log with five events."""
    monkeypatch.setattr(
        audit_source, "PATIENCE", Patience(attempts=2, timeout=5, first_wait=0, longest_wait=0, jitter=0)
    )
    fake.server.log.signers = [SIGNER]
    for number in range(4):
        workspace.run("record", f"n{number}")
    workspace.run("sync")
    return workspace


def test_the_servers_log_is_downloaded_and_verified_in_one(audited: Terminal, fake: ServedFake) -> None:
    assert audited.run("audit", "verify").startswith("whole: 5 events,")
    fake.server.log.records[2] = fake.server.log.records[2].with_headers({"ce_actor": b"somebody"})
    assert audited.run("audit", "verify", expect=EVIDENCE).startswith("altered: sequence 3: ")


def test_a_log_that_was_cut_below_what_this_workspace_saw_is_found(
    audited: Terminal, fake: ServedFake
) -> None:
    del fake.server.log.records[3:]
    assert "cut: sequences 4 to 5" in audited.run("audit", "verify", expect=EVIDENCE)


def test_the_heads_of_a_workspace_are_a_file_to_verify_with(audited: Terminal, tmp_path: Path) -> None:
    audited.run("audit", "export", "out")
    (tmp_path / "mine.ndjson").write_text(audited.run("audit", "heads"))
    files = ("out/log.ndjson", "--heads", "mine.ndjson", "--key", SIGNER.key().vkey)
    assert audited.run("audit", "verify", *files).startswith("whole: 5 events, 1 head,")


def test_an_event_that_the_server_cannot_tell_is_found(audited: Terminal, fake: ServedFake) -> None:
    fake.lacks = 4
    assert "cut: sequences 4 to 5" in audited.run("audit", "verify", expect=EVIDENCE)
    assert "log_incomplete" in audited.errors
    audited.run("audit", "export", "out", expect=TRY_LATER)
    fake.lacks = None
    assert audited.run("audit", "export", "out").startswith("exported 5 events")


def test_an_export_goes_on_where_it_was_cut_off_and_is_whole_or_not_there(
    audited: Terminal, fake: ServedFake, tmp_path: Path
) -> None:
    whole = fake.server.log.lines(1, 5)
    fake.cuts += [len(whole) // 2, 100]
    audited.run("audit", "export", "out", expect=TRY_LATER)
    assert not (tmp_path / "out" / LOG).exists()
    assert audited.run("audit", "export", "out") == "exported 5 events and 5 heads to out\n"
    assert (tmp_path / "out" / LOG).read_bytes() == whole
    audited.run("record", "another")
    audited.run("sync")
    assert audited.run("audit", "export", "out") == "exported 6 events and 6 heads to out\n"
    files = ("out/log.ndjson", "--heads", "out/heads.ndjson", "--key", SIGNER.key().vkey)
    assert audited.run("audit", "verify", *files).startswith("whole: 6 events, 6 heads")


def test_a_part_of_the_log_comes_with_the_proof_of_its_first_event(audited: Terminal) -> None:
    assert audited.run("audit", "export", "part", "--from", "4").startswith("exported 2 events")
    files = ("part/log.ndjson", "--heads", "part/heads.ndjson", "--key", SIGNER.key().vkey)
    assert audited.run("audit", "verify", *files).startswith("whole: 2 events")


def test_another_server_is_asked_by_its_address_with_a_key_of_ones_own(
    audited: Terminal, fake: ServedFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ("--server", fake.url, "--team", fake.server.team_id)
    audited.run("audit", "verify", *place, expect=USAGE)
    assert audited.run("audit", "verify", *place, "--key", SIGNER.key().vkey).startswith("whole")
    audited.run("audit", "verify", "--server", fake.url, expect=USAGE)
    audited.run("audit", "verify", "--server", fake.url, "--team", "ours", expect=USAGE)
    monkeypatch.delenv("PATTERNLOG_TOKEN")
    audited.run("audit", "verify", *place, expect=SIGN_IN)


# ---------------------------------------------------------------- evidence


def test_evidence_is_told_at_each_command_until_it_is_acknowledged(
    audited: Terminal, fake: ServedFake
) -> None:
    assert audited.run("audit", "evidence") == ""
    fake.server.log.records[0] = fake.server.log.records[0].with_headers({"ce_actor": b"somebody"})
    audited.run("record", "mine")
    audited.run("push")
    audited.run("pull", expect=EVIDENCE)
    assert "[proof_failed]" in audited.errors
    loud = "THE SERVER'S LOG IS NOT THE ONE THAT WAS SEEN HERE"
    audited.run("list")
    assert loud in audited.errors
    audited.run("record", "offline")
    assert loud in audited.errors
    found: dict[str, Any] = json.loads(audited.run("status", "--json", expect=EVIDENCE))
    assert (found["failed_proofs"], found["waiting"]) == (1, 1)
    audited.run("sync", expect=EVIDENCE)
    (one,) = json.loads(audited.run("audit", "evidence", "--json", expect=EVIDENCE))
    assert (one["number"], one["reason"], one["server"]) == (1, "inconsistent", fake.url)
    assert "NOT ACKNOWLEDGED" in audited.run("audit", "evidence", expect=EVIDENCE)
    assert "acknowledged" in audited.run("audit", "evidence", "--acknowledge", "1")
    audited.run("audit", "evidence", "--acknowledge", "1", expect=1)
    audited.run("sync")
    assert loud not in audited.errors
    assert "offline" in fake.server.live()


def test_a_key_is_given_at_the_beginning_or_later(terminal: Terminal, fake: ServedFake) -> None:
    fake.server.log.signers = [SIGNER]
    place = ("init", "--server", fake.url, "--team", fake.server.team_id)
    terminal.run(*place, "--audit-key", "no key", expect=USAGE)
    terminal.run(*place, "--audit-key", WITNESS.key().vkey, expect=EVIDENCE)
    terminal.run("audit", "evidence", "--acknowledge", "1")
    assert terminal.run("audit", "trust", SIGNER.key().vkey) == "trusted 1 key\n"
    terminal.run("pull")
