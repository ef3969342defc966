"""The elements of one list in a JSON text, one at a time, from a buffer that holds little more than one."""

import codecs
import json
from collections.abc import Iterator
from typing import BinaryIO

from events.errors import InvalidJson

_CHUNK = 1 << 20
_SPACE = " \t\n\r"
_AFTER_A_VALUE = frozenset(_SPACE + ",:]}")


class JsonStream:
    """Reads a file that is a list, or an object with the list under a key."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._passed = 0
        self._whole = False

    def elements(self, key: str) -> Iterator[bytes]:
        """Each element's own text; raise `InvalidJson` where the text stops being such JSON."""
        if self._peek() == "{":
            yield from self._under(key)
        else:
            yield from self._list()
        if self._peek():
            raise self._error("there is more after the end")

    def _under(self, key: str) -> Iterator[bytes]:
        found = False
        for _ in self._members("{", "}"):
            if self._peek() != '"':
                raise self._error("expected a key")
            name = json.loads(self._value())
            self._expect(":")
            if name == key and not found:
                found = True
                yield from self._list()
            else:
                self._value()
        if not found:
            raise self._error(f"the object has no list under {key!r}")

    def _list(self) -> Iterator[bytes]:
        for _ in self._members("[", "]"):
            yield self._value().encode()

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        """Stand before each member in turn; the caller reads it."""
        self._expect(opening)
        if self._peek() != closing:
            yield
            while self._peek() != closing:
                self._expect(",")
                yield
        self._expect(closing)

    def _value(self) -> str:
        """The text of the next value, whatever it is."""
        self._peek()
        while True:
            try:
                _, end = self._scan(self._text, self._at)
            except ValueError as error:
                if self._whole:
                    raise self._error(getattr(error, "msg", str(error))) from None
            except RecursionError:
                raise self._error("nested too deep") from None
            else:
                # A number that the buffer's end has cut may look whole: 1 of 1.5.
                if self._whole or self._text[end : end + 1] in _AFTER_A_VALUE:
                    text = self._text[self._at : end]
                    self._at = end
                    return text
            self._read()

    def _peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._whole:
                return ""
            self._read()

    def _expect(self, character: str) -> None:
        found = self._peek()
        if not found:
            raise self._error("the text ends too early")
        if found != character:
            raise self._error(f"expected {character!r}, found {found!r}")
        self._at += 1

    def _read(self) -> None:
        """More text in place of what was passed; much for a long value, so that it is scanned a few times."""
        self._passed += self._at
        rest = self._text[self._at :]
        chunk = self._file.read(max(_CHUNK, 2 * len(rest)))
        self._whole = not chunk
        try:
            self._text = rest + self._decode.decode(chunk, final=self._whole)
        except UnicodeDecodeError as error:
            raise InvalidJson("malformed_json", f"not UTF-8: {error.reason}") from None
        self._at = 0

    def _error(self, reason: str) -> InvalidJson:
        return InvalidJson("malformed_json", f"{reason} at character {self._passed + self._at}")
