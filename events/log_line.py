"""One line per event of an exported log: its record as written, but for what belongs to the transport.

    {"sequence": 7, "headers": {"ce_id": "...", ...}, "data": "the record's value as text"}

The record's key is the team's id, which `ce_source` ends with. So a line has all that `record_hash` covers.
"""

from events.envelope import Envelope, encode
from events.json_text import dump


def log_line(event: Envelope) -> bytes:
    """An event's line, UTF-8, with its line feed."""
    headers = encode(event).headers
    told = {name: text.decode() for name, text in headers.items() if name.startswith("ce_")}
    return dump({"sequence": event.sequence, "headers": told, "data": event.data.decode()}) + b"\n"
