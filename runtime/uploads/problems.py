"""What can be wrong with an upload as a whole; nothing of it is taken then."""

from runtime.problems import Problem


def malformed(detail: str) -> Problem:
    """The bytes are not what a file of this kind is made of."""
    return Problem("malformed_upload", 400, detail)


def unsupported(detail: str) -> Problem:
    """A kind of file, or of compression, that is not taken here."""
    return Problem("unsupported_upload", 415, detail)


def mismatch(detail: str) -> Problem:
    """The file is not what it is said to be."""
    return Problem("upload_type_mismatch", 415, detail)


def too_large(detail: str, limit: int) -> Problem:
    """It has more bytes than are read, or grows into more."""
    return Problem("upload_too_large", 413, detail, limit=limit)


def too_many_rows(limit: int) -> Problem:
    """It has more rows than one upload may have."""
    return Problem("too_many_rows", 413, f"a file has at most {limit} rows", limit=limit)
