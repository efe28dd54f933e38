"""STIX 2.1 of what was released to a partner: text and identifiers, marked object by object. No imagery, ever.

An inquiry is a grouping; its people are identities under pseudonyms, and what names them are observables beside them,
joined by ``related-to``. Referrals and intelligence reports are notes. What STIX 2.1 has no observable for (telephone
numbers, wallets, devices, payment tokens) stands in a namespaced property extension of the grouping; without that,
it is lost and reported so. A referral's facts of urgency stand in its note, as text and in the same extension.

References
----------
OASIS STIX 2.1; OASIS STIX common objects: the extension definitions of TLP 2.0 and PAP, whose marking definitions are
referred to by the ids they have there.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from stix2.exceptions import STIXError
from stix2.v21 import (
    URL,
    Bundle,
    EmailAddress,
    ExtensionDefinition,
    File,
    Grouping,
    Identity,
    IPv4Address,
    IPv6Address,
    MarkingDefinition,
    Note,
    Relationship,
    StatementMarking,
    UserAccount,
)

from lightship.core.canonical import canonical
from lightship.core.casework import Marking
from lightship.core.errors import InputError
from lightship.core.markings import strictest
from lightship.core.release import Released, Thing
from lightship.exchange.loss import Loss
from lightship.exchange.referrals.stix import PAP_EXTENSION, STATEMENT, TLP_EXTENSION

_OURS = uuid.UUID("6f0d3c1e-58a4-5c53-9d1b-2f3b0b6c7a11")
_TLP = {
    "clear": "94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_PAP = {
    "clear": ("ad15a0cd-55b6-4588-a14c-a66105329b92", 1),
    "green": ("c43594d1-4b11-4c59-93ab-1c9b14d53ce9", 9),
    "amber": ("60f8932b-e51e-4458-b265-a2e8be9a80ab", 2),
    "red": ("740d36e5-7714-4c30-961a-3ae632ceee0e", 6),
}
_HASHES = {32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}
_EXTENSION = f"extension-definition--{uuid.uuid5(_OURS, 'identifiers')}"
_BEGAN, _CHANGED = "2026-11-30T00:00:00.000Z", "2026-11-30T12:00:00.000Z"


def bundle(
    released: Released, sender: str, at: datetime, *, extension: bool = True
) -> tuple[Bundle, tuple[Loss, ...]]:
    """Return a bundle of what was released, and what it could not carry.

    Parameters
    ----------
    sender
        The name of the body that sends.
    at
        When; every object's ``modified``, so that what is sent again is a later version of the same object.
    extension
        Whether identifiers without an observable go into the namespaced extension of the grouping.

    Raises
    ------
    InputError
        If nothing was released, or a value is refused by STIX.
    """
    if not released.of("inquiry"):
        raise InputError(
            "Nothing of the inquiry may go to this partner.",
            released.recipient.name,
            "Read what is withheld.",
        )
    try:
        return _Maker(released, sender, at, extension).made()
    except (STIXError, ValueError) as error:
        raise InputError(
            f"STIX refuses a value: {error}.", released.recipient.name, "Correct the value."
        ) from error


def bundle_json(made: Bundle) -> bytes:
    """Return a bundle as canonical JSON."""
    import json

    return canonical(json.loads(made.serialize()))


def marking_of(stix: Mapping[str, Any], definitions: Mapping[str, Mapping[str, Any]]) -> Marking | None:
    """Return the marking that an object of ours bears; None where it bears none that is understood whole.

    Parameters
    ----------
    definitions
        The marking definitions of its bundle by id.
    """
    import json

    if stix["type"] in {"marking-definition", "extension-definition"}:
        return Marking()
    for reference in stix.get("object_marking_refs", ()):
        statement = definitions.get(reference, {}).get("definition", {}).get("statement", "")
        if statement.startswith(STATEMENT):
            return Marking(**json.loads(statement.removeprefix(STATEMENT)))
    return None


def marking_definitions(marking: Marking) -> tuple[MarkingDefinition, ...]:
    """Return the marking definitions that say what a marking says: TLP 2.0, PAP, and a statement of the whole."""
    pap, day = _PAP[marking.pap]
    whole = canonical({name: getattr(marking, name) for name in Marking.__slots__}).decode()
    return (
        _extended(
            _TLP[marking.tlp], 1, f"TLP:{marking.tlp.upper()}", TLP_EXTENSION, {"tlp_2_0": marking.tlp}
        ),
        _extended(pap, day, f"PAP:{marking.pap.upper()}", PAP_EXTENSION, {"pap": marking.pap}),
        MarkingDefinition(
            id=f"marking-definition--{uuid.uuid5(_OURS, whole)}",
            created=_BEGAN,
            definition_type="statement",
            definition=StatementMarking(statement=STATEMENT + whole),
        ),
    )


def _extended(
    id_: str, day: int, name: str, extension: str, properties: Mapping[str, str]
) -> MarkingDefinition:
    return MarkingDefinition(
        id=f"marking-definition--{id_}",
        created=f"2022-10-{day:02}T00:00:00.000Z",
        name=name,
        extensions={extension: {"extension_type": "property-extension", **properties}},
    )


class _Maker:
    """Collects the objects of one bundle; each once, under its id."""

    def __init__(self, released: Released, sender: str, at: datetime, extension: bool) -> None:
        self.released, self.at, self.extension = released, at, extension
        self.objects: dict[str, Any] = {}
        self.lost: list[Loss] = []
        self.unplaced: dict[str, str] = {}
        self.people: dict[str, str] = {}
        self.named: dict[str, list[str]] = {}
        self.theirs: dict[str, list[Marking]] = {}
        for one in released.of("identifier"):
            self.theirs.setdefault(one.values.get("person", ""), []).append(one.marking)
        self.sender = self._add(
            Identity(
                id=f"identity--{uuid.uuid5(_OURS, sender)}",
                created=_BEGAN,
                modified=_BEGAN,
                name=sender,
                identity_class="organization",
                object_marking_refs=self._marks(Marking()),
            )
        )

    def made(self) -> tuple[Bundle, tuple[Loss, ...]]:
        for one in self.released.of("identifier"):
            self._identifier(one)
        for one in self.released.of("referral"):
            self._referral(one)
        for one in self.released.of("link"):
            self._link(one)
        for one in self.released.of("report"):
            self._report(one)
        self._inquiry(self.released.of("inquiry")[0])
        key = " ".join([self.released.recipient.name, self.at.isoformat(), *self.objects])
        name = f"bundle--{uuid.uuid5(_OURS, key)}"
        return Bundle(id=name, objects=list(self.objects.values()), allow_custom=True), tuple(self.lost)

    def _add(self, made: Any) -> str:
        self.objects[made["id"]] = made
        return str(made["id"])

    def _marks(self, marking: Marking) -> list[str]:
        return [self._add(definition) for definition in marking_definitions(marking)]

    def _common(self, kind: str, thing: Thing, key: str = "", since: str = "") -> dict[str, Any]:
        return {
            "id": f"{kind}--{uuid.uuid5(_OURS, f'{thing.id}/{key}')}",
            "created": min(datetime.fromisoformat(since), self.at) if since else self.at,
            "modified": self.at,
            "created_by_ref": self.sender,
            "object_marking_refs": self._marks(thing.marking),
        }

    def _person(self, thing: Thing) -> str:
        key = thing.values.get("person", "")
        if not key or key in self.people:
            return self.people.get(key, "")
        role = thing.values.get("role", "unknown")
        thing = replace(thing, marking=strictest(self.theirs[key]))
        self.people[key] = self._add(
            Identity(
                **{**self._common("identity", thing), "id": f"identity--{uuid.uuid5(_OURS, key)}"},
                name=f"{role} {uuid.uuid5(_OURS, key).hex[:8]}",
                identity_class="individual",
                roles=[role],
            )
        )
        return self.people[key]

    def _identifier(self, thing: Thing) -> None:
        person = self._person(thing)
        observable = self._observable(thing)
        values = thing.values
        if observable is None:
            self.unplaced[thing.id] = person
            if not self.extension:
                self.lost.append(Loss(thing.id, values["kind"], "STIX 2.1 has no observable for it"))
            return
        known = [one for one in (self._add(observable), person) if one]
        self.named.setdefault(values.get("referral_id", ""), []).extend(known)
        if not person:
            return
        span = {}
        first, last = values.get("first_at", ""), values.get("last_at", "")
        if first and last and first < last:
            span = {"start_time": datetime.fromisoformat(first), "stop_time": datetime.fromisoformat(last)}
        elif first:
            span = {"start_time": datetime.fromisoformat(first)}
        elif last:
            span = {"stop_time": datetime.fromisoformat(last)}
        self._add(
            Relationship(
                **self._common("relationship", thing, "names"),
                relationship_type="related-to",
                source_ref=person,
                target_ref=observable["id"],
                description="is said to be named by",
                **span,
            )
        )

    def _observable(self, thing: Thing) -> Any:
        value, marks = thing.values["value"], {"object_marking_refs": self._marks(thing.marking)}
        match thing.values.get("kind"):
            case "email":
                return EmailAddress(value=value, **marks)
            case "ip":
                kind = IPv4Address if ipaddress.ip_address(value).version == 4 else IPv6Address
                return kind(value=value, **marks)
            case "handle":
                platform = {"account_type": thing.values["platform"]} if thing.values.get("platform") else {}
                return UserAccount(account_login=value, **platform, **marks)
            case "hash" if len(value) in _HASHES:
                return File(hashes={_HASHES[len(value)]: value}, **marks)
            case "event" if value.startswith(("https://", "http://")):
                return URL(value=value, **marks)
        return None

    def _note(
        self, thing: Thing, key: str, abstract: str, content: str, since: str, about: list[str], **more: Any
    ) -> None:
        self._add(
            Note(
                **self._common("note", thing, key, since),
                abstract=abstract,
                content=content,
                object_refs=sorted(set(about)) or [self.sender],
                **more,
            )
        )

    def _referral(self, thing: Thing) -> None:
        values = thing.values
        lines = [
            f"{name}: {values[name]}"
            for name in ("source", "kind", "happened_at", "facts")
            if values.get(name)
        ]
        if values.get("narrative"):
            lines.append(values["narrative"])
        about = self.named.get(thing.id, [])
        facts = values.get("facts", "").splitlines()
        more = {"extensions": self._extension(facts=facts)} if facts and self.extension else {}
        since = values.get("received_at", "")
        self._note(thing, "referral", "Referral", "\n".join(lines), since, about, **more)

    def _report(self, thing: Thing) -> None:
        values = thing.values
        grade = f"source {values.get('source_grade', 'withheld')}, assessment {values.get('assessment', 'withheld')}"
        reference = (
            f"\nsource reference: {values['source_reference']}" if values.get("source_reference") else ""
        )
        abstract = f"Intelligence report, 3x5x2: {grade}, handling {thing.marking.handling}"
        self._note(thing, "report", abstract, values["text"] + reference, values.get("made_at", ""), [])

    def _link(self, thing: Thing) -> None:
        values = thing.values
        ends = [self.people.get(values[end], "") for end in ("one", "other")]
        if not all(ends):
            self.lost.append(Loss(thing.id, "link", "one of its people has no identity in this bundle"))
            return
        words = [
            f"Whether they are one: {values.get('state', 'proposed')}, {values.get('weight_db', '?')} dB",
            values.get("reasons", ""),
            f"What else would explain it: {values.get('rival') or 'nothing was found'}",
        ]
        self._add(
            Relationship(
                **self._common("relationship", thing, "link", values.get("made_at", "")),
                relationship_type="related-to",
                source_ref=ends[0],
                target_ref=ends[1],
                description="\n".join(filter(None, words)),
            )
        )

    def _inquiry(self, thing: Thing) -> None:
        values = thing.values
        words = [
            f"Urgency {values['urgency']} of 5, 1 the most urgent." if "urgency" in values else "",
            values.get("reasons", ""),
        ]
        members = [id_ for id_ in self.objects if not id_.startswith("marking-definition--")]
        own = dict(self._extended())
        inside = [one.marking for one in self.released.of("identifier") if own and one.id in self.unplaced]
        marked = replace(thing, marking=strictest([thing.marking, *inside]))
        self._add(
            Grouping(
                **self._common("grouping", marked, "inquiry", values.get("opened_at", "")),
                name=values.get("title") or f"Inquiry {thing.id}",
                description="\n".join(filter(None, words)) or "No description was released.",
                context="suspicious-activity",
                object_refs=members,
                **own,
            )
        )

    def _extended(self) -> Iterator[tuple[str, Any]]:
        if not (self.unplaced and self.extension):
            return
        rows = []
        for thing in self.released.of("identifier"):
            if thing.id in self.unplaced:
                names = ("kind", "value", "platform", "role", "first_at", "last_at")
                row = {name: thing.values[name] for name in names if thing.values.get(name)}
                row |= {"person_ref": self.unplaced[thing.id]} if self.unplaced[thing.id] else {}
                rows.append(row | {"object_marking_refs": self._marks(thing.marking)})
        yield "extensions", self._extension(identifiers=rows)

    def _extension(self, **properties: Any) -> dict[str, Any]:
        """Return an object's own part of the extension, whose definition comes with the bundle."""
        self._add(
            ExtensionDefinition(
                id=_EXTENSION,
                created=_BEGAN,
                modified=_CHANGED,
                created_by_ref=self.sender,
                name="lightship-identifiers",
                description="Identifiers that STIX 2.1 has no observable for, and a referral's facts of urgency.",
                schema="https://lightship.invalid/schemas/identifiers-1.json",
                version="1.1.0",
                extension_types=["property-extension"],
            )
        )
        return {_EXTENSION: {"extension_type": "property-extension", **properties}}
