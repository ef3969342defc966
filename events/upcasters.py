"""How events of older versions are read: one step per version, applied until the newest shape is reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from events.errors import MalformedRecord
from events.json_text import Json


@dataclass(frozen=True, slots=True)
class Upcaster:
    """One step: the type that it leads to, and how the data changes on the way."""

    to: str
    change: Callable[[dict[str, Json]], dict[str, Json]]


Upcasters = Mapping[str, Upcaster]

UPCASTERS: Upcasters = {}
"""By the type that a step starts from. Empty as long as every published type is at its first version."""


def upcast(event_type: str, data: dict[str, Json], upcasters: Upcasters) -> tuple[str, dict[str, Json]]:
    """The newest type and shape of an event's data; raise `MalformedRecord` when a step cannot take it."""
    while (step := upcasters.get(event_type)) is not None:
        try:
            event_type, data = step.to, step.change(data)
        except Exception as error:
            raise MalformedRecord(f"{event_type}: the data does not have the type's shape") from error
    return event_type, data
