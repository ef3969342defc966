"""What tests know of every edit: what its author had seen, and what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from command_api.decisions.commands import DeletePattern, EditPattern, ResolveConflict
from command_api.decisions.merging import ABSENT
from command_api.decisions.seen import Seen
from events.json_text import Json
from events.pattern import NoPattern, Pattern, PatternConflictResolved, PatternEdited
from sync_client.drafts import Draft
from tests.sync_fakes.server import Judged

Fields = Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Made:
    """An edit, a deletion or a resolution, and the fields that its author had seen."""

    pattern_id: str
    before: Fields
    given: Fields


@dataclass(frozen=True, kw_only=True)
class Instead:
    """What those who built on a value of a field go on from: what was below it, or what was decided."""

    pattern_id: str
    name: str
    value: Json
    other: Json


class Ledger:
    """Fed with what users do, it judges what the server makes of it. A moment tells which command it was."""

    def __init__(self) -> None:
        self.made: dict[str, Made] = {}
        self._instead: list[Instead] = []
        self._applied: set[str] = set()
        self._tags: dict[str, tuple[set[str], set[str]]] = {}

    # ---------------------------------------------------------------- what users do

    def dropped(self, moment: str) -> None:
        """A draft is gone, and what was built on it goes on from what it was built on."""
        self._applied.add(moment)
        if moment in self.made:
            made = self.made[moment]
            for name, value in made.given.items():
                self._note(made.pattern_id, name, value, made.before.get(name, ABSENT))

    def resolved(self, draft: Draft, result: Fields) -> None:
        """These fields were decided on."""
        for name in result.keys() & draft.mine.keys():
            self._note(draft.pattern_id, name, draft.mine[name], result[name])

    def _note(self, pattern_id: str, name: str, value: Json, other: Json) -> None:
        self._instead.append(Instead(pattern_id=pattern_id, name=name, value=value, other=other))

    # ---------------------------------------------------------------- what the server makes of it

    def judge(self, judged: Judged) -> None:
        """Check that nobody is taken to have seen what they had not, nor not to have seen what they had."""
        command, before = judged.command, judged.before
        moment = command.occurred_at or ""
        if judged.event is None:
            return
        self._applied.add(moment)
        if isinstance(before, NoPattern):
            return
        made = self.made.get(moment)
        assert isinstance(before, Pattern)
        match command:
            case EditPattern() if made is not None:
                assert isinstance(judged.seen, Seen)
                for name in command.set:
                    assert judged.seen.value(name) in self._possible(made, name)
                if isinstance(judged.event, PatternEdited):
                    self._judge_edit(made, before.fields, judged.event)
            case DeletePattern() if made is not None:
                assert made.before.keys() == before.fields.keys()
                assert all(before.fields[name] in self._possible(made, name) for name in before.fields)
            case ResolveConflict() if made is not None:
                assert isinstance(judged.event, PatternConflictResolved)
                for name in judged.event.set:
                    if judged.event.choices[name] != "merged":
                        assert before.fields.get(name, ABSENT) == made.before.get(name, ABSENT)
            case _:
                pass

    def _judge_edit(self, made: Made, before: Fields, event: PatternEdited) -> None:
        for name, value in made.given.items():
            possible = self._possible(made, name)
            if name not in event.set:
                # To write what one has seen changes nothing.
                assert value in possible
                continue
            old, new = before.get(name, ABSENT), event.set[name]
            if name == "tags":
                self._count_tags(made, possible)
            elif name not in event.merged:
                assert old in possible or old == new
            elif isinstance(value, str):
                # A line that is gone was seen by who took it away, and every line that they wrote is there.
                seen = {line for text in possible if text is not ABSENT for line in text.split("\n")}
                assert set(old.split("\n")) - set(new.split("\n")) - {""} <= seen
                assert set(value.split("\n")) - seen <= set(new.split("\n"))

    def _count_tags(self, made: Made, possible: list[Json]) -> None:
        added, removed = self._tags.setdefault(made.pattern_id, (set(), set()))
        known = {tag for tags in possible if tags is not ABSENT for tag in tags}
        added |= set(made.given["tags"]) - known
        removed |= set(made.before.get("tags", ())) - set(made.given["tags"])

    def check(self, pattern_id: str, fields: Fields) -> None:
        """Every count of `n` came with a counter of its own: what was counted twice, or lost, shows."""
        counters = dict(fields.get("counters", {}))
        counted = counters.pop("n", 0)
        assert list(counters.values()) == [1] * counted
        added, removed = self._tags.get(pattern_id, (set(), set()))
        assert not set(fields.get("tags", ())) & removed
        assert added - removed <= set(fields.get("tags", ()))

    def lost(self, kept: str) -> list[Made]:
        """The commands that the server did not take, nobody dropped, and that are not among what is kept."""
        return [
            made for moment, made in self.made.items() if moment not in self._applied and moment not in kept
        ]

    def _possible(self, made: Made, name: str) -> list[Json]:
        """What an author had seen, and what took its place for them."""
        return list(self._followed(made.pattern_id, name, made.before.get(name, ABSENT), frozenset()))

    def _followed(self, pattern_id: str, name: str, value: Json, passed: frozenset[int]) -> Iterator[Json]:
        yield value
        for place, one in enumerate(self._instead):
            if place not in passed and (one.pattern_id, one.name, one.value) == (pattern_id, name, value):
                yield from self._followed(pattern_id, name, one.other, passed | {place})
