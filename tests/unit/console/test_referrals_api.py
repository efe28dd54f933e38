"""A platform, a bank and a partner refer over HTTP: what is acknowledged is on disk, and says nothing about others."""

import base64
import json
import random
import time

import pytest
from tests.unit.console.casework import body
from tests.unit.console.serving import ask
from tests.unit.exchange.referral_samples import MAPPING, SAMPLES

from lightship.casework import intake
from lightship.console.tenants import Tenant, add
from lightship.core.casework import Identifier, Inquiry, Original, Referral, Use
from lightship.core.errors import StoreError
from lightship.exchange.referrals import parse_mapping
from lightship.exchange.referrals.pictures import carries_picture, spells_picture

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200)
LETTERS = base64.b64encode(JPEG).decode()
CUT = [LETTERS[at : at + 60] for at in range(0, len(LETTERS), 60)]


@pytest.fixture
def made(tmp_path):
    one = body(tmp_path, mapping=lambda who: parse_mapping(MAPPING, who) if who == "live" else None)
    one.path = tmp_path / "tenants.json"
    one.tokens = {
        name: add(one.path, Tenant(name, "", (scope,), (), per_minute, max(1000, per_minute)))
        for name, scope, per_minute in (
            ("live", "referrals", 100),
            ("bank", "referrals", 100),
            ("large", "referrals", 5_000),
            ("nosy", "metrics", 100),
            ("busy", "referrals", 1),
        )
    }
    one.app.state.room.settings.tenants._looked_s = -9.0  # the file was written after it was read
    return one


def post(made, data, form="", tenant="live", media="application/octet-stream"):
    path = f"/v1/referrals?form={form}" if form else "/v1/referrals"
    return ask(made, "POST", path, tenant, content=data, headers={"Content-Type": media})


def test_every_form_is_acknowledged_once_it_is_kept_owned_and_due(made):
    for form, data in SAMPLES.items():
        done = post(made, data, form)
        assert done.status_code == 202, done.text
        for told in done.json()["referrals"]:
            (referral,) = made.all(Referral, id=told["id"])
            assert made.one(Original, told["sha256"]).form == form
            assert referral.sender == "live"
            inquiry = made.one(Inquiry, referral.inquiry_id)
            assert inquiry.owner
            assert inquiry.due_at > made.clock()
            assert made.all(Use, about=referral.id, verb="collection", by="live")
    assert len([one for one in made.ledger.entries() if one["kind"] == "referral-taken-in"]) >= len(SAMPLES)


def test_a_content_type_names_a_form_by_itself_where_it_can(made):
    assert post(made, SAMPLES["stix-json"], media="application/stix+json;version=2.1").status_code == 202
    assert post(made, SAMPLES["csv"], media="text/csv; charset=utf-8").status_code == 202
    refused = post(made, SAMPLES["goaml-xml"], media="application/xml")
    assert refused.status_code == 415
    assert refused.headers["content-type"] == "application/problem+json"
    assert "goaml-xml" in refused.json()["detail"]


def test_the_same_bytes_are_one_referral_and_nobody_learns_that_another_sent_them(made):
    answers = [post(made, SAMPLES["platform-json"], "platform-json", who) for who in ("live", "live", "bank")]
    assert len({one.text for one in answers}) == 1
    assert len(made.all(Referral)) == len(made.all(Inquiry)) == 1
    again = [one["sender"] for one in made.ledger.entries() if one["kind"] == "referral-came-again"]
    assert again == ["live", "bank"]
    for word in ("owner", "urgency", "inquiry", "due"):
        assert word not in answers[0].text


def test_what_is_sent_again_under_its_reference_joins(made):
    later = json.loads(SAMPLES["platform-json"])
    later["case"]["words"] = "seen again"
    post(made, SAMPLES["platform-json"], "platform-json")
    post(made, json.dumps(later).encode(), "platform-json")
    assert len(made.all(Referral)) == 2
    assert len(made.all(Inquiry)) == 1


def test_what_cannot_be_read_is_kept_and_its_sender_is_told_where(made):
    done = post(made, b"no json at all", "stix-json")
    assert done.status_code == 202
    assert done.json()["referrals"][0]["not_read"] == ["line 1, column 1: not JSON; nothing was read"]


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        b"PK\x03\x04" + bytes(80),
        b"\0\0\0\x18ftypmp42" + bytes(80),
        b"BM\x46\0\0\0\0\0\0\0\x36" + bytes(80),
        json.dumps({"Attribute": base64.b64encode(JPEG).decode()}).replace("/", "\\/").encode(),
        b"<file>\n" + base64.encodebytes(b"\x89PNG\r\n\x1a\n" + bytes(200)) + b"</file>",
        b"data:image/jpeg;base64," + base64.b64encode(JPEG),
    ],
)
def test_no_picture_is_taken_in_however_it_is_packed(made, data):
    done = post(made, data, "misp-json")
    assert done.status_code == 422
    assert "none is held here" in done.json()["detail"]
    assert made.all(Original) == []


def platform_case(words: str) -> bytes:
    return b'{"case":{"id":"1","words":"%s"},"stream":{}}' % words.encode()


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("platform-json", platform_case("\\u002f" + LETTERS[1:])),
        ("platform-json", platform_case("\\n".join(CUT))),
        ("platform-json", platform_case(" ".join(CUT))),
        ("platform-json", platform_case("\u2028".join(CUT))),
        *(("platform-json", platform_case("see x"[:n] + LETTERS)) for n in (1, 2, 3, 4, 5)),
        ("platform-json", platform_case(JPEG.hex())),
        ("platform-json", platform_case("see " + JPEG.hex(" ").upper())),
        ("platform-json", platform_case(LETTERS).decode().encode("utf-16")),
        ("cybertip-xml", f"<report><additionalInfo>&#47;{LETTERS[1:]}</additionalInfo></report>".encode()),
        ("cybertip-xml", f"<report><unread>&#x2F;{LETTERS[1:]}</unread></report>".encode()),
    ],
)
def test_no_picture_is_taken_in_however_it_is_spelt(made, form, data):
    done = post(made, data, form)
    assert done.status_code == 422, done.text
    assert "none is held here" in done.json()["detail"]
    assert made.all(Original) == []


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        *((one, one) for one in ("utf-16", "utf-16-be", "utf-32", "cp037")),
        *((one, "utf-8") for one in ("utf-16", "utf-16-be", "utf-32", "cp037")),
        ("ascii", "utf-7"),
    ],
)
def test_xml_in_which_a_picture_could_not_be_seen_is_refused(made, encoding, declared):
    text = f'<?xml version="1.0" encoding="{declared}"?><report><additionalInfo>{LETTERS}</additionalInfo></report>'
    done = post(made, text.encode(encoding), "cybertip-xml")
    assert done.status_code == 422
    assert "not in UTF-8" in done.json()["detail"]
    assert made.all(Original) == []


STARTS = [
    b"\xff\x0a",
    b"\0\0\0\x0cJXL \r\n\x87\n",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    bytes.fromhex("3026b2758e66cf11"),
    b"\0\0\1\xba",
    b"G@\0\x10",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"RIFF\1\2\3\4WEBP",
    b"RIFF\1\2\3\4AVI ",
    b"BM\x46\1\2\3\0\0\0\0",
    b"\0\0\0\x18ftypmp42",
    JPEG[:3],
]


@pytest.mark.parametrize("start", STARTS)
def test_every_kind_of_picture_film_and_archive_is_known_as_bytes_and_as_text(start):
    data = start + bytes(range(256))
    assert carries_picture(data)
    assert spells_picture(b'"%s"' % base64.b64encode(data))
    assert spells_picture(b'"%s"' % base64.urlsafe_b64encode(data))


@pytest.mark.parametrize("unit", [b"Qk", b"/9j/ !", b"\\u0041", b"&#0000", b"f f d 8 !", b"GZ0eXA", b" /wo"])
def test_the_time_to_look_grows_no_faster_than_what_is_sent(unit):
    def took_s(size: int) -> float:
        data, each = unit * (size // len(unit)), []
        for _ in range(3):
            began = time.process_time()
            spells_picture(data)
            each.append(time.process_time() - began)
        return min(each)

    assert took_s(400_000) < 25 * took_s(50_000) + 0.05, "eight times as much, and not sixty-four"


def test_hashes_tokens_and_addresses_are_no_picture():
    made_up = random.Random(7)
    hashes = "\n".join(made_up.randbytes(32).hex() for _ in range(2_000))
    photo = " ".join(base64.b64encode(made_up.randbytes(144)).decode() for _ in range(100))
    path = "https://example.org/" + "/".join(["work", "world", "wonder"] * 30)
    for words in (hashes, photo, path, f"see {path}"):
        assert not carries_picture(words.encode())


@pytest.mark.parametrize(
    "words", [b"BMW seen outside", b"a" * 64, b"f0" * 200, b"GIF is a format", b"II. and III."]
)
def test_words_and_hashes_are_no_picture(made, words):
    assert post(made, words, "misp-json").status_code == 202


def test_refusals_are_problems_and_keep_nothing(made):
    refused = [
        (401, post(made, b"{}", "stix-json", None)),
        (403, post(made, b"{}", "stix-json", "nosy")),
        (422, post(made, b"{}", "fax")),
        (422, post(made, b" ", "stix-json")),
        (422, post(made, SAMPLES["csv"], "csv", "bank")),
        (413, post(made, b"x" * (5 << 20), "stix-json")),
    ]
    post(made, SAMPLES["goaml-xml"], "goaml-xml", "busy")
    refused.append((429, post(made, SAMPLES["stix-json"], "stix-json", "busy")))
    for status, done in refused:
        assert done.status_code == status
        assert done.headers["content-type"] == "application/problem+json"
    assert len(made.all(Original)) == 1


def test_what_cannot_be_kept_is_not_acknowledged_and_is_sent_again(made, monkeypatch):
    def full(*_args, **_more):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(intake._Door, "take", full)
    assert post(made, SAMPLES["stix-json"], "stix-json").status_code == 503
    monkeypatch.undo()
    assert made.all(Referral) == []
    assert post(made, SAMPLES["stix-json"], "stix-json").status_code == 202
    assert made.all(Identifier)


def lines(count: int, first: int = 0) -> bytes:
    return b"\n".join(b'{"id":"%d"}' % number for number in range(first, first + count))


def test_more_referrals_than_may_come_at_once_are_refused_with_what_to_do(made):
    many = post(made, lines(1_001), "signal-json", "large")
    assert many.status_code == 422
    assert "1,001 referrals" in many.json()["detail"]
    assert "parts of at most 1,000" in many.json()["detail"]
    table = b"Report number,Notes\n" + b"".join(b"%d,x\n" % number for number in range(101))
    assert "parts of at most 100" in post(made, table, "csv").json()["detail"]
    assert made.all(Original) == []


def test_a_quota_counts_referrals_and_no_requests(made):
    assert post(made, lines(60), "signal-json").status_code == 202
    again = post(made, lines(41, 100), "signal-json")
    assert again.status_code == 429
    assert int(again.headers["retry-after"]) <= 60
    assert len(made.all(Referral)) == 60
    assert post(made, lines(30, 200), "signal-json").status_code == 202
