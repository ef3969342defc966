"""How a verifier learns of a new key: a note that names the keys in use, signed by every one of them."""

from collections.abc import Collection, Sequence

from evidence.errors import BadSignature, MalformedNote
from evidence.notes import Key, Note, SigningKey, parse_key, parse_note, verify_note

_TITLE = "patternlog keys v1"


def key_note(keys: Sequence[SigningKey]) -> Note:
    """The note of the keys that sign from now on."""
    text = "\n".join([_TITLE, *(key.key().vkey for key in keys), ""])
    return Note(text, tuple(key.sign(text) for key in keys))


def keys_of(note: Note) -> list[Key]:
    """The keys that a note names, whoever signed it; raise `MalformedNote`."""
    title, *vkeys = note.text.removesuffix("\n").split("\n")
    if title != _TITLE or not vkeys:
        raise MalformedNote("not a note of keys")
    return [parse_key(vkey) for vkey in vkeys]


def keys_trusted(notes: Collection[str], trusted: Collection[Key]) -> set[Key]:
    """All keys that follow from those that are trusted, whatever the notes' order.

    A key is believed when a note names it that a key believed already has signed. Raise `MalformedNote`.
    """
    known, waiting = set(trusted), [parse_note(note) for note in notes]
    while True:
        believed = [note for note in waiting if _is_signed(note, known)]
        if not believed:
            return known
        known.update(key for note in believed for key in keys_of(note))
        waiting = [note for note in waiting if note not in believed]


def _is_signed(note: Note, keys: Collection[Key]) -> bool:
    try:
        return bool(verify_note(note, keys))
    except BadSignature:
        return False
