"""When a log gets its next tree head."""

from projectors.notary.schedule import Schedule
from projectors.notary.stored_tree import Grown

NOW = 1_000.0


def schedule() -> Schedule:
    return Schedule(events=10, patience_s=60.0)


def grown(tree_size: int, size: int = 5, team_id: str = "a") -> Grown:
    return Grown(team_id=team_id, log_id="log", tree_size=tree_size, size=size)


def test_a_log_without_a_head_gets_one_at_once() -> None:
    assert schedule().due([grown(1, 0)], NOW) == [grown(1, 0)]


def test_a_log_is_due_after_so_many_events_and_not_before() -> None:
    assert schedule().due([grown(14), grown(15, team_id="b")], NOW) == [grown(15, team_id="b")]


def test_a_log_is_due_so_many_seconds_after_it_was_seen_to_have_grown_and_not_before() -> None:
    times = schedule()
    due = [second for second in range(70) if times.due([grown(6)], NOW + second)]
    assert due == list(range(60, 70))


def test_what_comes_later_does_not_put_a_head_off() -> None:
    times = schedule()
    times.due([grown(6)], NOW)
    assert times.due([grown(7)], NOW + 60) == [grown(7)]


def test_each_log_has_a_time_of_its_own() -> None:
    times = schedule()
    times.due([grown(6)], NOW)
    both = [grown(6), grown(6, team_id="b")]
    times.due(both, NOW + 30)
    assert times.due(both, NOW + 60) == [grown(6)]
    assert times.due(both, NOW + 90) == both


def test_a_signed_log_s_time_begins_anew_also_when_it_grew_meanwhile() -> None:
    times = schedule()
    times.due([grown(6)], NOW)
    assert times.due([grown(6)], NOW + 60)
    times.signed("a")
    assert times.due([grown(7, 6)], NOW + 61) == []
    assert times.due([grown(7, 6)], NOW + 121) == [grown(7, 6)]


def test_a_log_that_rested_begins_anew_when_it_grows() -> None:
    times = schedule()
    times.due([grown(6)], NOW)
    times.due([], NOW + 30)
    assert times.due([grown(7, 6)], NOW + 60) == []


def test_a_log_that_could_not_be_signed_stays_due() -> None:
    times = schedule()
    times.due([grown(6)], NOW)
    assert [bool(times.due([grown(6)], NOW + second)) for second in (60, 61, 62)] == [True] * 3
