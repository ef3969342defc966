"""What can be wrong with a record, as types.

EventError
 ├─ InvalidJson          text that JSON readers do not agree on, or that storage cannot hold
 ├─ MalformedRecord      a record whose headers or data do not have the published shape
 ├─ UnknownEventType     a well-formed event of a type that this version does not know
 ├─ ImpossibleEvent      a well-formed event that cannot follow the state of its stream
 └─ BadCursor            text that is no cursor (events/cursor.py)
"""


class EventError(Exception):
    """A record that cannot be read."""


class InvalidJson(EventError):
    """JSON text that is refused; `code` is stable, `reason` is for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class MalformedRecord(EventError):
    """A record without the published shape; `reason` says which part is wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownEventType(EventError):
    """An event of a type that this version does not know; passing over it would lose data."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"unknown event type {event_type!r}")
        self.event_type = event_type


class ImpossibleEvent(EventError):
    """An event that cannot follow its stream's state: the log or the reader is wrong."""
