"""What news does to local edits of fields that the server may merge."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sync_client.errors import TryLater
from sync_client.local_pattern import Confirmed, Entry, Pulled, Rebase
from sync_client.merge import merge
from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.local_patterns import base_of, edit, local, seen, server_state, stages
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport, Fault


def test_a_pending_edit_that_the_server_may_merge_waits_and_nobody_edits_what_it_hides() -> None:
    state = local(server_state(1, solution="a\nb"), Entry(position=1, command=edit(1, solution="A\nb")))
    result = merge(state, Pulled(confirmed=server_state(2, solution="a\nB")), {})
    assert isinstance(result, Rebase)
    assert (stages(result), base_of(result.state.entries[0])) == (["pending"], 1)
    assert seen(result) == {"solution": "a\nB"}


def test_what_builds_on_an_edit_that_was_merged_is_based_on_what_that_one_wrote() -> None:
    first = Entry(position=1, command=edit(1, solution="A\nb"))
    second = Entry(position=2, command=edit(1, solution="A!\nb"), after=1)
    state = local(server_state(1, solution="a\nb"), first, second)
    pulled = merge(state, Pulled(confirmed=server_state(2, solution="a\nB")), {})
    assert stages(pulled) == ["pending", "pending"]
    answered = merge(pulled.state, Confirmed(position=1, version=3, exact=False), {})
    merged = merge(answered.state, Pulled(confirmed=server_state(3, solution="A\nB")), {})
    assert stages(merged) == ["done", "pending"]
    assert merged.state.entries[1].after == 1
    assert seen(merged) == {"solution": "A\nB"}


# ---------------------------------------------------------------- two people, one server

TEXT = "1\n2\n3\n4\n5"


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


async def edited_apart(people: tuple[Client, Client]) -> str:
    """A pattern that both know; each has an edit of its text, and neither has sent it."""
    ann, ben = people
    pattern_id = ann.record(name="n", solution=TEXT)
    await ann.sync()
    await ben.sync()
    ann.edit(pattern_id, solution=TEXT.replace("1", "one"))
    ben.edit(pattern_id, solution=TEXT.replace("5", "five"))
    return pattern_id


async def test_edits_of_one_text_that_were_made_apart_are_both_there_in_the_end(
    people: tuple[Client, Client],
) -> None:
    ann, ben = people
    pattern_id = await edited_apart(people)
    for client in (ann, ben, ann):
        await client.sync()
    assert ann.fields(pattern_id) == ben.fields(pattern_id)
    assert ann.fields(pattern_id)["solution"] == "one\n2\n3\n4\nfive"
    assert [*ann.states(), *ben.states()] == ["done", "done", "done"]


async def test_an_edit_made_while_an_answer_is_missing_takes_nothing_away(
    people: tuple[Client, Client],
) -> None:
    ann, ben = people
    pattern_id = await edited_apart(people)
    await ben.sync()
    assert isinstance(ann.transport, FakeTransport)
    ann.transport.fail_next(Fault.LOST_ANSWER)
    with pytest.raises(TryLater):
        await ann.restarted().push()
    await ann.restarted().pull()
    seen_by_ann = ann.fields(pattern_id)["solution"]
    ann.edit(pattern_id, solution=seen_by_ann.replace("3", "three"))
    for client in (ann, ben, ann):
        await client.sync()
    assert ben.fields(pattern_id)["solution"] == "one\n2\nthree\n4\nfive"
