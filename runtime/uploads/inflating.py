"""Uncompressing: stops as soon as there is more than may come of it."""

import zlib

from runtime.uploads.limits import Limits
from runtime.uploads.problems import malformed, too_large

_GZIP_ALONE = 31
_STEP = 64 * 1024
_FREE = 1024 * 1024
"""Bytes for which the ratio does not matter: they do no harm, and little text can repeat itself a lot."""


def inflated(compressed: bytes, limits: Limits) -> bytes:
    """The content of a gzip file; raise `Problem` for one that grows too large, or is damaged."""
    stream = zlib.decompressobj(_GZIP_ALONE)
    most = min(limits.most_bytes, max(_FREE, len(compressed) * limits.most_ratio))
    parts: list[bytes] = []
    size, rest = 0, compressed
    try:
        while not stream.eof:
            part = stream.decompress(rest, _STEP)
            rest = stream.unconsumed_tail
            size += len(part)
            if size > most:
                detail = "uncompressed, the file has too many bytes, or too many for each compressed one"
                raise too_large(detail, most)
            if not part and not rest and not stream.eof:
                raise malformed("the gzip file breaks off")
            parts.append(part)
    except zlib.error:
        raise malformed("the gzip file is damaged") from None
    if stream.unused_data:
        raise malformed("something follows the gzip file's end")
    return b"".join(parts)
