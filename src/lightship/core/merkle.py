"""The Merkle tree over entries: hashing, appending in little memory, proofs and their checking.

References
----------
RFC 6962, section 2 (tree hashing, proofs); RFC 9162, sections 2.1.3.2 and 2.1.4.2 (checking proofs).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from lightship.core.errors import LedgerError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without entries (RFC 6962, 2.1)."""

LEAF_PREFIX = b"\x00"  # domain separation, RFC 6962, 2.1
_NODE = b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry's bytes as a leaf: ``SHA-256(0x00 || entry)`` (RFC 6962, 2.1).

    Examples
    --------
    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: ``SHA-256(0x01 || left || right)`` (RFC 6962, 2.1)."""
    return sha256(_NODE + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that must be kept of a tree to append to it: the roots of its perfect subtrees, largest first.

    Parameters
    ----------
    size
        Number of leaves.
    hashes
        One hash for each bit set in ``size``.

    Examples
    --------
    >>> Frontier().extended([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")]).size
    3
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Self:
        """Return the frontier that :meth:`to_bytes` wrote.

        Raises
        ------
        LedgerError
            If the length does not fit the size.
        """
        if size < 0 or len(data) != HASH_BYTES * size.bit_count():
            raise LedgerError(
                "The stored tree state has the wrong length.", f"size {size}", "Verify the ledger."
            )
        return cls(size, tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)))

    def to_bytes(self) -> bytes:
        """Return the hashes, one after the other."""
        return b"".join(self.hashes)

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """Return the frontier after more leaf hashes. Work: one hash for each leaf, level by level."""
        nodes = list(leaves)
        added = len(nodes)
        kept, fresh, rest = list(self.hashes), [], self.size
        while nodes:
            if rest & 1:
                nodes.insert(0, kept.pop())
            if len(nodes) & 1:
                fresh.append(nodes.pop())
            nodes = [
                sha256(_NODE + left + right).digest()
                for left, right in zip(nodes[::2], nodes[1::2], strict=True)
            ]
            rest >>= 1
        return Frontier(self.size + added, (*kept, *reversed(fresh)))

    def root(self) -> bytes:
        """Return the Merkle tree hash of all leaves (RFC 6962, 2.1)."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            root = node_hash(left, root)
        return root


def _root(leaves: Sequence[bytes]) -> bytes:
    return Frontier().extended(leaves).root()


def _split(size: int) -> int:
    """Return the largest power of two smaller than ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


Span = tuple[int, int]
"""A range of leaves, the first and the one after the last; its root is the tree's of these leaves alone."""


def inclusion_spans(index: int, size: int) -> tuple[Span, ...]:
    """Return the spans whose roots are the audit path of one leaf, from the leaf upwards (RFC 6962, 2.1.1).

    Raises
    ------
    LedgerError
        If there is no such leaf.
    """
    if not 0 <= index < size:
        raise LedgerError(f"There is no entry {index} in a tree of {size}.", "", "Ask for another entry.")
    path: list[Span] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    return tuple(reversed(path))


def consistency_spans(old_size: int, size: int) -> tuple[Span, ...]:
    """Return the spans whose roots prove that a tree extends its first ``old_size`` leaves (RFC 6962, 2.1.2).

    Raises
    ------
    LedgerError
        If ``old_size`` is not between 0 and the size.
    """
    if not 0 <= old_size <= size:
        raise LedgerError(f"A tree of {size} does not extend one of {old_size}.", "", "Swap the sizes.")
    if old_size == 0:
        return ()
    path: list[Span] = []
    first, end = 0, size
    while old_size < end:
        middle = first + _split(end - first)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    if first:  # otherwise the span is the old tree, whose root is known to the one who checks
        path.append((first, end))
    return tuple(reversed(path))


def perfect(span: Span) -> tuple[Span, ...]:
    """Return the perfect subtrees that a span of a proof is made of, largest first."""
    first, end = span
    found = []
    while first < end:
        after = first + (1 << (end - first).bit_length() - 1)
        found.append((first, after))
        first = after
    return tuple(found)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of one leaf in the tree of all these leaf hashes (RFC 6962, 2.1.1).

    Parameters
    ----------
    leaves
        Leaf hashes, in order.
    index
        Which leaf, from 0.

    Raises
    ------
    LedgerError
        If there is no such leaf.
    """
    return tuple(_root(leaves[first:end]) for first, end in inclusion_spans(index, len(leaves)))


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Return the proof that the tree of these leaf hashes extends its first ``old_size`` (RFC 6962, 2.1.2).

    Raises
    ------
    LedgerError
        If ``old_size`` is not between 0 and the number of leaves.
    """
    return tuple(_root(leaves[first:end]) for first, end in consistency_spans(old_size, len(leaves)))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether a leaf hash is entry ``index`` of the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or any(len(item) != HASH_BYTES for item in (leaf, root, *proof)):
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether the new tree only adds to the old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= new_size or any(len(item) != HASH_BYTES for item in (old_root, new_root, *proof)):
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size == new_size:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        return False
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root
