import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cursor import BadCursor, Cursor, parse_cursor
from tests.strategies import REPEATABLE

LOG = "0d9c9a52-3a3b-4c57-8f6e-2f1b8f1b7c11"
TEAM = "7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01"
CURSOR = Cursor(log_id=LOG, team_id=TEAM, sequence=42)
# Clients hold these: the text of a cursor never changes.
TEXT = "AQ2cmlI6O0xXj24vG48bfBF_PC8OHwpKU51VDW9sH3oBAAAAAAAAACq6luia"


def test_a_cursor_that_was_given_out_stays_good() -> None:
    assert str(CURSOR) == TEXT
    assert parse_cursor(TEXT) == CURSOR


@REPEATABLE
@given(st.uuids(), st.uuids(), st.integers(0, 2**63 - 1))
def test_a_cursor_comes_back_as_it_went_out(log_id: object, team_id: object, sequence: int) -> None:
    cursor = Cursor(log_id=str(log_id), team_id=str(team_id), sequence=sequence)
    assert parse_cursor(str(cursor)) == cursor


def test_a_cursor_with_any_character_changed_is_refused() -> None:
    for place, character in enumerate(TEXT):
        other = "B" if character == "A" else "A"
        with pytest.raises(BadCursor):
            parse_cursor(TEXT[:place] + other + TEXT[place + 1 :])


def test_a_cursor_that_was_cut_is_refused() -> None:
    for length in range(len(TEXT)):
        with pytest.raises(BadCursor):
            parse_cursor(TEXT[:length])


@pytest.mark.parametrize(
    "text",
    [
        "\u00e9",
        "?" * 60,
        TEXT + "AAAA",
        TEXT + "=",
        TEXT + "\n",
        " " + TEXT,
        TEXT.replace("_", "/"),
        TEXT * 1000,
    ],
)
def test_text_that_no_server_wrote_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        parse_cursor(text)


def sealed(body: bytes) -> str:
    return base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4, "big")).decode()


def test_a_sequence_that_storage_cannot_hold_is_refused() -> None:
    body = base64.urlsafe_b64decode(TEXT)[:33]
    assert parse_cursor(sealed(body + (2**63 - 1).to_bytes(8, "big"))).sequence == 2**63 - 1
    with pytest.raises(BadCursor):
        parse_cursor(sealed(body + (2**63).to_bytes(8, "big")))


def test_a_cursor_of_another_version_or_length_is_refused() -> None:
    body = base64.urlsafe_b64decode(TEXT)[:-4]
    for other in (b"\x02" + body[1:], body + b"\x00", body[:-1]):
        with pytest.raises(BadCursor):
            parse_cursor(sealed(other))
