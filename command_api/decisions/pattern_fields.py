"""The fields of a pattern: an open JSON object in which the known fields have a type."""

from collections.abc import Callable, Mapping

from events.json_text import MAX_INTEGER, Json

MAX_NAME = 255
SEVERITIES = ("low", "medium", "high", "critical")
MAX_FIELD_NAME = 255


class InvalidField(Exception):
    """A known field with a value that is not of its type."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def _name(value: Json) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "must be text that is not blank"
    return f"must have at most {MAX_NAME} characters" if len(value) > MAX_NAME else None


def _text(value: Json) -> str | None:
    return None if isinstance(value, str) else "must be text"


def _severity(value: Json) -> str | None:
    return None if value in SEVERITIES else f"must be one of {', '.join(SEVERITIES)}"


def _tags(value: Json) -> str | None:
    if not isinstance(value, list) or not all(isinstance(tag, str) and tag.strip() for tag in value):
        return "must be a list of texts that are not blank"
    return "must not hold a tag twice" if len(set(value)) != len(value) else None


def is_tags(value: Json) -> bool:
    """Whether a value can be merged as tags."""
    return _tags(value) is None


def _counters(value: Json) -> str | None:
    return None if is_counters(value) else f"must map names to whole numbers from 0 to {MAX_INTEGER}"


def is_counters(value: Json) -> bool:
    """Whether a value can be merged as counters."""
    return isinstance(value, dict) and all(map(_is_count, value.values()))


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER


KNOWN_FIELDS: Mapping[str, Callable[[Json], str | None]] = {
    "name": _name,
    "description": _text,
    "problem": _text,
    "solution": _text,
    "bad_example": _text,
    "good_example": _text,
    "category": _text,
    "severity": _severity,
    "tags": _tags,
    "counters": _counters,
}
"""By name, what is wrong with a value (None: nothing). Fields of other names are kept as they came."""


FIELD_NAME_RULE = f"a field's name has 1 to {MAX_FIELD_NAME} characters"


def is_field_name(name: str) -> bool:
    """Whether a field of a pattern may have this name."""
    return 0 < len(name) <= MAX_FIELD_NAME


def check_fields(fields: Mapping[str, Json]) -> None:
    """Raise `InvalidField` for the first field whose name or value will not do."""
    for field, value in fields.items():
        if not is_field_name(field):
            raise InvalidField(field[:MAX_FIELD_NAME], FIELD_NAME_RULE)
        check = KNOWN_FIELDS.get(field)
        if check is not None and (reason := check(value)) is not None:
            raise InvalidField(field, reason)
