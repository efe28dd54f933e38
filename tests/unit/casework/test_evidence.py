"""Evidence holds for those who do not trust us: captures, custody, copies with fields removed, schedules."""

from __future__ import annotations

import base64
import json
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship import packs
from lightship.casework import capture, commitments, custody, disclosure
from lightship.core.canonical import canonical
from lightship.core.errors import AccessDenied, InputError, LedgerError
from lightship.core.notes import SigningKey
from lightship.core.statements import open_statement

NOW = datetime(2026, 11, 30, 5, 40, tzinfo=UTC)
KEY = SigningKey.from_seed("example.org/evidence", bytes(32))
A, B = "a" * 64, "b" * 64

RECORD = """
exhibit = "AB/1"
process = "acquisition"
captured_by = "ann"
captured_at = 2026-11-29T10:00:00Z
source = "Test stream 7 of the synthetic platform"
method = "Screen recording, method validated under VAL-12"
tool = "recorder"
tool_version = "4.1"
sha256_after = "%s"
difference = "A live stream has no hash before."
clock_offset_s = -1.5
clock_reference = "NTP, stratum 2"
activity = "FSA-DIG-100"

[[gaps]]
from_at = 2026-11-29T09:10:00Z
to_at = 2026-11-29T09:10:04Z
why = "The stream reconnected."
""" % ("a" * 64)  # fmt: skip


def minutes(n):
    return NOW + timedelta(minutes=n)


def captured():
    return dict(capture.captured(capture.parse_capture(RECORD, "record.toml"), KEY))


def test_a_capture_record_says_all_of_it_and_is_signed():
    entry = captured()
    kind, facts = open_statement(entry["note"], KEY.verifier)
    assert kind == "capture"
    assert facts.items() <= entry.items()
    assert facts["clock_offset_s"] == -1.5
    assert facts["gaps"][0]["why"] == "The stream reconnected."


@pytest.mark.parametrize(
    ("was", "is_", "says"),
    [
        ('tool_version = "4.1"', 'tool_version = " "', "tool_version missing"),
        ('difference = "A live stream has no hash before."', "", "nothing says why"),
        ('process = "acquisition"', 'process = "search"', "no such process"),
        ("10:00:00Z", "10:00:00", "no offset"),
        ("09:10:04Z", "09:10:00Z", "A gap ends after it begins"),
        ('clock_reference = "NTP, stratum 2"', "", "cannot be read"),
        ("a" * 64, "a" * 63, "64 hexadecimal"),
        ('"AB/1"', '"AB 1"', "reference"),
    ],
)
def test_an_incomplete_capture_record_is_refused(was, is_, says):
    assert was in RECORD
    with pytest.raises(InputError, match=says):
        capture.parse_capture(RECORD.replace(was, is_), "record.toml")


def test_custody_passes_when_the_other_has_acknowledged_and_not_before():
    log = [captured()]
    log.append(custody.handed(log, "AB/1", by="ann", to="ben", why="analysis", now=NOW, signer=KEY))
    assert custody.chains(log, NOW)["AB/1"].holder == "ann"
    with pytest.raises(AccessDenied, match="not handed to you"):
        custody.acknowledged(log, "AB/1", by="cat", sha256=A, now=minutes(1), signer=KEY)
    with pytest.raises(InputError, match="ben has not acknowledged"):
        custody.handed(log, "AB/1", by="ann", to="cat", why="analysis", now=minutes(1), signer=KEY)
    log.append(custody.acknowledged(log, "AB/1", by="ben", sha256=A, now=minutes(2), signer=KEY))
    chain = custody.chains(log, minutes(3))["AB/1"]
    assert (chain.holder, chain.to, chain.whole, len(chain.steps)) == ("ben", "", True, 3)
    with pytest.raises(AccessDenied, match="ben has it"):
        custody.handed(log, "AB/1", by="ann", to="cat", why="analysis", now=minutes(4), signer=KEY)


def test_a_break_is_entered_and_named():
    log = [captured()]
    log.append(custody.handed(log, "AB/1", by="ann", to="ben", why="analysis", now=NOW, signer=KEY))
    late = custody.chains(log, NOW + timedelta(hours=25))["AB/1"]
    assert "ann handed it to ben" in late.breaks[0].what
    assert "never acknowledged" in late.breaks[0].what
    log.append(custody.acknowledged(log, "AB/1", by="ben", sha256=B, now=minutes(2), signer=KEY))
    assert [(one.entry, one.what) for one in custody.chains(log, minutes(3))["AB/1"].breaks] == [
        (2, "ben received it with another hash than ann had")
    ]


STEPS = (
    {
        "kind": "evidence-handed",
        "exhibit": "AB/1",
        "from": "ann",
        "to": "ben",
        "why": "w",
        "handed_at": minutes(0),
    },
    {
        "kind": "evidence-acknowledged",
        "exhibit": "AB/1",
        "by": "ben",
        "sha256": A,
        "acknowledged_at": minutes(1),
    },
    {
        "kind": "evidence-handed",
        "exhibit": "AB/1",
        "from": "ben",
        "to": "cat",
        "why": "w",
        "handed_at": minutes(2),
    },
    {
        "kind": "evidence-acknowledged",
        "exhibit": "AB/1",
        "by": "cat",
        "sha256": A,
        "acknowledged_at": minutes(3),
    },
)


def chain_of(steps):
    def plain(step):
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in step.items()
        }

    return custody.chains([captured(), *map(plain, steps)], minutes(9))["AB/1"]


@given(st.permutations(STEPS), st.integers(1, 4))
def test_every_dropped_or_moved_step_breaks_the_chain(steps, kept):
    steps = steps[:kept]
    # A true beginning is whole: nothing in it tells that more came after. The ledger's tree does.
    assert chain_of(steps).whole == (steps == list(STEPS[:kept]))


CANARY = "canary-7f3a91"
NAMES = st.text(string.ascii_lowercase + "~/é", min_size=1, max_size=8)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=12),
    st.floats(-1e6, 1e6), st.lists(st.integers(0, 9), max_size=3),
)  # fmt: skip
RECORDS = st.dictionaries(NAMES, PLAIN | st.dictionaries(NAMES, PLAIN, max_size=3), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(RECORDS, st.data())
def test_a_sanitised_copy_verifies_and_tells_nothing_of_what_was_removed(record, data):
    record = {**record, f"where-{CANARY}": f"at {CANARY}", "kept": 1}
    whole, entry = commitments.committed("r1", record, by="ann", now=NOW, signer=KEY)
    names = [one["name"] for one in whole["fields"]]
    more = data.draw(st.sets(st.sampled_from([one for one in names if one != "/kept"])))
    copy = commitments.sanitised(whole, {*more, f"/where-{CANARY}"}, "sensitive")
    assert commitments.verify_copy(copy, KEY.verifier)["root"] == entry["root"]
    text = canonical(dict(copy)).decode()
    assert commitments.verify_copy(commitments.parse_copy(text, "copy"), KEY.verifier)
    secret = CANARY.encode()
    for form in (CANARY, secret.hex(), base64.b64encode(secret).decode().rstrip("=")):
        assert form not in text
        assert form not in canonical(dict(entry)).decode()
    salts = {one["salt"] for one in whole["fields"] if one["name"] in more}
    assert not any(salt in text for salt in salts), "without its salt a short value cannot be guessed"


def _copy():
    whole, _ = commitments.committed(
        "r1", {"a": 1, "b": {"c": "x", "d": 2.5}, "e": None}, by="ann", now=NOW, signer=KEY
    )
    return json.loads(canonical(dict(commitments.sanitised(whole, ["b/c"], "personal-data"))))


def change_value(copy):
    copy["fields"][0]["value"] = 2


def change_name(copy):
    copy["fields"][0]["name"] = "/z"


def drop_field(copy):
    del copy["fields"][0]


def drop_withheld(copy):
    copy["withheld"].clear()


def add_field(copy):
    grain = bytes(32)
    digest = commitments.commitment("/n", 1, grain).hex()
    copy["fields"].append({"name": "/n", "value": 1, "salt": grain.hex(), "commitment": digest})


def repeat_field(copy):
    copy["withheld"][0]["commitment"] = copy["fields"][0]["commitment"]


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (change_value, "The field /a is not"), (change_name, "The field /z is not"), (drop_field, "left out"),
        (drop_withheld, "left out"), (add_field, "added"), (repeat_field, "exchanged"),
    ],
)  # fmt: skip
def test_a_tampered_copy_fails_and_names_the_field(tamper, says):
    copy = _copy()
    commitments.verify_copy(copy, KEY.verifier)
    tamper(copy)
    with pytest.raises(LedgerError, match=says):
        commitments.verify_copy(copy, KEY.verifier)


def test_the_same_record_is_never_committed_to_in_the_same_way():
    one, two = _copy(), _copy()
    assert not {field["commitment"] for field in one["fields"]} & {
        field["commitment"] for field in two["fields"]
    }


def test_a_field_is_removed_for_a_neutral_reason_and_must_be_there():
    copy = _copy()
    with pytest.raises(InputError, match="no such reason"):
        commitments.sanitised(copy, ["a"], "informant")
    with pytest.raises(InputError, match="no field /q"):
        commitments.sanitised(copy, ["q"], "sensitive")


ITEMS = f"""
[[items]]
description = "Notebook of the duty officer"
location = "store 4"
sensitive = false
reason = "Relevant to the time of the call"
test = "does not meet"

[[items]]
description = "{CANARY} note"
location = "safe {CANARY}"
sensitive = true
reason = "{CANARY}: would show a method"

[[items]]
description = "<script>alert(1)</script>"
location = "store 5"
sensitive = false
reason = "Relevant"
"""


def schedules(items):
    where, text = packs.read("evidence", "schedules-gb", ".toml", "words of schedules")
    words = disclosure.parse_words(text, str(where))
    listed = disclosure.parse_items(items, "items.toml")
    return {
        kind: disclosure.schedule(kind, "INV-1", listed, words, by="dora", now=NOW)
        for kind in disclosure.KINDS
    }


def test_the_non_sensitive_schedule_tells_nothing_of_the_sensitive_one():
    with_, without = schedules(ITEMS), schedules(ITEMS.replace("sensitive = true", "sensitive = false"))
    data, page = with_["non-sensitive"]
    assert [one["number"] for one in json.loads(data)["items"]] == [1, 2], "numbered for itself: no hole"
    assert CANARY.encode() not in data + page
    assert CANARY.encode() in with_["sensitive"][0]
    assert len(json.loads(without["non-sensitive"][0])["items"]) == 3
    first, _, rest = ITEMS.partition('[[items]]\ndescription = "canary')
    alone = first + "[[items]]" + rest.split("[[items]]", 1)[1]
    assert schedules(alone)["non-sensitive"] == with_["non-sensitive"], (
        "the same bytes, whatever is sensitive"
    )


def test_a_page_shows_words_and_never_markup_of_an_item():
    page = schedules(ITEMS)["non-sensitive"][1].decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "To be verified" in page


def test_what_is_revealed_is_an_item_of_a_schedule_on_the_ledger():
    data = schedules(ITEMS)["non-sensitive"][0]
    log = [disclosure.schedule_made("non-sensitive", "INV-1", data, by="dora", now=NOW, signer=KEY)]
    table, said = (
        json.loads(data),
        {"to": "prosecutor", "form": "copy", "by": "dora", "now": NOW, "signer": KEY},
    )
    entry = disclosure.revealed(log, table, 2, **said)
    assert open_statement(entry["note"], KEY.verifier)[1]["item"] == 2
    with pytest.raises(InputError, match="no such item"):
        disclosure.revealed(log, table, 3, **said)
    table["items"][0]["reason"] = "other"
    with pytest.raises(InputError, match="not on the ledger"):
        disclosure.revealed(log, table, 2, **said)


def test_an_item_without_a_reason_is_refused():
    with pytest.raises(InputError, match="why it stands here"):
        disclosure.parse_items(ITEMS.replace('reason = "Relevant"', 'reason = " "'), "items.toml")
