"""Which items a source has already given: short digests, newest first, small enough for a cursor."""

import hashlib
from collections.abc import Iterable

WIDTH = 10  # hex digits: two of 5,000 kept items collide once in 88,000 sources
KEPT = 1_000
MOST = 5_000


def mark(identity: str) -> str:
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=WIDTH // 2).hexdigest()


def unpack(packed: object) -> list[str]:
    """The digests of a cursor entry; anything else than a well-formed one counts as empty."""
    if not isinstance(packed, str) or len(packed) % WIDTH:
        return []
    return [packed[start : start + WIDTH] for start in range(0, len(packed), WIDTH)]


def pack(current: Iterable[str], before: Iterable[str]) -> str:
    """Everything that stands in the source now, then older digests up to ``KEPT`` in all.

    What is still offered must be remembered, however long the list; what has left it may be forgotten in time.
    """
    kept = list(dict.fromkeys(current))[:MOST]
    known = set(kept)
    for digest in before:
        if len(kept) >= KEPT:
            break
        if digest not in known:
            known.add(digest)
            kept.append(digest)
    return "".join(kept)
