"""When the watchdog takes a partition for stuck."""

from projectors.pulse import Pulses


def test_a_partition_that_moves_is_never_overdue() -> None:
    pulses = Pulses(10)
    assert not any(pulses.is_overdue(0, offset=second, lag=5, now=second) for second in range(100))


def test_a_partition_at_the_end_of_its_log_is_never_overdue() -> None:
    pulses = Pulses(10)
    assert not any(pulses.is_overdue(0, offset=7, lag=0, now=second) for second in range(100))


def test_a_partition_that_is_behind_and_stands_still_is_overdue_after_a_while() -> None:
    pulses = Pulses(10)
    overdue = [second for second in range(20) if pulses.is_overdue(0, offset=7, lag=1, now=second)]
    assert overdue == list(range(11, 20))
    assert pulses.stuck == {0}


def test_its_time_counts_from_the_end_of_its_rest() -> None:
    pulses = Pulses(10)
    pulses.is_overdue(0, offset=7, lag=0, now=0)
    pulses.is_overdue(0, offset=7, lag=0, now=50)
    assert not pulses.is_overdue(0, offset=7, lag=1, now=60)
    assert pulses.is_overdue(0, offset=7, lag=1, now=61)


def test_after_a_restart_it_has_time_again_and_counts_as_stuck_until_it_moves() -> None:
    pulses = Pulses(10)
    pulses.is_overdue(0, offset=7, lag=1, now=0)
    assert pulses.is_overdue(0, offset=7, lag=1, now=11)
    pulses.begin_anew(now=11)
    assert not pulses.is_overdue(0, offset=7, lag=1, now=21)
    assert pulses.stuck == {0}
    assert not pulses.is_overdue(0, offset=8, lag=1, now=22)
    assert pulses.stuck == set()


def test_a_partition_that_goes_elsewhere_is_forgotten() -> None:
    pulses = Pulses(10)
    pulses.is_overdue(3, offset=7, lag=1, now=0)
    pulses.is_overdue(3, offset=7, lag=1, now=11)
    pulses.forget(3)
    assert (pulses.partitions, pulses.stuck) == (set(), set())
