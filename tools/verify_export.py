#!/usr/bin/env python3
"""Checks a Lightship export without Lightship: one file, Python's standard library and `cryptography`.

    python verify_export.py EXPORT --key ledger.pub [--key other.pub] [--witness checkpoint.txt] [--tsa authority.pem]

It checks that no entry of any log was changed, removed, inserted or moved since it was signed (Merkle trees of RFC 6962
under signed checkpoints); that every certificate and every declaration of a report was signed, and says what its entry
says; that no report was filed without being declared; and that the figures are what the entries add up to. Of evidence:
that each step of custody was signed, that a copy's fields are those committed to, and, with an authority's certificate
(--tsa), that its time-stamps (RFC 3161) are of these ledgers' heads. The first fault is named with its file, line and
field. Exit code 0: it verifies. 1: it does not. 2: it cannot be read. 3: it verifies, and what it records of custody is
broken.

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
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID

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


@contextmanager
def field(file: str, number: int, name: str) -> Iterator[None]:
    """Name the file, line and field of what does not hold within."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Fault(file, number, name, str(error)) from None


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


# Evidence: custody, commitments, time-stamps -------------------------------------------------------

EVIDENCE = {
    "evidence-captured": "capture",
    "evidence-handed": "hand-over",
    "evidence-acknowledged": "acknowledgement",
    "record-committed": "record",
    "schedule-made": "schedule",
    "material-revealed": "revelation",
}
ACKNOWLEDGE = timedelta(hours=24)
BACK_DATED = timedelta(minutes=5)  # clocks differ, and entries come while an authority is asked


class Custody:
    """One exhibit's chain, followed step by step; returns what breaks it, in words."""

    def __init__(self) -> None:
        self.holder = self.sha256 = self.to = ""
        self.handed_at: datetime | None = None
        self.last: datetime | None = None
        self.line = 0

    def step(self, line: int, entry: dict[str, Any]) -> Iterator[str]:
        """Take a step."""
        kind = entry["kind"]
        name = {"evidence-captured": "captured_at", "evidence-handed": "handed_at"}.get(
            kind, "acknowledged_at"
        )
        at = datetime.fromisoformat(entry[name])
        if self.last is not None and at < self.last:
            yield f"it is dated {at.isoformat()}, before the step that it follows"
        self.last = at
        if kind == "evidence-captured":
            if self.holder:
                yield "it was captured a second time under the same reference"
            self.holder, self.sha256 = entry["captured_by"], entry["sha256_after"]
            self.to, self.handed_at = "", None
        elif kind == "evidence-handed":
            if entry["from"] != self.holder:
                yield f"{entry['from']} handed it over, and {self.holder or 'nobody'} had it"
            if self.handed_at is not None:
                yield f"it was handed over again, and {self.to} had not acknowledged it"
            self.holder, self.to, self.handed_at, self.line = entry["from"], entry["to"], at, line
        else:
            if entry["by"] != self.to:
                yield f"{entry['by']} acknowledged it, and it was not handed to {entry['by']}"
            if entry["sha256"] != self.sha256:
                yield f"{entry['by']} received it with another hash than {self.holder} had"
            self.holder, self.sha256, self.to, self.handed_at = entry["by"], entry["sha256"], "", None


class Number(str):
    """A number with a fraction or exponent, as it was written."""

    __slots__ = ()


def jcs(value: Any) -> str:
    """Return the canonical JSON (RFC 8785) of what was read from canonical JSON."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda one: one.encode("utf-16-be"))
        return "{" + ",".join(f"{jcs(name)}:{jcs(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


Der = tuple[int, bytes, bytes]
"""A value of DER: its tag, its content, and all its bytes."""


def der(data: bytes) -> list[Der]:
    """Return the values in DER, one after the other; ValueError where it is none."""
    found, at = [], 0
    while at < len(data):
        start, tag, length = at, data[at], data[at + 1] if at + 1 < len(data) else 128
        at += 2
        if length & 128:
            many = length & 127
            length = int.from_bytes(data[at : at + many])
            at += many
            if not 0 < many < 5 or length < 128:
                raise ValueError("the time-stamp is no DER")
        if tag & 31 == 31 or at + length > len(data):
            raise ValueError("the time-stamp is no DER")
        found.append((tag, data[at : at + length], data[start : at + length]))
        at += length
    return found


def oid(text: str) -> bytes:
    """Return the content of an object identifier in DER."""
    first, second, *rest = map(int, text.split("."))
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        out += bytes(128 | arc >> shift & 127 for shift in range(28, 0, -7) if arc >> shift) + bytes(
            [arc & 127]
        )
    return bytes(out)


HASHES: dict[bytes, hashes.HashAlgorithm] = {
    oid("2.16.840.1.101.3.4.2.1"): hashes.SHA256(),
    oid("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    oid("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}
TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
CONTENT_TYPE, MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE = (
    oid("1.2.840.113549.1.9.16.2.47"),
    oid("1.2.840.113549.1.9.16.2.12"),
)  # RFC 5035, RFC 2634


class Stamp(NamedTuple):
    """The parts of a time-stamp that are checked."""

    granted: bool
    at: datetime
    imprint: bytes
    imprint_hash: hashes.HashAlgorithm
    info: bytes
    digest: bytes
    signed: bytes
    signed_hash: hashes.HashAlgorithm
    attributes: dict[bytes, bytes]
    issuer: bytes
    serial: int
    signature: bytes
    certificates: list[bytes]


def parse_stamp(token: bytes) -> Stamp:
    """Return the parts of a TimeStampResp (RFC 3161, 2.4.2; RFC 5652, 5); ValueError where it is none."""
    try:
        status, content = der(der(token)[0][1])
        granted = der(status[1])[0][1] in (b"\0", b"\1")
        signed = der(der(der(content[1])[1][1])[0][1])
        kind, inner = der(signed[2][1])
        info = der(inner[1])[0][1]
        (signer,) = der(signed[-1][1])
        sid, digest, attributes, _, signature = der(signer[1])[1:6]
        issuer, serial = der(sid[1])
        facts = der(der(info)[0][1])
        imprint = der(facts[2][1])
        whole, _, part = facts[4][1].decode().rstrip("Z").partition(".")
        at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        table = {name[1]: value[1] for name, value in (der(one[1])[:2] for one in der(attributes[1]))}
        granted = granted and kind[1] == der(table[CONTENT_TYPE])[0][1] == TST_INFO
        return Stamp(
            granted,
            at + timedelta(seconds=float(f"0.{part or 0}")),
            imprint[1][1],
            HASHES[der(imprint[0][1])[0][1]],
            info,
            der(table[MESSAGE_DIGEST])[0][1],
            b"\x31" + attributes[2][1:],  # signed as a SET, sent as [0] (RFC 5652, 5.4)
            HASHES[der(digest[1])[0][1]],
            table,
            issuer[2],
            int.from_bytes(serial[1]),
            signature[1],
            [one[2] for part in signed[3:-1] if part[0] == 0xA0 for one in der(part[1])],
        )
    except (IndexError, KeyError, ValueError) as error:
        raise ValueError(f"it is no time-stamp of a form that is known here: {error}") from None


def stamped(token: bytes, data: bytes, given: list[x509.Certificate]) -> datetime | None:
    """Return when an authority had these bytes; None where it is none of the given ones; ValueError if not at all."""
    one = parse_stamp(token)
    if not one.granted:
        raise ValueError("it was not granted, or is of something else")
    if one.imprint != hashlib.new(one.imprint_hash.name, data).digest():
        raise ValueError("it is of other bytes")
    if one.digest != hashlib.new(one.signed_hash.name, one.info).digest():
        raise ValueError("its signature is over something else")
    try:
        leaf = _leaf(one.certificates, given, one.issuer, one.serial)
        if leaf is not None:
            _check_leaf(leaf, one)
            _signature(leaf.public_key(), one.signature, one.signed, one.signed_hash)
    except (x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise ValueError(f"a certificate in it cannot be read: {error}") from None
    return one.at if leaf is not None else None


def _check_leaf(leaf: x509.Certificate, one: Stamp) -> None:
    if not leaf.not_valid_before_utc <= one.at <= leaf.not_valid_after_utc:
        raise ValueError("the authority's certificate was not valid then")
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise ValueError("the certificate is not for time-stamps") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ValueError("the certificate is not for time-stamps alone")
    raw = leaf.public_bytes(serialization.Encoding.DER)
    named = [
        hashlib.new(how, raw).digest() in one.attributes.get(name, b"")
        for name in SIGNING_CERTIFICATE
        for how in ("sha1", "sha256", "sha384", "sha512")
    ]
    if not any(named):
        raise ValueError("the time-stamp names another certificate")


def _leaf(
    embedded: list[bytes], given: list[x509.Certificate], issuer: bytes, serial: int
) -> x509.Certificate | None:
    """Return the signer's certificate: a given one, or one in the answer that a given one issued."""
    for one in [*given, *map(x509.load_der_x509_certificate, embedded)]:
        if one.issuer.public_bytes() != issuer or one.serial_number != serial:
            continue
        if one in given:
            return one
        for parent in given:
            try:
                one.verify_directly_issued_by(parent)
            except (ValueError, TypeError, InvalidSignature):
                continue
            return one
    return None


def _signature(key: Any, signature: bytes, data: bytes, with_: hashes.HashAlgorithm) -> None:
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), with_)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(with_))
        else:
            raise TypeError("it is signed in a way that is not known here")
    except InvalidSignature:
        raise ValueError("its signature does not fit") from None


# One export ------------------------------------------------------------------------------------


class Export:
    """A folder that says it is an export."""

    def __init__(
        self, folder: Path, keys: list[Key], witnesses: list[str], authorities: list[x509.Certificate]
    ) -> None:
        self.folder, self.keys, self.witnesses, self.authorities = folder, keys, witnesses, authorities
        self.custody: dict[tuple[str, str], Custody] = {}
        self.breaks: list[str] = []
        self.committed: dict[str, dict[str, Any]] = {}
        self.copies = self.withheld = self.unchecked = 0
        self.stamps: Counter[str] = Counter()
        self.stamped_at: dict[tuple[str, int], datetime] = {}
        self.figures = Figures()
        self.signed = self.certificates = 0
        self.witnessed = 0
        self.manifest: dict[str, Any] = {}

    def verify(self) -> None:
        """Check everything; raises the first fault."""
        self._manifest()
        for log in self.manifest["logs"]:
            self._log(log)
        self._unacknowledged()
        if "records.jsonl" in self.manifest["files"]:
            self._records()
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
        self._stamps(log, mine, roots)
        self._entries(log, roots)

    def _checkpoints(self, log: dict[str, Any], keys: list[Key]) -> dict[int, tuple[bytes, str]]:
        """Return the signed root of each size, and its line."""
        file = f"{log['name']}.checkpoints.jsonl"
        roots: dict[int, tuple[bytes, str]] = {}
        number = 0
        for number, line in enumerate(self._lines(file), 1):
            try:
                note = json.loads(line)["note"]
                size, root = self._checkpoint(note, log, keys)
            except (ValueError, KeyError, TypeError) as error:
                raise Fault(file, number, "note", str(error)) from None
            if roots.setdefault(size, (root, f"{file}, line {number}"))[0] != root:
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
            if roots.setdefault(size, (root, "--witness"))[0] != root or size > log["entries"]:
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

    def _entries(self, log: dict[str, Any], roots: dict[int, tuple[bytes, str]]) -> None:
        file, tree, leaves = f"{log['name']}.entries.jsonl", Tree(), []
        sizes = sorted(roots, reverse=True)
        if sizes and sizes[-1] == 0:
            self._settle(file, tree, roots, sizes.pop(), 0)
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
            self._look(log["name"], file, number, entry)
            if (sizes and number == sizes[-1]) or len(leaves) == BATCH:
                tree.extend(leaves)
                leaves = []
                if sizes and number == sizes[-1]:
                    self._settle(file, tree, roots, sizes.pop(), settled)
                    settled = number
        if number != log["entries"]:
            raise Fault(
                file, number + 1, "entry", f"{log['entries'] - number} entries are missing or too many"
            )

    def _settle(
        self,
        file: str,
        tree: Tree,
        roots: dict[int, tuple[bytes, str]],
        size: int,
        settled: int,
    ) -> None:
        if tree.root() != roots[size][0]:
            what = f"lines {settled + 1} to {size} do not match the checkpoint of {roots[size][1]}"
            raise Fault(file, settled + 1, "entry", what)

    def _note(self, file: str, number: int, entry: dict[str, Any]) -> None:
        try:
            kind, facts, _ = statement(entry["note"], self.keys)
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            raise Fault(file, number, "note", str(error)) from None
        if entry["kind"] in EVIDENCE and EVIDENCE[entry["kind"]] != kind:
            raise Fault(file, number, "kind", f"what was signed is another kind, {kind}")
        if entry["kind"] in EVIDENCE and (odd := sorted(set(entry) - {"kind", "note", "at"} - set(facts))):
            raise Fault(file, number, odd[0], "it is not signed")
        self.signed += 1
        for name, value in facts.items():
            if entry.get(name) != value:
                raise Fault(file, number, name, "the entry says something else than what was signed")

    def _look(self, log: str, file: str, number: int, entry: dict[str, Any]) -> None:
        """Check what an entry has signed; follow a step of custody, and keep what a record was committed to."""
        kind = entry.get("kind")
        if "note" in entry or kind in EVIDENCE:
            self._note(file, number, entry)
        with field(file, number, "entry"):
            if kind == "record-committed":
                self.committed[entry["note"]] = entry
            elif kind in EVIDENCE and kind.startswith("evidence-"):
                chain = self.custody.setdefault((log, entry["exhibit"]), Custody())
                for what in chain.step(number, entry):
                    self.breaks.append(f"{file}, line {number}, exhibit {entry['exhibit']}: {what}")
            self._dated(log, file, number, entry)

    def _dated(self, log: str, file: str, number: int, entry: dict[str, Any]) -> None:
        """Find an entry that is dated long before a time-stamp that was there before it."""
        at = self.stamped_at.get((log, number))
        if at is not None:
            self.stamped_at[log, 0] = max(at, self.stamped_at.get((log, 0), at))
        elif (log, 0) in self.stamped_at:
            last = self.stamped_at[log, 0]
            if datetime.fromisoformat(entry["at"]) < last - BACK_DATED:
                what = (
                    f"it is dated {entry['at']}, and was entered after the time-stamp of {last.isoformat()}"
                )
                self.breaks.append(f"{file}, line {number}: {what}")

    def _unacknowledged(self) -> None:
        made = datetime.fromisoformat(self.manifest["made_at"])
        for (log, exhibit), chain in self.custody.items():
            if chain.handed_at is not None and made - chain.handed_at > ACKNOWLEDGE:
                what = f"{chain.holder} handed it to {chain.to}, who never acknowledged it"
                self.breaks.append(f"{log}.entries.jsonl, line {chain.line}, exhibit {exhibit}: {what}")

    def _stamps(self, log: dict[str, Any], keys: list[Key], roots: dict[int, tuple[bytes, str]]) -> None:
        """Check each time-stamp, and take the head that it is of among the roots that the entries must match."""
        file = f"{log['name']}.entries.jsonl"
        for number, line in enumerate(self._lines(file), 1):
            if b'"kind":"head-stamped"' not in line:
                continue
            with field(file, number, "entry"):
                entry = json.loads(line[MARK + 1 :])
            with field(file, number, "checkpoint"):
                size, root = self._checkpoint(entry["checkpoint"], log, keys)
                if size >= number:
                    raise ValueError("it is of entries that came later")
                if roots.setdefault(size, (root, f"{file}, line {number}"))[0] != root:
                    raise ValueError(f"the log was forked: two checkpoints of size {size}")
            with field(file, number, "token"):
                token = base64.b64decode(entry["token"], validate=True)
                at = stamped(token, entry["checkpoint"].encode(), self.authorities)
            with field(file, number, "stamped_at"):
                if at is None:
                    self.unchecked += 1
                    continue
                if datetime.fromisoformat(entry["stamped_at"]) != at:
                    raise ValueError(f"the time-stamp says {at.isoformat()}")
                self.stamps[entry["authority"]] += 1
                self.stamped_at[log["name"], number] = at

    def _records(self) -> None:
        """Check each copy of a record: its fields against what was committed to, and that on the ledger."""
        file = "records.jsonl"
        for number, line in enumerate(self._lines(file), 1):
            with field(file, number, "record"):
                copy = json.loads(line, parse_float=Number)
                if jcs(copy).encode() != line:
                    raise ValueError("it is not written in the one canonical way")
                parts, withheld = list(copy["fields"]), [one["commitment"] for one in copy["withheld"]]
            with field(file, number, "note"):
                entry = self.committed.get(copy["note"])
                if entry is None or copy["record"] != entry["record"]:
                    raise ValueError("no entry of a ledger commits to this record")
            for at, one in enumerate(parts):
                name = one.get("name") if isinstance(one, dict) else None
                with field(file, number, f"fields{name}" if isinstance(name, str) else f"fields[{at}]"):
                    data = bytes.fromhex(one["salt"]) + jcs([one["name"], one["value"]]).encode()
                    if sha256(data).hexdigest() != one["commitment"]:
                        raise ValueError("it is not what was committed to")
            with field(file, number, "withheld"):
                leaves = sorted([*(one["commitment"] for one in parts), *withheld])
                tree = Tree()
                tree.extend([sha256(b"\0" + bytes.fromhex(one)).digest() for one in leaves])
                if len(leaves) != entry["number"] or tree.root().hex() != entry["root"]:
                    raise ValueError(f"of {entry['number']} fields, some were added, left out or exchanged")
            self.copies += 1
            self.withheld += len(withheld)

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
    asked.add_argument(
        "--tsa",
        type=Path,
        action="append",
        default=[],
        help="a time-stamping authority's certificate (PEM), or its issuer's, got from them",
    )
    given = asked.parse_args(arguments)
    try:
        keys = [parse_key(one.read_text("utf-8")) for one in given.key]
        authorities = [x509.load_pem_x509_certificate(one.read_bytes()) for one in given.tsa]
        export = Export(given.export, keys, [one.read_text("utf-8") for one in given.witness], authorities)
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
    if export.custody or export.copies:
        print(
            f"Evidence: {len(export.custody)} exhibits; {export.copies} copies of records, whose fields are those "
            f"committed to, {export.withheld} more withheld."
        )
    for name, many in sorted(export.stamps.items()):
        print(f"Time-stamps: {many} by {name}, of heads of these logs.")
    if export.unchecked:
        print(
            f"NOT checked: {export.unchecked} time-stamps, of authorities whose certificate was not given (--tsa)."
        )
    for what in export.breaks:
        print(f"BREAK in custody: {what}")
    return 3 if export.breaks else 0


if __name__ == "__main__":
    sys.exit(main())
