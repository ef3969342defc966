"""What `verify` finds when the tables are not what the log says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from events.pattern import PatternDeleted, PatternRecorded
from projectors.proof import Progress
from projectors.verify import Report, verify
from runtime.settings import Settings
from runtime.topics import Topics
from tests.projecting import (
    OUTCOMES,
    append,
    caught_up,
    copied_database,
    events_log,
    fetch,
    fresh_log,
    projecting,
)
from tests.scribe import detected, edited, new_records
from tests.services import Services

STRANGER = "0190a5d0-0000-7000-8000-0000000000ff"
CONFLICT = "0190a5d0-0000-7000-8000-0000000000cc"

EMPTY = (
    *("settings", "invitations"),
    *("organizations", "organization_members", "organization_teams", "organization_settings"),
)
"""Tables of which the story says nothing."""


@dataclass
class Told:
    """A projected story: the team, and a pattern whose last event, of three, has the sequence 7.

    Another one, deleted since, has a conflict of the sequence 3.
    """

    settings: Settings
    team: str
    pattern: str

    async def after(self, statement: str) -> Report:
        await fetch(self.settings, statement)
        return await verify(self.settings)


async def tell(settings: Settings) -> Told:
    log = await events_log(settings)
    team = log.scribe.team()
    gone = log.scribe.pattern(team, PatternRecorded(fields={"name": "gone"}))
    log.scribe.pattern(team, detected(CONFLICT, name="mine"), gone)
    log.scribe.pattern(team, PatternDeleted(), gone)
    pattern = log.scribe.pattern(team, PatternRecorded(fields={"name": "n", "tags": ["t"]}))
    log.scribe.pattern(team, edited(1, category="c"), pattern)
    log.scribe.pattern(team, edited(2, name="m"), pattern)
    end = await log.publish()
    async with projecting(settings):
        await caught_up(settings, end)
        await caught_up(settings, ONLY_A_FENCE, partition=1)
        for partition in range(2):
            await caught_up(settings, A_FENCE_AND_A_MARK, OUTCOMES, partition)
    return Told(settings, team, pattern)


ONLY_A_FENCE = 1
"""Where the partition without a team ends."""
A_FENCE_AND_A_MARK = 2
"""Where [outcomes] end that answer nothing."""


@pytest.fixture(scope="module")
async def original(services: Services) -> AsyncIterator[Told]:
    async with fresh_log(services) as settings:
        yield await tell(settings)


@pytest.fixture
async def told(original: Told) -> AsyncIterator[Told]:
    """The story with a copy of its database, to be spoilt."""
    async with copied_database(original.settings) as settings:
        yield replace(original, settings=settings)


@pytest.fixture
async def fresh(services: Services) -> AsyncIterator[Told]:
    """The story with a log of its own, to be written on."""
    async with fresh_log(services) as settings:
        yield await tell(settings)


async def test_tables_that_are_what_the_log_says_are_found_equal(told: Told) -> None:
    seen: list[Progress] = []
    report = await verify(told.settings, seen.append)
    assert (report.is_equal, report.events, report.void_records, report.behind) == (True, 7, 0, 0)
    assert report.rows == {
        "heads": 3,
        "names": 1,
        "patterns": 1,
        "changes": 2,
        "history": 6,
        "audit": 7,
        "conflicts": 1,
        "tree_edges": 1,
        "projected_logs": 1,
        "decider_positions": 2,
        "refusals": 0,
        "teams": 1,
        "members": 1,
        **dict.fromkeys(EMPTY, 0),
    }
    assert [(one.topic, one.offset, one.end) for one in seen if one.partition == 0] == [
        ("events", 9, 9),
        ("outcomes", 2, 2),
    ]


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("heads", "state = replace(state, 'tags', 'tag')"),
        ("heads", "version = version + 1"),
        ("names", "pattern_id = gen_random_uuid()"),
        ("patterns", "archived = true"),
        ("patterns", "tags = '{}'"),
        ("patterns", "facets = '{}'"),
        ("patterns", "category = NULL"),
        ("patterns", "created_at = created_at + interval '1 microsecond'"),
        ("patterns", "updated_at = created_at - interval '1 day'"),
        ("changes", "item = item || ' '"),
        ("changes", "sequence = 8"),
    ],
)
async def test_an_altered_row_is_found(told: Told, table: str, change: str) -> None:
    mine = f"stream = 'patterns/{told.pattern}'" if table == "heads" else f"pattern_id = '{told.pattern}'"
    report = await told.after(f"UPDATE {table} SET {change} WHERE {mine}")
    assert [(one.table, one.kind, one.sequence) for one in report.differences] == [(table, "altered", 7)]
    assert report.first_bad_sequences == {told.team: 7}


@pytest.mark.parametrize("table", ["heads", "names", "patterns", "changes"])
async def test_a_missing_row_is_found(told: Told, table: str) -> None:
    mine = f"stream = 'patterns/{told.pattern}'" if table == "heads" else f"pattern_id = '{told.pattern}'"
    report = await told.after(f"DELETE FROM {table} WHERE {mine}")
    assert [(one.table, one.kind, one.sequence) for one in report.differences] == [(table, "missing", 7)]
    assert report.difference_count == 1


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE conflicts SET status = 'open'", "altered"),
        ("UPDATE conflicts SET item = replace(item, 'mine', 'yours')", "altered"),
        ("UPDATE conflicts SET closing = NULL", "altered"),
        ("UPDATE conflicts SET sequence = 4", "altered"),
        ("UPDATE conflicts SET pattern_id = gen_random_uuid()", "altered"),
        ("DELETE FROM conflicts", "missing"),
    ],
)
async def test_a_conflict_that_is_altered_or_missing_is_found_where_it_was_detected(
    told: Told, statement: str, kind: str
) -> None:
    report = await told.after(statement)
    assert [(one.table, one.kind, one.sequence) for one in report.differences] == [("conflicts", kind, 3)]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("conflicts", "('{team}', '{stranger}', '{pattern}', 99, 'open', '{{}}')"),
        ("heads", "('{team}', 'patterns/{stranger}', 1, '{{}}')"),
        ("names", "('{team}', 'other', '{stranger}')"),
        ("changes", "('{team}', '{stranger}', 99, '{{}}')"),
        ("history", "('{team}', '{stranger}', 1, 99, '{{}}', now(), NULL, NULL, '{{}}')"),
        ("history", "('{team}', '{pattern}', 4, 99, '{{}}', now(), NULL, NULL, '{{}}')"),
        ("history", "('{team}', '{pattern}', 0, 99, '{{}}', now(), NULL, NULL, '{{}}')"),
        ("audit", "('{team}', 8, {facts})"),
        ("audit", "('{team}', 0, {facts})"),
        ("audit", "('{stranger}', 1, {facts})"),
        ("projected_logs", "('library', '{stranger}', 0, '{stranger}', 1, 1, '')"),
    ],
)
async def test_a_row_too_many_is_found(told: Told, table: str, values: str) -> None:
    facts = (
        f"now(), '{STRANGER}', 'team', 1, 't', '{STRANGER}', '', 0, 1, 'a', 'r', 'o', 'r', '', '{{}}', NULL"
    )
    row = values.format(team=told.team, pattern=told.pattern, stranger=STRANGER, facts=facts)
    report = await told.after(f"INSERT INTO {table} VALUES {row}")
    assert [(one.table, one.kind) for one in report.differences] == [(table, "added")]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE history SET item = replace(item, 'ada', 'bob') WHERE {mine}", "altered"),
        ("UPDATE history SET sequence = 99 WHERE {mine}", "altered"),
        ("UPDATE history SET latest = latest + interval '1 ms' WHERE {mine}", "altered"),
        ("UPDATE history SET archived = NOT archived WHERE {mine}", "altered"),
        ("UPDATE history SET name = 'other' WHERE {mine}", "altered"),
        ("UPDATE history SET facets = '{{}}' WHERE {mine}", "altered"),
        ("DELETE FROM history WHERE {mine}", "missing"),
    ],
)
async def test_a_version_that_is_altered_or_missing_is_found_with_its_sequence(
    told: Told, statement: str, kind: str
) -> None:
    report = await told.after(statement.format(mine=f"pattern_id = '{told.pattern}' AND version = 2"))
    assert [(one.table, one.kind, one.sequence) for one in report.differences] == [("history", kind, 6)]
    assert report.first_bad_sequences == {told.team: 6}


@pytest.mark.parametrize("change", ["last_sequence = 5", "event_count = 8", "last_hash = repeat('0', 64)"])
async def test_a_log_that_was_counted_or_chained_otherwise_is_found(told: Told, change: str) -> None:
    report = await told.after(f"UPDATE projected_logs SET {change}")
    assert [(one.table, one.kind) for one in report.differences] == [("projected_logs", "altered")]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE audit SET actor = 'bob' WHERE {mine}", "altered"),
        ("UPDATE audit SET log_id = gen_random_uuid() WHERE {mine}", "altered"),
        ("UPDATE audit SET data = data || ' ' WHERE {mine}", "altered"),
        ("UPDATE audit SET before = '{{}}' WHERE {mine}", "altered"),
        ("UPDATE audit SET previous_hash = command_hash WHERE {mine}", "altered"),
        ("UPDATE audit SET latest = latest + interval '1 ms' WHERE {mine}", "altered"),
        ("DELETE FROM audit WHERE {mine}", "missing"),
        ("UPDATE audit SET sequence = 8 WHERE {mine}", "missing"),
    ],
)
async def test_an_event_that_is_altered_or_missing_in_the_audit_is_found(
    told: Told, statement: str, kind: str
) -> None:
    report = await told.after(statement.format(mine=f"team_id = '{told.team}' AND sequence = 5"))
    assert (report.differences[0].table, report.differences[0].kind) == ("audit", kind)
    assert report.first_bad_sequences == {told.team: 5}


@pytest.mark.parametrize("change", ["term = 1", "writer = 'other'", "fence_offset = 0", "void_records = 1"])
async def test_a_checkpoint_that_the_rule_does_not_come_to_is_found(told: Told, change: str) -> None:
    report = await told.after(
        f"UPDATE checkpoints SET {change} WHERE projection = 'library' AND partition = 0"
    )
    assert [(one.table, one.kind) for one in report.differences] == [("checkpoints", "altered")]


async def test_events_past_the_checkpoint_are_no_difference(fresh: Told) -> None:
    log = await events_log(fresh.settings, 1)
    log.scribe.team("late")
    await log.publish()
    report = await verify(fresh.settings)
    assert (report.differences, report.behind) == ([], 2)


async def test_a_checkpoint_that_skipped_an_event_is_found_in_every_read_model(fresh: Told) -> None:
    log = await events_log(fresh.settings, 1)
    team = log.scribe.team("skipped")
    log.scribe.pattern(team, PatternRecorded(fields={"name": "n"}))
    await log.publish()
    standing = "term = 2, writer = 'decider', fence_offset = 1"
    report = await fresh.after(
        f"UPDATE checkpoints SET next_offset = 4, {standing} WHERE projection = 'library' AND partition = 1"
    )
    assert {(one.table, one.kind, one.team_id) for one in report.differences} == {
        (table, "missing", team)
        for table in (
            *("heads", "names", "patterns", "changes", "history", "audit", "tree_edges", "projected_logs"),
            *("teams", "members"),
        )
    }
    assert report.first_bad_sequences == {team: 1}


async def test_a_log_that_cannot_be_followed_up_to_the_checkpoint_is_said_to_be_broken(fresh: Told) -> None:
    log = await events_log(fresh.settings, 1)
    log.scribe.team()
    log.scribe.team()
    records = new_records(log.scribe.records)
    await append(
        fresh.settings, Topics(fresh.settings.topic_prefix).events, 1, [records[0], records[2], records[2]]
    )
    await fetch(
        fresh.settings,
        "UPDATE checkpoints SET next_offset = 4 WHERE projection = 'library' AND partition = 1",
    )
    report = await verify(fresh.settings)
    assert [(fault.partition, fault.offset, fault.sequence) for fault in report.faults] == [(1, 3, 2)]
