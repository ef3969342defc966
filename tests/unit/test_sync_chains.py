"""Edits that build on one another: what they are sent with, and when."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from events.json_text import Json
from sync_client import push
from sync_client.errors import TryLater
from sync_client.outbox import Outbox
from sync_client.wire import Answer
from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault

Body = dict[str, Json]


class Listening(FakeTransport):
    """Keeps the bodies of what was sent."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__(server)
        self.bodies: list[list[Body]] = []

    async def send(self, commands: Sequence[Body]) -> list[Answer]:
        self.bodies.append(list(commands))
        return await super().send(commands)


@pytest.fixture
def wire(server: FakeServer) -> Listening:
    return Listening(server)


@pytest.fixture
def client(server: FakeServer, wire: Listening, tmp_path: Path):  # type: ignore[no-untyped-def]
    with client_of(server, tmp_path / "one", transport=wire, patience=IMPATIENT) as made:
        yield made


def bases(batch: Sequence[Body]) -> list[object]:
    """What each command is based on: a version, or the place of an earlier command of the batch."""
    places = {body["command_id"]: f"command {place}" for place, body in enumerate(batch)}
    return [body.get("base_version") or places.get(body.get("base_command")) for body in batch]


async def edited_by_another(server: FakeServer, folder: Path, pattern_id: str, **given: Json) -> None:
    with client_of(server, folder) as other:
        await other.sync()
        other.edit(pattern_id, **given)
        await other.sync()


async def test_a_chain_goes_out_in_one_batch_each_on_the_one_before(client: Client, wire: Listening) -> None:
    pattern_id = client.record(name="n", a=1)
    client.edit(pattern_id, a=2)
    client.edit(pattern_id, a=3)
    client.change_status(pattern_id, "delete_pattern")
    assert (await client.restarted().push()).accepted == 4
    assert [bases(batch) for batch in wire.bodies] == [[None, "command 0", "command 1", "command 2"]]


async def test_what_follows_a_change_of_status_waits_and_names_a_version(
    client: Client, wire: Listening
) -> None:
    pattern_id = client.record(name="n", a=1)
    client.change_status(pattern_id, "archive_pattern")
    client.change_status(pattern_id, "restore_pattern")
    client.edit(pattern_id, a=2)
    client.change_status(pattern_id, "archive_pattern")
    client.change_status(pattern_id, "delete_pattern")
    assert (await client.restarted().push()).accepted == 6
    assert [bases(batch) for batch in wire.bodies] == [[None], [None], [None], [3], [None], [5]]


async def test_a_chain_longer_than_a_batch_goes_on_from_what_was_answered(
    server: FakeServer, client: Client, wire: Listening, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", a=0, b=0)
    await client.sync()
    await edited_by_another(server, tmp_path / "other", pattern_id, b=1)
    monkeypatch.setattr(push, "BATCH", 2)
    for value in range(1, 6):
        client.edit(pattern_id, a=value)
    report = await client.restarted().push()
    assert (report.merged, report.batches) == (5, 3)
    assert [bases(batch) for batch in wire.bodies[1:]] == [[1, "command 0"], [None, "command 0"], [None]]
    ids = client.command_ids()
    assert [batch[0].get("base_command") for batch in wire.bodies[2:]] == [ids[2], ids[4]]
    assert server.live()["n"] == {"name": "n", "a": 5, "b": 1}


async def test_what_builds_on_a_command_of_unknown_fate_goes_out_with_it_or_not_at_all(
    server: FakeServer, client: Client, wire: Listening
) -> None:
    pattern_id = client.record(name="n", a=1)
    wire.fail_next(Fault.LOST_ANSWER)
    with pytest.raises(TryLater):
        await client.restarted().push()
    client.edit(pattern_id, a=2)
    wire.fail_next(Fault.PENDING, Fault.PENDING)
    with pytest.raises(TryLater):
        await client.restarted().push()
    sent = wire.bodies[1]
    assert bases(sent) == [None, "command 0"]
    client.edit(pattern_id, a=3)
    await client.restarted().push()
    assert wire.bodies[2][:2] == sent
    assert bases(wire.bodies[2]) == [None, "command 0", "command 1"]
    assert (client.states(), server.live()["n"]["a"]) == (["done"] * 3, 3)


async def test_while_a_command_is_not_answered_nothing_else_of_its_pattern_goes_out(
    client: Client, wire: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "BATCH", 1)
    client.record(name="m")
    pattern_id = client.record(name="n", a=1)
    client.edit(pattern_id, a=2)
    client.record(name="l")
    wire.fail_next(Fault.NONE, Fault.PENDING, Fault.PENDING)
    report = await client.restarted().push()
    assert (report.accepted, report.unanswered) == (2, 1)
    assert client.states() == ["done", "sent", "pending", "done"]


async def test_what_built_on_a_refused_edit_goes_out_under_a_new_id_when_the_draft_is_dropped(
    server: FakeServer, client: Client, wire: Listening, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", a=1, b=1)
    await client.sync()
    with client_of(server, tmp_path / "other") as other:
        other.record(name="taken")
        await other.sync()
    client.edit(pattern_id, name="taken", a=2)
    client.edit(pattern_id, b=2)
    client.edit(pattern_id, b=3)
    report = await client.restarted().push()
    assert (report.refused, report.held_up) == (1, 2)
    assert client.states() == ["done", "refused", "pending", "pending"]
    first_ids = [body["command_id"] for body in wire.bodies[-1]]
    await client.restarted().push()
    assert len(wire.bodies) == 2
    client.drop(client.drafts()[0].number)
    assert client.fields(pattern_id) == {"name": "n", "a": 1, "b": 3}
    assert (await client.restarted().push()).accepted == 2
    assert bases(wire.bodies[-1]) == [1, "command 0"]
    assert not {body["command_id"] for body in wire.bodies[-1]} & set(first_ids)
    assert server.live()["n"] == client.live()["n"] == {"name": "n", "a": 1, "b": 3}


async def test_what_built_on_a_dropped_draft_is_based_on_what_was_below_it(
    server: FakeServer, client: Client, wire: Listening, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", a=1, severity="low", c=1)
    await client.sync()
    await edited_by_another(server, tmp_path / "other", pattern_id, severity="high", c=2)
    client.edit(pattern_id, a=2)
    client.edit(pattern_id, severity="medium")
    client.edit(pattern_id, a=3)
    report = await client.restarted().push()
    assert (report.merged, report.conflicts, report.held_up) == (1, 1, 1)
    await client.restarted().pull()
    client.drop(client.drafts()[0].number)
    await client.restarted().push()
    assert wire.bodies[-1][0]["base_command"] == client.command_ids()[1]
    assert server.live()["n"]["a"] == 3


async def test_a_base_that_the_server_has_forgotten_makes_a_draft_and_is_not_sent_for_ever(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", a=1, b=1)
    await client.sync()
    await edited_by_another(server, tmp_path / "other", pattern_id, b=2)
    client.edit(pattern_id, a=2)
    await client.restarted().push()
    server.working.draft.answers.clear()
    client.edit(pattern_id, a=3)
    report = await client.restarted().push()
    assert (report.refused, client.states()[-1]) == (1, "refused")
    assert client.drafts()[0].code == "unknown_base_command"


async def test_a_deletion_takes_no_edit_along_that_nobody_here_had_seen(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", a=1)
    await client.sync()
    await edited_by_another(server, tmp_path / "other", pattern_id, a=2)
    client.change_status(pattern_id, "delete_pattern")
    await client.sync()
    (draft,) = client.drafts()
    assert (draft.code, draft.command_type) == ("pattern_changed", "delete_pattern")
    assert client.fields(pattern_id)["a"] == 2
    client.drop(draft.number)
    client.change_status(pattern_id, "delete_pattern")
    await client.sync()
    assert server.live() == {}


def test_done_commands_are_kept_as_long_as_something_builds_on_them(client: Client) -> None:
    rows = [(1, None, "done"), (2, 1, "done"), (3, 2, "pending"), (4, None, "done")]
    for position, after, state in rows:
        client.replica.connection.execute(
            "INSERT INTO outbox (position, pattern_id, after, command, state, made_at, answered_at)"
            " VALUES (?, 'p', ?, '{}', ?, '2026', '2026')",
            (position, after, state),
        )
    outbox = Outbox(client.replica.connection)
    outbox.forget_done("2027")
    assert client.states() == ["done", "done", "pending"]
    client.replica.connection.execute("UPDATE outbox SET state = 'done' WHERE position = 3")
    outbox.forget_done("2027")
    assert client.states() == []


async def test_a_long_chain_is_as_its_author_left_it(server: FakeServer, client: Client) -> None:
    pattern_id = client.record(name="n", counters={"hits": 0})
    for value in range(1, 41):
        client.edit(pattern_id, counters={"hits": value}, note=random.Random(value).random())
    report = await client.restarted().push()
    assert (report.batches, report.accepted) == (1, 41)
    assert server.live() == client.live()
    assert server.live()["n"]["counters"] == {"hits": 40}
