"""What news does to a pattern with local edits."""

from dataclasses import replace

from command_api.decisions.commands import RecordPattern
from events.pattern import DeletedPattern, NoPattern, Pattern
from sync_client.local_pattern import (
    Advance,
    Confirmed,
    Conflict,
    Declined,
    Entry,
    LocalPattern,
    Pulled,
    Rebase,
    Rebuilt,
    Stage,
    Verdict,
)
from sync_client.merge import merge, propose
from tests.sync_fakes.local_patterns import (
    OTHER,
    base_of,
    edit,
    local,
    record,
    seen,
    server_state,
    stages,
)

# ---------------------------------------------------------------- pulled


def test_a_pulled_change_without_local_edits_is_the_new_state() -> None:
    result = merge(local(server_state(1, a=1)), Pulled(confirmed=server_state(2, a=2)), {})
    assert result == Advance(state=local(server_state(2, a=2)))


def test_a_pending_edit_of_other_fields_is_replayed_on_the_pulled_state() -> None:
    state = local(server_state(1, a=1, b=1), Entry(position=1, command=edit(1, b=9)))
    result = merge(state, Pulled(confirmed=server_state(2, a=2, b=1)), {})
    assert isinstance(result, Rebase)
    assert seen(result) == {"a": 2, "b": 9}
    assert base_of(result.state.entries[0]) == 2


def test_whether_a_pending_edit_of_a_field_that_somebody_changed_is_a_conflict_is_for_the_server() -> None:
    state = local(server_state(1, a=1), Entry(position=1, command=edit(1, a=9)))
    result = merge(state, Pulled(confirmed=server_state(2, a=2)), {})
    assert isinstance(result, Rebase)
    assert (stages(result), base_of(result.state.entries[0])) == (["pending"], 1)
    assert seen(result) == {"a": 2}


def test_what_was_made_before_a_change_came_keeps_its_base_however_many_pulls_ago_that_was() -> None:
    state = local(server_state(1, a=1, b=1), Entry(position=1, command=edit(1, a=9), stage=Stage.SENT))
    behind = replace(state, entries=(*state.entries, Entry(position=2, command=edit(1, b=9), after=1)))
    once = merge(behind, Pulled(confirmed=server_state(2, a=1, b=2)), {}).state
    twice = merge(once, Pulled(confirmed=server_state(3, a=1, b=2, c=1)), {}).state
    result = merge(twice, Confirmed(position=1, version=4, exact=False), {})
    assert stages(result) == ["accepted", "pending"]
    behind_it = result.state.entries[1]
    assert (behind_it.after, base_of(behind_it)) == (1, 1)
    assert seen(result) == {"a": 1, "b": 2, "c": 1}


def test_what_is_pulled_twice_or_late_changes_nothing() -> None:
    state = local(server_state(3, a=3))
    assert merge(state, Pulled(confirmed=server_state(2, a=2)), {}) == Advance(state=state)
    assert merge(state, Pulled(confirmed=server_state(3, a=3)), {}) == Advance(state=state)


def test_edits_of_a_pattern_that_was_deleted_are_refused_and_kept() -> None:
    state = local(server_state(1, a=1), Entry(position=1, command=edit(1, a=9)))
    result = merge(state, Pulled(confirmed=DeletedPattern(version=2)), {})
    assert stages(result) == ["refused"]
    assert isinstance(result, Conflict)
    assert result.drafts[0].command == edit(1, a=9)


def test_a_pending_record_whose_name_was_taken_is_refused_and_what_builds_on_it_waits() -> None:
    state = local(
        NoPattern(),
        Entry(position=1, command=record(name="n")),
        Entry(position=2, command=edit(1, a=1), after=1),
    )
    result = merge(state, Pulled(confirmed=NoPattern()), {"n": OTHER})
    assert stages(result) == ["refused", "pending"]
    assert result.state.view == NoPattern()


def test_a_draft_holds_up_only_what_builds_on_it() -> None:
    draft = Entry(
        position=1,
        command=edit(1, a=9),
        stage=Stage.CONFLICT,
        verdict=Verdict(code="edit_conflict", detail="changed"),
    )
    state = local(
        server_state(2, a=2, b=1),
        draft,
        Entry(position=2, command=edit(1, a=8), after=1),
        Entry(position=3, command=edit(2, b=7)),
    )
    result = merge(state, Pulled(confirmed=server_state(3, a=2, b=1, c=1)), {})
    assert isinstance(result, Rebase)
    assert seen(result) == {"a": 2, "b": 7, "c": 1}


# ---------------------------------------------------------------- unknown fates


def test_a_sent_command_of_unknown_fate_is_never_judged_here() -> None:
    state = local(server_state(1, a=1), Entry(position=1, command=edit(1, a=9), stage=Stage.SENT))
    result = merge(state, Pulled(confirmed=server_state(2, a=2)), {})
    assert stages(result) == ["sent"]


def test_our_own_edit_that_comes_back_before_its_answer_is_no_conflict_with_what_builds_on_it() -> None:
    state = local(
        server_state(1, a=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.SENT),
        Entry(position=2, command=edit(1, a=3), after=1),
    )
    pulled = merge(state, Pulled(confirmed=server_state(2, a=2)), {})
    assert stages(pulled) == ["sent", "pending"]
    answered = merge(pulled.state, Confirmed(position=1, version=2, exact=True), {})
    assert stages(answered) == ["done", "pending"]
    assert seen(answered) == {"a": 3}
    assert (answered.state.entries[1].after, base_of(answered.state.entries[1])) == (None, 2)


def test_what_builds_on_a_sent_command_is_not_judged_before_it() -> None:
    state = local(
        server_state(1, a=1, b=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.SENT),
        Entry(position=2, command=edit(1, b=3), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(2, a=1, b=2)), {})
    assert stages(result) == ["sent", "pending"]


# ---------------------------------------------------------------- answers


def test_an_accepted_command_moves_the_confirmed_state_without_a_pull() -> None:
    state = local(server_state(1, a=1, b=1), Entry(position=1, command=edit(1, "b", a=2), stage=Stage.SENT))
    result = merge(state, Confirmed(position=1, version=2, exact=True), {})
    assert isinstance(result, Advance)
    assert result.state.confirmed == server_state(2, a=2)
    assert stages(result) == ["done"]


def test_an_accepted_record_is_the_patterns_first_version() -> None:
    state = local(NoPattern(), Entry(position=1, command=record(name="n", a=1), stage=Stage.SENT))
    result = merge(state, Confirmed(position=1, version=1, exact=True), {})
    assert result.state.confirmed == server_state(1, a=1)


def test_a_merged_command_shows_until_the_merge_is_pulled() -> None:
    state = local(server_state(1, a=1, b=1), Entry(position=1, command=edit(1, a=2), stage=Stage.SENT))
    answered = merge(state, Confirmed(position=1, version=3, exact=False), {})
    assert (stages(answered), seen(answered)) == (["accepted"], {"a": 2, "b": 1})
    assert answered.state.confirmed == state.confirmed
    pulled = merge(answered.state, Pulled(confirmed=server_state(3, a=2, b=2)), {})
    assert (stages(pulled), seen(pulled)) == (["done"], {"a": 2, "b": 2})


def test_an_edit_behind_a_merged_one_goes_on_from_it_if_nobody_touched_its_fields() -> None:
    state = local(
        server_state(1, a=1, b=1, c=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.ACCEPTED, version=3),
        Entry(position=2, command=edit(1, a=3, c=3), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(3, a=2, b=2, c=1)), {})
    assert stages(result) == ["done", "pending"]
    assert base_of(result.state.entries[1]) == 3
    assert seen(result) == {"a": 3, "b": 2, "c": 3}


def test_an_edit_behind_a_merged_one_never_overwrites_what_its_author_had_not_seen() -> None:
    state = local(
        server_state(1, a=1, b=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.ACCEPTED, version=3),
        Entry(position=2, command=edit(1, b=3), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(3, a=2, b=2)), {})
    assert stages(result) == ["done", "pending"]
    assert (result.state.entries[1].after, base_of(result.state.entries[1])) == (1, 1)
    assert seen(result) == {"a": 2, "b": 2}


def test_a_change_that_undoes_our_accepted_edit_is_somebody_elses() -> None:
    state = local(
        server_state(1, a=1),
        Entry(position=1, command=edit(1, a=2), stage=Stage.ACCEPTED, version=2),
        Entry(position=2, command=edit(1, a=3), after=1),
    )
    result = merge(state, Pulled(confirmed=server_state(3, a=1)), {})
    assert (result.state.entries[1].after, base_of(result.state.entries[1])) == (None, 2)
    assert seen(result) == {"a": 1}


def test_an_answer_that_comes_twice_changes_nothing_the_second_time() -> None:
    state = local(server_state(1, a=1), Entry(position=1, command=edit(1, a=2), stage=Stage.SENT))
    once = merge(state, Confirmed(position=1, version=2, exact=True), {}).state
    twice = merge(once, Confirmed(position=1, version=2, exact=True), {}).state
    assert twice == once


def test_a_declined_command_leaves_the_view_and_stays_as_a_draft() -> None:
    verdict = Verdict(code="name_taken", detail="taken")
    state = local(server_state(1, a=1), Entry(position=1, command=edit(1, name="x"), stage=Stage.SENT))
    result = merge(state, Declined(position=1, verdict=verdict), {})
    assert isinstance(result, Conflict)
    assert result.state.entries[0].verdict == verdict
    assert result.state.view == result.state.confirmed


# ---------------------------------------------------------------- another log


def test_in_another_log_pending_edits_go_on_from_its_version_if_their_fields_are_the_same() -> None:
    state = local(
        server_state(7, a=1, b=1),
        Entry(position=1, command=edit(7, a=2)),
        Entry(position=2, command=edit(7, b=2), after=1),
    )
    result = merge(state, Rebuilt(confirmed=server_state(4, a=1, b=0)), {})
    assert stages(result) == ["pending", "refused"]
    assert base_of(result.state.entries[0]) == 4


def test_a_sent_edit_that_the_other_log_does_not_show_becomes_a_draft() -> None:
    sent = Entry(position=1, command=edit(7, a=2), stage=Stage.SENT)
    missing = merge(local(server_state(7, a=1), sent), Rebuilt(confirmed=server_state(4, a=1)), {})
    assert stages(missing) == ["refused"]
    there = merge(local(server_state(7, a=1), sent), Rebuilt(confirmed=server_state(4, a=2)), {})
    assert stages(there) == ["done"]


def test_edits_of_a_pattern_that_the_other_log_does_not_have_are_refused_and_kept() -> None:
    state = local(server_state(7, a=1), Entry(position=1, command=edit(7, a=2)))
    result = merge(state, Rebuilt(confirmed=NoPattern()), {})
    assert stages(result) == ["refused"]


# ---------------------------------------------------------------- proposals


def test_a_local_edit_applies_at_once_on_top_of_the_others() -> None:
    state = local(server_state(1, a=1))
    first = propose(state, Entry(position=1, command=edit(1, a=2)), {})
    assert isinstance(first, LocalPattern)
    second = propose(first, Entry(position=2, command=edit(1, a=3), after=1), {})
    assert isinstance(second, LocalPattern)
    assert isinstance(second.view, Pattern)
    assert (second.view.version, second.view.fields["a"]) == (3, 3)


def test_a_local_edit_that_the_library_refuses_is_not_kept() -> None:
    refused = propose(local(NoPattern()), Entry(position=1, command=record(name="n")), {"n": OTHER})
    assert isinstance(refused, Verdict)
    assert refused.code == "name_taken"
    assert isinstance(record(name="n"), RecordPattern)
