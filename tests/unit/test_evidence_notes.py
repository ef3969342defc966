import base64

import pytest

from evidence.errors import BadSignature, MalformedNote
from evidence.merkle import EMPTY_ROOT, hash_leaf
from evidence.notes import (
    TIMESTAMPED,
    Note,
    SigningKey,
    parse_key,
    parse_note,
    parse_signatures,
    verify_note,
)
from evidence.tree_heads import TreeHead, open_head, origin_of, parse_head

# The note with which implementations of the format are checked.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG = SigningKey("log.example", bytes(range(32)))
NEXT = SigningKey("log.example", bytes(range(1, 33)))
WITNESS = SigningKey("witness.example/w1", bytes(range(2, 34)))
HEAD = TreeHead(origin=origin_of("log.example", "l", "t"), size=7, root=hash_leaf(b"x"))


def test_a_published_note_is_verified_and_written_as_it_was() -> None:
    note = parse_note(PUBLISHED_NOTE)
    key = parse_key(PUBLISHED_KEY)
    (found,) = verify_note(note, [key])
    assert (found.key.vkey, found.time_s, str(note)) == (PUBLISHED_KEY, None, PUBLISHED_NOTE)


def test_a_changed_text_or_signature_is_refused() -> None:
    key = parse_key(PUBLISHED_KEY)
    for changed in (
        PUBLISHED_NOTE.replace("answer", "Answer"),
        PUBLISHED_NOTE.replace("x08go/ZJ", "x08go/ZK"),
    ):
        with pytest.raises(BadSignature, match="does not fit"):
            verify_note(parse_note(changed), [key])


def test_a_head_is_what_was_signed_with_the_time_at_which_it_was() -> None:
    note = HEAD.signed([LOG], 1_700_000_000)
    opened = open_head(str(note), [LOG.key()])
    assert (opened.head, opened.time_s, opened.note) == (HEAD, 1_700_000_000, note)


def test_while_keys_are_rotated_the_old_and_the_new_one_open_a_head() -> None:
    note = str(HEAD.signed([LOG, NEXT], 5))
    for key in (LOG, NEXT):
        assert open_head(note, [key.key()]).head == HEAD
    assert len(open_head(note, [LOG.key(), NEXT.key()]).by) == 4
    with pytest.raises(BadSignature, match="no trusted key"):
        open_head(note, [WITNESS.key()])


def test_a_witness_adds_what_it_has_seen() -> None:
    note = HEAD.signed([LOG], 5)
    more = parse_signatures(str(WITNESS.sign_at(HEAD.text, 9)))
    both = note.with_signatures(more).with_signatures(more)
    assert len(both.signatures) == 3
    opened = open_head(str(both), [WITNESS.key(TIMESTAMPED)])
    assert [(one.key.name, one.time_s) for one in opened.by] == [("witness.example/w1", 9)]


def test_one_signature_of_a_trusted_key_that_does_not_fit_spoils_the_note() -> None:
    note = HEAD.signed([LOG], 5)
    wrong = note.with_signatures([NEXT.sign("something else\n")])
    assert open_head(str(wrong), [LOG.key()]).head == HEAD
    with pytest.raises(BadSignature, match="does not fit"):
        open_head(str(wrong), [LOG.key(), NEXT.key()])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "\n\n— a AAAAAAA=\n",
        "text\n\n— a AAAAAAA=",
        "text\n\n- a AAAAAAA=\n",
        "text\n\n— AAAAAAA=\n",
        "text\n\n— a+b AAAAAAA=\n",
        "text\n\n— a AAAAAA==\n",
        "text\n\n— a AAAAAAB=\n",
        "text\n\n— a !AAAAAA=\n",
        "te\txt\n\n— a AAAAAAA=\n",
        "te\rxt\n\n— a AAAAAAA=\n",
        "x" * 70_000 + "\n\n— a AAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(MalformedNote):
        parse_note(note)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000",
        PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_KEY.replace("Peter", "Pater"),
        PUBLISHED_KEY.replace("PeterNeumann", ""),
        PUBLISHED_KEY[:-4],
        PUBLISHED_KEY.replace("ARpc", "AhpC"),
        PUBLISHED_KEY.replace("PeterNeumann", "Peter Neumann"),
    ],
)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedNote):
        parse_key(vkey)


ROOT = base64.b64encode(EMPTY_ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"log\n{ROOT}\n",
        f"log\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n١\n{ROOT}\n",
        f"log\n{'9' * 5000}\n{ROOT}\n",
        f"log\n1\n{ROOT[:-4]}\n",
        "log\n1\nAAAA\n",
        f"log\n1\n{ROOT}\n\n",
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        parse_head(text)


def test_lines_that_a_head_has_more_are_signed_and_passed_over() -> None:
    text = HEAD.text + "more\n"
    note = Note(text, (LOG.sign(text),))
    assert open_head(str(note), [LOG.key()]).head == HEAD


def test_a_signature_that_states_no_time_or_is_cut_is_refused() -> None:
    stamped = LOG.sign_at(HEAD.text, 5)
    for raw in (b"\xff" * 8 + stamped.bytes[8:], stamped.bytes[:-1]):
        wrong = parse_signatures(str(stamped).replace(_text(stamped.bytes), _text(raw)))
        with pytest.raises(BadSignature):
            open_head(str(Note(HEAD.text, wrong)), [LOG.key()])


def _text(signature: bytes) -> str:
    return base64.b64encode(LOG.key(TIMESTAMPED).id + signature).decode()


def test_a_private_key_does_not_show_itself() -> None:
    assert repr(LOG) == f"SigningKey({LOG.key().vkey})"
