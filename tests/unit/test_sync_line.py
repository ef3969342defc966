"""What the user sees under the view, and what the server takes them to have seen."""

from dataclasses import replace

from events.pattern import DeletedPattern, Pattern
from sync_client.line import last_of
from sync_client.local_pattern import Confirmed, Declined, Entry, LocalPattern, Pulled, Stage, Verdict
from sync_client.merge import merge
from tests.sync_fakes.local_patterns import (
    OTHER,
    base_of,
    command,
    delete,
    edit,
    hidden,
    local,
    record,
    seen,
    server_state,
    stages,
)


def bases(state: LocalPattern) -> list[int | None]:
    return [base_of(entry) for entry in state.entries]


def changed_at(state: LocalPattern, **versions: int) -> LocalPattern:
    assert isinstance(state.confirmed, Pattern)
    return replace(state, confirmed=replace(state.confirmed, field_versions=versions))


def test_edits_that_were_not_sent_move_on_together_to_what_others_changed_elsewhere() -> None:
    state = local(
        server_state(1, a=1, b=1, c=1),
        Entry(position=1, command=edit(1, a=2)),
        Entry(position=2, command=edit(1, b=2), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(2, a=1, b=1, c=2)), {})
    assert (bases(result.state), hidden(result)) == ([2, 2], [])
    assert seen(result) == {"a": 2, "b": 2, "c": 2}


def test_one_edit_that_meets_a_change_hides_all_that_it_is_made_with() -> None:
    state = local(
        server_state(1, a=1, b=1),
        Entry(position=1, command=edit(1, a=2)),
        Entry(position=2, command=edit(1, b=2), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(2, a=1, b=3)), {})
    assert (bases(result.state), hidden(result)) == ([1, 1], [1, 2])
    assert (seen(result), last_of(result.state)) == ({"a": 1, "b": 3}, None)


def test_what_was_sent_keeps_its_base_and_is_hidden_by_any_change_that_it_had_not_seen() -> None:
    state = local(
        server_state(1, a=1, b=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.SENT),
        Entry(position=2, command=edit(1, a=3), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(2, a=1, b=2)), {})
    assert (bases(result.state), hidden(result)) == ([1, 1], [1, 2])
    assert seen(result) == {"a": 1, "b": 2}


def test_a_change_that_nobody_here_had_seen_goes_with_no_deletion() -> None:
    state = local(
        server_state(1, a=1, b=1),
        Entry(position=1, command=edit(1, a=2)),
        Entry(position=2, command=delete(1), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(2, a=1, b=2)), {})
    assert (bases(result.state), hidden(result)) == ([1, 1], [1, 2])
    assert seen(result) == {"a": 1, "b": 2}


def test_a_deletion_has_seen_our_own_commands_below_it() -> None:
    state = local(
        server_state(1, a=1),
        Entry(position=1, command=command("archive_pattern"), stage=Stage.SENT),
        Entry(position=2, command=delete(1), after=1),
    )
    pulled = merge(state, Pulled(confirmed=replace(server_state(2, a=1), status="archived")), {})
    result = merge(pulled.state, Confirmed(position=1, version=2, exact=True), {})
    assert (stages(result), base_of(result.state.entries[1])) == (["done", "pending"], 2)
    assert result.state.view == DeletedPattern(version=3)


def test_a_deletion_has_not_seen_what_came_before_our_own_command_below_it() -> None:
    state = local(
        server_state(1, a=1),
        Entry(position=1, command=command("archive_pattern"), stage=Stage.SENT),
        Entry(position=2, command=delete(1), after=1),
    )
    result = merge(state, Confirmed(position=1, version=3, exact=True), {})
    pulled = merge(result.state, Pulled(confirmed=replace(server_state(3, a=2), status="archived")), {})
    assert (stages(pulled), base_of(pulled.state.entries[1])) == (["done", "pending"], 1)
    assert hidden(pulled) == [2]


def test_any_number_of_our_own_sent_edits_may_have_come_back() -> None:
    state = local(
        server_state(1, a=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.SENT),
        Entry(position=2, command=edit(1, a=3), stage=Stage.SENT, after=1),
        Entry(position=3, command=edit(1, a=4), stage=Stage.SENT, after=2),
    )
    for value in (2, 3, 4):
        result = merge(state, Pulled(confirmed=server_state(2, a=value)), {})
        assert (hidden(result), seen(result)) == ([], {"a": 4})
    foreign = merge(state, Pulled(confirmed=server_state(2, a=5)), {})
    assert (hidden(foreign), seen(foreign)) == ([1, 2, 3], {"a": 5})


def test_our_record_that_came_back_before_its_answer_stays_under_what_builds_on_it() -> None:
    state = local(
        replace(server_state(1), version=0),
        Entry(position=1, command=record(name="n", a=1), stage=Stage.SENT),
        Entry(position=2, command=edit(1, a=2), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(1, a=1)), {})
    assert (hidden(result), seen(result), last_of(result.state)) == ([], {"a": 2}, 2)


def test_what_looked_like_our_edit_undone_is_somebody_elses_once_we_know_that_it_was_there() -> None:
    state = local(
        server_state(1, a=1, b=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.SENT),
        Entry(position=2, command=edit(1, b=2), after=1),
    )
    pulled = merge(state, Pulled(confirmed=server_state(3, a=1, b=1)), {})
    assert (hidden(pulled), seen(pulled)) == ([], {"a": 2, "b": 2})
    result = merge(pulled.state, Confirmed(position=1, version=2, exact=True), {})
    assert stages(result) == ["done", "pending"]
    assert (seen(result), base_of(result.state.entries[1])) == ({"a": 1, "b": 2}, 3)


def test_what_looked_like_our_edit_is_somebody_elses_once_ours_is_refused() -> None:
    state = local(
        server_state(1, a=1, b=1),
        Entry(position=1, command=edit(1, b=2), stage=Stage.SENT),
        Entry(position=2, command=edit(1, a=2), stage=Stage.SENT, after=1),
    )
    pulled = merge(state, Pulled(confirmed=server_state(2, a=2, b=1)), {})
    assert hidden(pulled) == []
    verdict = Verdict(code="too_large", detail="too large")
    result = merge(pulled.state, Declined(position=2, verdict=verdict), {})
    assert (stages(result), hidden(result)) == (["sent", "refused"], [1])


def test_a_sent_edit_that_does_not_apply_here_is_not_in_the_view_and_bears_nothing() -> None:
    state = local(
        server_state(1, a=1),
        Entry(position=1, command=edit(1, name="taken", a=2), stage=Stage.SENT),
        Entry(position=2, command=edit(1, a=3), after=1),
    )
    result = merge(state, Pulled(confirmed=state.confirmed), {"taken": OTHER})
    assert (stages(result), hidden(result)) == (["sent", "pending"], [1, 2])
    assert (seen(result), last_of(result.state)) == ({"a": 1}, None)


def test_what_is_hidden_comes_as_somebody_elses_for_what_was_made_without_seeing_it() -> None:
    state = local(
        server_state(2, a=2),
        Entry(position=1, command=edit(1, a=3), stage=Stage.ACCEPTED, version=3, hidden=True),
        Entry(position=2, command=edit(2, a=4)),
    )
    result = merge(state, Pulled(confirmed=server_state(3, a=3)), {})
    assert (stages(result), base_of(result.state.entries[1])) == (["done", "pending"], 2)
    assert (hidden(result), seen(result)) == ([2], {"a": 3})


def test_what_is_hidden_is_shown_again_when_nothing_else_waits_and_its_fields_are_as_they_were() -> None:
    waiting = Entry(position=1, command=edit(1, a=2), hidden=True)
    state = local(server_state(3, a=1, b=2), waiting)
    result = merge(changed_at(state, b=2), Pulled(confirmed=state.confirmed), {})
    assert (hidden(result), seen(result)) == ([], {"a": 2, "b": 2})
    assert base_of(result.state.entries[0]) == 3
    touched = merge(changed_at(state, a=2), Pulled(confirmed=state.confirmed), {})
    assert (hidden(touched), base_of(touched.state.entries[0])) == ([1], 1)


def test_what_is_hidden_stays_so_if_what_it_builds_on_was_undone_meanwhile() -> None:
    state = local(
        server_state(1, a=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.ACCEPTED, version=2, hidden=True),
        Entry(position=2, command=edit(1, a=3), after=1, hidden=True),
    )
    result = merge(state, Pulled(confirmed=server_state(3, a=1, b=1)), {})
    assert (stages(result), hidden(result), seen(result)) == (["done", "pending"], [2], {"a": 1, "b": 1})


def test_what_is_hidden_stays_so_while_something_waits_that_was_made_without_it() -> None:
    state = local(
        server_state(2, a=1, b=1),
        Entry(position=1, command=edit(1, a=2), hidden=True),
        Entry(position=2, command=edit(2, a=3)),
    )
    result = merge(state, Pulled(confirmed=state.confirmed), {})
    assert (hidden(result), seen(result)) == ([1], {"a": 3, "b": 1})
