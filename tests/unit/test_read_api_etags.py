"""Whether a client holds the answer already: RFC 9110, section 13.1.2."""

import pytest

from read_api.etags import is_current, weak

STRONG = '"a.1"'
WEAK = weak("a.1")


@pytest.mark.parametrize(
    "given",
    [STRONG, WEAK, "*", " * ", f'"b.1", {STRONG}', f'W/"b.1",{WEAK}', f"{STRONG},", f'"x, y", {STRONG}'],
)
@pytest.mark.parametrize("etag", [STRONG, WEAK])
def test_a_tag_among_those_given_is_current_however_it_is_marked(given: str, etag: str) -> None:
    assert is_current(given, etag)


@pytest.mark.parametrize("given", ["", "a.1", '"a.10"', '"A.1"', '"a.1', 'W/"a.2"', '"*"', '"b", "c"'])
@pytest.mark.parametrize("etag", [STRONG, WEAK])
def test_anything_else_is_not(given: str, etag: str) -> None:
    assert not is_current(given, etag)
