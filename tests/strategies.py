"""What Hypothesis makes: JSON that may be stored, names, and the settings that keep a run repeatable."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from events.json_text import MAX_INTEGER, Json

REPEATABLE = settings(derandomize=True, deadline=None, max_examples=30, database=None)
"""The same examples in every run; no deadline, since machines differ."""

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6)
numbers = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
scalars: SearchStrategy[Json] = st.none() | st.booleans() | numbers | texts


def json_values(leaves: int = 8) -> SearchStrategy[Json]:
    """Values that every JSON reader understands alike."""
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=leaves,
    )
