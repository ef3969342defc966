"""Conflicts that are brought to an end from here."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from events.json_text import Json
from events.pattern import Pattern
from sync_client.drafts import Draft
from sync_client.errors import LocalRefusal
from tests.commands import command_id
from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault


@pytest.fixture
def people(server: FakeServer, tmp_path: Path) -> Iterator[tuple[Client, Client]]:
    with ExitStack() as stack:
        ann, ben = (
            stack.enter_context(
                client_of(server, tmp_path / name, transport=FakeTransport(server), patience=IMPATIENT)
            )
            for name in ("ann", "ben")
        )
        yield ann, ben


async def in_conflict_over(people: tuple[Client, Client], *later: dict[str, Json], **mine: Json) -> Draft:
    """Ann's edit and what she made on top of it, in conflict with a severity of Ben's."""
    ann, ben = people
    pattern_id = ann.record(name="n", severity="low", solution="1\n2\n3", x=1)
    await ann.sync()
    await ben.sync()
    ben.edit(pattern_id, severity="high", solution="one\n2\n3")
    await ben.sync()
    ann.edit(pattern_id, severity="critical", **mine)
    for given in later:
        ann.edit(pattern_id, **given)
    await ann.sync()
    (draft,) = ann.drafts()
    assert (draft.kind, draft.code, draft.conflict_id) == ("conflict", "edit_conflict", draft.command_id)
    return draft


def fields_of(server: FakeServer) -> dict[str, Json]:
    fields = server.live()["n"]
    assert fields.pop("name") == "n"
    return fields


# ---------------------------------------------------------------- what is decided


async def test_taking_ones_own_side_applies_at_once_and_is_the_librarys_after_a_push(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    ann, ben = people
    draft = await in_conflict_over(people, x=2)
    ann.resolve(draft.number, "mine")
    assert ann.fields(draft.pattern_id) == {
        "name": "n",
        "severity": "critical",
        "solution": "one\n2\n3",
        "x": 2,
    }
    (shown,) = ann.drafts()
    assert shown.being_resolved
    assert (await ann.restarted().push()).accepted == 1
    assert (ann.drafts(), ann.states()) == ([], ["done", "done", "done"])
    await ben.sync()
    assert ben.live() == ann.live() == server.live()
    assert (fields_of(server)["severity"], fields_of(server)["x"]) == ("critical", 2)


async def test_leaving_theirs_keeps_the_rest_of_ones_edit(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    draft = await in_conflict_over(people, x=2)
    people[0].resolve(draft.number, "theirs")
    await people[0].sync()
    assert fields_of(server) == {"severity": "high", "solution": "one\n2\n3", "x": 2}
    event = server.judged[-1].event
    assert getattr(event, "choices", None) == {"severity": "theirs", "x": "mine"}


async def test_a_new_value_settles_a_field_that_neither_side_was_right_about(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    draft = await in_conflict_over(people)
    people[0].resolve(draft.number, severity="medium", y="new")
    await people[0].sync()
    assert (fields_of(server)["severity"], fields_of(server)["y"]) == ("medium", "new")


async def test_what_the_server_can_merge_is_left_to_it_and_shown_when_it_has(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    ann, _ = people
    draft = await in_conflict_over(people, solution="1\n2\nthree")
    ann.resolve(draft.number, "mine")
    assert ann.fields(draft.pattern_id)["severity"] == "high"
    ann.edit(draft.pattern_id, x=3)
    await ann.sync()
    assert fields_of(server) == {"severity": "critical", "solution": "one\n2\nthree", "x": 3}
    assert ann.live() == server.live()


async def test_a_field_in_conflict_that_is_not_decided_on_is_named(people: tuple[Client, Client]) -> None:
    draft = await in_conflict_over(people)
    with pytest.raises(LocalRefusal, match="not decided: severity") as refused:
        people[0].resolve(draft.number, x=1)
    assert refused.value.code == "unresolved_fields"
    assert not people[0].drafts()[0].being_resolved


async def test_what_it_is_in_conflict_with_has_to_be_here_to_be_decided_on(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", severity="low")
    await client.sync()
    with client_of(server, tmp_path / "other") as other:
        await other.sync()
        other.edit(pattern_id, severity="high")
        await other.sync()
    client.edit(pattern_id, severity="critical")
    await client.restarted().push()
    (draft,) = client.drafts()
    with pytest.raises(LocalRefusal) as refused:
        client.resolve(draft.number, "mine")
    assert refused.value.code == "not_pulled"
    await client.restarted().pull()
    client.resolve(draft.number, "mine")


async def test_only_a_conflict_of_the_library_can_be_resolved(server: FakeServer, client: Client) -> None:
    client.record(name="n")
    server.submit(
        [
            {
                "command_id": command_id(),
                "type": "record_pattern",
                "pattern_id": "6f1c2a8e-0000-4000-8000-000000000001",
                "fields": {"name": "n"},
            }
        ]
    )
    await client.sync()
    (draft,) = client.drafts()
    for end in (partial(client.resolve, draft.number, "mine"), partial(client.abandon, draft.number)):
        with pytest.raises(LocalRefusal) as refused:
            end()
        assert refused.value.code == "no_conflict"


# ---------------------------------------------------------------- giving up


async def test_an_edit_that_is_abandoned_is_gone_for_everybody(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    ann, _ = people
    draft = await in_conflict_over(people, {"x": 2})
    ann.abandon(draft.number)
    await ann.sync()
    assert ann.drafts() == []
    pattern = server.patterns[draft.pattern_id]
    assert isinstance(pattern, Pattern)
    assert pattern.conflicts == {}
    assert fields_of(server) == {"severity": "high", "solution": "one\n2\n3", "x": 2}


async def test_a_draft_that_is_dropped_is_forgotten_here_and_stays_open_for_the_others(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    ann, _ = people
    draft = await in_conflict_over(people)
    ann.drop(draft.number)
    await ann.sync()
    pattern = server.patterns[draft.pattern_id]
    assert isinstance(pattern, Pattern)
    assert list(pattern.conflicts) == [draft.conflict_id]


async def test_a_draft_that_is_being_resolved_is_neither_dropped_nor_resolved_twice(
    people: tuple[Client, Client],
) -> None:
    ann, _ = people
    draft = await in_conflict_over(people)
    ann.resolve(draft.number, "mine")
    for again in (partial(ann.drop, draft.number), partial(ann.resolve, draft.number, "theirs")):
        with pytest.raises(LocalRefusal) as refused:
            again()
        assert refused.value.code == "being_resolved"


# ---------------------------------------------------------------- what the server says


async def test_a_conflict_that_somebody_else_has_ended_says_so_in_a_draft_of_its_own(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    ann, _ = people
    draft = await in_conflict_over(people)
    server.submit(
        [
            {
                "command_id": command_id(),
                "type": "abandon_conflict",
                "pattern_id": draft.pattern_id,
                "conflict_id": draft.conflict_id,
            }
        ]
    )
    ann.resolve(draft.number, "mine")
    await ann.sync()
    there, said = ann.drafts()
    assert (there.number, there.being_resolved) == (draft.number, False)
    assert (said.kind, said.code, said.conflict_id) == ("refused", "conflict_not_open", draft.conflict_id)
    assert ann.fields(draft.pattern_id)["severity"] == "high"
    ann.drop(said.number)
    ann.drop(there.number)
    assert ann.drafts() == []


async def test_a_decision_on_what_has_changed_since_is_made_anew(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    ann, ben = people
    draft = await in_conflict_over(people)
    ben.edit(draft.pattern_id, severity="medium")
    await ben.sync()
    ann.resolve(draft.number, "mine")
    await ann.restarted().push()
    assert [one.code for one in ann.drafts()] == ["edit_conflict", "stale_resolution"]
    await ann.sync()
    ann.resolve(draft.number, "mine")
    ann.drop(ann.drafts()[1].number)
    await ann.sync()
    assert (ann.drafts(), fields_of(server)["severity"]) == ([], "critical")


async def test_a_resolution_whose_answer_is_lost_is_sent_again_and_counts_once(
    server: FakeServer, people: tuple[Client, Client]
) -> None:
    ann, _ = people
    draft = await in_conflict_over(people)
    ann.resolve(draft.number, "mine")
    assert isinstance(ann.transport, FakeTransport)
    ann.transport.fail_next(Fault.PENDING)
    await ann.restarted().push()
    assert ann.drafts() == []
    assert len(server.applied) == len(set(server.applied))


@pytest.mark.parametrize(("rest", "severity"), [("mine", "low"), ("theirs", "low")])
async def test_what_was_made_on_an_edit_in_conflict_goes_on_from_its_resolution(
    server: FakeServer, people: tuple[Client, Client], rest: str, severity: str
) -> None:
    ann, _ = people
    draft = await in_conflict_over(people, {"severity": severity}, {"x": 5})
    assert (draft.holds_up, ann.states()) == (1, ["done", "conflict", "pending", "pending"])
    ann.resolve(draft.number, "mine" if rest == "mine" else "theirs")
    report = await ann.restarted().push()
    assert (report.accepted, ann.drafts()) == (3, [])
    assert (fields_of(server)["severity"], fields_of(server)["x"]) == (severity, 5)
