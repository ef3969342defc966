"""What merging is to give, said plainly and apart from the code: for texts whose lines are all different."""

from collections.abc import Mapping, Sequence

from events.json_text import Json

MISSING = object()
CLASH = object()
Fields = Mapping[str, Json]


def merged_value(field: str, seen: object, present: object, mine: object) -> object:
    """The value after an edit by somebody who saw `seen` where there was `present`; or `CLASH`."""
    if field == "counters" and MISSING not in (seen, present, mine):
        return _counted(seen, present, mine)
    if present in (seen, mine):
        return mine
    if mine == seen:
        return present
    if MISSING in (seen, present, mine):
        return CLASH
    if field == "tags":
        return _tagged(seen, present, mine)
    return _lines(seen, present, mine) if field == "solution" else CLASH


def _counted(seen: object, present: object, mine: object) -> object:
    assert isinstance(seen, dict)
    assert isinstance(present, dict)
    assert isinstance(mine, dict)
    names = {*present, *mine}
    return {name: max(0, present.get(name, 0) + mine.get(name, 0) - seen.get(name, 0)) for name in names}


def _tagged(seen: object, present: object, mine: object) -> object:
    assert isinstance(seen, list)
    assert isinstance(present, list)
    assert isinstance(mine, list)
    added, removed = set(mine) - set(seen), set(seen) - set(mine)
    return sorted((set(present) | added) - removed)


def _lines(seen: object, present: object, mine: object) -> object:
    """Between lines that all three have, at most one side may have changed something."""
    old, one, other = (str(text).split("\n") for text in (seen, present, mine))
    shared = [line for line in old if line in one and line in other]
    result: list[str] = []
    for line in [*shared, None]:
        parts = [_take_up_to(text, line) for text in (old, one, other)]
        before, left, right = parts
        if before not in (left, right) and left != right:
            return CLASH
        result += right if left == before else left
        result += [] if line is None else [line]
    return "\n".join(result)


def _take_up_to(text: list[str], line: str | None) -> Sequence[str]:
    """Take away what stands before a line, and the line; all that is left for None."""
    end = len(text) if line is None else text.index(line)
    taken = text[:end]
    del text[: end + 1]
    return taken
