"""What lies in the topics of one partition, and what is on its way there."""

from typing import Literal, NamedTuple

Topic = Literal["events", "outcomes"]


class Command(NamedTuple):
    """A command that wants a name. Of two commands that want the same name only one may be accepted."""

    id: str
    name: str


class Fence(NamedTuple):
    """A record by which a writer takes a topic of the partition."""

    term: int
    writer: int


class Event(NamedTuple):
    """All events of one accepted command: they are never split, so one record stands for them."""

    term: int
    writer: int
    fence: int
    command: int
    sequence: int


class Outcome(NamedTuple):
    """The answer to the command at one offset. `end`: where in [events] those of later commands can begin."""

    term: int
    writer: int
    fence: int
    command: int
    accepted: bool
    end: int


class Mark(NamedTuple):
    """Where an owner goes on: the next command, and where in [events] those from it on can begin."""

    term: int
    writer: int
    fence: int
    next: int
    end: int


Record = Fence | Event | Outcome | Mark
Log = tuple[Record, ...]


class Request(NamedTuple):
    """A produce request on its way to the broker: an atomic record batch for one topic."""

    topic: Topic
    records: Log
