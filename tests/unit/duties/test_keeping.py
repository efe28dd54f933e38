"""What a report wants kept is there for its year, whoever asks to erase it, and gone and proved gone after it."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.duties.making import T0, UK, detection, gb, store_in

from lightship.core import holds
from lightship.core.cases import Case, Exhibit, Judgement, Stream
from lightship.core.duties import Clock, Duty
from lightship.core.errors import AccessDenied, InputError, LedgerError, VaultError
from lightship.core.notes import SigningKey
from lightship.duties import certificates, clocks, desk, keeping
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.retention import expire
from lightship.infra.vault import FileVault
from lightship.watch import evidence
from lightship.watch.ring import Still

KEY = SigningKey.from_seed("example.org/duties", bytes(32))
FILED = T0 + timedelta(minutes=12)
YEAR = datetime(2027, 11, 28, 23, 52, tzinfo=UTC)


@pytest.fixture
def made(tmp_path, database):
    with store_in(tmp_path) as store, LedgerFile(tmp_path / "log", KEY) as log:
        vault = FileVault(tmp_path / "vault", log)
        stream = Stream("s0", "rtmp://secret-key", "host", "public", "terms", "p", T0 - timedelta(hours=1))
        old = Stream(
            "s9", "rtmp://x", "host", "public", "terms", "p", T0 - timedelta(days=3), T0 - timedelta(days=2)
        )
        older = Stream(
            "s8", "rtmp://x", "host", "public", "terms", "p", T0 - timedelta(days=30), T0 - timedelta(days=29)
        )
        case = Case("c0", "s0", "machine", T0, T0, "words", 60.0, "end", 0.5, 1.0, 0.5, "decided")
        verdict = Judgement("j0", "c0", "mo", T0, "abuse", "abuse-live", "seen")
        with store.begin() as work:
            work.save(stream, old, older, case, verdict)
            desk.detect(work, detection(), T0)
            desk.decide(work, "d0000000", gb(), provider=UK, by="law", now=T0)
        evidence.keep(store, vault, [Still(3.0, b"a synthetic still")], "c0", T0)
        yield store, vault


def filed(store):
    with store.begin() as work:
        return desk.file(work, "d0000000", reference="NCA-1", by="ann", now=FILED)


def secured(store, vault):
    filed(store)
    return keeping.secure(store, vault, "d0000000", gb(), keeping.own_look_back, FILED)


def exhibits(store, **where):
    with store.look() as work:
        return work.find(Exhibit, where)


def asked(store, at):
    with store.begin() as work:
        return clocks.begin(
            work, gb(), "erasure-request", about="c0", began_at=at, by="ann", words="erase me"
        )


def test_what_was_filed_is_sealed_with_its_basis_and_look_back_and_dated_by_the_day_it_was_sent(made):
    store, vault = made
    assert keeping.unsecured(store) == []
    filed(store)
    assert [one.id for one in keeping.unsecured(store)] == ["d0000000"]
    keeping.secure(store, vault, "d0000000", gb(), keeping.own_look_back, FILED)
    assert keeping.unsecured(store) == []
    kept = {one.media: one for one in exhibits(store)}
    assert set(kept) == {"image/jpeg", keeping.MEDIA["basis"], keeping.MEDIA["look-back"]}
    assert {one.expires_at for one in kept.values()} == {YEAR}
    basis = vault.open(kept[keeping.MEDIA["basis"]], by="x", purpose="x")
    assert b'"verdict":"abuse"' in basis
    back = vault.open(kept[keeping.MEDIA["look-back"]], by="x", purpose="x")
    assert b'"s9"' in back, "two days before is within two weeks"
    assert b'"s8"' not in back
    assert b"secret-key" not in basis + back


def test_what_was_not_filed_is_not_kept_as_a_report(made):
    store, vault = made
    with pytest.raises(AccessDenied):
        keeping.secure(store, vault, "d0000000", gb(), keeping.own_look_back, T0)


def test_done_twice_or_interrupted_it_is_kept_once(made):
    store, vault = made

    class Failing:
        def seal(self, data, exhibit):
            raise VaultError("The disk is full.")

    filed(store)
    with pytest.raises(VaultError):
        keeping.secure(store, Failing(), "d0000000", gb(), keeping.own_look_back, FILED)
    assert len(exhibits(store)) == 1
    for _ in range(3):
        keeping.secure(store, vault, "d0000000", gb(), keeping.own_look_back, FILED)
    assert len(exhibits(store)) == 3


def test_content_that_was_destroyed_and_is_sealed_again_is_kept_for_its_new_report(made):
    store, vault = made
    (still,) = exhibits(store)
    with store.begin() as work:
        work.change(Exhibit, still.id, {}, destroyed_at=T0, case_id="an earlier case")
        vault.destroy(still, by="retention", reason="its time is over", now=T0)
    data = b"a synthetic still"
    again = keeping.seal(store, vault, "d0000000", data, what="content", media="image/jpeg", now=FILED)
    assert exhibits(store) == [again]
    assert (again.case_id, again.sealed_at, again.destroyed_at) == ("c0", FILED, None)
    assert vault.open(again, by="x", purpose="x") == data


def test_a_year_later_it_is_destroyed_and_the_destruction_is_certified(made):
    store, vault = made
    duty = secured(store, vault)
    assert expire(store, vault, YEAR - timedelta(seconds=1)).destroyed == ()
    assert keeping.spent(store) == []
    assert len(expire(store, vault, YEAR).destroyed) == 3
    (spent,) = keeping.spent(store)
    with pytest.raises(VaultError, match="destroyed"):
        vault.open(exhibits(store)[0], by="x", purpose="x")
    records = [(one, vault.destroy(one, by="x", reason="x", now=YEAR)) for one in exhibits(store)]
    note = certificates.signed(
        certificates.DESTRUCTION, certificates.of_destruction(spent, records, gb().digest, YEAR), KEY
    )
    kind, fields = certificates.opened(note, KEY.verifier)
    assert kind == certificates.DESTRUCTION
    assert fields["reference"] == duty.reference == "NCA-1"
    assert len(fields["destroyed"]) == 3
    assert all(one["record"].startswith("sha256:") and one["destroyed_at"] for one in fields["destroyed"])
    for wrong in (note.replace("NCA-1", "NCA-2"), note.replace("destruction", "retention")):
        with pytest.raises(LedgerError):
            certificates.opened(wrong, KEY.verifier)


def test_a_hold_keeps_it_beyond_the_year_and_lifted_it_goes(made):
    store, vault = made
    secured(store, vault)
    with store.begin() as work:
        placed = holds.place_on_case(work, "c0", basis="order 7", reason="trial", by="ann", now=FILED)
    done = expire(store, vault, YEAR)
    assert (done.destroyed, done.held) == ((), 3)
    assert keeping.spent(store) == []
    with store.begin() as work:
        for one in placed:
            holds.lift(work, one.id, reason="trial over", by="ann", now=YEAR)
    assert len(expire(store, vault, YEAR).destroyed) == 3


def test_a_request_to_erase_is_refused_with_the_reason_and_the_day(made):
    store, vault = made
    secured(store, vault)
    request = asked(store, FILED + timedelta(days=10))
    done = keeping.erase(store, vault, request.id, gb(), by="ann", now=FILED + timedelta(days=11))
    assert done.erased == ()
    assert {why for _, why in done.kept} == {
        "It was reported to an authority, and the law has it kept until 28 November 2027."
    }
    with store.look() as work:
        ended = work.get(Clock, request.id)
    assert ended.outcome == done.words
    assert "3 kept" in ended.outcome
    with pytest.raises(AccessDenied):
        keeping.erase(store, vault, request.id, gb(), by="ann", now=FILED + timedelta(days=12))


def test_a_request_against_a_hold_is_refused_even_after_the_year(made):
    store, vault = made
    secured(store, vault)
    with store.begin() as work:
        holds.place_on_case(work, "c0", basis="order 7", reason="trial", by="ann", now=FILED)
    request = asked(store, YEAR + timedelta(days=1))
    done = keeping.erase(store, vault, request.id, gb(), by="ann", now=YEAR + timedelta(days=2))
    assert done.erased == ()
    assert {why for _, why in done.kept} == {"It is on hold, on the basis: order 7."}


def test_what_is_owed_and_not_yet_filed_is_not_erased(made):
    store, vault = made
    request = asked(store, T0)
    done = keeping.erase(store, vault, request.id, gb(), by="ann", now=T0)
    assert "must not be lost" in done.kept[0][1]
    with store.look() as work:
        assert work.find(Exhibit, {"destroyed_at": None})


def test_what_nothing_wants_kept_is_erased_at_once(made):
    store, vault = made
    with store.begin() as work:
        desk.tell(work, "d0000000", ["csea=no"], gb(), by="ann", now=T0)
        desk.decide(work, "d0000000", gb(), provider=UK, by="ann", now=T0)
    request = asked(store, T0)
    done = keeping.erase(store, vault, request.id, gb(), by="ann", now=T0)
    assert (len(done.erased), done.kept) == (1, ())
    with pytest.raises(VaultError, match="destroyed"):
        vault.open(exhibits(store)[0], by="x", purpose="x")


def test_what_waits_for_a_person_is_not_erased(made):
    store, vault = made
    with store.begin() as work:
        work.change(Case, "c0", {}, state="open")
        work.change(Duty, "d0000000", {}, state="not-owed")
    done = keeping.erase(store, vault, asked(store, T0).id, gb(), by="ann", now=T0)
    assert [why for _, why in done.kept] == ["A person has yet to decide on it."]
    with store.begin() as work:
        other = clocks.begin(work, gb(), "nca-question", about="d0000000", began_at=T0, by="ann")
    with pytest.raises(InputError):
        keeping.erase(store, vault, other.id, gb(), by="ann", now=T0)


def test_the_reference_outlives_the_content_by_four_years(made):
    from lightship import packs

    store, vault = made
    secured(store, vault)
    terms = packs.retention("gb")
    expire(store, vault, YEAR)
    with store.begin() as work:
        desk.close(work, "d0000000", by="retention", now=YEAR)
    for years, there in ((1.5, True), (4.9, True), (5.1, False)):
        now = FILED + timedelta(days=365.25 * years)
        expire(store, vault, now, terms.on(now.date()))
        with store.look() as work:
            found = work.get(Duty, "d0000000")
        assert (found is not None) is there, years
        assert found is None or found.reference == "NCA-1"
    with store.look() as work:
        assert work.get(Case, "c0") is None, "the case went after three years"


def test_a_retention_certificate_says_what_is_kept_until_when_and_on_which_holds(made):
    store, vault = made
    duty = secured(store, vault)
    with store.begin() as work:
        holds.place_on_case(work, "c0", basis="order 7", reason="trial", by="ann", now=FILED)
        kept, stand = keeping.held_for(work, duty)
    fields = certificates.of_retention(duty, kept, stand, gb().digest, FILED)
    kind, said = certificates.opened(certificates.signed(certificates.RETENTION, fields, KEY), KEY.verifier)
    assert kind == certificates.RETENTION
    assert said == fields
    assert {one["until"] for one in said["kept"]} == {YEAR.isoformat()}
    assert {one["basis"] for one in said["holds"]} == {"order 7"}
