"""When two JSON values are the same."""

from events.json_text import same
from sync_client.foreign import differing


def test_values_are_the_same_only_if_they_are_the_same_json() -> None:
    assert same({"a": [1, None]}, {"a": [1, None]})
    assert not same(1, True)
    assert not same(1, 1.0)
    assert not same([0], [False])
    assert differing({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2.0, "d": 4}) == {"b", "c", "d"}
