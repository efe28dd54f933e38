"""Manifests, terms, deltas and the six-month record: what is accepted, refused and counted."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.binomial import share_bounds
from lightship.core.changes import Changes, applied, difference
from lightship.core.entries import Texts, collect
from lightship.core.errors import InputError, ListError
from lightship.core.governance import Book, Item
from lightship.core.known import Entry, Terms
from lightship.core.manifest import Manifest, check_follows, check_signers, signed, signers
from lightship.core.notes import SigningKey
from lightship.core.terms import Source, from_table, parse_terms, to_table
from lightship.core.tuning import draw, tuning_record

KEYS = [
    SigningKey.from_seed(f"example.org/{name}", bytes([n]) * 32) for n, name in enumerate(("ada", "bo", "cy"))
]
PUBLIC = [str(key.verifier) for key in KEYS]


def manifest(version=1, previous="", digest="sha256:aa", name="bank"):
    return Manifest(name, version, digest, date(2026, 11, 1), {"pdq": 3}, "file bank.csv", previous)


def test_a_manifest_comes_back_from_its_note_and_needs_two_different_signers():
    note = manifest().note()
    assert Manifest.parse(note, "here") == manifest()
    once = signed(note, KEYS[0])
    assert signers(signed(once, KEYS[0]), PUBLIC) == ("example.org/ada",)
    with pytest.raises(ListError, match="1 of the 2"):
        check_signers(once, PUBLIC, "here")
    twice = signed(once, KEYS[1])
    assert check_signers(twice, PUBLIC, "here") == ("example.org/ada", "example.org/bo")
    assert Manifest.parse(twice, "here") == manifest()


def test_a_changed_manifest_a_strangers_signature_and_a_borrowed_one_do_not_count():
    twice = signed(signed(manifest().note(), KEYS[0]), KEYS[1])
    with pytest.raises(ListError, match="0 of the 2"):
        check_signers(twice.replace('"version":1', '"version":2'), PUBLIC, "here")
    with pytest.raises(ListError, match="1 of the 2"):
        check_signers(twice, [PUBLIC[0], PUBLIC[2]], "here")
    signature = twice.rpartition("\n\n")[2]
    with pytest.raises(ListError, match="0 of the 2"):
        check_signers(manifest(2).note() + signature, PUBLIC, "here")


@pytest.mark.parametrize(
    "note",
    [
        "",
        "lightship list manifest 1\n",
        "lightship list manifest 1\n{}\n\n",
        "x\n{}\n\n",
        "lightship list manifest 1\n[]\n\n",
    ],
)
def test_what_is_no_manifest_is_refused(note):
    with pytest.raises(ListError, match="not a list's manifest"):
        Manifest.parse(note, "here")


def test_a_list_is_not_rolled_back_and_keeps_its_history():
    last = manifest(4)
    check_follows(manifest(5, last.digest), last)
    check_follows(manifest(9, "sha256:unseen"), last)
    for new, why in (
        (manifest(3), "rolled back"),
        (manifest(4), "rolled back"),
        (manifest(5, "sha256:bb"), "its history is another"),
        (manifest(5, last.digest, name="other"), "of the list other"),
    ):
        with pytest.raises(ListError, match=why):
            check_follows(new, last)


def test_terms_and_source_come_back():
    text = f"""
name = "iwf"
owner = "IWF"
distance = 24
max_age_days = 7
tell_reference = false
tenants = ["chat"]
signers = {PUBLIC[:2]}
basis = "membership"
[source]
api = "ncmec"
credentials = "env:NCMEC"
"""
    terms, source = parse_terms(text, "terms.toml")
    assert (terms.distance, terms.tenants, terms.max_age_days, source.api) == (24, ("chat",), 7, "ncmec")
    assert from_table(to_table(terms, source), "again") == (terms, source)
    assert to_table(Terms("x"), Source()) == {"name": "x"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name = ", "not TOML"),
        ("owner = 'x'", "name no list"),
        ("name = '../x'", "cannot be the name"),
        ("name = 'x'\ndistance = 40", "distance"),
        ("name = 'x'\ndistance = '9'", "distance"),
        ("name = 'x'\nrole = 'bad'", "role"),
        ("name = 'x'\nmax_age_days = 0", "max_age_days"),
        ("name = 'x'\nsigners = ['k']", "no public key"),
        (f"name = 'x'\nsigners = ['{PUBLIC[0]}']", "at least 2"),
        ("name = 'x'\ncolour = 1", "colour"),
        ("name = 'x'\n[source]\napi = 'other'", "exchange"),
        ("name = 'x'\n[source]\ncredentials = 'me:secret'", "never the secret"),
        ("name = 'x'\n[source]\naddress = 'http://example.org'", "https"),
    ],
)
def test_terms_that_are_refused(text, why):
    with pytest.raises(InputError, match=why):
        parse_terms(text, "terms.toml")


def entry(number, reference="", kind="pdq"):
    return Entry(kind, number.to_bytes({"pdq": 32, "md5": 16}[kind], "big"), 100, reference or f"r{number}")


def held(entries):
    return {
        (kind, table.references[row], int(table.values[row, -1]))
        for kind, table in entries.items()
        for row in range(len(table))
    }


def test_a_delta_adds_changes_and_takes_off():
    old = collect([entry(1), entry(2), entry(3), entry(1, "m", "md5")], "old").entries
    changes = Changes()
    changes.add(entry(9))
    changes.drop("r2")
    changes.drop("r3")
    changes.add(entry(33, "r3"))
    changes.drop_value("md5", (1).to_bytes(16, "big"))
    assert held(applied(old, changes, "x").entries) == {("pdq", "r1", 1), ("pdq", "r9", 9), ("pdq", "r3", 33)}
    changes.whole = True
    assert held(applied(old, changes, "x").entries) == {("pdq", "r9", 9), ("pdq", "r3", 33)}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["add", "drop", "drop value"]), st.integers(0, 5)), max_size=25))
def test_the_later_word_counts(words):
    start = collect([entry(0), entry(1), entry(2)], "old").entries
    truth, changes = {0, 1, 2}, Changes()
    for word, number in words:
        if word == "add":
            changes.add(entry(number))
            truth.add(number)
        elif word == "drop":
            changes.drop(f"r{number}")
            truth.discard(number)
        else:
            changes.drop_value("pdq", number.to_bytes(32, "big"))
            truth.discard(number)
    assert {number for _, _, number in held(applied(start, changes, "x").entries)} == truth


def test_a_difference_names_references():
    old, new = (
        collect([entry(1), entry(2)], "o").entries,
        collect([entry(2), entry(3), entry(1, "m", "md5")], "n").entries,
    )
    found = difference(old, new)
    assert (found.added, found.removed) == ({"pdq": ("r3",), "md5": ("m",)}, {"pdq": ("r1",)})


@given(st.lists(st.text(max_size=4), max_size=30), st.data())
def test_a_text_is_found_where_it_stands(texts, draw):
    wanted = draw.draw(st.sampled_from(texts) if texts else st.text(max_size=3))
    assert Texts.of(texts).rows_of(wanted).tolist() == [
        row for row, text in enumerate(texts) if text == wanted
    ]


@settings(deadline=None)  # the first imports scipy
@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([0.9, 0.95, 0.99]))
def test_bounds_on_a_share_are_scipys(successes, more, confidence):
    if successes + more == 0:
        return
    from scipy.stats import binomtest

    exact = binomtest(successes, successes + more).proportion_ci(confidence, "exact")
    assert share_bounds(successes, successes + more, confidence) == pytest.approx(
        (exact.low, exact.high), abs=1e-9
    )


def items(number):
    return [
        Item(f"i{n}", f"clip-{n % 20}", float(n), f"case-{n % 3}", n % 32, 60.0 - n % 32)
        for n in range(number)
    ]


def test_a_sample_is_the_same_for_a_seed_whatever_the_order_and_takes_each_upload_once():
    found, among = draw(items(300), 7, 10)
    assert among == 60
    again, _ = draw(list(reversed(items(300))), 7, 10)
    assert [(one.source, one.reference) for one in found] == [(one.source, one.reference) for one in again]
    assert [one.weight_db for one in found] == sorted(one.weight_db for one in found), "likeliest false first"
    assert {one.source for one in draw(items(300), 8, 10)[0]} != {one.source for one in found}


def test_a_sample_is_fair():
    hits = np.zeros(60)
    names = {}
    for seed in range(600):
        for one in draw(items(300), seed, 6)[0]:
            hits[names.setdefault((one.source, one.reference), len(names))] += 1
    assert len(names) == 60
    assert hits.min() > 30  # 60 expected
    assert hits.max() < 95


def told(*entries):
    book = Book()
    for number, one in enumerate(entries):
        book.take({"at": datetime(2026, 1, 1 + number, tzinfo=UTC).isoformat(), "list": "bank", **one})
    return book.lists["bank"]


def test_the_six_month_record_counts_and_says_when_it_is_due():
    sample = [
        {"item": f"i{n}", "source": "s", "at_s": 0.0, "reference": "r", "distance": 3, "weight_db": 50.0}
        for n in range(4)
    ]
    verdicts = ["confirmed", "confirmed", "false-positive", "unsure"]
    listed = told(
        {"kind": "list terms", "terms": {"name": "bank", "distance": 31}},
        {"kind": "list terms", "terms": {"name": "bank", "distance": 24}},
        {"kind": "sample drawn", "matches": 40, "seed": 3, "items": sample},
        *({"kind": "match reviewed", "item": f"i{n}", "what": what} for n, what in enumerate(verdicts)),
    )
    record = tuning_record("bank", listed)
    assert (record.distance, record.since, record.due) == (24, date(2026, 1, 2), date(2026, 7, 1))
    value = record.to_json(date(2026, 7, 2))
    assert (value["reviewed"], value["confirmed"], value["false_positive"]) == (3, 2, 1)
    assert value["precision_bounds_95"] == pytest.approx([0.094, 0.992], abs=1e-3)
    assert value["overdue"]
    assert "OVERDUE" in record.to_markdown(date(2026, 7, 2))
    assert "OVERDUE" not in record.to_markdown(date(2026, 7, 1))
