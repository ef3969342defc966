"""What becomes of what a conflict held up, when its end is accepted."""

from dataclasses import replace

from command_api.decisions.commands import ResolveConflict
from events.pattern import Pattern
from sync_client.local_pattern import Confirmed, Entry, LocalPattern, Pulled, Stage
from sync_client.merge import merge
from tests.sync_fakes.local_patterns import (
    NO_ID,
    base_of,
    command,
    delete,
    edit,
    hidden,
    in_conflict,
    local,
    seen,
    server_state,
    stages,
)

RESOLUTION = Entry(
    position=9,
    command=command("resolve_conflict", conflict_id=NO_ID, base_version=2, take={"a": "mine"}),
    stage=Stage.SENT,
    resolves=1,
)


def resolved(pattern: Pattern, *held: Entry) -> LocalPattern:
    """A draft that edited `a` at version 1, and what was made on it, when its resolution is accepted."""
    changed = replace(pattern, field_versions={"a": 2, "b": 2})
    held = tuple(replace(entry, hidden=True) for entry in held)
    state = local(changed, in_conflict(1, edit(1, a=2)), *held, RESOLUTION)
    return merge(state, Confirmed(position=9, version=3, exact=True), {}).state


def test_what_needs_nothing_of_the_draft_goes_on_from_below_it() -> None:
    state = resolved(server_state(2, a=3, b=3), Entry(position=2, command=edit(1, b=4), after=1))
    assert [entry.stage for entry in state.entries] == [Stage.DONE, Stage.PENDING, Stage.DONE]
    assert (state.entries[1].after, base_of(state.entries[1]), state.entries[1].hidden) == (None, 1, True)


def test_what_needs_the_draft_and_what_changed_besides_is_a_draft() -> None:
    state = resolved(
        server_state(2, a=3, b=3),
        Entry(position=2, command=edit(1, a=5, b=5), after=1),
        Entry(position=3, command=edit(1, c=5), after=2),
    )
    assert [entry.stage.value for entry in state.entries] == ["done", "refused", "pending", "done"]
    assert state.entries[1].verdict is not None
    assert state.entries[1].verdict.code == "depends_on_refused"


def test_what_was_decided_besides_the_draft_is_not_undone_by_an_edit_that_was_made_before() -> None:
    decided = command("resolve_conflict", conflict_id=NO_ID, base_version=2, take={"a": "mine"}, set={"c": 9})
    end = replace(RESOLUTION, command=decided)
    pattern = replace(server_state(2, a=3), field_versions={"a": 2})
    for given, stage in (({"c": 5}, Stage.PENDING), ({"a": 5, "c": 5}, Stage.REFUSED)):
        held = Entry(position=2, command=edit(1, **given), after=1, hidden=True)
        state = local(pattern, in_conflict(1, edit(1, a=2)), held, end)
        before, _ = merge(state, Confirmed(position=9, version=3, exact=True), {}).state.entries[1:]
        assert (before.stage, before.hidden, base_of(before)) == (stage, True, 1)


def test_a_deletion_goes_on_from_a_resolution_only_if_nothing_else_has_changed() -> None:
    held = Entry(position=2, command=delete(1), after=1, hidden=True)
    assert resolved(server_state(2, a=3, b=3), held).entries[1].stage is Stage.REFUSED
    changed = replace(server_state(2, a=3), field_versions={"a": 2})
    state = local(changed, in_conflict(1, edit(1, a=2)), held, RESOLUTION)
    goes_on = merge(state, Confirmed(position=9, version=3, exact=True), {}).state.entries[1]
    assert (goes_on.stage, goes_on.after, base_of(goes_on)) == (Stage.PENDING, None, 3)


def test_what_a_resolution_leaves_to_be_merged_is_seen_by_nobody_until_it_is_pulled() -> None:
    leaves = replace(RESOLUTION, hidden=True)
    assert isinstance(leaves.command, ResolveConflict)
    state = local(
        replace(server_state(2, a=3, b=3), field_versions={"a": 2, "b": 2}),
        in_conflict(1, edit(1, a=2, b=2)),
        Entry(position=2, command=edit(1, b=4), after=1, hidden=True),
        leaves,
    )
    result = merge(state, Confirmed(position=9, version=3, exact=True), {})
    assert (stages(result), hidden(result)) == (["done", "refused", "accepted"], [9])
    assert seen(result) == {"a": 3, "b": 3}
    pulled = merge(result.state, Pulled(confirmed=server_state(3, a=2, b=7)), {})
    assert (stages(pulled), seen(pulled)) == (["done", "refused", "done"], {"a": 2, "b": 7})
