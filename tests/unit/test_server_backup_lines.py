"""Records become lines of an export and come back byte for byte."""

from hypothesis import given
from hypothesis import strategies as st

from events.envelope import record_hash
from events.pattern import PatternRecorded
from events.record import COMMAND_OFFSET, KIND, Record
from server.backup.lines import event_line, read_line, record_line
from tests.scribe import Scribe

nothing_or_bytes = st.none() | st.binary(max_size=40)
names = st.text(st.characters(codec="utf-8"), max_size=8).filter(
    lambda name: name not in ("term", "writer", "fence")
)


@given(key=nothing_or_bytes, value=nothing_or_bytes, headers=st.dictionaries(names, st.binary(max_size=20)))
def test_any_record_comes_back_as_it_was(
    key: bytes | None, value: bytes | None, headers: dict[str, bytes]
) -> None:
    record = Record(partition=1, offset=7, timestamp_ms=5, key=key, value=value, headers=headers)
    line = record_line(record)
    assert line.count(b"\n") == 1
    kept = read_line(line)
    assert (kept.offset, kept.command_offset) == (7, 7)
    assert (kept.record.key, kept.record.value, kept.record.headers) == (key, value, headers)


def test_an_event_comes_back_with_all_that_is_hashed_and_nothing_of_its_writer() -> None:
    log = Scribe()
    log.fence()
    log.pattern(log.team("Ünï\u2028🧪"), PatternRecorded(fields={"name": "a\u0000b"[:1], "x": 1e300}))
    for event in log.records[1:]:
        written = Record(
            partition=0,
            offset=event.offset,
            timestamp_ms=0,
            key=event.key,
            value=event.value,
            headers={**event.headers, KIND: b"event", COMMAND_OFFSET: b"12"},
        )
        kept = read_line(event_line(written))
        assert record_hash(kept.record) == record_hash(written)
        assert kept.command_offset == 12
        assert {"term", "writer", "fence", KIND}.isdisjoint(kept.record.headers)
