#!/usr/bin/env python3
"""Checks a Lightship export without Lightship: one file, Python's standard library and `cryptography`.

    python verify_export.py EXPORT --key ledger.pub [--key other.pub] [--witness checkpoint.txt]

It checks that no entry of any log was changed, removed, inserted or moved since it was signed (Merkle trees of RFC 6962
under signed checkpoints); that every certificate and every declaration of a report was signed, and says what its entry
says; that no report was filed without being declared; and that the figures are what the entries add up to. The first
fault is named with its file, line and field. Exit code 0: it verifies. 1: it does not. 2: it cannot be read.

What it cannot show: that an entry is true, that all that happened was entered, or, without a checkpoint that somebody
else kept (--witness), that the holder of the key did not sign another history. The format is docs/reference/export.md.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

sha256 = hashlib.sha256
MARK = 16
BATCH = 4096


class Fault(Exception):
    """The first thing in a file that does not hold."""

    def __init__(self, file: str, line: int, field: str, what: str) -> None:
        super().__init__(what)
        self.file, self.line, self.field, self.what = file, line, field, what

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, field {self.field}: {self.what}"


# Signed notes (c2sp.org/signed-note) -----------------------------------------------------------


class Key(NamedTuple):
    """A public key: its name, the first bytes of its hash, and itself."""

    name: str
    id: bytes
    public: Ed25519PublicKey


def unbase64(text: str) -> bytes | None:
    """Decode base64, refusing every spelling but the one that encoding gives."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode() == text else None


def parse_key(text: str) -> Key:
    """Return the key of a line ``name+hash+base64(0x01 || key)``."""
    name, id_, data = [*text.strip().split("+", 2), "", ""][:3]
    raw = unbase64(data) or b""
    if len(raw) != 33 or raw[0] != 1 or sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != id_:
        raise ValueError(f"{text.strip()[:60]!r} is no public key")
    return Key(name, bytes.fromhex(id_), Ed25519PublicKey.from_public_bytes(raw[1:]))


def open_note(note: str, keys: list[Key]) -> tuple[str, Key]:
    """Return the text of a note and the key that signed it; ValueError where none of the keys did."""
    text, separator, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or lines.pop() or len(lines) != 1 or any(c < " " and c != "\n" for c in note):
        raise ValueError("it is no note with one signature")
    name, space, encoded = lines[0].removeprefix("— ").partition(" ")
    data = unbase64(encoded)
    if not lines[0].startswith("— ") or not space or data is None or len(data) != 68:
        raise ValueError("its signature line is malformed")
    for key in keys:
        if (key.name, key.id) == (name, data[:4]):
            try:
                key.public.verify(data[4:], (text + "\n").encode())
            except (InvalidSignature, UnicodeEncodeError):
                raise ValueError("its signature does not fit its text") from None
            return text + "\n", key
    raise ValueError(f"it is signed by {name!r}, which is none of the given keys")


def statement(note: str, keys: list[Key]) -> tuple[str, dict[str, Any], Key]:
    """Return the kind and the facts of a signed statement, and who signed it."""
    text, key = open_note(note, keys)
    lines = text.split("\n")
    head = re.fullmatch(r"lightship\.([a-z-]+)/1", lines[0])
    facts = json.loads(lines[1]) if head and len(lines) == 3 else None
    if head is None or not isinstance(facts, dict):
        raise ValueError("it is no statement")
    return head[1], facts, key


CERTIFIED = {"retention-certified": "retention", "destruction-certified": "destruction"}


def certificate(note: str, keys: list[Key]) -> tuple[str, dict[str, Any]]:
    """Return the kind and the facts of a certificate."""
    lines = open_note(note, keys)[0].split("\n")
    head = re.fullmatch(r"lightship/(retention|destruction)-certificate/v1", lines[0])
    facts = json.loads(lines[1]) if head and len(lines) == 3 else None
    if head is None or not isinstance(facts, dict):
        raise ValueError("it is no certificate")
    return head[1], facts


def canonical_digest(value: Any) -> str:
    """Return the digest of a value's canonical JSON (RFC 8785); of text and tables of text alone."""
    data = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return f"sha256:{sha256(data).hexdigest()}"


# Merkle trees (RFC 6962, 2.1) ------------------------------------------------------------------


class Tree:
    """The roots of the perfect subtrees, largest first: enough to go on and to know the root."""

    def __init__(self) -> None:
        self.size = 0
        self.hashes: list[bytes] = []

    def extend(self, nodes: list[bytes]) -> None:
        """Take in further leaf hashes."""
        added, rest, fresh = len(nodes), self.size, []
        while nodes:
            if rest & 1:
                nodes.insert(0, self.hashes.pop())
            if len(nodes) & 1:
                fresh.append(nodes.pop())
            nodes = [sha256(b"\x01" + a + b).digest() for a, b in zip(nodes[::2], nodes[1::2], strict=True)]
            rest >>= 1
        self.size += added
        self.hashes += reversed(fresh)

    def root(self) -> bytes:
        """Return the hash of the whole tree."""
        if not self.hashes:
            return sha256(b"").digest()
        root = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            root = sha256(b"\x01" + left + root).digest()
        return root


# Figures ---------------------------------------------------------------------------------------


class Figures:
    """What the entries add up to, counted here anew."""

    def __init__(self) -> None:
        self.entries = self.undeclared = 0
        self.kinds: Counter[str] = Counter()
        self.duties: dict[str, str] = {}
        self.declared: set[tuple[str, str]] = set()
        self.first: Counter[str] = Counter()
        self.more: Counter[str] = Counter()
        self.of_duty: Counter[str] = Counter()
        self.sealed: set[str] = set()
        self.destroyed: set[str] = set()
        self.records: dict[str, set[str]] = {}
        self.certified: dict[str, str] = {}
        self.waits: list[float] = []

    def add(self, entry: dict[str, Any]) -> str:
        """Count an entry; returns the name of a field that cannot be, or an empty string."""
        kind = str(entry.get("kind", ""))
        self.entries += 1
        self.kinds[kind] += 1
        value = entry.get("value")
        if isinstance(value, dict) and "duty" in entry and "state" in value:
            self.duties[entry["duty"]] = value["state"]
        if kind == "report-declared":
            self.declared.add((entry["filing"], entry["snapshot"]))
        elif kind == "report-filed":
            return self._filed(entry)
        elif kind == "exhibit-sealed":
            self.sealed.add(entry["exhibit"])
        elif kind == "exhibit-destroyed":
            self.destroyed.add(entry["exhibit"])
            # The vault names its record by the entry as it was written, before the ledger put its time into one form.
            at = datetime.fromisoformat(entry["at"]).isoformat()
            self.records.setdefault(entry["exhibit"], set()).add(canonical_digest({**entry, "at": at}))
        elif kind in CERTIFIED:
            self.certified[entry["digest"]] = CERTIFIED[kind]
        return ""

    def _filed(self, entry: dict[str, Any]) -> str:
        known = (entry["filing"], entry["snapshot"]) in self.declared
        self.undeclared += not known
        if entry["supplement_of"]:
            self.more[entry["authority"]] += 1
        else:
            self.first[entry["authority"]] += 1
            self.of_duty[entry["duty"]] += 1
            if "aware_at" in entry:
                span = datetime.fromisoformat(entry["filed_at"]) - datetime.fromisoformat(entry["aware_at"])
                self.waits.append(round(span.total_seconds(), 3))
        return "" if known else "snapshot"

    def table(self) -> dict[str, Any]:
        """Return the figures by name."""
        ranked = sorted(self.waits)
        spread: dict[str, Any] = {"number": len(ranked)}
        if ranked:
            for name, part in (("p50", 0.5), ("p95", 0.95)):
                spread[name] = ranked[math.ceil(part * len(ranked)) - 1]
            spread["most"] = ranked[-1]
        return {
            "entries": self.entries,
            "kinds": dict(self.kinds),
            "duties": dict(Counter(self.duties.values())),
            "reports_filed": dict(self.first),
            "supplements_filed": dict(self.more),
            "filed_twice": sum(number > 1 for number in self.of_duty.values()),
            "filed_undeclared": self.undeclared,
            "aware_to_filed_s": spread,
            "exhibits": {"sealed": len(self.sealed), "destroyed": len(self.destroyed)},
        }


# One export ------------------------------------------------------------------------------------


class Export:
    """A folder that says it is an export."""

    def __init__(self, folder: Path, keys: list[Key], witnesses: list[str]) -> None:
        self.folder, self.keys, self.witnesses = folder, keys, witnesses
        self.figures = Figures()
        self.signed = self.certificates = 0
        self.witnessed = 0
        self.manifest: dict[str, Any] = {}

    def verify(self) -> None:
        """Check everything; raises the first fault."""
        self._manifest()
        for log in self.manifest["logs"]:
            self._log(log)
        self._certificates()
        self._figures()
        for file, digest in self.manifest["files"].items():  # what looking inside did not find
            if self._digest(file) != digest:
                raise Fault(file, 0, "file", "it is not the file that was signed")
        if len(self.witnesses) != self.witnessed:
            raise Fault("--witness", 0, "origin", "a checkpoint that was kept elsewhere is of no log here")

    def _manifest(self) -> None:
        file = "manifest.note"
        try:
            note = (self.folder / file).read_bytes().decode()
            kind, facts, _ = statement(note, self.keys)
        except UnicodeDecodeError:
            raise Fault(file, 1, "note", "it is not UTF-8 text") from None
        except ValueError as error:
            raise Fault(file, 1, "note", str(error)) from None
        if kind != "export":
            raise Fault(file, 1, "kind", f"it is a statement of another kind, {kind}")
        self.manifest = facts
        wanted = {file, *facts["files"]}
        found = {one.name for one in self.folder.iterdir()}
        if wanted != found:
            odd = min(wanted ^ found)
            raise Fault(
                file, 2, "files", f"{odd} is {'missing' if odd in wanted else 'not part of the export'}"
            )

    def _log(self, log: dict[str, Any]) -> None:
        try:
            key = parse_key(log["key"])
        except ValueError as error:
            raise Fault("manifest.note", 2, "logs.key", str(error)) from None
        mine = [one for one in self.keys if (one.name, one.id) == (key.name, key.id)]
        if not mine:
            what = f"the log {log['name']!r} is of {key.name!r}, which is none of the given keys"
            raise Fault("manifest.note", 2, "logs.key", what)
        roots = self._checkpoints(log, mine)
        self._entries(log, roots)

    def _checkpoints(self, log: dict[str, Any], keys: list[Key]) -> dict[int, tuple[bytes, int]]:
        """Return the signed root of each size, and its line."""
        file = f"{log['name']}.checkpoints.jsonl"
        roots: dict[int, tuple[bytes, int]] = {}
        number = 0
        for number, line in enumerate(self._lines(file), 1):
            try:
                note = json.loads(line)["note"]
                size, root = self._checkpoint(note, log, keys)
            except (ValueError, KeyError, TypeError) as error:
                raise Fault(file, number, "note", str(error)) from None
            if roots.setdefault(size, (root, number))[0] != root:
                raise Fault(file, number, "note", f"the log was forked: two checkpoints of size {size}")
        if max(roots, default=-1) != log["entries"]:
            raise Fault(file, number, "note", f"none is over all {log['entries']} entries")
        for note in self.witnesses:
            if note.split("\n", 1)[0] != log["origin"]:
                continue
            self.witnessed += 1
            try:
                size, root = self._checkpoint(note, log, keys)
            except ValueError as error:
                raise Fault("--witness", 1, "note", str(error)) from None
            if roots.setdefault(size, (root, 0))[0] != root or size > log["entries"]:
                raise Fault(
                    "--witness", 1, "note", f"the log was cut or rewritten: it had {size} entries once"
                )
        return roots

    def _checkpoint(self, note: str, log: dict[str, Any], keys: list[Key]) -> tuple[int, bytes]:
        origin, size, root64, *_ = [*open_note(note, keys)[0].split("\n"), "", ""]
        root = unbase64(root64)
        if origin != log["origin"] or not re.fullmatch("0|[1-9][0-9]{0,18}", size) or root is None:
            raise ValueError("it is no checkpoint of this log")
        return int(size), root

    def _entries(self, log: dict[str, Any], roots: dict[int, tuple[bytes, int]]) -> None:
        file, tree, leaves = f"{log['name']}.entries.jsonl", Tree(), []
        sizes = sorted(roots, reverse=True)
        if sizes and sizes[-1] == 0:
            self._settle(file, tree, roots, sizes.pop(), 0, log)
        settled, number, add = 0, 0, self.figures.add
        for line in self._lines(file):
            number += 1
            leaf = sha256(b"\0" + line[MARK + 1 :]).digest()
            if line[:MARK] != leaf.hex()[:MARK].encode() or line[MARK : MARK + 1] != b" ":
                raise Fault(file, number, "entry", "its bytes are not those that its own hash is of")
            leaves.append(leaf)
            try:
                entry = json.loads(line[MARK + 1 :])
                odd = add(entry)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Fault(
                    file, number, "entry", f"it cannot be read: {type(error).__name__}: {error}"
                ) from None
            if odd:
                raise Fault(file, number, odd, "the report was filed, and nobody had declared this snapshot")
            if "note" in entry:
                self._note(file, number, entry)
            if (sizes and number == sizes[-1]) or len(leaves) == BATCH:
                tree.extend(leaves)
                leaves = []
                if sizes and number == sizes[-1]:
                    self._settle(file, tree, roots, sizes.pop(), settled, log)
                    settled = number
        if number != log["entries"]:
            raise Fault(
                file, number + 1, "entry", f"{log['entries'] - number} entries are missing or too many"
            )

    def _settle(
        self,
        file: str,
        tree: Tree,
        roots: dict[int, tuple[bytes, int]],
        size: int,
        settled: int,
        log: dict[str, Any],
    ) -> None:
        if tree.root() != roots[size][0]:
            where = (
                f"{log['name']}.checkpoints.jsonl, line {roots[size][1]}" if roots[size][1] else "--witness"
            )
            raise Fault(
                file,
                settled + 1,
                "entry",
                f"lines {settled + 1} to {size} do not match the checkpoint of {where}",
            )

    def _note(self, file: str, number: int, entry: dict[str, Any]) -> None:
        try:
            _, facts, _ = statement(entry["note"], self.keys)
        except (ValueError, AttributeError, TypeError) as error:
            raise Fault(file, number, "note", str(error)) from None
        self.signed += 1
        for name, value in facts.items():
            if entry.get(name) != value:
                raise Fault(file, number, name, "the entry says something else than what was signed")

    def _certificates(self) -> None:
        """Check each certificate, and that the ledger knows it, and that the vault did what it says."""
        file, known = "certificates.jsonl", dict(self.figures.certified)
        for number, line in enumerate(self._lines(file), 1):
            try:
                note = json.loads(line)["note"]
                kind, facts = certificate(note, self.keys)
            except (ValueError, KeyError, TypeError) as error:
                raise Fault(file, number, "note", str(error)) from None
            if known.pop(canonical_digest(note), None) != kind:
                raise Fault(file, number, "note", "no entry of a ledger certifies it")
            for at, one in enumerate(facts.get("destroyed", ())):
                if one["record"] not in self.figures.records.get(one["exhibit"], ()):
                    raise Fault(
                        file, number, f"destroyed[{at}].record", "the vault's log has no such destruction"
                    )
            for at, one in enumerate(facts.get("kept", ())):
                if one["exhibit"] not in self.figures.sealed:
                    raise Fault(file, number, f"kept[{at}].exhibit", "the vault's log has not sealed it")
            self.certificates += 1
        if known:
            raise Fault(
                file, self.certificates + 1, "note", f"{len(known)} certificates of the ledger are missing"
            )

    def _figures(self) -> None:
        file = "figures.json"
        data = (self.folder / file).read_bytes()
        try:
            table = json.loads(data)
        except ValueError as error:
            raise Fault(file, 1, "file", f"it cannot be read: {error}") from None
        mine = self.figures.table()
        for name in sorted({*mine, *table} if isinstance(table, dict) else mine):
            if not isinstance(table, dict) or table.get(name) != mine.get(name):
                shown = json.dumps(mine.get(name), sort_keys=True)
                raise Fault(file, 1, name, f"the entries add up to {shown[:200]}")

    def _lines(self, file: str) -> Iterator[bytes]:
        """Yield a file's lines without their ends; the last one ends too."""
        with (self.folder / file).open("rb", buffering=1 << 20) as source:
            for number, line in enumerate(source, 1):
                if line[-1:] != b"\n":
                    raise Fault(file, number, "line", "it does not end")
                yield line[:-1]

    def _digest(self, file: str) -> str:
        with (self.folder / file).open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Check an export; returns the exit code."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    asked.add_argument("export", type=Path, help="the export's folder")
    asked.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        help="a public key's file, got from whom you trust",
    )
    asked.add_argument(
        "--witness", type=Path, action="append", default=[], help="a checkpoint that was kept elsewhere"
    )
    given = asked.parse_args(arguments)
    try:
        keys = [parse_key(one.read_text("utf-8")) for one in given.key]
        export = Export(given.export, keys, [one.read_text("utf-8") for one in given.witness])
        export.verify()
    except Fault as fault:
        print(f"NOT verified: {fault}")
        return 1
    except (OSError, ValueError) as error:
        print(f"It cannot be read: {error}", file=sys.stderr)
        return 2
    figures = export.figures
    print(
        f"Verified: {figures.entries:,} entries in {len(export.manifest['logs'])} logs, unchanged and signed; "
        f"{export.signed:,} statements and {export.certificates:,} certificates signed; "
        f"{sum(figures.first.values()):,} reports and "
        f"{sum(figures.more.values()):,} supplements filed, each declared before; the figures are theirs."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
