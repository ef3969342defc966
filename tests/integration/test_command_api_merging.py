"""Conflicts, chains, batches and policies over HTTP, before a decider that may die in between."""

import uuid
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from devstack.services import Services as ServiceProcesses
from runtime.settings import Settings
from tests.command_client import (
    Library,
    Team,
    after,
    answering,
    batch,
    create_team,
    created_team,
    edit,
    new_id,
    on,
    record_pattern,
    set_merging,
)
from tests.databases import fresh_database, settings_for
from tests.services import Services


@pytest.fixture(scope="module")
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        yield settings_for(services, dsn)


@pytest.fixture(scope="module")
def processes(settings: Settings) -> Iterator[ServiceProcesses]:
    with answering(settings) as started:
        yield started


@pytest.fixture
async def team(processes: ServiceProcesses) -> AsyncIterator[Team]:
    async with created_team(processes) as created:
        yield created


@pytest.fixture
async def library(team: Team, processes: ServiceProcesses, settings: Settings) -> AsyncIterator[Library]:
    pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        made = Library(team, processes, pg)
        assert (await team.send(made.pattern)).status_code == 200
        yield made
    finally:
        await pg.close()


# ---------------------------------------------------------------- conflicts


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_conflict_is_told_with_its_place_and_resolved_once(library: Library, forgets: bool) -> None:
    pattern = library.pattern
    mine = edit(pattern, 1, x=3, solution="a\nb\nc\nd\nE")
    await library.team.send(edit(pattern, 1, x=2))
    response = await library.team.send(mine)
    assert (response.status_code, response.json()["code"]) == (409, "edit_conflict")
    outcome = response.json()["outcome"]
    assert outcome["conflict"] == {
        "conflict_id": mine["command_id"],
        "current_version": 2,
        "fields": ["x"],
    }
    assert (outcome["version"], outcome["sequence"]) == (3, 4)
    assert outcome["cursor"]
    if forgets:
        await library.forget(3)
    resolving = on(pattern, "resolve_conflict", conflict_id=mine["command_id"], take={"x": "mine"})
    undecided = {**resolving, "command_id": new_id(), "take": {}}
    refused = await library.team.send(undecided)
    assert (refused.status_code, refused.json()["code"]) == (422, "unresolved_fields")
    assert refused.json()["outcome"]["fields"] == ["x"]
    done = await library.outcome(resolving)
    assert (done["status"], done["version"]) == ("accepted", 4)
    fields = await library.fields(4)
    assert (fields["x"], fields["solution"]) == (3, "a\nb\nc\nd\nE")
    assert await library.outcome(resolving) == {**done, "repeat": True}
    again = await library.team.send({**resolving, "command_id": new_id()})
    assert (again.status_code, again.json()["code"]) == (409, "conflict_not_open")


async def test_a_resolution_does_not_overwrite_what_was_written_after_it(library: Library) -> None:
    pattern, mine = library.pattern, edit(library.pattern, 1, x=3)
    await library.team.send_many(edit(pattern, 1, x=2), mine, edit(pattern, 3, x=4))
    resolving = on(pattern, "resolve_conflict", conflict_id=mine["command_id"], rest="mine")
    refused = await library.team.send(resolving)
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_resolution")
    current = refused.json()["outcome"]["current_version"]
    assert await library.outcomes(
        {**resolving, "command_id": new_id(), "base_version": current},
        on(pattern, "abandon_conflict", conflict_id=mine["command_id"]),
    ) == [("accepted", None), ("rejected", "conflict_not_open")]


async def test_an_edit_in_conflict_may_be_abandoned(library: Library) -> None:
    pattern, mine = library.pattern, edit(library.pattern, 1, x=3)
    await library.team.send_many(edit(pattern, 1, x=2), mine)
    abandoning = on(pattern, "abandon_conflict", conflict_id=mine["command_id"])
    assert (await library.outcome(abandoning))["status"] == "accepted"
    assert (await library.fields(4))["x"] == 2


# ---------------------------------------------------------------- chains


async def test_a_chain_in_one_request_goes_by_what_its_sender_wrote(library: Library) -> None:
    pattern = library.pattern
    first = edit(pattern, 1, x=3, solution="a\nb\nc\nd\nE")
    second = after(pattern, first, x=4, solution="a\nb\nC\nd\nE")
    third = after(pattern, second, y=4)
    told = await library.outcomes(
        edit(pattern, 1, solution="A\nb\nc\nd\ne"), first, edit(pattern, 3, y=9), second, third
    )
    statuses = [status for status, _ in told]
    assert statuses == ["accepted", "merged", "accepted", "merged", "conflict"]
    fields = await library.fields(5)
    assert (fields["x"], fields["solution"]) == (4, "A\nb\nC\nd\nE")


async def test_a_chain_goes_on_before_a_decider_that_was_killed(library: Library) -> None:
    pattern = library.pattern
    first = edit(pattern, 1, x=3, solution="a\nb\nc\nd\nE")
    await library.team.send_many(edit(pattern, 1, solution="A\nb\nc\nd\ne"), first)
    await library.forget(3)
    second = after(pattern, first, z=4)
    third = after(pattern, second, x=5, solution="a\nb\nC\nd\nE")
    assert await library.outcomes(second, third) == [("merged", None)] * 2
    await library.forget(5)
    assert (await library.outcome(after(pattern, third, x=6)))["status"] == "merged"
    fields = await library.fields(6)
    assert (fields["x"], fields["solution"]) == (6, "A\nb\nC\nd\nE")


async def test_what_depends_on_a_refused_command_is_refused(library: Library) -> None:
    refused = edit(library.pattern, 9, x=3)
    twin = {**record_pattern(), "fields": library.pattern["fields"]}
    told = await library.team.send_many(
        refused, after(library.pattern, refused, x=4), twin, after(twin, twin, x=5)
    )
    assert [each["code"] for each in told] == [
        "unknown_base_version",
        "depends_on_refused",
        "name_taken",
        "depends_on_refused",
    ]
    assert told[1]["base_command"] == refused["command_id"]
    unknown = await library.team.send(after(library.pattern, edit(library.pattern, 1), x=4))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_base_command")


async def test_a_pattern_is_deleted_as_its_sender_saw_it_or_not_at_all(library: Library) -> None:
    own = edit(library.pattern, 1, x=2)
    await library.team.send_many(own, edit(library.pattern, 1, y=2))
    deleting = on(library.pattern, "delete_pattern", base_command=own["command_id"])
    refused = await library.team.send(deleting)
    assert (refused.status_code, refused.json()["code"]) == (409, "pattern_changed")
    seen = {**deleting, "command_id": new_id(), "base_version": 3}
    assert (await library.outcome(seen))["status"] == "accepted"


# ---------------------------------------------------------------- batches


async def test_a_batch_happens_as_a_whole(library: Library) -> None:
    new = record_pattern()
    whole = batch(edit(library.pattern, 1, x=2), new, edit(new, 1, y=1))
    outcome = await library.outcome(whole)
    assert (outcome["status"], outcome["sequence"]) == ("accepted", 5)
    assert [(each["version"], each["sequence"]) for each in outcome["outcomes"]] == [(2, 3), (1, 4), (2, 5)]
    assert outcome["cursor"]
    assert (await library.team.look_up(whole)).json() == outcome


async def test_nothing_of_a_batch_happens_that_has_a_refused_command(library: Library) -> None:
    new = record_pattern()
    taken = {**record_pattern(), "fields": library.pattern["fields"]}
    response = await library.team.send(batch(new, edit(library.pattern, 1, x=2), taken))
    assert (response.status_code, response.json()["code"]) == (409, "batch_refused")
    failed = response.json()["outcome"]["failed"]
    assert (failed["index"], failed["code"]) == (2, "name_taken")
    assert "cursor" not in response.json()["outcome"]
    outcome = await library.outcome(batch(new, edit(library.pattern, 1, x=2)))
    assert [each["version"] for each in outcome["outcomes"]] == [1, 2]


async def test_a_batch_that_is_sent_again_gets_its_outcome_and_is_applied_once(library: Library) -> None:
    good = batch(record_pattern(), edit(library.pattern, 1, counters={"seen": 1}))
    bad = batch(edit(library.pattern, 1, counters={"seen": 1}), edit(library.pattern, 9, x=1))
    first = [await library.outcome(good), await library.outcome(bad)]
    assert [each["status"] for each in first] == ["accepted", "rejected"]
    assert await library.team.send_many(good, bad) == [{**each, "repeat": True} for each in first]
    await library.forget(2)
    assert await library.team.send_many(good, bad) == [{**each, "repeat": True} for each in first]
    assert (await library.outcome({**good, "commands": good["commands"][:1]}))["code"] == "command_id_reused"
    assert (await library.outcome(after(library.pattern, good, x=2)))["version"] == 3


async def test_a_team_is_created_with_its_first_patterns(team: Team) -> None:
    team.url = f"/api/v1/teams/{uuid.uuid4()}/commands"
    response = await team.send(
        batch(create_team(), set_merging(policy="reject"), record_pattern(), record_pattern())
    )
    assert response.status_code == 200
    assert response.json()["sequence"] == 4


async def test_commands_of_batches_count_and_point_to_what_is_wrong_with_them(team: Team) -> None:
    many = [batch(*(record_pattern() for _ in range(251))) for _ in range(2)]
    too_many = await team.send({"commands": many})
    assert (too_many.status_code, too_many.json()["code"]) == (413, "too_many_commands")
    wrong = await team.send(
        {"commands": [record_pattern(), batch(record_pattern(), record_pattern(name=" "))]}
    )
    assert (wrong.status_code, wrong.json()["pointer"]) == (400, "/commands/1/commands/1/fields/name")


# ---------------------------------------------------------------- policies


async def test_a_library_chooses_what_becomes_of_edits_that_clash(library: Library) -> None:
    pattern = library.pattern
    assert await library.outcomes(
        edit(pattern, 1, x=2, tags=["a"]),
        {**edit(pattern, 1, x=3), "policy": "reject"},
        set_merging(policy="reject"),
        edit(pattern, 1, x=3),
        edit(pattern, 1, tags=["b"]),
        {**edit(pattern, 1, x=3), "policy": "last_writer_wins"},
        set_merging(policy="last_writer_wins"),
        {**edit(pattern, 1, x=3), "policy": "merge"},
        edit(pattern, 1, x=4, tags=["b"]),
    ) == [
        ("accepted", None),
        ("rejected", "stale_edit"),
        ("accepted", None),
        ("rejected", "stale_edit"),
        ("rejected", "stale_edit"),
        ("rejected", "stale_edit"),
        ("accepted", None),
        ("conflict", "edit_conflict"),
        ("merged", None),
    ]
    fields = await library.fields(4)
    assert (fields["x"], fields["tags"]) == (4, ["a", "b"])


async def test_a_library_has_rules_for_fields_of_its_own_also_after_a_restart(library: Library) -> None:
    pattern = library.pattern
    notes = {"x-notes": "a\nb\nc"}
    rule = set_merging(rules={"x-notes": "text"})
    assert await library.outcomes(rule, edit(pattern, 1, **notes)) == [("accepted", None)] * 2
    await library.forget(2)
    one, other = {"x-notes": "A\nb\nc"}, {"x-notes": "a\nb\nC"}
    assert await library.outcomes(edit(pattern, 2, **one), edit(pattern, 2, **other)) == [
        ("accepted", None),
        ("merged", None),
    ]
    assert (await library.fields(4))["x-notes"] == "A\nb\nC"
