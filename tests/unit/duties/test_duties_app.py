"""The duties of a deployment from its command line, and over a year of its retention."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.duties.making import T0, UK, detection, gb, store_in
from typer.testing import CliRunner

from lightship import app_duties, packs
from lightship.app_duties import provider_of, retain, vault_beside
from lightship.app_platform import Deployment
from lightship.cli import app
from lightship.core import holds
from lightship.core.cases import Case, Exhibit, Judgement, Stream
from lightship.core.duties import Duty
from lightship.core.errors import LightshipError, PolicyError, VaultError
from lightship.duties import certificates, desk
from lightship.infra.keys import load_public_key
from lightship.watch import evidence
from lightship.watch.ring import Still

YEAR = datetime(2027, 11, 28, 23, 52, tzinfo=UTC)
PROVIDER = 'registered = true\n[facts]\nprovider = "uk"\narrangements = "none"\n'


@pytest.fixture
def place(tmp_path):
    """Return a deployment in which a case was confirmed and its duty is owed."""
    (tmp_path / "provider.toml").write_text(PROVIDER)
    with store_in(tmp_path) as store, store.begin() as work:
        work.save(
            Stream("s0", "rtmp://x", "host", "public", "terms", "p", T0),
            Case("c0", "s0", "machine", T0, T0, "words", 60.0, "end", 0.5, 1.0, 0.5, "decided"),
            Judgement("j0", "c0", "mo", T0, "abuse", "abuse-live", "seen"),
        )
        desk.detect(work, detection(facts=("csea=yes", "reported-to=nobody"), live_danger=True), T0)
        desk.decide(work, "d0000000", gb(), provider=UK, by="law", now=T0)
    return tmp_path


def run(place, *arguments, code=0):
    done = CliRunner().invoke(app, ["duties", *arguments, "--folder", str(place)])
    if code:
        assert isinstance(done.exception, LightshipError)
        assert done.exception.exit_code == code
        return str(done.exception)
    assert done.exception is None, done.exception
    return done.output


def test_what_is_owed_is_one_line_each(place):
    said = run(place, "owed")
    assert "open 0; owed 1; not-owed 0; filed 0; closed 0" in said
    assert (
        "d0000000 P1, aware 2026-11-28 23:40 UTC, LATE since 2026-11-28 23:55 UTC: Owed to: National Crime"
        in said
    )
    assert "no state" in run(place, "owed", "--state", "gone", code=2)


def test_facts_a_call_and_a_question_go_on_record(place):
    assert "Call 999" in run(place, "decide", "d0000000", "--fact", "suspect-access=yes", "--by", "lee")
    run(place, "call", "d0000000", "--whom", "999", "--reference", "A12", "--by", "lee")
    said = run(place, "question", "add", "d0000000", "Which port?", "--reference", "Q7",
               "--received", "2026-11-28T23:50+00:00")  # fmt: skip
    assert "until 2026-12-05 23:50 UTC: Which port?" in said
    id_ = said.split()[0]
    assert id_ in run(place, "clock", "list")
    run(place, "question", "answer", id_, "port 443")
    assert "No clock runs" in run(place, "clock", "list")
    assert "ended before" in run(place, "clock", "end", id_, "again", code=12)
    assert "without its zone" in run(
        place, "clock", "begin", "intimate-image", "c0", "--received", "2026-11-28T23:50", code=2
    )
    assert "no fact" in run(place, "decide", "d0000000", "--fact", "moon=yes", code=2)


def test_the_roster_of_any_day_and_what_it_lacks(place):
    run(
        place,
        "people",
        "seat",
        "administrator",
        "Ann",
        "--account",
        "ann",
        "--begins",
        "2026-11-01",
        "--trained-until",
        "2027-03-31",
    )
    said = run(place, "people", "roster", "--on", "2026-11-30")
    assert "administrator: Ann (ann), since 2026-11-01, trained until 2027-03-31" in said
    assert "Nobody is replacement." in said
    assert "ran out on 31 March 2027" in run(place, "people", "roster", "--on", "2027-04-01")
    seat = said.split()[0]
    run(place, "people", "train", seat, "--until", "2028-03-31", "--materials", "guide 3")
    run(place, "people", "leave", seat, "--on", "2027-04-02")
    assert "Nobody is administrator." in run(place, "people", "roster", "--on", "2027-04-02")
    assert "Nobody is administrator." not in run(place, "people", "roster", "--on", "2027-04-01")


def test_a_provider_that_states_what_is_unknown_is_refused(place):
    for text, said in (
        ('facts = "uk"', "no table"), ('registered = "yes"', "no table"), ('place = "uk"', "unknown"), ("x", "cannot be read"),
    ):  # fmt: skip
        (place / "provider.toml").write_text(text)
        with pytest.raises(PolicyError, match=said):
            provider_of(place)
    (place / "provider.toml").write_text('[facts]\nprovider = "mars"')
    with pytest.raises(LightshipError, match="no fact"):
        provider_of(place)
    (place / "provider.toml").unlink()
    assert provider_of(place).facts == ()


def filed(place):
    with store_in(place) as store, store.begin() as work:
        return desk.file(work, "d0000000", reference="NCA-1", by="ann", now=T0 + timedelta(minutes=12))


def kept(place, now):
    with vault_beside(Deployment(place)) as (store, vault):
        return retain(store, vault, place, gb(), packs.retention("gb"), now)


def certificate(place, what):
    note = (place / "certificates" / f"d0000000.{what}.txt").read_text()
    return certificates.opened(note, load_public_key(place / "duties.pub"))


def test_from_the_report_to_its_certificate_and_a_year_later_to_its_proven_destruction(place):
    with vault_beside(Deployment(place)) as (store, vault):
        evidence.keep(store, vault, [Still(3.0, b"a synthetic still")], "c0", T0)
    assert kept(place, T0).secured == ()
    filed(place)
    assert kept(place, T0 + timedelta(hours=1)).secured == ("d0000000",)
    kind, fields = certificate(place, "retention")
    assert kind == certificates.RETENTION
    assert (fields["reference"], len(fields["kept"])) == ("NCA-1", 3)
    before = (place / "certificates" / "d0000000.retention.txt").read_bytes()
    again = kept(place, YEAR - timedelta(seconds=1))
    assert (again.secured, again.expired.destroyed, again.proved) == ((), (), ())
    assert (place / "certificates" / "d0000000.retention.txt").read_bytes() == before

    with store_in(place) as store, store.begin() as work:
        (held, *_) = holds.place_on_case(work, "c0", basis="order 7", reason="trial", by="ann", now=YEAR)
    assert kept(place, YEAR + timedelta(days=1)).proved == ()
    with store_in(place) as store, store.begin() as work:
        for one in work.find(Exhibit):
            for hold in holds.standing(work, one.id):
                holds.lift(work, hold.id, reason="trial over", by="ann", now=YEAR)
    assert held.basis == "order 7"
    done = kept(place, YEAR + timedelta(days=30))
    assert (len(done.expired.destroyed), done.proved) == (3, ("d0000000",))
    kind, fields = certificate(place, "destruction")
    assert kind == certificates.DESTRUCTION
    assert len(fields["destroyed"]) == 3
    with vault_beside(Deployment(place)) as (store, vault), store.look() as work:
        assert work.get(Duty, "d0000000").state == "closed"
        assert work.get(Duty, "d0000000").reference == "NCA-1"
        for one in work.find(Exhibit):
            with pytest.raises(VaultError, match="destroyed"):
                vault.open(one, by="x", purpose="x")
    assert kept(place, YEAR + timedelta(days=31)).proved == ()
    assert "reference NCA-1; what was kept for it is destroyed" in run(place, "owed", "--state", "closed")


@pytest.mark.parametrize("step", ["secure", "_certify_kept", "expire", "_prove", "_write"])
def test_a_run_that_dies_is_done_again_and_nothing_is_kept_or_closed_twice(place, monkeypatch, step):
    filed(place)
    whole = {name: getattr(app_duties.keeping if name == "secure" else app_duties, name) for name in (step,)}

    def dies(*args, **kwargs):
        whole[step](*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(app_duties.keeping if step == "secure" else app_duties, step, dies)
        for now in (T0 + timedelta(hours=1), YEAR):
            with suppress(KeyboardInterrupt):
                kept(place, now)
    kept(place, YEAR)
    assert certificate(place, "destruction")[1]["reference"] == "NCA-1"
    assert certificate(place, "retention")[1]["reference"] == "NCA-1" or step == "secure"
    with store_in(place) as store, store.look() as work:
        assert work.get(Duty, "d0000000").state == "closed"
        rows = work.connection.execute(store.schema.journal.select()).mappings().all()
    said = "".join(row["entry"] for row in rows)
    assert len(re.findall('"kind":"duty-closed"', said)) == 1
    assert len(re.findall('"kind":"sealed-for-report"', said)) == 2


def test_what_only_the_platform_has_is_sealed_and_a_request_to_erase_is_answered(place, monkeypatch):
    file = place / "sign-ins.json"
    file.write_text('{"ip": "192.0.2.1"}')
    monkeypatch.setattr(app_duties, "utc_now", lambda: T0 + timedelta(days=3))
    assert len(run(place, "retention", "keep", "d0000000", str(file)).strip()) == 64
    assert "nothing of a report" in run(
        place, "retention", "keep", "d0000000", str(file), "--what", "rest", code=2
    )
    asked = run(
        place, "clock", "begin", "erasure-request", "c0", "--received", "2026-11-29T10:00+00:00"
    ).split()[0]
    said = run(place, "retention", "erase", asked)
    assert "0 of 1 items were destroyed. 1 kept: A report of it to an authority is owed" in said
    filed(place)
    monkeypatch.setattr(app_duties, "utc_now", lambda: YEAR)
    assert "Destroyed: 3 exhibits" in run(place, "retention", "run")


def test_targets_of_a_month_are_told_from_the_ledger(place):
    from lightship.app_platform import ledger_of
    from lightship.infra.sealer import Sealer

    with (
        store_in(place) as store,
        ledger_of(place / "platform.ledger", "lightship-platform") as ledger,
        Sealer(store, ledger) as sealer,
    ):
        while sealer.seal():
            pass
    said = run(place, "targets", "--month", "2026-11")
    assert "P1 report is filed within 15 minutes of awareness. 0.0% of 1 (95% wanted): MISSED" in said
    assert re.search(r"case c0, [\d,]+ min so far: until it was filed", said)


def test_retention_on_a_store_that_is_not_the_vaults_does_nothing(place, tmp_path, monkeypatch):
    with vault_beside(Deployment(place)) as (store, vault):
        (one,) = evidence.keep(store, vault, [Still(3.0, b"a synthetic still")], "c0", T0)
    monkeypatch.setattr(app_duties, "utc_now", lambda: YEAR)
    other = f"sqlite:///{tmp_path}/typo.db"
    assert "knows 0 of the 1 exhibits" in run(place, "retention", "run", "--database", other, code=9)
    assert not (place / "duties.key").exists()
    assert "put on record and on hold" in run(place, "retention", "run", "--recover", "--database", other)
    with vault_beside(Deployment(place)) as (_, vault):
        assert vault.open(one, by="mo", purpose="test") == b"a synthetic still"


def test_to_prove_a_destruction_destroys_nothing_that_was_met_again(place):
    filed(place)
    data = b"a synthetic still"
    with vault_beside(Deployment(place)) as (store, vault):
        evidence.keep(store, vault, [Still(3.0, data)], "c0", T0)
        kept(place, T0 + timedelta(hours=1))
        with store.begin() as work:
            for one in work.find(Exhibit):
                work.change(Exhibit, one.id, {}, destroyed_at=YEAR)
                vault.destroy(one, by="retention", reason="its time is over", now=YEAR)
            (still,) = work.find(Exhibit, {"media": "image/jpeg"})
        vault.seal(data, still)  # and whoever met it has not put it on record yet
        with pytest.raises(VaultError, match="does not have this exhibit as destroyed"):
            kept(place, T0 + timedelta(hours=2))
        assert vault.open(still, by="x", purpose="x") == data
