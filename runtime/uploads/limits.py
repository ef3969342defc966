"""How much of an upload is read."""

from dataclasses import dataclass
from typing import Self

from events.json_text import MAX_DEPTH
from runtime.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Of a file as it was sent the limit is that of any body."""

    most_bytes: int
    """Of the file, uncompressed."""
    most_ratio: int
    """Uncompressed bytes for each compressed one; text that people write has less than 20."""
    most_rows: int
    most_row_bytes: int
    most_depth: int = MAX_DEPTH
    """Levels of JSON in a row."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that the settings tell."""
        return cls(
            most_bytes=settings.max_upload_bytes,
            most_ratio=settings.max_upload_ratio,
            most_rows=settings.max_upload_rows,
            most_row_bytes=settings.max_command_bytes,
        )
