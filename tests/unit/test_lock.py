"""What the environment is made from."""

import re

from tools.bootstrap import LOCK, requirement


def test_the_lock_names_no_index() -> None:
    assert "://" not in LOCK.read_text()


def test_every_requirement_is_pinned_and_has_hashes() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.read_text().strip())
    assert len(entries) > 50
    assert [entry for entry in entries if not re.match(r"[\w.-]+(\[\w+\])?==\S+", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_a_requirement_is_found_with_all_its_hashes() -> None:
    assert re.fullmatch(
        r"uv==[\d.]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+    # via .*", requirement("uv")
    )
