"""Editors who meet in one library, against a plain model of what becomes of each of their changes.

They edit copies of different age, offline or not; what they send comes late, twice, and in any order; the
decider dies between any two appends and goes on from read models that lag. The clients of
test_sync_convergence.py are real and the server is not; here it is the other way round.
"""

import os
from collections.abc import Mapping
from unittest import TestCase

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from command_api.decider.partition_io import Topic
from events.json_text import Json
from events.merge_rules import Policy
from tests.model.editors import NOW_MS, Editor, Made
from tests.model.merge_judge import Judge
from tests.simulated_decider import Lands, SimulatedDecider

pytestmark = pytest.mark.timeout(600)

TEAM = "0198c0de-0000-7000-8000-00000000000a"
EXAMPLES = int(os.environ.get("PATTERNLOG_TEST_EXAMPLES", "2000"))
"""How many random runs to make; by default the same ones every time."""
DAYS_29_MS = 29 * 24 * 60 * 60 * 1000
WHO, WHICH, LINE = st.integers(0, 1), st.sampled_from([0, 0, 1]), st.integers(0, 5)
NAMES = ("a", "b", "c")
TEXT = "\n".join(f"line {number}" for number in range(6))


class Meeting(RuleBasedStateMachine):
    """Two editors of one library, who mostly meet in one pattern."""

    @initialize()
    def start(self) -> None:
        self.decider = SimulatedDecider()
        self.judge = Judge(TEAM)
        self.editors = [Editor(number) for number in range(2)]
        self.written = 0
        first = self.editors[0]
        first.make({"type": "create_team", "name": "Ours"})
        self.patterns = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(2)]
        for name, pattern_id in zip(NAMES, self.patterns, strict=False):
            fields = {"name": name, "solution": TEXT, "tags": ["t"], "counters": {"seen": 1}}
            first.make({"type": "record_pattern", "pattern_id": pattern_id, "fields": fields})
        self.send_all()
        for editor in self.editors:
            editor.pulled = self.judge.patterns()

    # ---------------------------------------------------------------- what editors do

    @rule(who=WHO, which=WHICH, field=st.sampled_from(["severity", "x-extra", "category"]))
    def set_value(self, who: int, which: int, field: str) -> None:
        value = ("low", "high")[self._next() % 2] if field == "severity" else f"v{self._next() % 3}"
        self._edit(who, which, {field: value})

    @rule(who=WHO, which=WHICH, field=st.sampled_from(["x-extra", "tags", "solution", "category"]))
    def remove(self, who: int, which: int, field: str) -> None:
        self._edit(who, which, {}, field)

    @rule(who=WHO, which=WHICH, line=LINE, what=st.sampled_from(["change", "insert", "remove"]))
    def write(self, who: int, which: int, line: int, what: str) -> None:
        fields = self.editors[who].sees(self.patterns[which]) or {}
        lines = str(fields.get("solution", TEXT)).split("\n")
        at = line % len(lines)
        new = {
            "change": [f"new {self._next()}"],
            "insert": [f"new {self._next()}", lines[at]],
            "remove": [],
        }
        lines[at : at + 1] = new[what]
        self._edit(who, which, {"solution": "\n".join(lines) or f"new {self._next()}"})

    @rule(who=WHO, which=WHICH, tag=st.sampled_from("tuv"))
    def tag(self, who: int, which: int, tag: str) -> None:
        tags = (self.editors[who].sees(self.patterns[which]) or {}).get("tags", [])
        self._edit(who, which, {"tags": [one for one in tags if one != tag] if tag in tags else [*tags, tag]})

    @rule(who=WHO, which=WHICH, by=st.sampled_from([-1, 1, 2]))
    def count(self, who: int, which: int, by: int) -> None:
        counters = (self.editors[who].sees(self.patterns[which]) or {}).get("counters", {"seen": 0})
        self._edit(who, which, {"counters": {"seen": max(0, counters["seen"] + by)}})

    @rule(who=WHO, which=WHICH, name=st.sampled_from(NAMES))
    def rename(self, who: int, which: int, name: str) -> None:
        self._edit(who, which, {"name": name})

    @rule(who=WHO, which=WHICH, policy=st.sampled_from(Policy))
    def edit_strictly(self, who: int, which: int, policy: Policy) -> None:
        self._edit(who, which, {"x-extra": f"v{self._next()}"}, policy=policy)

    @rule(who=WHO, which=st.lists(WHICH, min_size=1, max_size=3))
    def edit_all_or_nothing(self, who: int, which: list[int]) -> None:
        editor = self.editors[who]
        chosen = [self.patterns[one] for one in dict.fromkeys(which) if editor.sees(self.patterns[one])]
        commands = [
            {"type": "edit_pattern", "pattern_id": one, "set": {"x-extra": self._next()}, **editor.base(one)}
            for one in chosen
        ]
        if commands:
            editor.make({"type": "batch", "commands": commands})

    @rule(
        who=WHO,
        which=WHICH,
        kind=st.sampled_from(["archive_pattern", "restore_pattern", "restore_pattern"]),
        based=st.booleans(),
    )
    def change_status(self, who: int, which: int, kind: str, *, based: bool) -> None:
        editor, pattern_id = self.editors[who], self.patterns[which]
        editor.make({"type": kind, "pattern_id": pattern_id, **(editor.base(pattern_id) if based else {})})

    @rule(who=WHO, which=WHICH, take=st.sampled_from(["mine", "theirs", "new"]))
    def resolve(self, who: int, which: int, take: str) -> None:
        editor, pattern_id = self.editors[who], self.patterns[which]
        conflict = self.judge.an_open_conflict(pattern_id)
        if conflict is None:
            return
        new = {name: f"v{self._next()}" for name in conflict.clashing if name in ("x-extra", "category")}
        how = {"rest": "mine", "set": new} if take == "new" else {"rest": take}
        editor.make({"type": "resolve_conflict", "pattern_id": pattern_id, "conflict_id": conflict.id, **how})

    @rule(who=WHO, which=WHICH)
    def abandon(self, who: int, which: int) -> None:
        conflict = self.judge.an_open_conflict(self.patterns[which])
        if conflict is not None:
            self.editors[who].make(
                {
                    "type": "abandon_conflict",
                    "pattern_id": self.patterns[which],
                    "conflict_id": conflict.id,
                }
            )

    @rule(policy=st.sampled_from(Policy))
    def choose_policy(self, policy: Policy) -> None:
        self.editors[0].make({"type": "set_merging", "policy": policy})

    # ---------------------------------------------------------------- what the world does

    @rule(who=WHO)
    def sync(self, who: int) -> None:
        """Everything that waits goes out in order, is answered, and what came of it comes back."""
        for made in self.editors[who].made:
            if made.outcome is None:
                self._send(made)
        self.decide(500)
        self.pull(who)

    @rule(who=WHO, order=st.lists(st.integers(0, 7), min_size=1, max_size=5), late=st.booleans())
    def send(self, who: int, order: list[int], *, late: bool) -> None:
        """Some of the newest commands, sent before or not, in any order, some of them twice."""
        newest = self.editors[who].made[-8:]
        for place in order:
            if place < len(newest):
                self._send(newest[place], late=late)

    @rule()
    def send_all(self) -> None:
        for editor in self.editors:
            for made in editor.made:
                if made.outcome is None:
                    self._send(made)
        self.decide(500)

    @rule(most=st.integers(1, 4))
    def decide(self, most: int) -> None:
        self.decider.run(most)
        self.judge.follow(self.decider)
        for editor in self.editors:
            for made in editor.made:
                made.outcome = self.judge.first_outcomes.get(made.command_id)

    @rule(who=WHO)
    def pull(self, who: int) -> None:
        self.editors[who].pulled = self.judge.patterns()

    @rule(topic=st.sampled_from(Topic), records=st.integers(1, 40))
    def project(self, topic: Topic, records: int) -> None:
        self.decider.read_models.advance(topic, records)

    @rule()
    def restart(self) -> None:
        self.decider.restart()

    @rule(lands=st.sampled_from(Lands))
    def lose_an_append(self, lands: Lands) -> None:
        self.decider.fail_next_append(lands)

    # ---------------------------------------------------------------- what always holds

    @invariant()
    def all_readers_agree(self) -> None:
        if hasattr(self, "decider") and len(self.decider.commands) == len(self.judge.offsets):
            assert self.decider.states() == self.judge.states

    def teardown(self) -> None:
        if hasattr(self, "decider"):
            self.send_all()
            self.all_readers_agree()
            for editor in self.editors:
                assert [made for made in editor.made if made.outcome is None] == []

    # ---------------------------------------------------------------- helpers

    def _edit(
        self, who: int, which: int, given: Mapping[str, Json], *removed: str, policy: Policy | None = None
    ) -> None:
        editor, pattern_id = self.editors[who], self.patterns[which]
        body = {"type": "edit_pattern", "pattern_id": pattern_id, "set": given, "remove": list(removed)}
        editor.make(body | editor.base(pattern_id) | ({} if policy is None else {"policy": policy}))

    def _send(self, made: Made, *, late: bool = False) -> None:
        offset = self.decider.send(TEAM, made.body, NOW_MS + (DAYS_29_MS if late else 0))
        self.judge.sent[offset] = made

    def _next(self) -> int:
        self.written += 1
        return self.written


TestMeeting: type[TestCase] = Meeting.TestCase
TestMeeting.settings = settings(  # type: ignore[attr-defined]
    max_examples=EXAMPLES,
    derandomize="PATTERNLOG_TEST_EXAMPLES" not in os.environ,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=list(HealthCheck),
)
