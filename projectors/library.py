"""The projection `library`: the read models of [events], which share one checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Connection

from events.record import Record
from projectors.audit import Audit
from projectors.chain import Step, follow
from projectors.changes import Changes
from projectors.conflicts import Conflicts
from projectors.entries import Entry, incomplete_from, read_entries
from projectors.errors import Broken
from projectors.heads import Heads, Names, load_states
from projectors.history import History
from projectors.patterns import Patterns
from projectors.people import PEOPLE
from projectors.read_model import ReadModel
from projectors.state_rows import StateRows
from projectors.team_logs import load_logs, save_logs
from projectors.tree import Tree

NAME = "library"


def read_models() -> tuple[ReadModel, ...]:
    """One of each read model, for one batch."""
    people = (StateRows(table) for table in PEOPLE)
    return (Heads(), Names(), Patterns(), Changes(), History(), Conflicts(), *people, Audit(), Tree())


def show(steps: Sequence[Step], models: Sequence[ReadModel]) -> None:
    """Let each read model take the steps; raise `Broken` at one that cannot be shown."""
    for step in steps:
        try:
            for model in models:
                model.apply(step)
        except Exception as error:
            # Pure code that raises on an event would raise on it for ever.
            raise Broken(step.command_start, f"the event at offset {step.offset}: {error}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryWork:
    """Events of one partition that follow its checkpoint."""

    partition: int
    log_id: str
    entries: list[Entry]

    @property
    def held_back(self) -> int | None:
        return incomplete_from(self.entries)

    async def write(self, pg: Connection) -> None:
        if not self.entries:
            return
        teams = {entry.envelope.team_id for entry in self.entries}
        streams = {(entry.envelope.team_id, entry.envelope.stream) for entry in self.entries}
        logs = await load_logs(pg, NAME, self.partition, teams)
        states = await load_states(pg, streams)
        models = read_models()
        show(follow(self.entries, logs, states), models)
        for model in models:
            await model.write(pg)
        await save_logs(pg, NAME, self.partition, self.log_id, logs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """The projection of [events]; `ancestors` are the ids that the log had before it was restored."""

    topic: str
    ancestors: tuple[str, ...] = ()
    name: str = NAME
    may_be_trimmed: bool = False
    is_fenced: bool = True

    def take(self, partition: int, log_id: str, counting: Sequence[Record]) -> LibraryWork:
        entries = read_entries(counting, log_id, self.ancestors)
        return LibraryWork(partition=partition, log_id=log_id, entries=entries)
