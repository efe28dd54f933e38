"""CASE/UCO JSON-LD of what was released: an investigation, its observables and people, and how they are joined.

References
----------
CASE and UCO ontologies, 1.4.0 (caseontology.org); checked in the tests by ``case_validate``, its warnings as failures.
"""

from __future__ import annotations

import ipaddress
import uuid
from datetime import datetime
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.casework import Marking
from lightship.core.errors import InputError
from lightship.core.release import Released, Thing
from lightship.exchange.loss import Loss

_OURS = uuid.UUID("a1f0b6a2-6a3e-5d5b-8a35-0a7c0e1c8b61")
_CONTEXT = {
    "kb": "urn:lightship:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-marking": "https://ontology.unifiedcyberontology.org/uco/marking/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_HASHES = {32: "MD5", 40: "SHA1", 64: "SHA256", 128: "SHA512"}


def case_json(released: Released, sender: str, at: datetime) -> tuple[bytes, tuple[Loss, ...]]:
    """Return a CASE graph as canonical JSON-LD, and what it could not carry.

    Parameters
    ----------
    sender, at
        The body that sends, and when.

    Raises
    ------
    InputError
        If nothing of the inquiry was released.
    """
    if not released.of("inquiry"):
        raise InputError(
            "Nothing of the inquiry may go to this partner.",
            released.recipient.name,
            "Read what is withheld.",
        )
    return _Graph(released, sender, at).made()


class _Graph:
    def __init__(self, released: Released, sender: str, at: datetime) -> None:
        self.released, self.sender, self.at = released, sender, at
        self.nodes: dict[str, dict[str, Any]] = {}
        self.lost: list[Loss] = []

    def made(self) -> tuple[bytes, tuple[Loss, ...]]:
        (inquiry,) = self.released.of("inquiry")
        sender = self._node(
            "uco-identity:Organization", f"sender {self.sender}", {"uco-core:name": self.sender}
        )
        for one in self.released.of("identifier"):
            self._identifier(one)
        for one in self.released.of("link"):
            self._link(one)
        for one in (*self.released.of("referral"), *self.released.of("report")):
            self._told(one)
        values = inquiry.values
        inside = [_reference(id_) for id_ in self.nodes]
        facts = {
            "uco-core:name": values.get("title", f"Inquiry {inquiry.id}"),
            "uco-core:description": _words(
                f"Urgency {values['urgency']} of 5, 1 the most urgent." if "urgency" in values else "",
                values.get("reasons", ""),
            ),
            "uco-core:createdBy": _reference(sender),
            "uco-core:modifiedTime": _time(self.at.isoformat()),
            "uco-core:object": inside,
        }
        self._node("case-investigation:Investigation", inquiry.id, facts, inquiry.marking)
        graph = {"@context": _CONTEXT, "@graph": list(self.nodes.values())}
        return canonical(graph), tuple(self.lost)

    def _node(self, kind: str, key: str, facts: dict[str, Any], marking: Marking | None = None) -> str:
        id_ = _id(kind, key)
        more = {"uco-core:objectMarking": _reference(self._marking(marking))} if marking else {}
        kept = {name: value for name, value in facts.items() if value not in ("", None, [])}
        self.nodes.setdefault(id_, {"@id": id_, "@type": kind, **kept, **more})
        return id_

    def _marking(self, marking: Marking) -> str:
        words = (f"{name}: {getattr(marking, name)}" for name in Marking.__slots__ if getattr(marking, name))
        statement = "; ".join(words)
        model = {
            "@id": _id("uco-marking:StatementMarking", statement),
            "@type": "uco-marking:StatementMarking",
            "uco-marking:definitionType": "statement",
            "uco-marking:statement": statement,
        }
        facts = {"uco-marking:definitionType": "statement", "uco-marking:definition": model}
        return self._node("uco-marking:MarkingDefinition", statement, facts)

    def _person(self, thing: Thing) -> str:
        key = thing.values.get("person", "")
        if not key:
            return ""
        name = f"{thing.values.get('role', 'unknown')} {uuid.uuid5(_OURS, key).hex[:8]}"
        return self._node("uco-identity:Person", key, {"uco-core:name": name}, thing.marking)

    def _identifier(self, thing: Thing) -> None:
        values = thing.values
        facets = self._facets(thing)
        if not facets:
            self.lost.append(
                Loss(thing.id, values.get("kind", "identifier"), "kept as an object without a facet")
            )
        facts: dict[str, Any] = {"uco-core:hasFacet": facets}
        if not facets:
            facts = {"uco-core:name": values["value"], "uco-core:description": values.get("kind", "")}
        observable = self._node("uco-observable:ObservableObject", thing.id, facts, thing.marking)
        if person := self._person(thing):
            times = {
                f"uco-core:{end}Time": _time(values.get(name, ""))
                for end, name in (("start", "first_at"), ("end", "last_at"))
            }
            self._joined(thing, person, observable, "Named_By", times)

    def _joined(self, thing: Thing, source: str, target: str, kind: str, more: dict[str, Any]) -> None:
        facts = {
            "uco-core:source": _reference(source),
            "uco-core:target": _reference(target),
            "uco-core:kindOfRelationship": kind,
            "uco-core:isDirectional": {"@type": "xsd:boolean", "@value": kind == "Named_By"},
        }
        self._node("uco-core:Relationship", thing.id, facts | more, thing.marking)

    def _facets(self, thing: Thing) -> list[dict[str, Any]]:
        value = thing.values["value"]
        match thing.values.get("kind"):
            case "email":
                return [_facet(thing, "EmailAddressFacet", {"uco-observable:addressValue": value})]
            case "ip":
                kind = f"IPv{ipaddress.ip_address(value).version}AddressFacet"
                return [_facet(thing, kind, {"uco-observable:addressValue": value})]
            case "phone":
                return [_facet(thing, "PhoneAccountFacet", {"uco-observable:phoneNumber": value})]
            case "handle":
                if platform := thing.values.get("platform"):
                    name = {"uco-core:name": platform, "@type": "uco-observable:ObservableObject"}
                    host = {"@id": _id("uco-observable:ObservableObject", f"platform {platform}"), **name}
                    application = [
                        _facet(thing, "ApplicationAccountFacet", {"uco-observable:application": host})
                    ]
                else:
                    application = []
                return [
                    _facet(thing, "DigitalAccountFacet", {"uco-observable:displayName": value}),
                    *application,
                ]
            case "account" | "wallet" | "payment-token":
                return [_facet(thing, "AccountFacet", {"uco-observable:accountIdentifier": value})]
            case "hash" if len(value) in _HASHES:
                hashed = {
                    "@id": _id("uco-types:Hash", thing.id),
                    "@type": "uco-types:Hash",
                    "uco-types:hashMethod": _HASHES[len(value)],
                    "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value.upper()},
                }
                return [_facet(thing, "ContentDataFacet", {"uco-observable:hash": hashed})]
        return []

    def _link(self, thing: Thing) -> None:
        ends = [_id("uco-identity:Person", thing.values[end]) for end in ("one", "other")]
        if not set(ends) <= self.nodes.keys():
            self.lost.append(Loss(thing.id, "link", "one of its people is not in this graph"))
            return
        values = thing.values
        words = _words(
            f"{values.get('state', '')} {values.get('weight_db', '')} dB",
            values.get("reasons", ""),
            f"What else would explain it: {values['rival']}" if values.get("rival") else "",
        )
        self._joined(thing, ends[0], ends[1], "Perhaps_Same_As", {"uco-core:description": words})

    def _told(self, thing: Thing) -> None:
        names = (
            "source",
            "kind",
            "happened_at",
            "facts",
            "narrative",
            "text",
            "source_grade",
            "assessment",
            "source_reference",
        )
        words = _words(*(f"{name}: {thing.values[name]}" for name in names if thing.values.get(name)))
        facts = {"uco-core:name": thing.kind, "uco-core:description": words}
        self._node("uco-core:UcoObject", thing.id, facts, thing.marking)


def _id(kind: str, key: str) -> str:
    return f"kb:{kind.rpartition(':')[2]}-{uuid.uuid5(_OURS, f'{kind} {key}')}"


def _facet(thing: Thing, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {"@id": _id(f"uco-observable:{kind}", thing.id), "@type": f"uco-observable:{kind}", **facts}


def _reference(id_: str) -> dict[str, str]:
    return {"@id": id_}


def _time(text: str) -> dict[str, str] | None:
    return {"@type": "xsd:dateTime", "@value": text} if text else None


def _words(*parts: str) -> str:
    return "\n".join(filter(None, parts))
