"""One good referral of each form, nobody's real one, and ways to spoil it."""

from __future__ import annotations

import json
import random

CYBERTIP = b"""<?xml version="1.0" encoding="UTF-8"?>
<reports><reportId>4564654</reportId>
<report>
 <incidentSummary>
  <incidentType>Online Enticement of Children for Sexual Acts</incidentType>
  <platform>Example Live</platform>
  <escalateToHighPriority>The stream was scheduled again.</escalateToHighPriority>
  <reportAnnotations><sextortion/></reportAnnotations>
  <incidentDateTime>2026-11-28T23:10:00Z</incidentDateTime>
 </incidentSummary>
 <internetDetails><webPageIncident><url>https://live.example/room/7</url></webPageIncident></internetDetails>
 <reporter><reportingPerson><firstName>Desk</firstName><lastName>One</lastName><email>desk@live.example</email>
 </reportingPerson></reporter>
 <personOrUserReported>
  <personOrUserReportedPerson><firstName>Made</firstName><lastName>Up</lastName>
   <phone countryCallingCode="+44">07700 900123</phone><email>Made.Up+x@googlemail.com</email>
  </personOrUserReportedPerson>
  <espIdentifier>u-17</espIdentifier><espService>Example Live</espService><screenName>@Made_Up</screenName>
  <ipCaptureEvent><ipAddress>192.0.2.7</ipAddress><eventName>Login</eventName><dateTime>2026-11-28T23:00:00+00:00</dateTime>
  </ipCaptureEvent>
  <deviceId><idType>IMEI</idType><idValue>35-209900-176148-1</idValue></deviceId>
 </personOrUserReported>
 <victim><victimPerson><firstName>K.</firstName></victimPerson><screenName>kid_1</screenName></victim>
 <additionalInfo>Seen by two reviewers.</additionalInfo>
</report>
<fileDetails><reportId>4564654</reportId><fileId>f1</fileId>
 <fileAnnotations><liveStreaming/><viral/></fileAnnotations>
 <originalFileHash hashType="MD5">d41d8cd98f00b204e9800998ecf8427e</originalFileHash></fileDetails>
</reports>"""

GOAML = b"""<?xml version="1.0" encoding="UTF-8"?>
<report><rentity_id>7</rentity_id><report_code>STR</report_code><entity_reference>A-1</entity_reference>
<submission_date>2026-11-28T00:00:00</submission_date><reason>Consistent with a pattern.</reason>
<transaction><transactionnumber>T1</transactionnumber><date_transaction>2026-11-01T00:00:00</date_transaction>
<amount_local>15.00</amount_local>
<t_from_my_client><from_account><account>GB29NWBK60161331926819</account><account_name>Payer One</account_name></from_account></t_from_my_client>
<t_to><to_person><first_name>Payee</first_name><last_name>One</last_name><phones><phone><tph_number>+639171234567</tph_number></phone></phones></to_person></t_to>
</transaction>
<transaction><transactionnumber>T2</transactionnumber><date_transaction>2026-11-11T00:00:00</date_transaction>
<amount_local>18.00</amount_local>
<t_from_my_client><from_account><account>GB29NWBK60161331926819</account></from_account></t_from_my_client>
<t_to><to_person><first_name>Payee</first_name><last_name>One</last_name></to_person></t_to>
</transaction>
<report_indicators><indicator>CSE</indicator></report_indicators></report>"""

_REASON = {
    "indicator": "small", "family": "amount", "sentence": "Four small payments.", "value": 4.0, "unit": "payments",
    "peer_group": "p", "peer_share": 0.01, "weight_mdb": 9000, "payments": ["p1", "p2", "p3"], "source": "AIC",
    "grade": "published",
}  # fmt: skip
SAMPLES: dict[str, bytes] = {
    "cybertip-xml": CYBERTIP,
    "goaml-xml": GOAML,
    "schedule1-json": json.dumps(
        {
            "reference": "S1-9",
            "fields": {
                "service": {"held": "Example Live"},
                "content": {"held": "A live stream."},
                "priority": {"held": "P1"},
                "user-name": {"held": ["@Made_Up"]},
                "account-email": {"held": ["made.up@example.org"]},
                "login-ips": {"held": ["192.0.2.7:4431 at 2026-11-28T23:00:00Z"]},
                "exif": {"not_held": "Not available."},
                "original-hash": {"held": "sha256:" + "a" * 64},
            },
        }
    ).encode(),
    "alerts-jsonl": json.dumps(
        {
            "alert": "al-1",
            "typology": "livestream-payer",
            "lane": "slow",
            "subject": "C-77",
            "at_us": 1795907400000000,
            "rank": 1,
            "total_mdb": 31000,
            "keeper_mdb": 30000,
            "threshold_mdb": 25000,
            "reasons": [_REASON],
            "counter": [{**_REASON, "sentence": "Family abroad."}],
            "off": [["a", "b"]],
            "pack": "d",
            "baseline": "e",
        }
    ).encode(),
    "platform-json": json.dumps(
        {
            "lightship_referral": 1,
            "platform": "Example Live",
            "case": {
                "id": "c1",
                "words": "exposure, 60 dB",
                "rung": "end",
                "live": True,
                "danger_now": True,
                "aware_at": "2026-11-28T23:30:00+00:00",
            },
            "stream": {
                "id": "s1",
                "host": "h-9",
                "began_at": "2026-11-28T23:00:00+00:00",
                "child_host": True,
            },
        }
    ).encode(),
    "signal-json": json.dumps(
        {
            "id": "sig-1",
            "kind": "buys livestreams",
            "platform": "chat.example",
            "observed_at": "2026-11-28T12:00:00Z",
            "identifiers": [
                {"kind": "handle", "value": "@Made_Up", "role": "suspect", "person": "p1"},
                {"kind": "phone", "value": "+447700900123", "role": "suspect", "person": "p1"},
            ],
            "facts": ["live=day", "record=yes"],
            "text": "Asked for a time.",
            "marking": ["tlp:amber"],
        }
    ).encode(),
    "stix-json": json.dumps(
        {
            "type": "bundle",
            "id": "bundle--1",
            "objects": [
                {
                    "type": "report",
                    "id": "report--1",
                    "name": "A handle",
                    "published": "2026-11-28T12:00:00Z",
                    "object_marking_refs": ["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"],
                    "x_lightship_facts": ["contact=grooming"],
                },
                {
                    "type": "identity",
                    "id": "identity--1",
                    "name": "Made Up",
                    "identity_class": "individual",
                    "roles": ["suspect"],
                },
                {
                    "type": "user-account",
                    "id": "user-account--1",
                    "account_login": "made_up",
                    "account_type": "chat",
                },
                {"type": "email-addr", "id": "email-addr--1", "value": "other@example.org"},
                {"type": "file", "id": "file--1", "hashes": {"SHA-256": "b" * 64}},
                {
                    "type": "relationship",
                    "id": "r--1",
                    "source_ref": "user-account--1",
                    "target_ref": "identity--1",
                },
            ],
        }
    ).encode(),
    "misp-json": json.dumps(
        {
            "Event": {
                "uuid": "u-1",
                "info": "An account",
                "date": "2026-11-28",
                "Orgc": {"name": "CERT"},
                "Attribute": [{"type": "email-src", "value": "made.up@example.org"}],
                "Object": [
                    {
                        "name": "user-account",
                        "Attribute": [
                            {"type": "text", "object_relation": "username", "value": "made_up"},
                            {"type": "text", "object_relation": "platform", "value": "chat"},
                        ],
                    }
                ],
                "Tag": [{"name": "tlp:green"}, {"name": "PAP:RED"}, {"name": 'lightship:fact="live=now"'}],
            }
        }
    ).encode(),
    "csv": b"Ref;When;Words;Account;Live?\r\nH-1;28/11/2026 23:00;Said so;@Made_Up;yes\r\n",
}

MAPPING = """
source = "hotline"
delimiter = ";"
zone = "Europe/London"
at_format = "%d/%m/%Y %H:%M"
narrative = ["Words"]
[columns]
reference = "Ref"
happened_at = "When"
[[identifiers]]
column = "Account"
person = "suspect-1"
role = "suspect"
kind = "handle"
platform = "chat"
[facts."Live?"]
yes = "live=now"
"""

_ODD = (
    None, True, -1, 1e308, 10**400, "", "\0", "\ud800", "x" * 600, [], {}, [[]], {"held": {}}, "=", "live=now",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-40", "٢٠٢٦", "<!ENTITY",
)  # fmt: skip
_BYTES = (
    b"",
    b"\0",
    b"\xff",
    b"<",
    b">",
    b"&",
    b"&a;",
    b'"',
    b"{",
    b"}",
    b"[",
    b"\n",
    b";",
    b"]]>",
    b"<!DOCTYPE a>",
)


def malformed(rng: random.Random, form: str) -> bytes:
    """Return a spoiled referral: bytes cut, changed, put in or doubled, or a value of JSON that is another."""
    data = SAMPLES[form]
    if data[:1] == b"{" and rng.random() < 0.6:
        return json.dumps(_spoiled(rng, json.loads(data))).encode()
    for _ in range(rng.randint(1, 4)):
        a, b = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
        b = min(b, a + 40) if rng.random() < 0.8 else b
        way = rng.random()
        if way < 0.3:
            data = data[:a] + data[b:]
        elif way < 0.5:
            data = data[:a] + data[a:b] * 2 + data[b:]
        elif way < 0.7:
            data = data[:a] + rng.randbytes(b - a) + data[b:]
        elif way < 0.95:
            data = data[:a] + rng.choice(_BYTES) + data[a:]
        else:
            data = data[:a]
    return data


def _spoiled(rng: random.Random, value: object) -> object:
    if rng.random() < 0.06:
        return rng.choice(_ODD)
    if isinstance(value, dict):
        return {key: _spoiled(rng, one) for key, one in value.items() if rng.random() > 0.04}
    if isinstance(value, list):
        return [_spoiled(rng, one) for one in value * rng.choice((1, 1, 1, 2, 0))]
    return value
