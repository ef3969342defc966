"""What can keep a partition of a projection from going on, as types.

ProjectionError
 ├─ Broken           a record that counts and cannot be applied: the partition stops before it, for good
 ├─ Disagreement     the tables are not what their checkpoint says: the partition stops, for good
 ├─ WrongLog         the log is not the one that was projected, or part of it is gone: likewise
 ├─ Overtaken        another projector has moved the checkpoint: start again from where it is
 └─ NoFenceKnown     retention has left nothing that leads to a fence: wait for the next record
"""


class ProjectionError(Exception):
    """A partition cannot go on from where it stands."""


class Broken(ProjectionError):
    """A record that counts and cannot be applied; `offset` is where its command begins."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"offset {offset}: {reason}")
        self.offset = offset
        self.reason = reason

    def __reduce__(self) -> tuple[type["Broken"], tuple[int, str]]:
        return Broken, (self.offset, self.reason)


class Disagreement(ProjectionError):
    """A row that should be there is not, or the other way round."""


class WrongLog(ProjectionError):
    """The checkpoint belongs to another log, or to a part of it that Kafka no longer holds."""


class Overtaken(ProjectionError):
    """The checkpoint is not where this projector left it."""


class NoFenceKnown(ProjectionError):
    """No record of a log without its beginning tells which fence it stands under."""
