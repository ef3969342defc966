"""What is wrong with a piece of evidence."""


class EvidenceError(Exception):
    """Base of all of them."""


class MalformedNote(EvidenceError):
    """A text that is no signed note, no key, or no tree head."""


class BadSignature(EvidenceError):
    """A note that no trusted key has signed, or that a trusted key's signature does not fit."""
