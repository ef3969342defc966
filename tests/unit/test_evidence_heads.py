"""The heads that an export is held against, and exports of a part of a log."""

import json

import pytest

from evidence.head_book import Trust
from evidence.head_files import HeadLine, InclusionProof, read_heads, texts_of
from evidence.key_notes import key_note
from evidence.merkle import Leaves, consistency_parts, root_of
from evidence.notes import TIMESTAMPED, SigningKey
from tests.exported_logs import LOG_KEY, TRUST, WITNESS, ExportedLog, audit, found

SIZE = 40
HEADS = (1, 10, 20, 30, SIZE)
LOG = ExportedLog.of(SIZE)


def altered(place: int) -> ExportedLog:
    """With a chain made anew."""
    log = LOG.copy()
    log.alter(place)
    log.chain_anew()
    return log


# ---------------------------------------------------------------- heads


def test_a_head_without_a_trusted_signature_is_named_and_does_not_count() -> None:
    forger = SigningKey("log.example", bytes(32))
    forgery = HeadLine(head=str(LOG.head(30).signed([forger], 1)))
    report = audit(LOG, [*LOG.heads(10), forgery, HeadLine(head="no note")])
    assert found(report) == [("bad_head", 30, 30), ("bad_head", 0, 0)]
    assert report.signed_to == 10


def test_heads_that_contradict_one_another_are_named_even_if_one_fits() -> None:
    other = altered(3)
    report = audit(LOG, [*LOG.heads(*HEADS), *other.heads(20, 25)])
    assert found(report) == [("contradiction", 20, 20), ("contradiction", 25, 25)]
    assert report.signed_to == SIZE


def test_nothing_is_proven_without_a_head_of_the_log() -> None:
    assert found(audit(LOG, [])) == [("no_head", 1, SIZE)]
    other = ExportedLog.of(5)
    for line in other.lines:
        line["headers"]["ce_source"] = "/teams/00000000-0000-4000-8000-000000000002"
    assert found(audit(other, LOG.heads(5)))[-1][0] == "no_head"


def test_heads_of_the_log_before_a_restore_are_passed_over() -> None:
    old = altered(3).head(30, log_id="0190a5d0-0000-7000-8000-000000000002")
    report = audit(LOG, [*LOG.heads(*HEADS), HeadLine(head=str(old.signed([LOG_KEY], 1)))])
    assert (report.is_whole, report.other_heads) == (True, 1)


def test_a_key_that_a_trusted_one_names_is_trusted_and_no_other() -> None:
    second, third = (SigningKey("log.example", bytes([number]) * 32) for number in (2, 3))
    heads = [HeadLine(head=str(LOG.head(SIZE).signed([third], 1)))]
    notes = [
        HeadLine(rotation=str(key_note([second, third]))),
        HeadLine(rotation=str(key_note([LOG_KEY, second]))),
    ]
    assert audit(LOG, [*heads, *notes]).is_whole
    assert found(audit(LOG, [*heads, *notes[:1]])) == [
        ("bad_head", SIZE, SIZE),
        ("no_head", 1, SIZE),
    ]
    assert found(audit(LOG, [*LOG.heads(SIZE), HeadLine(rotation="x")]))[0][0] == "bad_head"


def test_only_heads_with_enough_witnesses_count_if_they_are_asked_for() -> None:
    trust = Trust(keys=TRUST.keys, witnesses=[WITNESS.key(TIMESTAMPED)], required=1)
    note = LOG.head(20).signed([LOG_KEY], 1)
    seen = HeadLine(head=str(note.with_signatures([WITNESS.sign_at(note.text, 9)])))
    report = audit(LOG, [seen, *LOG.heads(30, SIZE)], trust)
    assert (report.is_whole, report.signed_to, report.unwitnessed_heads) == (True, 20, 2)
    assert found(audit(LOG, LOG.heads(*HEADS), trust)) == [("no_head", 1, SIZE)]
    wrong = HeadLine(head=str(note.with_signatures([WITNESS.sign_at("something else\n", 9)])))
    assert found(audit(LOG, [seen, wrong], trust)) == [("bad_head", 20, 20)]


# ---------------------------------------------------------------- a part of a log


def inclusion(sequence: int) -> HeadLine:
    hashes = LOG.frontier(sequence - 1).hashes
    return HeadLine(
        inclusion=InclusionProof(sequence=sequence, size=sequence, path=texts_of(reversed(hashes)))
    )


@pytest.mark.parametrize("begin", [2, 8, 9, 17, 33])
def test_a_part_that_begins_in_the_middle_is_proven_with_what_its_first_events_path_holds(begin: int) -> None:
    lines = LOG.texts[begin - 1 :]
    report = audit(lines, [*LOG.heads(*HEADS), inclusion(begin)])
    assert (report.is_whole, report.first, report.signed_to) == (True, begin, SIZE)
    forgery = altered(begin).texts[begin - 1 :]
    assert found(audit(forgery, [*LOG.heads(*HEADS), inclusion(begin)]))[0][0] == "rewritten"
    assert found(audit(lines, LOG.heads(*HEADS))) == [("dropped", 1, begin - 1)]


def consistency(old: int, new: int) -> HeadLine:
    def root(part: Leaves) -> bytes:
        log = ExportedLog(LOG.lines[part.begin : part.end])
        return log.frontier(len(log.lines)).root()

    path = [root_of([root(part)]) for part in consistency_parts(old, new)]
    told = {"consistency": {"from": old, "to": new, "path": texts_of(path)}}
    (line,) = read_heads([json.dumps(told).encode()])
    return line


def test_a_part_that_ends_in_the_middle_is_proven_by_consistency_with_a_later_head() -> None:
    heads = [*LOG.heads(SIZE), consistency(25, SIZE)]
    report = audit(LOG.texts[:25], heads, end=25)
    assert (report.is_whole, report.signed_to) == (True, 25)
    assert found(audit(LOG.texts[:24], heads, end=25)) == [("unproven", 1, 24), ("cut", 25, 25)]
    forgery = altered(3)
    assert found(audit(forgery.texts[:25], heads, end=25)) == [("rewritten", 1, 25)]
    assert found(audit(LOG.texts[:25], LOG.heads(SIZE), end=25)) == [("unproven", 1, 25)]


def test_the_log_of_another_team_or_of_an_earlier_id_is_not_the_one_that_was_asked_for() -> None:
    other = "6f1c2a8e-0000-4000-8000-000000000009"
    assert {kind for kind, *_ in found(audit(LOG, LOG.heads(SIZE), team_id=other))} >= {"other_log"}
    assert found(audit(LOG, LOG.heads(SIZE), log_id=other)) == [("other_log", SIZE, SIZE)]
