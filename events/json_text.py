"""JSON that every reader understands alike (RFC 7493, I-JSON), read strictly and written canonically."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from events.errors import InvalidJson

Json = Any
"""A JSON value: None, bool, int, float, str, list[Json] or dict[str, Json]."""

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidJson("duplicate_key", f"the key {twice!r} stands twice in one object")
    return result


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(value := int(digits)) > MAX_INTEGER:
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
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


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
    if decoded.count("[") + decoded.count("{") > max_depth or "\\u" in decoded:
        check(value, max_depth=max_depth)
    return value


def check(value: Json, *, max_depth: int = MAX_DEPTH) -> None:
    """Raise `InvalidJson` for a parsed value that `parse` would have refused."""
    pending: list[tuple[Json, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        if isinstance(item, str):
            _check_string(item)
        elif isinstance(item, bool):
            continue
        elif isinstance(item, int):
            _integer(str(item))
        elif isinstance(item, float) and not math.isfinite(item):
            raise InvalidJson("number_out_of_range", "a number is not finite")
        elif isinstance(item, dict | list):
            if depth >= max_depth:
                raise InvalidJson("too_deep", f"nested deeper than {max_depth}")
            pending.extend((child, depth + 1) for child in _children(item))


def _children(item: Mapping[str, Json] | list[Json]) -> Iterable[Json]:
    if isinstance(item, list):
        return item
    return [*item.keys(), *item.values()]


def _check_string(text: str) -> None:
    if "\x00" in text:
        raise InvalidJson("invalid_text", "U+0000 cannot be stored")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidJson("invalid_text", "a lone surrogate is not a character") from None


def dump(value: Json) -> bytes:
    """Write compact UTF-8 JSON, keys in their own order."""
    return _encoder.encode(value).encode("utf-8")


def canonical(value: Json) -> bytes:
    """Write compact UTF-8 JSON with sorted keys: equal values give equal bytes."""
    return _canonical_encoder.encode(value).encode("utf-8")
