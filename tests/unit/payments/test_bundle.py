"""Case bundles and narratives: what a reader finds, what is never said, and that a rerun gives the same bytes."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.payments.outward_making import alert, dataset, payment, reason, rows

from lightship import app_payments_outward as app
from lightship.app_payments_data import connected
from lightship.core.errors import InputError, PolicyError, SinkError
from lightship.exchange.alerts_file import write_alerts
from lightship.exchange.report_draft import Standing
from lightship.exchange.whole import write_folder
from lightship.payments.background import gather
from lightship.payments.bundle import bundle, bundles, folder
from lightship.payments.glossary import parse_glossary
from lightship.payments.narrative import LIMIT, draft, plain
from lightship.payments.network import lay_out
from lightship.payments.report import report_draft
from lightship.payments.shape import parse_shape

SHAPE, GLOSSARY = app.shape(""), app.glossary("uk")
PARTS = ["WHO", "WHAT", "WHEN", "WHERE", "WHY", "WHY IT MAY BE INNOCENT", "HOW"]


def behind(path, *alerts, tables=None):
    with connected(dataset(path, tables)) as con:
        lay_out(con, SHAPE)
        return list(gather(con, alerts or (alert(),), SHAPE.hub_payers))


def test_a_bundle_says_why_why_not_and_from_what(tmp_path):
    (evidence,) = behind(tmp_path)
    files = bundle(alert(), evidence, GLOSSARY, {"payments.parquet": "sha256:cc"})
    assert set(files) == {
        "evidence.csv", "evidence.json", "index.html", "narrative.txt", "network.html", "network.svg", "provenance.json",
        "timeline.png", "timeline.svg",
    }  # fmt: skip
    table = list(csv.DictReader(io.StringIO(files["evidence.csv"].decode())))
    assert [row["payment"] for row in table] == ["a0", "a1", "a2", "a3", "a4", "a5"]
    assert table[0]["indicators"] == "C2 C7 K1"
    assert (table[0]["amount"], table[0]["time_utc"]) == ("20.00", "2026-03-02 22:30")
    assert json.loads(files["evidence.json"])["payments"][0]["payment"] == "a0"
    made = json.loads(files["provenance.json"])
    assert (made["pack"], made["baseline"], made["payments.parquet"]) == (
        "sha256:aa",
        "sha256:bb",
        "sha256:cc",
    )
    index = files["index.html"].decode()
    assert "Why it may be innocent" in index
    assert "One receiver gets two thirds of the money" in index
    assert "C6: The zone of the payer is not known." in index
    assert "1 of another kind left aside" in index


def test_a_report_claims_no_time_of_day_that_is_not_known(tmp_path):
    (evidence,) = behind(tmp_path)
    one, two, *_ = evidence.rows
    evidence = replace(evidence, rows=(replace(one, time_known=False), two))
    found = report_draft(alert(), evidence, draft(alert(), evidence, GLOSSARY), Standing())
    assert [transfer.at for transfer in found.transfers] == ["2026-03-02", "2026-03-05T22:30:00"]


def test_a_child_who_may_be_at_risk_now_stands_first(tmp_path):
    slow = alert()
    fast = replace(slow, alert="9" * 32, typology="extortion-victim", lane="fast")
    page = bundles({slow.alert: {}, fast.alert: {}}, [slow, fast], GLOSSARY)["index.html"].decode()
    assert page.index("a child may be at risk now") < page.index("no haste")


def test_the_background_is_what_was_known_at_the_last_payment(tmp_path):
    early = alert(at_us=alert().at_us - 9 * 86_400_000_000)
    (evidence,) = behind(tmp_path, early)
    assert [row.payment for row in evidence.rows] == ["a0", "a1", "a2"]
    assert {(link.payer, link.payee) for link in evidence.links} == {("p1", "r1"), ("p1", "r2"), ("p2", "r1")}


def test_a_receivers_background_is_who_paid_and_whom_they_paid_too(tmp_path):
    (evidence,) = behind(tmp_path, alert(subject="r1"))
    assert {row.payer for row in evidence.rows} == {"p1", "p2", "p4"}
    assert ("p2", "r4") in {(link.payer, link.payee) for link in evidence.links}
    assert evidence.customer is None
    text = draft(alert(subject="r1", typology="livestream-receiver"), evidence, GLOSSARY).text
    assert "everything else about the subject: UNKNOWN" in text
    assert "may be a victim" in text


def test_the_narrative_keeps_its_order_and_its_words(tmp_path):
    (evidence,) = behind(tmp_path)
    made = draft(alert(), evidence, GLOSSARY)
    assert [line for line in made.text.splitlines() if line in PARTS] == PARTS
    assert made.text.startswith("DRAFT, NOT REPORTED.")
    assert (
        "A pattern consistent with payments for livestreamed sexual abuse of children. It is no proof of it."
        in made.text
    )
    assert "XXV3XX" in made.text
    assert "K1, −3.0 dB" in made.text
    assert "Of 6 payments with a known time of day, 6 between 21:00 and 05:00 in Europe/London." in made.text
    assert "UNKNOWN" in made.text
    for word in ("guilty", "offender", "paedophile", "criminal", "Dear", "your account"):
        assert word not in made.text


def test_a_victim_is_someone_to_protect(tmp_path):
    one = alert(typology="extortion-victim", lane="fast")
    (evidence,) = behind(tmp_path, one)
    text = draft(one, evidence, GLOSSARY).text
    assert "someone to protect, not a suspect" in text
    assert "over the weeks" not in text


@settings(max_examples=20, deadline=None)
@given(
    many=st.integers(0, 60),
    long=st.integers(0, 3000),
    odd=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_however_much_there_is_the_narrative_fits(many, long, odd, tmp_path_factory):
    payments = [
        payment(
            f"a{n}", "p1", f"r{n}", n / 4, payee_name=f"{odd}{n}" + "n" * long, text=odd + str(n), via=f"v{n}"
        )
        for n in range(many)
    ]
    one = alert(
        reasons=tuple(reason(f"C{n}", 1000, sentence=odd + "s" * long) for n in range(many)),
        off=tuple((f"C{n}", "o" * long) for n in range(many)),
    )
    (evidence,) = behind(tmp_path_factory.mktemp("much"), one, tables={"payments": payments, "customers": []})
    made = draft(one, evidence, GLOSSARY)
    assert len(made.text) <= LIMIT
    assert [line for line in made.text.splitlines() if line in PARTS] == PARTS


def test_an_alert_without_payments_in_the_dataset_has_a_bundle_all_the_same(tmp_path):
    (evidence,) = behind(tmp_path, alert(subject="nobody"))
    files = bundle(alert(subject="nobody"), evidence, GLOSSARY, {})
    assert "timeline.svg" not in files
    assert b"No payment of the window is in the dataset" in files["index.html"]


def test_names_and_texts_stay_text(tmp_path):
    tables = rows()
    bad = "</pre><script>alert(1)</script>\n\x00=1+1"
    tables["payments"][0] |= {"payee_name": bad, "text": bad, "via": "=2+2"}
    (evidence,) = behind(tmp_path, tables=tables)
    files = bundle(alert(), evidence, GLOSSARY, {})
    for page in ("index.html", "network.html"):
        assert b"<script>alert" not in files[page]
    assert b"'=2+2" in files["evidence.csv"]
    assert plain(bad) == "</pre><script>alert(1)</script> =1+1"


def test_bundles_appear_whole_and_again_the_same(tmp_path):
    write_alerts(tmp_path / "alerts.jsonl", [alert(), alert(alert="two", subject="r1", rank=2, counter=())])
    folder_, out = dataset(tmp_path / "d"), tmp_path / "out"

    def run(**more):
        return app.bundle(tmp_path, folder_, out, glossary_name="uk", shape_name="", **more)

    assert run() == 2
    first = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert run() == 2
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == first
    assert run(only="two") == 1
    assert {path.name for path in out.iterdir()} == {
        "index.html", "bundle.json", folder(alert(alert="two", rank=2)),
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(InputError, match="no alert"):
        run(only="three")


def test_what_is_not_a_bundle_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="Something else lies"):
        write_folder(tmp_path / "mine", {"bundle.json": b"{}"}, "bundle.json")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_folder(out, {"bundle.json": b"{}", "a/b": b"1"}, "bundle.json")
    with monkeypatch.context() as patch:
        patch.setattr("lightship.exchange.whole._write", full)
        with pytest.raises(SinkError, match="No space left"):
            write_folder(out, {"bundle.json": b"{}", "a/b": b"2"}, "bundle.json")
    assert (out / "a" / "b").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def full(path, data):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_glossary, "["),
        (parse_glossary, 'name = "x"'),
        (parse_glossary, 'codes = [{code = "A"}]'),
        (parse_shape, "["),
        (parse_shape, 'name = "x"'),
    ],
)
def test_a_pack_that_cannot_be_used_is_refused(parse, text):
    with pytest.raises(PolicyError):
        parse(text, "pack")


@pytest.mark.parametrize(
    "change",
    [
        ("hub_payers = 100", "hub_payers = 1"),
        ('"cash"', '"shells"'),
        ("low = 10", "low = -1"),
        ('currency = "EUR"', 'currency = "AUD"'),
        ('grade = "P"', 'grade = ""'),
    ],
)
def test_a_shape_out_of_range_is_refused(change):
    from lightship import packs

    text = (packs.root() / "payments" / "shape.toml").read_text()
    with pytest.raises(PolicyError):
        parse_shape(text.replace(*change), "shape")


def test_every_code_is_a_suggestion_with_a_meaning():
    assert "tbv" in (app.packs.root() / "payments" / "uk-glossary.toml").read_text()
    for one in ("livestream-payer", "livestream-receiver", "extortion-victim", "extortion-mule"):
        assert GLOSSARY.codes(one, {"crypto"})[-1].code == "XXVAXX"
    assert GLOSSARY.codes("another", {"crypto"}) == ()
    assert re.search("another", GLOSSARY.pattern("another").words)
