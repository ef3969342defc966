"""JSON that every reader understands alike (RFC 7493, I-JSON), read strictly and written canonically."""

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json, to_json

from events.errors import InvalidJson

Json = Any
"""A JSON value: None, bool, int, float, str, list[Json] or dict[str, Json]."""

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32
MAX_EVENT_DEPTH = MAX_DEPTH + 2
"""Of an event's data: what a command sets stands deeper in a conflict, which holds all sides of it."""
_SHOWN = 80


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise InvalidJson("duplicate_key", f"the key {twice[:_SHOWN]!r} stands twice in one object")
    return result


def _integer(digits: str) -> int:
    # What is longer is out of range by its first digits alone, and int() takes long for it.
    return _in_range(int(digits[:18]))


def _in_range(value: int) -> int:
    if abs(value) > MAX_INTEGER:
        raise InvalidJson("number_out_of_range", "integers beyond 2^53-1 are not read alike by JSON readers")
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise InvalidJson("number_out_of_range", "a number is too large for a double")
    return value


def _constant(name: str) -> Json:
    raise InvalidJson("malformed_json", f"{name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
_canonical_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
)


def parse(text: bytes, *, max_depth: int = MAX_DEPTH) -> Json:
    """Read UTF-8 JSON text; raise `InvalidJson` for what RFC 7493 warns of: duplicate keys, lone surrogates,
    U+0000, integers beyond 2^53-1, numbers that are not finite, and nesting deeper than `max_depth`.
    """
    try:
        decoded = text.decode("utf-8")
        value = _decoder.decode(decoded)
    except UnicodeDecodeError as error:
        raise InvalidJson("malformed_json", f"not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise InvalidJson("malformed_json", f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise InvalidJson("too_deep", f"nested deeper than {max_depth}") from None
    if "\\u" in decoded:
        check(value, max_depth=max_depth)
    elif decoded.count("[") + decoded.count("{") > max_depth:
        _check_depth(value, max_depth)
    return value


def check(value: Json, *, max_depth: int = MAX_DEPTH) -> None:
    """Raise `InvalidJson` for a parsed value that `parse` would have refused."""
    _check_depth(value, max_depth)
    _check_scalars(value)


def _check_scalars(value: Json) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.keys())
        pending.extend(_children(item))
        _check_scalar(item)


def _check_depth(value: Json, max_depth: int) -> None:
    level = [value]
    for _ in range(max_depth):
        level = [child for item in level for child in _children(item)]
    if any(isinstance(item, dict | list) for item in level):
        raise InvalidJson("too_deep", f"nested deeper than {max_depth}")


def _children(item: Json) -> Iterable[Json]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _check_scalar(item: Json) -> None:
    match item:
        case str():
            _check_string(item)
        case bool():
            pass
        case int():
            _in_range(item)
        case float() if not math.isfinite(item):
            raise InvalidJson("number_out_of_range", "a number is not finite")


def _check_string(text: str) -> None:
    if "\x00" in text:
        raise InvalidJson("invalid_text", "U+0000 cannot be stored")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidJson("invalid_text", "a lone surrogate is not a character") from None


def dump(value: Json) -> bytes:
    """Write compact UTF-8 JSON, keys in their own order; raise `InvalidJson` for a number not finite."""
    text = to_json(value)
    if b"NaN" in text or b"Infinity" in text:
        _check_finite(text)
    return text


def _check_finite(text: bytes) -> None:
    """The words may stand in a string; a number that is not finite is no JSON."""
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError:
        raise InvalidJson("number_out_of_range", "a number is not finite") from None


def canonical(value: Json) -> bytes:
    """Write compact UTF-8 JSON with sorted keys: key order makes no difference, 1 and 1.0 do."""
    return _canonical_encoder.encode(value).encode("utf-8")


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON; Python's 1, 1.0 and True are equal, and not the same."""
    return bool(one == other) and (isinstance(one, str) or canonical(one) == canonical(other))
