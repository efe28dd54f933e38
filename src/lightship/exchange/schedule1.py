"""What an authority's report holds, as dated data: each field a value, or the reason why it is not held; never blank.

The list is a file (``packs/reports/``), Schedule 1 of SI 2026/268 for the NCA. Which fields a report cannot be without
is in it too; whatever else is missing keeps no report back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

from lightship.core import dated
from lightship.core.canonical import digest
from lightship.core.duties import Fields, Held, NotHeld
from lightship.core.errors import PolicyError
from lightship.exchange.faults import Fault
from lightship.exchange.ip_events import event_of, moment_fault

Form = Literal["text", "time", "email", "telephone", "url", "ip-event", "hash"]

_KEYS = {"id", "group", "says", "form", "many", "needed", "from", "until", "grade", "tbv", "source"}
_NEVER = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HASH_HEX = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "pdq": 64}
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a report.

    Parameters
    ----------
    form
        What a value must look like.
    many
        Whether it may have several values.
    needed
        Whether there is no report without it: who reports, what, how found.
    tbv
        What a person has yet to verify of it.
    begins, ends
        The first day it is in force, and the day from which it no longer is.
    """

    id: str
    group: str
    says: str
    form: Form
    many: bool
    needed: bool
    grade: str
    source: str
    tbv: str
    begins: date
    ends: date | None


@dataclass(frozen=True, slots=True)
class FieldList:
    """The fields of one authority's report.

    Parameters
    ----------
    groups
        Their titles, in order.
    declaration
        What the person who sends it binds themselves to.
    unsaid
        The reason of a field that nobody has given a value or a reason for.
    where
        Where it is entered.
    digest
        Of the file, for the record.
    """

    name: str
    title: str
    version: str
    authority: str
    source: str
    where: str
    declaration: str
    unsaid: str
    groups: Mapping[str, str]
    fields: tuple[Field, ...]
    digest: str
    tbv: str = field(default="")

    def on(self, day: date) -> tuple[Field, ...]:
        """Return the fields in force on a day, in order."""
        return tuple(one for one in self.fields if dated.in_force(one.begins, one.ends, day))


def parse_fields(text: str, where: str) -> FieldList:
    """Read a list of fields; what is unknown is refused.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """

    def file(fields: tuple[Field, ...], rest: dict[str, Any]) -> FieldList:
        tbv = rest.pop("declaration_tbv", "")
        found = FieldList(**rest, fields=fields, digest=digest({"file": text}), tbv=tbv)
        for one in fields:
            if one.group not in found.groups:
                raise PolicyError(f"The group {one.group!r} has no title.", f"{where}, {one.id}", "Add it.")
        return found

    return dated.read(text, where, what="fields of a report", key="fields", rule=_field, file=file)


def _field(table: Mapping[str, Any], where: str) -> Field:
    if unknown := sorted(set(table) - _KEYS):
        raise PolicyError(
            f"A field's {unknown[0]!r} is unknown.", f"{where}, {table.get('id')}", "Correct it."
        )
    begins, ends = table["from"], table.get("until")
    if table["form"] not in get_args(Form) or not dated.are_days(begins, ends):
        raise PolicyError("A field's form or its days are none.", f"{where}, {table['id']}", "Correct it.")
    return Field(
        table["id"], table["group"], table["says"], table["form"], table.get("many", False),
        table.get("needed", False), table["grade"], table.get("source", ""), table.get("tbv", ""), begins, ends,
    )  # fmt: skip


def complete(given: Fields, fields: FieldList, day: date) -> Fields:
    """Return every field of the list, in its order: what nobody spoke of is not held, for the list's own reason.

    Examples
    --------
    >>> from lightship.packs import report_text
    >>> fields = parse_fields(*report_text("gb-schedule-1"))
    >>> whole = complete({"service": Held("Example Live")}, fields, date(2026, 11, 28))
    >>> whole["service"], whole["exif"].because[:13]
    (Held(value='Example Live'), 'Not available')
    """
    return {one.id: given.get(one.id, NotHeld(fields.unsaid)) for one in fields.on(day)}


def faults(given: Fields, fields: FieldList, day: date) -> tuple[Fault, ...]:
    """Return what keeps a report from going out: values that are none, and what it cannot be without.

    A field that is not held is never a fault, unless its reason is blank.
    """
    known = {one.id: one for one in fields.on(day)}
    found = [Fault(name, "the list has no such field on this day") for name in given if name not in known]
    for name, one in known.items():
        value = given.get(name)
        if isinstance(value, Held):
            found += _held_faults(one, value)
        elif isinstance(value, NotHeld) and not value.because.strip():
            found.append(Fault(name, "it is not held, and nobody says why"))
        elif one.needed:
            found.append(Fault(name, "there is no report without it"))
    return tuple(found)


def _held_faults(one: Field, held: Held) -> list[Fault]:
    values = held.value if isinstance(held.value, tuple) else (held.value,)
    if len(values) != 1 and not one.many:
        return [Fault(one.id, f"it has one value, and {len(values)} are given")]
    if not values:
        return [Fault(one.id, "it is held and has no value: say why it is not held")]
    names = [one.id if len(values) == 1 else f"{one.id}[{number}]" for number in range(1, len(values) + 1)]
    told = [(name, value_fault(one.form, value)) for name, value in zip(names, values, strict=True)]
    return [Fault(name, said) for name, said in told if said]


def value_fault(form: Form, text: str) -> str:
    """Return why a text is no value of a form, or an empty string. A name may be written in any script.

    Examples
    --------
    >>> value_fault("text", "Zoë 孙 Нина ني"), value_fault("telephone", "07700 900123")
    ('', "'07700 900123' has no country's code: write +44 7700 900123")
    """
    if not text.strip():
        return "it is blank: say why it is not held"
    if found := _NEVER.search(text):
        return f"it holds U+{ord(found[0]):04X}, which no report can carry"
    if len(text) > _LONGEST:
        return f"it has {len(text):,} characters, and may have {_LONGEST:,}"
    return _FORMS[form](text)


def _ip_fault(text: str) -> str:
    event = event_of(text)
    return event if isinstance(event, str) else ""


def _hash_fault(text: str) -> str:
    kind, _, digits = text.partition(":")
    if kind not in _HASH_HEX:
        return f"{text[:60]!r} is no hash: write sha256:... (or {', '.join(_HASH_HEX)})"
    if not re.fullmatch(f"[0-9a-fA-F]{{{_HASH_HEX[kind]}}}", digits):
        return f"a {kind} has {_HASH_HEX[kind]} hexadecimal characters"
    return ""


def _like(pattern: re.Pattern[str], says: str) -> Callable[[str], str]:
    return lambda text: "" if pattern.fullmatch(text) else f"{text[:60]!r} {says}"


_FORMS: Mapping[Form, Callable[[str], str]] = {
    "text": lambda _: "",
    "time": moment_fault,
    "ip-event": _ip_fault,
    "email": _like(re.compile(r"[^\s@]+@[^\s@]+"), "is no e-mail address"),
    "telephone": _like(
        re.compile(r"\+[0-9][0-9 ()./-]{3,30}", re.ASCII), "has no country's code: write +44 7700 900123"
    ),
    "url": _like(re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+"), "is no address: write https://..."),
    "hash": _hash_fault,
}
