"""What becomes of commands depends on their order, and on nothing else: neither on how many are decided at a
time, nor on how far the read models have come, nor on restarts.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from events.identifiers import uuid7
from events.json_text import Json
from events.outcome import Outcome
from events.stream import StreamState
from tests.model.editors import NOW_MS
from tests.simulated_decider import SimulatedDecider

TEAM = "0198c0de-0000-7000-8000-00000000000a"
PATTERNS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
TEXT = "1\n2\n3\n4\n5\n6"
LENGTH = 40

Told = tuple[list[Outcome], dict[tuple[str, str], StreamState]]


class Writer:
    """Makes a log of commands of every kind, most of which name something that exists."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._made: list[dict[str, Json]] = [{"type": "create_team", "name": "Ours"}]
        for name, pattern_id in zip("ab", PATTERNS, strict=True):
            fields = {"name": name, "x": 0, "solution": TEXT, "counters": {"n": 1}, "tags": ["a"]}
            self._made.append({"type": "record_pattern", "pattern_id": pattern_id, "fields": fields})

    def log(self) -> list[dict[str, Json]]:
        while len(self._made) < LENGTH:
            self._made.append(self._command())
        return [{"command_id": _id(number), **body} for number, body in enumerate(self._made)]

    def _command(self) -> dict[str, Json]:
        chance = self._random.random()
        if chance < 0.04:
            policy = self._random.choice(["merge", "reject", "last_writer_wins"])
            return {
                "type": "set_merging",
                "policy": policy,
                "rules": {"y": self._random.choice(["text", None])},
            }
        if chance < 0.15:
            size = self._random.randint(1, 4)
            return {"type": "batch", "commands": [self._change(in_batch=True) for _ in range(size)]}
        return self._change(in_batch=False)

    def _change(self, *, in_batch: bool) -> dict[str, Json]:
        kinds: list[Callable[[bool], dict[str, Json]]] = [self._edit] * 12
        return self._random.choice([*kinds, self._status, self._status, self._end])(in_batch)

    def _edit(self, in_batch: bool) -> dict[str, Json]:
        values: dict[str, Json] = {
            "x": self._random.choice([0, 1, True, 1.0, None]),
            "y": f"{self._random.random()}\n{TEXT}",
            "solution": TEXT.replace(str(self._random.randint(1, 6)), f"n{len(self._made)}"),
            "counters": {"n": self._random.randint(0, 4)},
            "tags": self._random.sample("abcd", self._random.randint(0, 3)),
            "name": self._random.choice("abc"),
        }
        chosen = self._random.sample(sorted(values), self._random.randint(1, 3))
        pattern_id = self._pattern()
        given = {name: values[name] for name in chosen}
        return {
            "type": "edit_pattern",
            "pattern_id": pattern_id,
            "set": given,
            **self._base(pattern_id, in_batch),
        }

    def _status(self, in_batch: bool) -> dict[str, Json]:
        kind = self._random.choice(
            ["archive_pattern", "restore_pattern", "restore_pattern", "delete_pattern"]
        )
        pattern_id = self._pattern()
        if kind == "delete_pattern" and self._random.random() < 0.9:
            kind = "restore_pattern"
        base = self._base(pattern_id, in_batch) if self._random.random() < 0.4 else {}
        return {"type": kind, "pattern_id": pattern_id, **base}

    def _end(self, _: bool) -> dict[str, Json]:
        edits = [place for place, body in enumerate(self._made) if body["type"] == "edit_pattern"]
        if not edits:
            return {"type": "archive_pattern", "pattern_id": self._pattern()}
        place = self._random.choice(edits)
        about = {"pattern_id": self._made[place]["pattern_id"], "conflict_id": _id(place)}
        if self._random.random() < 0.3:
            return {"type": "abandon_conflict", **about}
        seen = {"base_version": self._random.randint(1, 12)} if self._random.random() < 0.5 else {}
        return {"type": "resolve_conflict", **about, "rest": self._random.choice(["mine", "theirs"]), **seen}

    def _pattern(self) -> str:
        return self._random.choice([PATTERNS[0], PATTERNS[0], PATTERNS[0], PATTERNS[1]])

    def _base(self, pattern_id: str, in_batch: bool) -> dict[str, Json]:
        version = {"base_version": self._random.randint(1, 6)}
        before = [place for place, body in enumerate(self._made) if body.get("pattern_id") == pattern_id]
        before += [place for place, body in enumerate(self._made) if body["type"] == "batch"]
        chance = self._random.random()
        if chance < 0.5:
            return version
        own = len(self._made) if in_batch and chance < 0.7 else self._random.choice(sorted(before)[-3:])
        return {"base_command": _id(own)} | (version if self._random.random() < 0.5 else {})


def _id(number: int) -> str:
    return uuid7(NOW_MS, (number + 1).to_bytes(10, "big"))


def played(log: list[dict[str, Json]], chance: random.Random, *, at_once: int, eventful: bool) -> Told:
    """What becomes of a log that is decided on so many commands at a time, at the most."""
    decider = SimulatedDecider()
    for start in range(0, len(log), at_once):
        for command in log[start : start + at_once]:
            decider.send(TEAM, command, NOW_MS)
        decider.run(chance.randint(1, at_once))
        if eventful and chance.random() < 0.7:
            decider.project(1000)
        if eventful and chance.random() < 0.2:
            decider.restart()
    decider.run()
    return decider.outcomes(), decider.states()


@pytest.mark.parametrize("seed", range(60))
def test_outcomes_depend_on_the_order_of_commands_alone(seed: int) -> None:
    log, chance = Writer(seed).log(), random.Random(seed)
    schedules: list[dict[str, Any]] = [
        {"at_once": LENGTH, "eventful": False},
        {"at_once": 1, "eventful": True},
        {"at_once": 5, "eventful": True},
    ]
    expected = played(log, chance, at_once=1, eventful=False)
    for schedule in schedules:
        assert played(log, chance, **schedule) == expected
    assert "internal_error" not in {outcome.answer.get("code") for outcome in expected[0]}
