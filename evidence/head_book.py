"""The tree heads that an auditor goes by: whose signatures hold, and which have enough witnesses."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from evidence.errors import EvidenceError
from evidence.findings import Findings, Kind
from evidence.head_files import ConsistencyProof, HeadLine, InclusionProof
from evidence.key_notes import keys_trusted
from evidence.notes import TIMESTAMPED, Key, Note, parse_note, verify_note
from evidence.tree_heads import SignedTreeHead, TreeHead, open_head, parse_head


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """Whose signatures are believed: the log's keys, and how many of which witnesses a head needs."""

    keys: Collection[Key]
    witnesses: Collection[Key] = ()
    required: int = 0


@dataclass(kw_only=True, slots=True)
class HeadBook:
    """What the lines of a heads file amount to."""

    heads: list[SignedTreeHead] = field(default_factory=list)
    unwitnessed: int = 0
    """How many heads do not count, for want of witnesses."""
    inclusion: InclusionProof | None = None
    consistency: list[ConsistencyProof] = field(default_factory=list)


def open_heads(lines: Iterable[HeadLine], trust: Trust, findings: Findings) -> HeadBook:
    """Check every head; what is wrong with one is told, and it does not count."""
    book, notes, rotations = HeadBook(), list[str](), list[str]()
    for line in lines:
        notes += [] if line.head is None else [line.head]
        rotations += [] if line.rotation is None else [line.rotation]
        book.inclusion = line.inclusion or book.inclusion
        book.consistency += [] if line.consistency is None else [line.consistency]
    keys = set(trust.keys)
    try:
        keys = keys_trusted(rotations, trust.keys)
    except EvidenceError as error:
        findings.add(Kind.BAD_HEAD, 0, 0, f"a note of keys: {error}")
    for note in notes:
        try:
            opened = open_head(note, keys)
            witnessed = len(_witnesses_of(opened.note, trust.witnesses)) >= trust.required
        except EvidenceError as error:
            size = _size_of(note)
            findings.add(Kind.BAD_HEAD, size, size, str(error))
            continue
        if witnessed:
            book.heads.append(opened)
        else:
            book.unwitnessed += 1
    book.heads.sort(key=lambda one: one.head.size)
    return book


def contradictions(heads: Sequence[TreeHead]) -> list[int]:
    """The sizes at which heads of one log tell different roots."""
    roots: dict[int, bytes] = {}
    return sorted({head.size for head in heads if roots.setdefault(head.size, head.root) != head.root})


def _witnesses_of(note: Note, witnesses: Collection[Key]) -> set[str]:
    """The names of those who have cosigned it; raise `BadSignature` when one of them does not fit."""
    keys = [key.of_kind(TIMESTAMPED) for key in witnesses]
    by = {(key.name, key.id) for key in keys}
    if not any((one.name, one.key_id) in by for one in note.signatures):
        return set()
    return {one.key.name for one in verify_note(note, keys)}


def _size_of(note: str) -> int:
    try:
        return parse_head(parse_note(note).text).size
    except EvidenceError:
        return 0
