"""Pushing: order, batches, answers that are lost, late, doubled or refused."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from sync_client import push
from sync_client.errors import BatchRefused, NeedsSignIn, TryLater, UnexpectedAnswer
from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault


def transport_of(client: Client) -> FakeTransport:
    assert isinstance(client.transport, FakeTransport)
    return client.transport


async def test_501_new_patterns_go_as_two_batches(server: FakeServer, client: Client) -> None:
    for index in range(501):
        client.record(name=f"pattern {index}")
    report = await client.sync_client.push()
    assert (report.batches, report.accepted) == (2, 501)
    assert [len(batch) for batch in server.received] == [500, 1]
    assert len(server.live()) == 501


async def test_a_batch_has_a_size_that_any_server_takes(
    server: FakeServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "BATCH_BYTES", 1400)
    for index in range(5):
        client.record(name=f"pattern {index}", description="x" * 400)
    client.record(name="large", description="x" * 5000)
    await client.sync_client.push()
    assert [len(batch) for batch in server.received] == [2, 2, 1, 1]
    assert len(server.live()) == 6


async def test_edits_of_an_unsent_record_go_out_with_it(server: FakeServer, client: Client) -> None:
    pattern_id = client.record(name="n", description="1")
    client.edit(pattern_id, description="2")
    client.edit(pattern_id, description="3")
    report = await client.sync_client.push()
    assert (report.batches, report.accepted) == (1, 3)
    assert server.live() == client.live() == {"n": {"name": "n", "description": "3"}}
    assert server.patterns[pattern_id].version == 3


async def test_a_lost_answer_is_asked_for_again_under_the_same_id(server: FakeServer, client: Client) -> None:
    client.record(name="n")
    transport_of(client).fail_next(Fault.LOST_ANSWER)
    with pytest.raises(TryLater):
        await client.sync_client.push()
    assert client.states() == ["sent"]
    report = await client.restarted().push()
    assert (report.accepted, client.states()) == (1, ["done"])
    assert server.received[0] == server.received[1]
    assert len(server.applied) == 1


async def test_ids_are_on_the_disk_before_they_are_sent(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    client.record(name="n")
    transport_of(client).fail_next(Fault.LOST_REQUEST)
    assert client.command_ids() == [None]
    with pytest.raises(TryLater):
        await client.sync_client.push()
    (kept,) = client.command_ids()
    assert kept is not None
    await client.restarted().push()
    assert server.applied == [kept]


@pytest.mark.parametrize("fault", [Fault.DOUBLED, Fault.REORDERED])
async def test_doubled_and_reordered_answers_have_one_effect_each(
    server: FakeServer, client: Client, fault: Fault
) -> None:
    ids = [client.record(name=f"pattern {index}") for index in range(5)]
    transport_of(client).fail_next(fault)
    report = await client.sync_client.push()
    assert report.accepted == 5
    assert len(server.applied) == len(set(server.applied)) == 5
    assert set(server.patterns) == set(ids)
    assert client.states() == ["done"] * 5


async def test_a_burst_of_unavailability_is_waited_out(server: FakeServer, tmp_path: Path) -> None:
    with client_of(server, tmp_path / "patient") as client:
        client.record(name="n")
        transport_of(client).fail_next(Fault.UNAVAILABLE, Fault.LOST_REQUEST, Fault.UNAVAILABLE)
        report = await client.sync_client.push()
        assert report.accepted == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.UNAVAILABLE, TryLater), (Fault.LOST_REQUEST, TryLater), (Fault.SIGNED_OUT, NeedsSignIn)],
)
async def test_no_failure_of_the_network_or_the_token_is_a_refusal(
    client: Client, fault: Fault, error: type[Exception]
) -> None:
    client.record(name="n")
    transport_of(client).fail_next(fault)
    with pytest.raises(error):
        await client.sync_client.push()
    assert client.outbox.count_drafts() == 0
    assert client.live() == {"n": {"name": "n"}}
    assert (await client.restarted().push()).accepted == 1


async def test_what_was_taken_but_not_decided_is_asked_for_by_id(server: FakeServer, client: Client) -> None:
    client.record(name="n")
    transport_of(client).fail_next(Fault.PENDING)
    report = await client.sync_client.push()
    assert (report.accepted, report.unanswered) == (1, 0)
    assert transport_of(client).calls == ["send", "look_up"]
    assert len(server.received) == 1


async def test_what_stays_undecided_is_sent_again_later_under_its_id(
    server: FakeServer, client: Client
) -> None:
    client.record(name="n")
    transport_of(client).fail_next(Fault.PENDING, Fault.PENDING)
    with pytest.raises(push.StillPending):
        await client.sync_client.push()
    assert client.states() == ["sent"]
    report = await client.restarted().push()
    assert report.accepted == 1
    assert server.received[0] == server.received[1]


async def test_one_undecided_command_holds_up_no_others(
    server: FakeServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "BATCH", 1)
    for name in ("first", "second", "third"):
        client.record(name=name)
    transport_of(client).fail_next(Fault.NONE, Fault.PENDING, Fault.PENDING, Fault.NONE)
    report = await client.sync_client.push()
    assert (report.accepted, report.unanswered) == (2, 1)
    assert client.states() == ["done", "sent", "done"]


async def test_a_refused_command_stays_as_a_draft_and_blocks_nothing_behind_it(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    with client_of(server, tmp_path / "other") as other:
        other.record(name="taken")
        await other.sync_client.push()
    refused = client.record(name="taken", description="mine")
    client.edit(refused, description="builds on it")
    client.record(name="free")
    report = await client.sync_client.push()
    assert (report.accepted, report.refused, report.held_up) == (1, 1, 1)
    assert client.states() == ["refused", "pending", "done"]
    assert client.command_ids()[1] is None
    assert client.outbox.counts()["held"] == 1
    assert set(client.live()) == {"free"}
    assert [len(batch) for batch in server.received] == [1, 3]


async def test_a_conflict_stays_as_a_draft_and_new_edits_of_the_pattern_go_on(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", description="1")
    await client.sync_client.push()
    with client_of(server, tmp_path / "other") as other:
        await other.sync()
        other.edit(pattern_id, description="theirs")
        await other.sync()
    client.edit(pattern_id, description="mine")
    report = await client.restarted().push()
    assert (report.conflicts, client.states()[-1]) == (1, "conflict")
    await client.restarted().pull()
    client.edit(pattern_id, description="both")
    assert (await client.restarted().push()).accepted == 1
    assert server.live()["n"]["description"] == client.fields(pattern_id)["description"] == "both"


async def test_an_edit_behind_a_merged_one_is_merged_on_what_its_author_had_seen(
    server: FakeServer, client: Client, tmp_path: Path
) -> None:
    pattern_id = client.record(name="n", a=1, b=1, c=1)
    await client.sync_client.push()
    with client_of(server, tmp_path / "other") as other:
        await other.sync()
        other.edit(pattern_id, b=2)
        await other.sync()
    client.edit(pattern_id, a=2)
    client.edit(pattern_id, a=3, c=3)
    report = await client.restarted().push()
    assert (report.batches, report.merged, report.accepted) == (1, 2, 0)
    await client.restarted().pull()
    assert server.live()["n"] == client.live()["n"] == {"name": "n", "a": 3, "b": 2, "c": 3}


async def test_a_name_that_is_given_up_by_a_waiting_edit_is_not_taken_before_it(
    server: FakeServer, client: Client
) -> None:
    first = client.record(name="x")
    client.edit(first, name="y")
    client.record(name="x", description="second")
    report = await client.sync_client.push()
    assert (report.accepted, report.refused) == (3, 0)
    assert set(server.live()) == {"x", "y"}


async def test_the_team_is_created_before_anything_else_is_sent(tmp_path: Path) -> None:
    server = FakeServer.without_team()
    with client_of(server, tmp_path / "one", patience=IMPATIENT) as client:
        client.create_team("Ours")
        client.record(name="n")
        transport_of(client).fail_next(Fault.LOST_ANSWER)
        with pytest.raises(TryLater):
            await client.sync_client.push()
        assert [len(batch) for batch in server.received] == [1]
        report = await client.restarted().push()
        assert report.accepted == 2
        assert [len(batch) for batch in server.received] == [1, 1, 1]


class Picky(FakeTransport):
    """A server that finds fault with what this client thinks is right, as a newer one might."""

    def __init__(self, server: FakeServer, name: str, *, points: bool) -> None:
        super().__init__(server)
        self._name = name
        self._points = points

    async def send(self, commands):  # type: ignore[no-untyped-def]
        for index, body in enumerate(commands):
            if body["fields"]["name"] == self._name:
                self.server.received.append([one["command_id"] for one in commands])
                raise BatchRefused("malformed_command", "no", index if self._points else None)
        return await super().send(commands)


@pytest.mark.parametrize("points", [True, False])
async def test_one_command_that_spoils_its_batch_is_found_and_the_others_go_out(
    server: FakeServer, tmp_path: Path, *, points: bool
) -> None:
    transport = Picky(server, "pattern 7", points=points)
    with client_of(server, tmp_path / "one", transport=transport) as client:
        for index in range(20):
            client.record(name=f"pattern {index}")
        report = await client.sync_client.push()
        assert (report.accepted, report.refused) == (19, 1)
        assert client.states()[7] == "refused"
        assert len(server.received) <= 2 + 2 * math.log2(20)


class Mixed(FakeTransport):
    """Answers that belong to other commands."""

    async def send(self, commands):  # type: ignore[no-untyped-def]
        answers = await super().send(commands)
        return [replace(answers[0], command_id="00000000-0000-7000-8000-00000000ffff"), *answers[1:]]


async def test_answers_to_other_commands_than_were_sent_are_not_used(
    server: FakeServer, tmp_path: Path
) -> None:
    with client_of(server, tmp_path / "one", transport=Mixed(server)) as client:
        client.record(name="n")
        with pytest.raises(UnexpectedAnswer):
            await client.sync_client.push()
        assert client.states() == ["sent"]
