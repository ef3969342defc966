"""Rows in JSON, cut out of a text one by one: no more of them is held than one, however many there are.

What each row holds is checked later; here it only matters where it ends.
"""

import json
import re
from collections.abc import Generator, Iterator

from runtime.uploads.problems import malformed

_decoder = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


def lines(text: str) -> Iterator[str]:
    """The lines that are not blank. Of all that ends a line elsewhere, here only LF does."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        line = text[begin:end]
        if line.strip(" \t\r"):
            yield line
        begin = end + 1


def elements(text: str, key: str) -> tuple[str, Iterator[str]]:
    """The elements of a list, or of the one that is an object's member `key`; and the pointer to it.

    Raise `Problem` 400 `malformed_upload`, also while they are read.
    """
    begin = _skip(text, 0)
    if text[begin : begin + 1] == "[":
        return "", _alone(text, begin)
    if text[begin : begin + 1] == "{":
        return f"/{key}", _of_member(text, begin, key)
    raise malformed("the file is neither a JSON list nor an object with one")


def _alone(text: str, begin: int) -> Generator[str, None, None]:
    end = yield from _list(text, begin)
    _check_end(text, end)


def _of_member(text: str, begin: int, key: str) -> Generator[str, None, None]:
    found = False
    place = _skip(text, begin + 1)
    while text[place : place + 1] != "}":
        name, place = _value(text, place)
        if not isinstance(name, str):
            raise malformed(f"the JSON is broken at character {place}")
        place = _expect(text, place, ":")
        if name == key:
            if found or text[place : place + 1] != "[":
                raise malformed(f"the file needs one list {key}")
            found = True
            place = yield from _list(text, place)
        else:
            _, place = _value(text, place)
        place = _after(text, place, "}")
    if not found:
        raise malformed(f"the file is an object without a list {key}")
    _check_end(text, place + 1)


def _list(text: str, begin: int) -> Generator[str, None, int]:
    place = _skip(text, begin + 1)
    while text[place : place + 1] != "]":
        _, end = _value(text, place)
        yield text[place:end]
        place = _after(text, end, "]")
    return place + 1


def _after(text: str, place: int, closing: str) -> int:
    """Where the next one begins, or the end is."""
    place = _skip(text, place)
    if text[place : place + 1] == closing:
        return place
    place = _expect(text, place, ",")
    if text[place : place + 1] == closing:
        raise malformed(f"the JSON is broken at character {place}")
    return place


def _value(text: str, place: int) -> tuple[object, int]:
    try:
        return _decoder.raw_decode(text, place)
    except json.JSONDecodeError as error:
        raise malformed(f"the JSON is broken: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise malformed("the JSON is nested far too deep") from None
    except ValueError:
        # Python does not read integers of thousands of digits.
        raise malformed(f"the JSON has a number that is far too long after character {place}") from None


def _expect(text: str, place: int, sign: str) -> int:
    place = _skip(text, place)
    if text[place : place + 1] != sign:
        raise malformed(f"the JSON is broken: no {sign} at character {place}")
    return _skip(text, place + 1)


def _check_end(text: str, place: int) -> None:
    if _skip(text, place) != len(text):
        raise malformed(f"something follows the JSON's end at character {place}")


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
