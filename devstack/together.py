"""Doing several things at once, as one."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


def all_at_once(actions: Sequence[Callable[[], None]], give_up: Callable[[], object]) -> None:
    """Run all actions in parallel and raise what the first one to fail raises.

    On a failure or an interrupt `give_up` is called, which must end the others.
    """
    with ThreadPoolExecutor(max(1, len(actions))) as pool:
        futures = [pool.submit(action) for action in actions]
        try:
            finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
        except BaseException:
            give_up()
            raise
