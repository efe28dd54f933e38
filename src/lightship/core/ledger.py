"""Verifying a ledger: its entries against the checkpoints that were signed over them.

Pure functions over bytes: no I/O and no clock. The tree is in :mod:`lightship.core.merkle`, keys and checkpoints in
:mod:`lightship.core.notes`, storage in :mod:`lightship.infra.ledger_file`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, groupby

from lightship.core.errors import LedgerError
from lightship.core.merkle import LEAF_PREFIX, Frontier
from lightship.core.notes import Checkpoint, VerifierKey, open_checkpoint

_NO_LIMIT = 1 << 63  # beyond any row number of SQLite
_BATCH = 4096  # leaves hashed into the tree at a time: bounds memory, and longer batches gain nothing


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
            leaves.append(sha256(LEAF_PREFIX + row[1]).digest())
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
    >>> from lightship.core.merkle import Frontier, leaf_hash
    >>> from lightship.core.notes import Checkpoint, SigningKey, sign_checkpoint
    >>> key = SigningKey.from_seed("example.org/log", bytes(32))
    >>> tree = Frontier().extended([leaf_hash(b"one"), leaf_hash(b"two")])
    >>> note = sign_checkpoint(Checkpoint(key.name, tree.size, tree.root()), key)
    >>> verify([b"one", b"two"], [note], key.verifier).ok
    True
    >>> verify([b"one", b"too"], [note], key.verifier).problems[0].what
    'entries 0..1 do not match checkpoint 2'
    """
    return verify_rows(enumerate(entries), checkpoints, key, origin=origin)
