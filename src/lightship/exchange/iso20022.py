"""ISO 20022 messages as payments: pacs.008, pain.001 and camt.052, .053 and .054, of any version, one record at a time.

Elements are known by their local names, so that a bank that moves to another version, and so to another namespace,
changes nothing here. Where a record's values stand is found once for all records of its shape. A small file is parsed
whole; of a large one what was taken is dropped at once, so that a file of any size takes the same memory. Document
types, and with them entities, are refused; nothing is loaded from elsewhere.

What one record says:

``pacs.008``, ``pain.001``
    A ``CdtTrfTxInf`` is a payment of the debtor to the creditor. Its time is the message's (``CreDtTm``) or its own;
    where the day of execution is another, only that day is known.
``camt.05x``
    A ``TxDtls`` is a payment, or the ``Ntry`` where it has none; an entry with several is counted by its parts alone.
    ``CdtDbtInd`` says whether the account's owner paid or was paid. An entry that is not booked, or names nobody on the
    other side (fees, cash), is passed over and counted. ``RvslInd`` and a return's reason make it one that takes
    another back. Midnight to the second is a day without a time.

A payment's id is its UETR where it has one. Else it is the most exact reference within the scope in which that is
unique, so that the same payment told twice is found: by what :mod:`lightship.exchange.dataset` does with ids.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, ClassVar
from xml.parsers import expat

import pyarrow as pa
from lxml import etree

from lightship.core.errors import InputError
from lightship.exchange.payment_rows import RAW
from lightship.exchange.rejects import Reject, Rejects

MESSAGES = (
    "FIToFICstmrCdtTrf",
    "CstmrCdtTrfInitn",
    "BkToCstmrAcctRpt",
    "BkToCstmrStmt",
    "BkToCstmrDbtCdtNtfctn",
)
"""The messages that are read."""

_BATCH = 50_000
_SMALL = 1 << 18
"""Bytes below which a file is parsed whole, which is faster."""
_SHAPES, _LARGEST = 2_000, 500
"""So many shapes of records are remembered, of so many elements each."""
_SAFE = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,  # so that the text of an element is one
    "remove_pis": True,
}
_PARSER = etree.XMLParser(**_SAFE)
_TODO = "Ask its sender for it again."


def _party(who: str, prefix: str = "", *, wrapped: bool = False) -> dict[str, str]:
    """Return where a party's name, country, account and bank stand."""
    key, base = who.lower(), f"{prefix}{who}"
    names = [f"{base}/Nm", f"{base}/Pty/Nm"] if wrapped else [f"{base}/Nm"]
    countries = [f"{one[:-2]}PstlAdr/Ctry" for one in names] + [f"{one[:-2]}CtryOfRes" for one in names]
    agent = f"{prefix.replace('Pties', 'Agts')}{who}Agt/FinInstnId"
    return {
        f"{key}_name": "|".join(names),
        f"{key}_country": "|".join(countries),
        f"{key}_account": _first(f"{base}Acct", "Id/IBAN", "Id/Othr/Id", "Id/PrtryAcct/Id", "Prxy/Id"),
        f"{key}_bank": _first(agent, "BICFI", "BIC", "ClrSysMmbId/MmbId", "Nm"),
    }


def _first(base: str, *paths: str) -> str:
    """Return paths below another, of which the first that says something is taken."""
    return "|".join(f"{base}/{path}" if path else base for path in paths)


_IDS = {
    "uetr": "PmtId/UETR",
    "tx": "PmtId/TxId",
    "end_to_end": "PmtId/EndToEndId",
    "instruction": "PmtId/InstrId",
}
_TEXT = {"text": "RmtInf/Ustrd", "text_2": "RmtInf/Ustrd[2]"}
_INTERBANK = {
    **_IDS,
    "settled": "IntrBkSttlmAmt",
    "settled_currency": "IntrBkSttlmAmt/@Ccy",
    "given": "InstdAmt",
    "given_currency": "InstdAmt/@Ccy",
    "moment": "AccptncDtTm",
    **_party("Dbtr"),
    **_party("Cdtr"),
    **_TEXT,
}
_INITIATED = {
    **_IDS,
    "given": "Amt/InstdAmt|Amt/EqvtAmt/Amt",
    "given_currency": "Amt/InstdAmt/@Ccy|Amt/EqvtAmt/Amt/@Ccy",
    **_party("Cdtr"),
    **_TEXT,
}
_INITIATION = {"id": "PmtInfId", "day": _first("ReqdExctnDt", "", "Dt", "DtTm"), **_party("Dbtr")}
_HEADER = {"message": "MsgId", "made": "CreDtTm", "count": "NbOfTxs"}
_STATEMENT = {
    "id": "Id",
    "account": "Acct/Id/IBAN|Acct/Id/Othr/Id|Acct/Id/PrtryAcct/Id",
    "country": "Acct/Ownr/PstlAdr/Ctry|Acct/Ownr/CtryOfRes",
    "name": "Acct/Ownr/Nm",
    "bic": "Acct/Svcr/FinInstnId/BICFI|Acct/Svcr/FinInstnId/BIC",
}
_ENTRY = {
    "amount": "Amt",
    "currency": "Amt/@Ccy",
    "direction": "CdtDbtInd",
    "reversal": "RvslInd",
    "status": _first("Sts", "", "Cd", "Prtry"),  # its text in the old versions, its code in the new
    "moment": f"{_first('BookgDt', '', 'Dt', 'DtTm')}|{_first('ValDt', '', 'Dt', 'DtTm')}",
    "entry": "NtryRef",
    "servicer": "AcctSvcrRef",
}
_DETAILS = {
    "uetr": "Refs/UETR",
    "servicer": "Refs/AcctSvcrRef",
    "tx": "Refs/TxId",
    "end_to_end": "Refs/EndToEndId",
    "amount": "Amt|AmtDtls/TxAmt/Amt",
    "currency": "Amt/@Ccy|AmtDtls/TxAmt/Amt/@Ccy",
    "given": "AmtDtls/InstdAmt/Amt",
    "given_currency": "AmtDtls/InstdAmt/Amt/@Ccy",
    "direction": "CdtDbtInd",
    "moment": "RltdDts/AccptncDtTm|RltdDts/TxDtTm",
    "returned": _first("RtrInf", "Rsn", "Rsn/Cd", "Rsn/Prtry", "AddtlInf"),
    **_party("Dbtr", "RltdPties/", wrapped=True),
    **_party("Cdtr", "RltdPties/", wrapped=True),
    **_TEXT,
}


_Texts = tuple[tuple[str, int], ...]
_Others = tuple[tuple[str, int, str], ...]


class _Taker:
    """Takes the values of some paths below an element, all at once.

    Where they stand depends on its shape alone: the tags below it, and how many elements each holds.

    Parameters
    ----------
    paths
        Of each value; of several, the first that says something counts.
    """

    def __init__(self, paths: dict[str, str]) -> None:
        self.blank = dict.fromkeys(paths, "")
        self._paths = {
            name: tuple(one.partition("/@")[::2] for one in path.split("|")) for name, path in paths.items()
        }
        self._steps = {path.partition("[")[0] for alike in self._paths.values() for path, _ in alike}
        self._known: dict[tuple[Any, ...], tuple[_Texts, _Others]] = {}

    def __call__(self, element: Any, before: Any = None) -> dict[str, str]:
        """Return the values, empty where there are none; only of what stands before a child, where one is given."""
        if before is None:
            below = list(element.iterdescendants())
        else:
            below = [
                one for child in takewhile(lambda child: child is not before, element) for one in child.iter()
            ]
        shape = (*[one.tag for one in below], *map(len, below))
        texts, others = self._known.get(shape) or self._find(shape)
        values = self.blank.copy()
        for name, place in texts:
            text = below[place].text
            if text:
                values[name] = text.strip()
        for name, place, attribute in others:
            if not values[name]:
                text = below[place].get(attribute) if attribute else below[place].text
                values[name] = (text or "").strip()
        return values

    def _find(self, shape: tuple[Any, ...]) -> tuple[_Texts, _Others]:
        """Return where a shape's values stand: texts, then what counts where these are empty, and attributes."""
        half = len(shape) // 2
        at: dict[str, int] = {}
        times: Counter[str] = Counter()
        above, left = [""], [half + 1]  # the paths of what encloses, and how many elements each has yet
        for place, (tag, size) in enumerate(zip(shape[:half], shape[half:], strict=True)):
            path = above[-1] + tag.rpartition("}")[2]
            left[-1] -= 1
            if path in self._steps:
                times[path] += 1
                at.setdefault(path if times[path] == 1 else f"{path}[{times[path]}]", place)
            above.append(f"{path}/")
            left.append(size)
            while not left[-1]:
                above.pop()
                left.pop()
        texts: dict[str, int] = {}
        others = []
        for name, alike in self._paths.items():
            for path, attribute in alike:
                if path not in at:
                    continue
                if attribute or name in texts:
                    others.append((name, at[path], attribute))
                else:
                    texts[name] = at[path]
        found = tuple(texts.items()), tuple(others)
        if half <= _LARGEST:
            if len(self._known) == _SHAPES:
                self._known.clear()
            self._known[shape] = found
        return found


_header, _initiation, _statement, _entry = map(_Taker, (_HEADER, _INITIATION, _STATEMENT, _ENTRY))
_interbank, _initiated, _details = map(_Taker, (_INTERBANK, _INITIATED, _DETAILS))


def _tags(*names: str) -> tuple[str, ...]:
    return tuple(f"{{*}}{name}" for name in names)


_RECORDS = _tags("GrpHdr", "CdtTrfTxInf", "TxDtls", "Ntry")
_DROPPED = (*_RECORDS, *_tags("PmtInf", "Rpt", "Stmt", "Ntfctn", *MESSAGES))
_COLUMNS = (
    "row", "payment", "at", "payer", "payee", "amount", "currency", "payee_amount", "payee_currency", "payer_country",
    "payee_country", "via", "payee_name", "text", "reverses", "end_to_end", "customer",
)  # fmt: skip
_NONE = ("NOTPROVIDED", "")  # what an end-to-end reference is where the payer gave none
Row = tuple[Any, ...]


@dataclass(slots=True)
class Reading:
    """What a reading finds besides payments.

    Parameters
    ----------
    rejects
        Records that cannot be used.
    passed_over
        Records that are no payments, by reason.
    """

    rejects: Rejects
    passed_over: Counter[str]


def read(paths: Iterable[tuple[int, Path]], reading: Reading, rail: str = "bank") -> Iterator[pa.Table]:
    """Yield the payments of numbered files in batches of :data:`lightship.exchange.payment_rows.RAW` columns.

    Parameters
    ----------
    rail
        By which way these payments went; a message does not say.

    Raises
    ------
    InputError
        If a file cannot be read, is not well-formed to its end, declares a document type, or is no such message.
    """
    files: list[int] = []
    rows: list[Row] = []
    for number, path in paths:
        try:
            for row in _File(path, reading).rows():
                files.append(number)
                rows.append(row)
                if len(rows) == _BATCH:
                    yield _as_table(files, rows, rail)
                    files, rows = [], []
        except OSError as error:
            raise InputError(
                f"The file cannot be read: {error.strerror}.", str(path), "Check the path."
            ) from error
    if rows:
        yield _as_table(files, rows, rail)


def _as_table(files: list[int], rows: list[Row], rail: str) -> pa.Table:
    """Return rows as a batch of raw columns."""
    found = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
    arrays = {"file": pa.array(files, pa.int64()), "row": pa.array(found["row"], pa.int64())}
    for name in RAW:
        values = [rail] * len(rows) if name == "rail" else found.get(name)
        arrays[name] = pa.nulls(len(rows), pa.string()) if values is None else pa.array(values, pa.string())
    return pa.table(arrays)


class _File:
    """One file on its way through; keeps what is said once for many records."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self._path, self._name, self._reading = path, str(path), reading
        self._row = self._since_header = 0
        self._header = _header.blank
        self._root: Any = None
        self._above: dict[str, tuple[Any, dict[str, str]]] = {}
        self._parts = 0  # of the entry that is being read
        self._waiting: tuple[int, dict[str, str]] | None = None

    def rows(self) -> Iterator[Row]:
        """Yield the payments.

        Raises
        ------
        InputError
            As :func:`read`.
        """
        start = _start(self._path)
        self._root = _whole(start) if len(start) < _SMALL else None
        # What is wrong with a small file is told by the way of a large one.
        records = self._streamed(start) if self._root is None else _as_they_end(self._root.iter(*_RECORDS))
        try:
            for element in records:
                row = self._takes[element.tag.rpartition("}")[2]](self, element)
                if row is not None:
                    yield row
        except etree.XMLSyntaxError as error:
            place = f"{self._name}, line {error.lineno}, after record {self._row}"
            raise InputError(
                f"The XML breaks off or is wrong: {_short(error.msg or '')}.", place, _TODO
            ) from error
        self._count()
        if not self._row and next(self._root.iter(*_tags(*MESSAGES)), None) is None:
            what = f"No message of payments is in it; it holds {_names(self._root)[:80]}."
            raise InputError(what, self._name, "pacs.008, pain.001 and camt.052, .053 and .054 are read.")

    def _streamed(self, start: bytes) -> Iterator[Any]:
        """Yield the records as they end, and drop each soon after."""
        _refuse_doctype(start, self._name)
        done: dict[str, Any] = {}
        with self._path.open("rb") as file:
            parser = etree.iterparse(file, events=("end",), tag=_DROPPED, **_SAFE)
            for _, element in parser:
                if element.tag.rpartition("}")[2] in self._takes:
                    yield element
                before = done.get(element.tag)
                if before is not None and (parent := before.getparent()) is not None:
                    parent.remove(before)
                done[element.tag] = element
        self._root = parser.root

    def _next(self) -> int:
        self._row += 1
        return self._row

    def _reject(self, row: int, name: str, reason: str) -> None:
        self._reading.rejects.add(Reject(self._name, row, name, reason))

    def _take_header(self, element: Any) -> None:
        self._count()
        self._header, self._since_header = _header(element), 0

    def _count(self) -> None:
        """Tell of a message that does not hold as many transfers as it says."""
        announced, found = self._header["count"], self._since_header
        if announced.isdigit() and int(announced) != found:
            self._reject(
                0,
                "NbOfTxs",
                f"message {self._header['message'][:40]} announces {announced} transfers and has {found}",
            )

    def _of_above(self, name: str, taker: _Taker, element: Any, before: Any) -> dict[str, str]:
        """Return what an enclosing element says before what it encloses, taken once for all of that."""
        known = self._above.get(name)
        if known is not None and known[0] is element:
            return known[1]
        said = taker.blank if element is None else taker(element, before)
        self._above[name] = (element, said)
        return said

    def _take_transfer(self, element: Any) -> Row | None:
        row = self._next()
        self._since_header += 1
        parent = element.getparent()
        initiated = parent is not None and parent.tag.endswith("PmtInf")
        said = _initiated(element) if initiated else _interbank(element)
        above = self._of_above("PmtInf", _initiation, parent, element) if initiated else said
        made = self._header["made"]
        day = above["day"] if initiated else ""
        at = day if day[:10] != made[:10] and day else said.get("moment") or made
        payer, payee = _identity(above, "dbtr"), _identity(said, "cdtr")
        amount, currency = said["given"], said["given_currency"]
        arrives: tuple[str | None, str | None] = (None, None)
        if not initiated:
            arrives = (said["settled"] or None, said["settled_currency"] or None)
        if not amount:
            amount, currency = arrives[0] or "", arrives[1] or ""
        if arrives[1] == currency:
            arrives = (None, None)
        end_to_end = said["end_to_end"]
        if said["uetr"]:
            payment = said["uetr"].lower()
        elif said["tx"]:
            payment = f"{above['dbtr_bank']}/{said['tx']}"
        elif end_to_end not in _NONE:
            payment = f"{payer}/{end_to_end}/{at[:10]}"
        else:
            payment = f"{self._header['message']}/{said['instruction'] or row}"
        return (
            row, payment, at, payer, payee, amount, currency, *arrives, _country(above, "dbtr"), _country(said, "cdtr"),
            said["cdtr_bank"], said["cdtr_name"], f"{said['text']} {said['text_2']}", None,
            None if end_to_end in _NONE else end_to_end, "payer",
        )  # fmt: skip

    def _take_details(self, element: Any) -> Row | None:
        """Take a part of an entry; one without an amount waits: where it is the only one, the entry's is its own."""
        row = self._next()
        branch, entry = element, element.getparent()
        while entry is not None and entry.tag.rpartition("}")[2] != "Ntry":
            branch, entry = entry, entry.getparent()
        if entry is None:
            self._reject(row, "Ntry", "it is part of no entry")
            return None
        self._parts += 1
        said = _details(element)
        if said["amount"]:
            return self._of_entry(entry, row, self._parts, said, branch)
        if self._parts == 1:
            self._waiting = (row, said)
        else:
            self._reject(row, "amount", "it is missing, and the entry's is that of several")
        return None

    def _take_entry(self, element: Any) -> Row | None:
        parts, waiting = self._parts, self._waiting
        self._parts, self._waiting = 0, None
        if not parts:
            return self._of_entry(element, self._next(), 1, _details.blank)
        if waiting is not None and parts == 1:
            return self._of_entry(element, waiting[0], 1, waiting[1])
        if waiting is not None:
            self._reject(waiting[0], "amount", "it is missing, and the entry's is that of several")
        return None

    def _of_entry(
        self, element: Any, row: int, place: int, said: dict[str, str], branch: Any = None
    ) -> Row | None:
        entry = self._of_above("Ntry", _entry, element, branch)
        account = self._of_above("Stmt", _statement, element.getparent(), element)
        if entry["status"] not in {"", "BOOK"}:
            self._reading.passed_over["not booked yet"] += 1
            return None
        direction = said["direction"] or entry["direction"]
        if direction not in {"DBIT", "CRDT"}:
            self._reject(row, "CdtDbtInd", f"“{direction[:20]}” is neither CRDT nor DBIT")
            return None
        back = entry["reversal"] in {"true", "1"} or bool(said["returned"])
        goes = direction == "DBIT"
        # What takes a payment back names the parties as the payment did: who gives it back is its creditor.
        role = "cdtr" if goes != back else "dbtr"
        other = _identity(said, role)
        if not other:
            self._reading.passed_over["nobody on the other side"] += 1
            return None
        own = account["account"] or (f"name:{account['name'].casefold()}" if account["name"] else "")
        own_country = account["country"] or _by_account(account["account"]) or _by_bank(account["bic"])
        booked = said["moment"] or entry["moment"]
        at = booked[:10] if booked[10:19] == "T00:00:00" else booked
        paid = (said["amount"] or entry["amount"], said["currency"] or entry["currency"])
        given = (said["given"], said["given_currency"])
        if not given[0] or given[1] == paid[1]:
            amounts: tuple[str | None, ...] = (*paid, None, None)
        else:
            amounts = (*paid, *given) if goes else (*given, *paid)
        end_to_end = said["end_to_end"]
        unnamed = f"{account['id']}/{entry['entry'] or row}/{place}"
        payment = _id_of_entry(said, entry, own, place, at) or f"{own}/{unnamed}"
        parties = (own, other) if goes else (other, own)
        countries = (own_country, _country(said, role)) if goes else (_country(said, role), own_country)
        return (
            row, f"back:{payment}" if back else payment, at, *parties, *amounts, *countries,
            said[f"{role}_bank"], said[f"{role}_name"] if goes else account["name"],
            f"{said['text']} {said['text_2']}", (said["uetr"].lower() or f"of {payment}") if back else None,
            None if end_to_end in _NONE else end_to_end, "payer" if goes else "payee",
        )  # fmt: skip

    _takes: ClassVar[dict[str, Callable[[_File, Any], Row | None]]] = {
        "GrpHdr": _take_header,
        "CdtTrfTxInf": _take_transfer,
        "TxDtls": _take_details,
        "Ntry": _take_entry,
    }


def _start(path: Path) -> bytes:
    """Return a file's beginning; all of it where that is shorter than it may be."""
    file = os.open(path, os.O_RDONLY)  # a file object for each would take longer than reading it
    try:
        return os.read(file, _SMALL)
    finally:
        os.close(file)


def _whole(data: bytes) -> Any:
    """Return the root of a message, None where something is wrong with it."""
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError:
        return None
    return root if root.getroottree().docinfo.internalDTD is None else None


def _as_they_end(elements: Iterable[Any]) -> Iterator[Any]:
    """Yield elements that come as they begin in the order in which they end."""
    begun: list[Any] = []
    for element in elements:
        while begun and begun[-1] not in element.iterancestors():
            yield begun.pop()
        begun.append(element)
    yield from reversed(begun)


def _id_of_entry(said: dict[str, str], entry: dict[str, str], own: str, place: int, at: str) -> str:
    """Return the id of a part of an entry by its most exact reference, empty where it has none."""
    if said["uetr"]:
        return said["uetr"].lower()
    found = said["servicer"] or (f"{entry['servicer']}/{place}" if entry["servicer"] else said["tx"])
    if not found and said["end_to_end"] not in _NONE:
        found = f"{said['end_to_end']}/{at[:10]}"  # payers use the same one every month
    return f"{own}/{found}" if found else ""


def _identity(said: dict[str, str], who: str) -> str:
    """Return by what a party is known: its account, or its name where it has none."""
    account, name = said[f"{who}_account"], said[f"{who}_name"]
    return account or (f"name:{' '.join(name.casefold().split())}" if name else "")


def _country(said: dict[str, str], who: str) -> str:
    """Return a party's country: as it is said, else that of its IBAN, else that of its bank."""
    return said[f"{who}_country"] or _by_account(said[f"{who}_account"]) or _by_bank(said[f"{who}_bank"])


def _by_bank(bank: str) -> str:
    """Return the country of a BIC."""
    return bank[4:6] if len(bank) in {8, 11} and bank[:6].isalpha() and bank.isupper() else ""


def _by_account(account: str) -> str:
    return account[:2] if len(account) >= 15 and account[:2].isalpha() and account[2:4].isdigit() else ""


class _Doctype(Exception):
    pass


def _names(root: Any) -> str:
    """Return what a document is, by its first two elements."""
    return " > ".join(one.tag.rpartition("}")[2] for one in (root, *root) if isinstance(one.tag, str))


def _refuse_doctype(start: bytes, name: str) -> None:
    """Refuse a file that declares a document type, before whose entities a parser must guard itself, or is no XML.

    Parameters
    ----------
    start
        So many bytes that the first element is among them.

    Raises
    ------
    InputError
        If so.
    """
    parser = expat.ParserCreate()
    begun: list[str] = []

    def doctype(*_: object) -> None:
        raise _Doctype

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda tag, _: begun.append(tag)
    try:
        parser.Parse(start)
    except _Doctype:
        what = "The XML declares a document type, which no message of payments has; its entities are not expanded."
        raise InputError(what, f"{name}, line {parser.CurrentLineNumber}", _TODO) from None
    except (expat.ExpatError, LookupError) as error:
        if not begun:
            raise InputError(f"The file is not XML: {_short(str(error))}.", name, _TODO) from error
    if not begun:
        raise InputError("The file is not XML: no element begins.", name, _TODO)


def _short(text: str) -> str:
    return (text.splitlines() or ["no reason is given"])[0].rstrip(".")[:150]
