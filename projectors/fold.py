"""A partition of [events] folded in memory: what the log says, whatever the tables hold."""

from collections.abc import Callable, Sequence

from events.readers_rule import NO_ONE
from events.record import Record, text_of
from events.stream import StreamState
from projectors.chain import Step, StreamKey, next_step
from projectors.checkpoints import Checkpoint
from projectors.entries import read_entry, recorded_at
from projectors.links import Link, Links
from projectors.proven import Onlooker, Proven
from projectors.reading import sift
from projectors.rows import Row

Wanted = Callable[[str, str], bool]
"""Whether the stream of this team and name is to be folded."""


class PartitionWalk:
    """The records of a partition from its beginning on: the reader's rule, and the chain of each team."""

    def __init__(self, partition: int, log_ids: Sequence[str]) -> None:
        self.links = Links(partition, log_ids)
        self.reached = Checkpoint(next_offset=0, standing=NO_ONE, log_id=log_ids[0], void_records=0)
        self.events = 0

    def read(self, records: Sequence[Record]) -> list[Link]:
        """Take the next records; raise `Broken` at one that no team's log can be followed past."""
        sifted = sift(self.reached, records)
        links = self.links.take(sifted.counting)
        self.reached = sifted.end
        self.events += len(links)
        return links


class Fold:
    """The states of the wanted streams, and rows of tables: of appended ones on the way, else at the end."""

    def __init__(
        self, links: Links, log_ids: Sequence[str], wanted: Wanted, tables: Sequence[Proven] = ()
    ) -> None:
        self.states: dict[StreamKey, StreamState] = {}
        self.sequences: dict[StreamKey, int] = {}
        self._links = links
        self._log_ids = log_ids
        self._wanted = wanted
        self._models = {table.name: table.make() for table in tables}
        self._onlookers = [model for model in self._models.values() if isinstance(model, Onlooker)]

    def apply(self, links: Sequence[Link]) -> list[tuple[Link, Step]]:
        """Take what continues the chains. An event that cannot be followed is a fault of its team's log."""
        steps = []
        for link in links:
            if self._links.is_broken(link.record):
                continue
            try:
                step = self._next(link)
            except Exception as error:
                self._links.fail(link.record, link.team_id, link.sequence, f"the event: {error}")
                continue
            if step is not None:
                steps.append((link, step))
        return steps

    def rows(self, table: Proven) -> list[Row]:
        """The rows of a table; of an appended one, those since the last call."""
        return self._models[table.name].added()

    def _next(self, link: Link) -> Step | None:
        stream = text_of(link.record.headers, "ce_subject")
        if not self._wanted(link.team_id, stream):
            if self._onlookers:
                at = recorded_at(link.record)
                for onlooker in self._onlookers:
                    onlooker.pass_over(link.team_id, stream, at)
            return None
        entry = read_entry(link.record, link.record.offset, self._log_ids, link.hashes)
        step = next_step(self.states, entry)
        for model in self._models.values():
            model.apply(step)
        self.states[link.team_id, stream] = step.after
        self.sequences[link.team_id, stream] = link.sequence
        return step
