"""What a team's tree is over: the record of each of its events, as written."""

from events.envelope import canonical_bytes
from events.record import NewRecord, Record
from evidence.merkle import hash_leaf


def leaf_of(record: Record | NewRecord) -> bytes:
    """The leaf of an event's record: its hash, over the same bytes as the hash that the next event names.

    What is to be erasable later is ciphertext in these bytes: erasing its key leaves the leaf as it was.
    """
    return hash_leaf(canonical_bytes(record))
