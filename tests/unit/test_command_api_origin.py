"""From where a command came: what its record in [commands] says of it."""

import pytest

from command_api.command_log import Sender
from runtime.origin import printable


def test_a_record_says_from_where_it_came_as_far_as_that_is_known() -> None:
    sender = Sender(team_id="t", actor="ada", request_id="r", address="::1", user_agent="cli/1 (ü)")
    known = {"actor": b"ada", "request_id": b"r"}
    assert sender.headers == {**known, "address": b"::1", "user_agent": "cli/1 (ü)".encode()}
    assert Sender(team_id="t", actor="ada", request_id="r").headers == known


@pytest.mark.parametrize(
    ("text", "kept"),
    [("curl/8", "curl/8"), ("a\tb\x00c\x7f", "abc"), ("x" * 300, "x" * 256), ("\x85\xa0é", "é"), ("", "")],
)
def test_only_so_many_printable_characters_are_kept(text: str, kept: str) -> None:
    assert printable(text, 256) == kept
