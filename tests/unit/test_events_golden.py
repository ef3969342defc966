from collections.abc import Mapping

import pytest

from command_api.decisions.merging import ABSENT
from events.envelope import FIRST_PREVIOUS_HASH, Envelope, decode, encode, record_hash
from events.json_text import parse
from events.merge_rules import Policy, Rule
from events.pattern import (
    MergedField,
    PatternArchived,
    PatternConflictAbandoned,
    PatternDeleted,
    PatternRecorded,
    PatternRestored,
)
from events.registry import TYPES, Event, read, type_of, write
from events.stream import StreamState, evolve
from events.team import TeamCreated, TeamMergingChanged
from events.upcasters import UPCASTERS
from tests.facts import detected, edited, resolved, sides
from tests.golden import Golden, all_golden, golden

# Written once, when a version is published, and never again: they are in logs that are kept for ever.
PUBLISHED: Mapping[str, str] = {
    "team.created.v1": "ca9d764d13c85291808686080a0e8724542ce3b50137f0e3687510e09b27b2ef",
    "pattern.recorded.v1": "f215145e646cdcb28451c7907e05aa5bfbf81aa3293ddebc4c4614c4945723a2",
    "pattern.edited.v1": "199707beda156c8cc221d9793e4b2cb4c986738bb3f297f4649185c54a628715",
    "pattern.edited.v2": "92837c1b1bcb233d2a307f02eaf118bb4e0e834f43d665cb8780f6489abe1b4d",
    "pattern.edited.v3": "1e450bc198036e892b38e4d2fea8c69ed908b2a21e68716b7ec01d7e506a1f3a",
    "pattern.conflict_detected.v1": "f3edecbaf442a127fcec7ceebd49d57222260cf3b6ad4ab4af27397b4ef518d1",
    "pattern.conflict_resolved.v1": "71262f88dad42362bb68f7fcce13b255dbe3a058d26b82372b1a9b01f26efdf2",
    "pattern.conflict_abandoned.v1": "deb246a32518c82d96a5ab72901b28cdf63c41a8fc45e40d104f486552a95f78",
    "pattern.archived.v1": "acf025e01457d497b77fc72b673eb4f2f900d47c0978e716b2b3e2afb900cfe5",
    "pattern.restored.v1": "916daeb97ba37167de0b3e4b3983bd1b0f831706f79cf17807f9470880f4ccb4",
    "pattern.deleted.v1": "7e912bf39ecce221399861130a871eb7ac758b42d75355287d4085cc7a40acca",
    "team.merging_changed.v1": "94a8f3ad8bd85fb624f478aa929782c84c7d56dd6604e998ccac50c9285f5bac",
}

FIELDS = {
    "name": "Mutable default argument [B006] / r\u00e9f\u00e9rence",
    "description": "A default is made once, when the function is defined.",
    "bad_example": "def add(item, items=[]):\n    items.append(item)\n",
    "good_example": "def add(item, items=None):\n    items = [] if items is None else items\n",
    "category": "bugs",
    "severity": "high",
    "tags": ["python", "functions"],
    "counters": {"seen": 3},
    "x-origin": {
        "url": "https://example.org/rules/b006",
        "weight": 0.1,
        "z": None,
        "a": [1, 1.0, -0.0, 1e300],
    },
}

CONFLICT = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b"
WRITTEN = MergedField(rule=Rule.TEXT, mine="A default is made once.\nIt is shared by all calls.\n")

EVENTS: Mapping[str, Event] = {
    "team.created.v1": TeamCreated(name="Compilers \U0001f9ea"),
    "pattern.recorded.v1": PatternRecorded(fields=FIELDS),
    "pattern.edited.v3": edited(
        1,
        "x-origin",
        severity="critical",
        description=f"{FIELDS['description']}\nIt is shared by all calls.\n",
        merged={"description": WRITTEN},
        overwrote=["severity"],
    ),
    "pattern.conflict_detected.v1": detected(
        1,
        conflict_id=CONFLICT,
        severity=sides("high", "critical", "low"),
        category=sides("bugs", "bugs", ABSENT, clashes=False),
    ),
    "pattern.conflict_resolved.v1": resolved(
        3,
        {"severity": "new", "category": "merged"},
        "category",
        conflict_id=CONFLICT,
        severity="medium",
    ),
    "pattern.conflict_abandoned.v1": PatternConflictAbandoned(conflict_id=CONFLICT),
    "pattern.archived.v1": PatternArchived(),
    "pattern.restored.v1": PatternRestored(),
    "pattern.deleted.v1": PatternDeleted(),
    "team.merging_changed.v1": TeamMergingChanged(policy=Policy.REJECT, rules={"x-notes": Rule.TEXT}),
}


def data_of(published: Golden) -> bytes:
    assert published.record.value is not None
    return published.record.value


def test_every_version_of_every_type_has_its_golden_and_no_other_has() -> None:
    assert set(all_golden()) == set(PUBLISHED) == {*TYPES, *UPCASTERS}


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_a_published_record_never_changes(event_type: str) -> None:
    published = golden(event_type)
    assert published.hash == PUBLISHED[event_type]
    assert record_hash(published.record) == PUBLISHED[event_type]


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_a_published_record_is_written_as_it_was_byte_by_byte(event_type: str) -> None:
    published = golden(event_type).record
    again = encode(decode(published))
    assert again == published
    assert list(again.headers) == list(published.headers)


@pytest.mark.parametrize("event_type", TYPES)
def test_the_data_of_a_type_is_read_and_written_byte_by_byte(event_type: str) -> None:
    data = data_of(golden(event_type))
    event = read(event_type, data)
    assert event == EVENTS[event_type]
    assert type_of(event) == event_type
    assert write(event) == data


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_the_data_of_every_published_version_is_still_read(event_type: str) -> None:
    published = golden(event_type)
    assert decode(published.record).type == event_type
    read(event_type, data_of(published))
    parse(data_of(published))


def test_the_published_envelope_says_what_it_always_said() -> None:
    assert decode(golden("pattern.edited.v1").record) == Envelope(
        log_id="0d9c9a52-3a3b-4c57-8f6e-2f1b8f1b7c11",
        team_id="7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01",
        stream="patterns/3d1b0c64-6a52-4c8e-9a2f-5b7f1e0c9d21",
        sequence=3,
        version=2,
        type="pattern.edited.v1",
        command_id="019b76dd-6720-7e07-8085-62bedb8b60ce",
        command_hash="6f5b39811e26ffeff61627f6b296a2310706c7a3735ca0ee7841c258611432dd",
        command_index=0,
        command_count=1,
        actor="u-ada",
        request_id="req-3",
        occurred_at="2026-01-01T00:03:00.000Z",
        recorded_at="2026-01-01T00:03:00.041Z",
        previous_hash=PUBLISHED["pattern.recorded.v1"],
        data=data_of(golden("pattern.edited.v1")),
    )


def test_every_published_record_follows_another_by_its_hash_and_can_happen_after_it() -> None:
    states: dict[str, dict[str, StreamState]] = {FIRST_PREVIOUS_HASH: {}}
    sequences = {FIRST_PREVIOUS_HASH: 0}
    for published in all_golden().values():
        event = decode(published.record)
        before = states[event.previous_hash]
        assert event.sequence == sequences[event.previous_hash] + 1
        after = evolve(before.get(event.stream), read(event.type, event.data))
        assert after.version == event.version
        states[published.hash] = {**before, event.stream: after}
        sequences[published.hash] = event.sequence
    assert set(states) == {FIRST_PREVIOUS_HASH, *PUBLISHED.values()}


def test_an_edit_of_an_older_version_tells_of_no_more_than_it_did() -> None:
    first = edited(1, "x-origin", severity="critical", counters={"seen": 4})
    assert read("pattern.edited.v1", data_of(golden("pattern.edited.v1"))) == first
    second = edited(
        1,
        "x-origin",
        severity="critical",
        description=f"{FIELDS['description']}\nIt is shared by all calls.\n",
        merged={"description": WRITTEN},
    )
    assert read("pattern.edited.v2", data_of(golden("pattern.edited.v2"))) == second
