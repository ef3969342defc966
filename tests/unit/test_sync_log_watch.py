"""The last tree head that was seen: what must go on from it, and what becomes of a log that does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.following import Reason
from evidence.notes import SigningKey
from sync_client.errors import LocalRefusal, TryLater, UnexpectedAnswer
from sync_client.head_store import Evidence, HeadStore, ProofFailed
from tests.sync_fakes.audited import OTHER_SIGNER, SIGNER
from tests.sync_fakes.clients import NOW, Client, client_of
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault

FORGER = SigningKey("log.example", bytes([7]) * 32)


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.log.signers = [SIGNER]
    return server


@pytest.fixture
def author(server: FakeServer, tmp_path: Path) -> Iterator[Client]:
    with client_of(server, tmp_path / "author") as author:
        yield author


@pytest.fixture
def client(server: FakeServer, tmp_path: Path) -> Iterator[Client]:
    with client_of(server, tmp_path / "client") as client:
        yield client


async def grow(author: Client, name: str) -> None:
    author.record(name=name)
    await author.restarted().push()


def held(client: Client, server: FakeServer) -> int | None:
    found = HeadStore(client.replica).held(server.log_id)
    return None if found is None else found.head.size


def evidence(client: Client) -> list[Evidence]:
    return list(HeadStore(client.replica).evidence())


async def test_each_head_goes_on_from_the_last_one_and_takes_its_place(
    server: FakeServer, author: Client, client: Client
) -> None:
    for size, name in enumerate(("one", "two", "three"), 2):
        await grow(author, name)
        await client.restarted().pull()
        assert held(client, server) == size
    assert HeadStore(client.replica).keys() == [SIGNER.key()]
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    calls = list(transport.calls)
    await client.restarted().pull()
    assert transport.calls == [*calls, "changes"]


async def test_a_server_that_never_showed_a_head_is_no_error(
    server: FakeServer, author: Client, client: Client
) -> None:
    server.log.signers = []
    await grow(author, "one")
    await client.sync()
    assert (client.live(), held(client, server)) == (server.live(), None)


def rewrite(server: FakeServer) -> None:
    """The first event is another one than it was."""
    server.log.records[0] = server.log.records[0].with_headers({"ce_actor": b"somebody else"})


async def test_a_log_that_was_rewritten_is_not_applied_kept_as_evidence_and_told_until_acknowledged(
    server: FakeServer, author: Client, client: Client
) -> None:
    await grow(author, "one")
    await client.sync()
    before = client.live()
    shown_before = server.tree_head()["note"]
    client.record(name="mine")
    rewrite(server)
    await grow(author, "two")
    with pytest.raises(ProofFailed):
        await client.restarted().pull()
    assert client.live() == {**before, "mine": {"name": "mine"}}
    (kept,) = evidence(client)
    assert (kept.reason, kept.held) == (Reason.INCONSISTENT, shown_before)
    path = server.consistency(2, 3)["path"]
    assert (kept.shown, kept.path) == (server.tree_head()["note"], path)
    client.record(name="offline still works")
    received = len(server.received)
    for step in (client.restarted().pull, client.restarted().push):
        with pytest.raises(ProofFailed):
            await step()
    assert (len(server.received), len(evidence(client)), client.states()) == (received, 1, ["pending"] * 2)

    with client.replica.transaction():
        HeadStore(client.replica).acknowledge(kept.number, NOW)
    await client.sync()
    assert client.live() == server.live()
    assert {"mine", "two", "offline still works"} <= client.live().keys()
    assert evidence(client)[0].acknowledged_at is not None
    with pytest.raises(LocalRefusal):
        HeadStore(client.replica).acknowledge(kept.number, NOW)


async def test_another_root_at_the_same_size_contradicts_whatever_is_proven(
    server: FakeServer, author: Client, client: Client
) -> None:
    await grow(author, "one")
    await client.sync()
    rewrite(server)
    server.log.hidden = 1
    await grow(author, "two")
    with pytest.raises(ProofFailed):
        await client.restarted().pull()
    assert [(one.reason, one.path) for one in evidence(client)] == [(Reason.CONTRADICTION, [])]


async def test_a_refused_proof_is_no_evidence_and_nothing_is_applied_unproven(
    server: FakeServer, author: Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(author, "one")
    await client.sync()
    await grow(author, "two")
    monkeypatch.setattr(server.log, "consistency", lambda _old, _new: None)
    before = client.live()
    with pytest.raises(TryLater):
        await client.restarted().pull()
    assert (client.live(), evidence(client)) == (before, [])


async def test_a_server_that_is_behind_what_was_seen_is_not_believed_and_not_accused(
    server: FakeServer, author: Client, client: Client
) -> None:
    await grow(author, "one")
    await grow(author, "two")
    await client.sync()
    await grow(author, "three")
    for hidden, signers in ((2, [SIGNER]), (0, [])):
        server.log.hidden, server.log.signers = hidden, signers
        with pytest.raises(TryLater) as later:
            await client.restarted().pull()
        assert later.value.code == "not_proven"
    assert (evidence(client), held(client, server)) == ([], 3)
    server.log.hidden, server.log.signers = 0, [SIGNER]
    await client.restarted().pull()
    assert held(client, server) == 4


async def test_an_older_head_that_the_held_one_goes_on_from_changes_nothing(
    server: FakeServer, author: Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(author, "one")
    await client.sync()
    await grow(author, "two")
    old = server.tree_head(1)
    monkeypatch.setattr(server, "tree_head", lambda: old)
    await client.restarted().pull()
    assert (held(client, server), client.live()) == (2, server.live())


# ---------------------------------------------------------------- keys


async def test_keys_change_by_a_note_of_a_trusted_one(
    server: FakeServer, author: Client, client: Client
) -> None:
    await grow(author, "one")
    await client.sync()
    server.log.rotate(OTHER_SIGNER)
    server.log.rotate(SigningKey("log.example", bytes([3]) * 32))
    await grow(author, "two")
    await client.sync()
    assert held(client, server) == 3
    assert len(HeadStore(client.replica).keys()) == 3


async def test_a_head_of_another_key_is_evidence(server: FakeServer, author: Client, client: Client) -> None:
    await grow(author, "one")
    await client.sync()
    server.log.signers = [FORGER]
    await grow(author, "two")
    with pytest.raises(ProofFailed):
        await client.restarted().pull()
    assert [one.reason for one in evidence(client)] == [Reason.BAD_SIGNATURE]
    with client.replica.transaction():
        HeadStore(client.replica).acknowledge(1, NOW)
        HeadStore(client.replica).trust([FORGER.key()], "given", NOW)
    await client.restarted().pull()
    assert held(client, server) == 3


async def test_a_key_that_was_given_is_the_only_one(
    server: FakeServer, author: Client, client: Client
) -> None:
    with client.replica.transaction():
        HeadStore(client.replica).trust([OTHER_SIGNER.key()], "given", NOW)
    await grow(author, "one")
    with pytest.raises(ProofFailed):
        await client.restarted().pull()
    assert HeadStore(client.replica).keys() == [OTHER_SIGNER.key()]


async def test_a_first_head_of_a_key_that_the_server_does_not_name_is_no_answer(
    server: FakeServer, author: Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(author, "one")
    named = {"keys": [FORGER.key().vkey], "notes": []}
    monkeypatch.setattr(server.log, "keys", lambda: named)
    with pytest.raises(UnexpectedAnswer):
        await client.restarted().pull()
    assert (HeadStore(client.replica).keys(), evidence(client)) == ([], [])
    named["keys"] = ["no key"]
    with pytest.raises(UnexpectedAnswer):
        await client.restarted().pull()


async def test_what_is_no_head_is_no_answer_and_no_evidence(
    server: FakeServer, author: Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(author, "one")
    await client.sync()
    await grow(author, "two")
    monkeypatch.setattr(server, "tree_head", lambda: {"note": "no note"})
    with pytest.raises(UnexpectedAnswer):
        await client.restarted().pull()
    assert evidence(client) == []


# ---------------------------------------------------------------- other logs, and failures


async def test_a_restored_log_starts_anew_and_the_old_head_stays_on_record(
    server: FakeServer, author: Client, client: Client
) -> None:
    await grow(author, "one")
    backup = server.backup()
    await grow(author, "two")
    await client.sync()
    old = server.log_id
    server.restore(backup)
    await author.sync()
    await grow(author, "another two")
    await client.sync()
    assert client.live() == server.live()
    assert held(client, server) == len(server.log.records)
    before = HeadStore(client.replica).held(old)
    assert before is not None
    assert (before.head.size, len(HeadStore(client.replica).heads()), evidence(client)) == (3, 2, [])


async def test_a_head_of_another_log_than_the_changes_is_asked_for_again(
    server: FakeServer, author: Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(author, "one")
    head = server.log.head("0190a5d0-0000-7000-8000-000000000009", server.team_id)
    monkeypatch.setattr(server, "tree_head", lambda: head)
    with pytest.raises(TryLater) as later:
        await client.restarted().pull()
    assert later.value.code == "head_of_another_log"


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.UNAVAILABLE])
@pytest.mark.parametrize("before", [1, 2])
async def test_a_network_that_fails_is_no_evidence_and_nothing_is_applied_unproven(
    server: FakeServer, author: Client, client: Client, fault: Fault, before: int
) -> None:
    await grow(author, "one")
    await client.sync()
    await grow(author, "two")
    library = client.live()
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    transport.fail_next(*[Fault.NONE] * before, *[fault] * 4)
    with pytest.raises(TryLater):
        await client.restarted().pull()
    assert (client.live(), held(client, server), evidence(client)) == (library, 2, [])
    transport.calm_down()
    await client.restarted().pull()
    assert (client.live(), held(client, server)) == (server.live(), 3)
