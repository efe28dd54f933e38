"""The ledger's arithmetic: a Merkle tree over entries, signed checkpoints, proofs, and verification.

Pure functions over bytes: no I/O and no clock. Storage is in :mod:`lightship.infra.ledger_file`.

References
----------
RFC 6962, section 2 (tree hashing, proofs); RFC 9162, sections 2.1.3.2 and 2.1.4.2 (checking proofs);
c2sp.org/signed-note (keys, signatures); c2sp.org/tlog-checkpoint (checkpoints); RFC 8032 (Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, groupby
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lightship.core.errors import LedgerError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without entries (RFC 6962, 2.1)."""

_LEAF = b"\x00"  # domain separation, RFC 6962, 2.1
_NODE = b"\x01"
_ED25519 = b"\x01"  # signature type, c2sp.org/signed-note
_DASH = "— "
_MAX_SIGNATURES = 100  # as Go's sumdb/note; the specification asks for at least 16
_NO_LIMIT = 1 << 63  # beyond any row number of SQLite
_BATCH = 4096  # leaves hashed into the tree at a time: bounds memory, and longer batches gain nothing


# ----------------------------------------------------------------------------------------------------
# The tree
# ----------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry's bytes as a leaf: ``SHA-256(0x00 || entry)`` (RFC 6962, 2.1).

    Examples
    --------
    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(_LEAF + entry).digest()


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
    if not 0 <= index < len(leaves):
        raise LedgerError(
            f"There is no entry {index} in a tree of {len(leaves)}.", "", "Ask for another entry."
        )
    path: list[bytes] = []
    while len(leaves) > 1:
        k = _split(len(leaves))
        if index < k:
            path.append(_root(leaves[k:]))
            leaves = leaves[:k]
        else:
            path.append(_root(leaves[:k]))
            leaves, index = leaves[k:], index - k
    return tuple(reversed(path))


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Return the proof that the tree of these leaf hashes extends its first ``old_size`` (RFC 6962, 2.1.2).

    Raises
    ------
    LedgerError
        If ``old_size`` is not between 0 and the number of leaves.
    """
    if not 0 <= old_size <= len(leaves):
        raise LedgerError(
            f"A tree of {len(leaves)} does not extend one of {old_size}.", "", "Swap the sizes."
        )
    if old_size == 0:
        return ()
    path: list[bytes] = []
    whole = True  # the old tree's root is known to the one who checks; RFC 6962 calls it b
    while old_size < len(leaves):
        k = _split(len(leaves))
        if old_size <= k:
            path.append(_root(leaves[k:]))
            leaves = leaves[:k]
        else:
            path.append(_root(leaves[:k]))
            leaves, old_size, whole = leaves[k:], old_size - k, False
    if not whole:
        path.append(_root(leaves))
    return tuple(reversed(path))


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


# ----------------------------------------------------------------------------------------------------
# Keys and signed notes
# ----------------------------------------------------------------------------------------------------


def _unbase64(text: str) -> bytes | None:
    """Decode standard base64, refusing every spelling but the one that encoding would give."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise LedgerError(
            "A key name must not be empty and must not contain spaces or '+'.",
            repr(name),
            "Use something like example.org/guard.",
        )


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _parse_key(text: str, prefix: str, kind: str, todo: str) -> tuple[str, bytes, bytes]:
    """Return name, key ID and the 32 bytes of ``prefix name+id+base64(0x01 || key)``."""
    text = text.strip()
    name, _, rest = text.removeprefix(prefix).partition("+")
    key_id, _, data = rest.partition("+")
    raw = _unbase64(data)
    if not text.startswith(prefix) or not re.fullmatch("[0-9a-f]{8}", key_id) or raw is None:
        raise LedgerError(f"This is not a {kind}: it should read {prefix}NAME+HASH+BASE64.", "", todo)
    if raw[:1] != _ED25519 or len(raw) != 1 + HASH_BYTES:
        raise LedgerError(f"This {kind} is not an Ed25519 key.", name, todo)
    _check_name(name)
    return name, bytes.fromhex(key_id), raw[1:]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name: all that is needed, beside the file, to verify a ledger."""

    name: str
    public: Ed25519PublicKey

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key written as ``name+hash+base64(0x01 || key)`` (c2sp.org/signed-note).

        Raises
        ------
        LedgerError
            If the text is not such a key, or its hash does not fit.
        """
        todo = "Give the one line of the ledger's .pub file, unchanged."
        name, key_id, raw = _parse_key(text, "", "public key", todo)
        if _key_id(name, raw) != key_id:
            raise LedgerError("This public key does not match its own hash.", name, todo)
        return cls(name, Ed25519PublicKey.from_public_bytes(raw))

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of ``SHA-256(name || 0x0A || 0x01 || key)``."""
        return _key_id(self.name, self.public.public_bytes_raw())

    def __str__(self) -> str:
        material = base64.b64encode(_ED25519 + self.public.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its name. Make or load one with :mod:`lightship.infra.keys`."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Return the key of 32 secret bytes (RFC 8032).

        Raises
        ------
        LedgerError
            If the name or the number of bytes is wrong.
        """
        _check_name(name)
        if len(seed) != HASH_BYTES:
            raise LedgerError("An Ed25519 key is 32 bytes.", name, "Make a new key.")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key written as ``PRIVATE+KEY+name+hash+base64(0x01 || seed)`` (Go's sumdb/note).

        Raises
        ------
        LedgerError
            If the text is not such a key, or its hash does not fit.
        """
        todo = "Restore the key file from a copy, or start a new ledger with a new key."
        name, key_id, seed = _parse_key(text, "PRIVATE+KEY+", "private key", todo)
        key = cls.from_seed(name, seed)
        if key.verifier.key_id != key_id:
            raise LedgerError("This private key does not match its own hash.", name, todo)
        return key

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key())

    def secret_text(self) -> str:
        """Return the key as :meth:`parse` reads it. Whoever reads it can sign in this name."""
        material = base64.b64encode(_ED25519 + self.private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{material}"


def sign_note(text: str, key: SigningKey) -> str:
    r"""Return a text with a signature line under it (c2sp.org/signed-note).

    Parameters
    ----------
    text
        Ends with a newline, has no control characters, and is what the signature covers.

    Raises
    ------
    LedgerError
        If the text cannot be a note.
    """
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise LedgerError("A note ends with a newline and has no control characters.", "", "Change the text.")
    signature = key.verifier.key_id + key.private.sign(text.encode())
    return f"{text}\n{_DASH}{key.name} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a note once its signature by this key is verified (c2sp.org/signed-note).

    Signatures by other keys (a witness, an earlier key) are ignored.

    Raises
    ------
    LedgerError
        If the note is malformed, was not signed by this key, or the signature does not fit the text.
    """
    where = note.partition("\n")[0]
    text, separator, tail = note.rpartition("\n\n")
    text += "\n"
    lines = tail.split("\n")
    if not separator or lines.pop() or not lines or any(c < " " and c != "\n" for c in note):
        raise LedgerError("This is not a signed note.", where, "Restore it from a copy.")
    if len(lines) > _MAX_SIGNATURES:
        raise LedgerError("A note with this many signatures is refused.", where, "Remove some.")
    key_id, signed = key.key_id, False
    for line in lines:
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        signature = _unbase64(encoded)
        if (
            not line.startswith(_DASH)
            or not name
            or not space
            or signature is None
            or len(signature) <= len(key_id)
        ):
            raise LedgerError("A signature line of this note is malformed.", where, "Restore it from a copy.")
        if name != key.name or signature[:4] != key_id:
            continue
        try:
            key.public.verify(signature[4:], text.encode())
        except (InvalidSignature, UnicodeEncodeError):
            raise LedgerError(
                "The signature does not fit the text: one of the two was changed.",
                where,
                "Restore both from a copy.",
            ) from None
        signed = True
    if not signed:
        raise LedgerError(
            f"This note is not signed by {key.name}+{key_id.hex()}.", where, "Give the key that signed it."
        )
    return text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a signature covers: the log's name, how many entries, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the body of the note (c2sp.org/tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Return a checkpoint as a signed note.

    Raises
    ------
    LedgerError
        If the origin is empty or has a newline or control characters.
    """
    if not checkpoint.origin or any(c < " " for c in checkpoint.origin):
        raise LedgerError(
            "A ledger's origin is one line of text.",
            repr(checkpoint.origin),
            "Use something like example.org/guard.",
        )
    return sign_note(checkpoint.text(), key)


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint in a signed note once its signature by this key is verified.

    Raises
    ------
    LedgerError
        If the note is malformed, is not a checkpoint, or is not signed by this key.
    """
    origin, *rest = open_note(note, key).split("\n")
    size, root = (rest[0], _unbase64(rest[1])) if len(rest) >= 3 else ("", None)
    if not origin or not re.fullmatch("0|[1-9][0-9]{0,18}", size) or root is None or len(root) != HASH_BYTES:
        raise LedgerError(
            "This signed note is not a checkpoint.", origin, "Give a checkpoint of this ledger."
        )
    return Checkpoint(origin, int(size), root)


# ----------------------------------------------------------------------------------------------------
# Verification
# ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold, and the entries it concerns.

    Parameters
    ----------
    first, last
        The range of entries, both inclusive; None if it concerns none in particular.
    """

    what: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What verification found.

    Parameters
    ----------
    origin
        The log's name, as signed; empty if no checkpoint could be opened.
    size
        Entries found.
    signed
        Entries under the last checkpoint that verifies and matches.
    checkpoints
        Checkpoints whose signature verifies.
    problems
        Empty if everything holds.
    """

    origin: str
    size: int
    signed: int
    checkpoints: int
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every entry is there, unchanged, and under a signature."""
        return not self.problems

    def __str__(self) -> str:
        if self.ok:
            return (
                f"Verified: {self.size:,} entries of {self.origin}, unchanged and all signed "
                f"({self.checkpoints:,} checkpoints)."
            )
        lines = [f"NOT verified: {self.size:,} entries of {self.origin or 'an unknown log'}."]
        return "\n".join([*lines, *(f"- {problem.what}" for problem in self.problems)])


def _range(first: int, last: int, one: str, many: str, rest: str) -> Problem:
    """Return a problem in words: ``one`` and ``many`` are the verb."""
    what = f"entry {first} {one} {rest}" if first == last else f"entries {first}..{last} {many} {rest}"
    return Problem(what, first, last)


class _Entries:
    """Entries in the order of their numbers, hashed into a tree up to one checkpoint after the other."""

    def __init__(self, rows: Iterable[tuple[int, bytes]], problems: list[Problem]) -> None:
        self.rows = iter(rows)
        self.problems = problems
        self.held: tuple[int, bytes] | None = None  # the row after a gap, when it is beyond the checkpoint
        self.expected = 0  # the number that comes next
        self.found = 0

    def until(self, size: int, tree: Frontier | None) -> Frontier | None:
        """Return the tree with all entries numbered below ``size``, or None if some are missing."""
        if self.held is not None and self.held[0] >= size:
            return None
        if self.expected >= size:
            return tree
        expected, leaves = self.expected, []
        rows, tree = self._resumed(tree)
        for row in rows:
            if row[0] != expected:
                if not self._gap(expected, row[0]):
                    continue
                expected, tree = row[0], None
                if expected >= size:
                    self.held = row
                    break
            leaves.append(sha256(_LEAF + row[1]).digest())
            expected += 1
            if expected == size:
                break
            if len(leaves) == _BATCH:
                self.found += _BATCH
                tree = tree.extended(leaves) if tree is not None else None
                leaves = []
        self.found += len(leaves)
        self.expected = expected
        return tree.extended(leaves) if tree is not None and expected == size else None

    def _resumed(self, tree: Frontier | None) -> tuple[Iterator[tuple[int, bytes]], Frontier | None]:
        """Return the rows with the held one in front, and the tree if it goes on exactly there."""
        if self.held is None:
            return self.rows, tree
        rows, self.held = chain([self.held], self.rows), None
        return rows, tree if tree is not None and tree.size == self.expected else None

    def _gap(self, expected: int, index: int) -> bool:
        """Say whether entries are missing before this one; or else no ledger has a row of this number."""
        if index < expected:
            self.problems.append(Problem(f"an entry is numbered {index}, which none should be"))
            return False
        self.problems.append(_range(expected, index - 1, "is", "are", "missing"))
        return True


class _Verification:
    """What is known while entries and checkpoints are walked together, and what was found wrong."""

    def __init__(self, checkpoints: Iterable[str], key: VerifierKey, origin: str | None) -> None:
        self.problems: list[Problem] = []
        opened: list[Checkpoint] = []
        for number, note in enumerate(checkpoints):
            try:
                opened.append(open_checkpoint(note, key))
            except LedgerError as error:
                self.problems.append(Problem(f"checkpoint number {number}: {error.what}"))
        opened.sort(key=lambda checkpoint: checkpoint.size)
        self.count = len(opened)
        self.origin = origin if origin is not None else opened[-1].origin if opened else ""
        for other in sorted({checkpoint.origin for checkpoint in opened} - {self.origin}):
            self.problems.append(
                Problem(f"a checkpoint is of another log, {other!r}, not of {self.origin!r}")
            )
        if not opened:
            self.problems.append(Problem(f"there is no checkpoint signed by {key.name}+{key.key_id.hex()}"))
        self.roots = {
            size: {checkpoint.root for checkpoint in same}
            for size, same in groupby(opened, key=lambda checkpoint: checkpoint.size)
        }
        self.anchor = 0  # entries before this one are settled, right or wrong
        self.lost: int | None = None  # the tree is not known from this size on
        self.signed = 0
        self.open: Problem | None = None  # a mismatch that is still part of the tree

    def settle(self, size: int, tree: Frontier | None, stored: bytes | None) -> Frontier | None:
        """Compare the tree with the checkpoints of its size; return the tree to go on with.

        ``stored`` is the tree state kept beside the checkpoint. It is not signed, but it hashes to the root,
        which is. So the entries after a damaged stretch can be judged by themselves.
        """
        roots = self.roots[size]
        known = None
        if stored is not None:
            known = _opened_frontier(size, stored)
            if known is None or known.root() not in roots:
                known = None
                self.problems.append(Problem(f"the tree state kept with checkpoint {size} is not its own"))
        if len(roots) > 1:
            self.problems.append(
                Problem(f"the log was forked: checkpoints of size {size} contradict each other")
            )
        if tree is not None and tree.root() in roots:
            self.anchor = self.signed = size
            self.open = None
            return tree
        if tree is not None:
            if self.open is not None:  # the same fault, still in the tree
                self.problems.remove(self.open)
            self.open = _range(self.anchor, size - 1, "does", "do", f"not match checkpoint {size}")
            if size == 0:
                self.open = Problem("checkpoint 0 does not have the root of an empty tree")
            self.problems.append(self.open)
        if known is not None:
            self.found_again(size)
            self.anchor = size
            self.open = None
            return known
        if tree is None and self.lost is None:
            self.lost = size
        return tree

    def found_again(self, size: int) -> None:
        """Own up to the entries that could not be judged, up to here."""
        if self.lost is not None and self.lost < size:
            rest = "not checked, because of the entries missing before"
            self.problems.append(_range(self.lost, size - 1, "was", "were", rest))
        self.lost = None


def _opened_frontier(size: int, data: bytes) -> Frontier | None:
    try:
        return Frontier.from_bytes(size, data)
    except LedgerError:
        return None


def verify_rows(
    rows: Iterable[tuple[int, bytes]],
    checkpoints: Iterable[str],
    key: VerifierKey,
    *,
    origin: str | None = None,
    frontiers: Mapping[int, bytes] | None = None,
) -> VerifyReport:
    """Check numbered entries against signed checkpoints, in one pass and little memory.

    Parameters
    ----------
    rows
        Number and bytes of each entry, by rising number.
    checkpoints
        Signed notes, in any order: those of the file, and any that were kept elsewhere.
    origin
        The log that this must be; None accepts whichever the last checkpoint names.
    frontiers
        Tree state by size, if it was kept: narrows down what is damaged.

    Returns
    -------
    VerifyReport
        Never raises for what is wrong with the ledger; every fault is a :class:`Problem`.
    """
    state = _Verification(checkpoints, key, origin)
    entries = _Entries(rows, state.problems)
    tree: Frontier | None = Frontier()
    largest = max(state.roots, default=0)
    for size in state.roots:
        tree = entries.until(size, tree)
        if entries.expected < size:
            missing = _range(
                entries.expected, largest - 1, "is", "are", "missing: the log was cut or rolled back"
            )
            state.problems.append(missing)
            break
        tree = state.settle(size, tree, (frontiers or {}).get(size))
    state.found_again(min(entries.expected, largest))
    before = max(entries.expected, largest)
    entries.until(_NO_LIMIT, None)
    unsigned = entries.expected - before
    if unsigned > 0:
        rest = "after the last checkpoint and not covered by a signature"
        state.problems.append(_range(before, entries.expected - 1, "is", "are", rest))
    return VerifyReport(state.origin, entries.found, state.signed, state.count, tuple(state.problems))


def verify(
    entries: Iterable[bytes], checkpoints: Iterable[str], key: VerifierKey, *, origin: str | None = None
) -> VerifyReport:
    """Check the bytes of all entries, in order, against signed checkpoints. See :func:`verify_rows`.

    Examples
    --------
    >>> key = SigningKey.from_seed("example.org/log", bytes(32))
    >>> tree = Frontier().extended([leaf_hash(b"one"), leaf_hash(b"two")])
    >>> note = sign_checkpoint(Checkpoint(key.name, tree.size, tree.root()), key)
    >>> verify([b"one", b"two"], [note], key.verifier).ok
    True
    >>> verify([b"one", b"too"], [note], key.verifier).problems[0].what
    'entries 0..1 do not match checkpoint 2'
    """
    return verify_rows(enumerate(entries), checkpoints, key, origin=origin)
