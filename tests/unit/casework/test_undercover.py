from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import thread_time
from typing import get_args

import pytest
from tests.unit.casework.undercover_cases import FULL, asked, at, rules, soon

from lightship.casework.compartment import Approval, Compartment, Role, found_compartment, nothing_here
from lightship.casework.undercover import Register
from lightship.casework.undercover_texts import alike
from lightship.core.errors import AccessDenied, InputError, StoreError
from lightship.core.undercover import SourceRecord
from lightship.infra.compartment import CompartmentFile

NOW = at("2026-11-30T10:00")
RECORD = SourceRecord(
    id="S-17",
    identity="Jo Example",
    identity_used="a name on one platform",
    other_authorities=("none",),
    referred_to_as=("unit: S-17",),
    security_and_welfare="lives alone; weekly call",
    risks_explained="by Fir on 2026-11-29, understood",
    recruited="2026-01-05, volunteered after training",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CompartmentFile]:
    with CompartmentFile(tmp_path / "compartment") as made:
        found_compartment(made, ("Fir", "Gale"), NOW)
        yield made


def register(store: CompartmentFile, person: str = "Fir", now: datetime = NOW) -> Register:
    return Register(Compartment(store, person, now), rules())


def ready(store: CompartmentFile) -> Register:
    one = register(store)
    one.open_operation("OP-1", "Example", "INV-1")
    one.keep_source(RECORD)
    one.apply("A-1", asked())
    one.grant("A-1", FULL, soon(NOW))
    return one


def test_an_authorisation_lives_through_the_store_unchanged(store: CompartmentFile) -> None:
    granted = ready(store).authorisation("A-1")
    assert granted.ends_at == at("2027-11-29T23:59")
    assert granted.spans[0].authoriser == "Fir"
    later = register(store, now=NOW + timedelta(days=1)).cancel("A-1", "no longer needed")
    assert register(store).authorisation("A-1") == later


def test_the_source_record_asks_for_what_the_regulations_ask_for(store: CompartmentFile) -> None:
    for name in rules().on(NOW.date(), "source-record").names("needed"):
        empty: object = () if isinstance(getattr(RECORD, name), tuple) else ""
        with pytest.raises(InputError, match=name):
            register(store).keep_source(replace(RECORD, **{name: empty}))


def test_who_had_which_function_and_for_how_long_is_on_the_record(store: CompartmentFile) -> None:
    one = ready(store)
    assert {(f.function, f.person, f.until_at) for f in one.source("S-17").functions} == {
        ("handler", "Birch", None),
        ("cover", "Cedar", None),
        ("controller", "Dale", None),
        ("record-keeper", "Elm", None),
    }
    later = NOW + timedelta(days=3)
    register(store, now=later).cancel("A-1", "no longer needed")
    assert all(f.until_at == later for f in one.source("S-17").functions)


def test_use_after_the_lapse_is_blocked_and_raised_and_nothing_is_lost(store: CompartmentFile) -> None:
    ready(store)
    late = register(store, now=at("2027-12-05T10:00"))
    late.contact("A-1", at("2027-11-29T23:58"), "online", "seen in the room", use=True)
    for tasks, use in (("", True), ("keep the account", False)):
        with pytest.raises(AccessDenied, match="lapsed") as blocked:
            late.contact("A-1", at("2027-11-29T23:59"), "online", "seen again", use=use, tasks=tasks)
        assert "possible error" in blocked.value.what
    late.contact(
        "A-1", at("2027-12-01T10:00"), "call", "welfare: well", use=False
    )  # a contact is always kept
    assert [one.words for one in late.contacts("S-17")] == ["seen in the room", "welfare: well"]
    raised = [one for one in late.due() if one.what == "possible-error"]
    assert len(raised) == 2
    assert all("lapsed" in one.words and one.section for one in raised)


def test_no_number_of_people_can_allow_use_after_a_lapse(store: CompartmentFile) -> None:
    ready(store)
    now = at("2027-12-05T10:00")
    for person in ("Fir", "Gale"):
        Compartment(store, person, now).approve("decide-error", "A-1", "we agree")
    with pytest.raises(AccessDenied, match="lapsed"):
        register(store, now=now).contact("A-1", now, "online", "again", use=True)


def test_an_operation_closes_only_when_every_authorisation_is_cancelled(store: CompartmentFile) -> None:
    ready(store)
    with pytest.raises(AccessDenied, match="A-1"):
        register(store).close_operation("OP-1")
    with pytest.raises(AccessDenied, match="A-1"):  # lapsing is not cancelling
        register(store, now=at("2028-01-01T00:00")).close_operation("OP-1")
    register(store, now=NOW + timedelta(days=1)).cancel("A-1", "done")
    assert register(store, now=NOW + timedelta(days=2)).close_operation("OP-1").closed_by == "Fir"
    with pytest.raises(AccessDenied, match="closed"):
        register(store).apply("A-2", asked())


def test_a_text_that_was_written_before_is_pointed_out(store: CompartmentFile) -> None:
    one = ready(store)
    again = one.apply("A-2", asked(source="S-17"))
    assert [line.partition(":")[0] for line in again.warnings] == [
        "conduct", "necessity", "proportionality", "collateral", "confidential"
    ]  # fmt: skip
    assert "100% as in A-1" in again.warnings[0]
    fresh = one.apply(
        "A-3",
        asked(
            conduct="Answer one seller who wrote first.",
            necessity="She names no town and pays through three wallets that banks cannot see.",
            proportionality="Bank, phone and platform records were tried in turn since May.",
            collateral="Her family shares the phone; their messages are left closed.",
            confidential="A doctor may write; such letters go unread to the lawyer.",
        ),
    )
    assert fresh.warnings == ()


def test_likeness_is_of_wording() -> None:
    assert alike("", "", 3) == 0.0
    assert alike("one two three four", "one two three five", 3) == pytest.approx(1 / 3)


def test_what_is_due_names_its_law(store: CompartmentFile) -> None:
    ready(store)
    for days, said in ((28, "28"), (14, "14"), (7, "7")):
        now = at("2027-11-29T23:59") - timedelta(days=days)
        [expiry] = [one for one in register(store, now=now).due() if one.what == "expiry"]
        assert said in expiry.words
        assert expiry.section == "RIPA 2000 s.43(3)(b)"
        assert not expiry.overdue
    what = {one.what for one in register(store, now=at("2028-01-01T00:00")).due() if one.overdue}
    assert what == {"expiry", "welfare", "tenure"}
    assert any(one.what == "review" for one in register(store, now=NOW + timedelta(days=25)).due())


def test_an_oral_grant_is_due_to_be_written_down(store: CompartmentFile) -> None:
    one = register(store)
    one.open_operation("OP-1", "Example", "INV-1")
    one.keep_source(RECORD)
    one.apply(
        "A-1", asked(conduct="", necessity="", proportionality="", collateral="", confidential=""), oral=True
    )
    one.grant("A-1", FULL, soon(NOW), oral=True, urgent="a child is expected tonight")
    assert {due.what for due in register(store, now=NOW + timedelta(hours=25)).due() if due.overdue} == {
        "write-down"
    }
    register(store, now=NOW + timedelta(hours=26)).write_down("A-1", asked())
    assert not [
        due for due in register(store, now=NOW + timedelta(hours=27)).due() if due.what == "write-down"
    ]


# The compartment ----------------------------------------------------------------------------------


def outside_views(folder: Path | None) -> list[str]:
    """Everything that somebody outside gets back, whatever they try."""
    store = CompartmentFile(folder) if folder is not None else None
    seen = []
    try:
        for person in ("Zed", "", "fir", "Ash", "S-17", "member/Fir"):
            try:
                Compartment(store, person, NOW)
            except AccessDenied as refused:
                seen.append(json.dumps([str(refused), refused.diagnostics(), refused.exit_code]))
    finally:
        if store is not None:
            store.close()
    return seen


def test_from_outside_an_empty_and_a_full_compartment_and_none_are_the_same_bytes(tmp_path: Path) -> None:
    with CompartmentFile(tmp_path / "full") as full:
        found_compartment(full, ("Fir", "Gale"), NOW)
        ready(full)
    with CompartmentFile(tmp_path / "empty"):
        pass
    views = [outside_views(one) for one in (tmp_path / "full", tmp_path / "empty", None)]
    assert views[0] == views[1] == views[2]
    assert len(views[0]) == 6


def test_a_refusal_takes_as_long_whatever_the_compartment_holds(tmp_path: Path) -> None:
    with CompartmentFile(tmp_path / "full") as full, CompartmentFile(tmp_path / "empty") as empty:
        for one in (full, empty):
            found_compartment(one, ("Fir", "Gale"), NOW)
        ready(full)
        full.put_all("contact", {str(n): {"id": str(n), "words": "x" * 400} for n in range(2000)})
    times: dict[str, list[float]] = {"full": [], "empty": []}
    for turn in range(400):
        name = ("full", "empty")[turn % 2]
        start = thread_time()
        with CompartmentFile(tmp_path / name) as store, pytest.raises(AccessDenied):
            Compartment(store, "Zed", NOW)
        times[name].append(thread_time() - start)
    ratio = median(times["full"]) / median(times["empty"])
    assert 0.8 < ratio < 1.25


def test_who_is_inside_without_the_role_is_told_what_one_outside_is_told(store: CompartmentFile) -> None:
    for person in ("Fir", "Gale"):
        Compartment(store, person, NOW).approve("admit", "Ivy", "inspection", "auditor")
    Compartment(store, "Fir", NOW).admit("Ivy", "auditor")
    with pytest.raises(AccessDenied) as refused:
        register(store, "Ivy")
    assert str(refused.value) == str(nothing_here())


def test_an_identity_needs_two_different_people_and_is_used_up(store: CompartmentFile) -> None:
    one = ready(store)
    assert one.source("S-17").identity == ""
    for _ in range(2):
        Compartment(store, "Fir", NOW).approve("see-identity", "S-17", "threat to life")
        with pytest.raises(AccessDenied, match="1 of two"):
            one.identity("S-17")
    Compartment(store, "Gale", NOW).approve("see-identity", "S-17", "threat to life")
    assert one.identity("S-17").identity == "Jo Example"
    with pytest.raises(AccessDenied, match="0 of two"):
        one.identity("S-17")


def test_an_agreement_is_for_one_act_about_one_thing_for_a_day(store: CompartmentFile) -> None:
    ready(store)
    for person in ("Fir", "Gale"):
        Compartment(store, person, NOW).approve("see-identity", "S-17", "threat to life")
    with pytest.raises(AccessDenied):
        Compartment(store, "Fir", NOW).admit("S-17", "unit")
    with pytest.raises(AccessDenied):
        register(store, now=NOW + timedelta(hours=24, seconds=1)).identity("S-17")


def admit(store: CompartmentFile, name: str, role: Role) -> None:
    for person in ("Fir", "Gale"):
        Compartment(store, person, NOW).approve("admit", name, "joins", role)
    Compartment(store, "Gale", NOW).admit(name, role)


def test_two_people_agree_to_somebody_in_one_role(store: CompartmentFile) -> None:
    fir, gale = (Compartment(store, one, NOW) for one in ("Fir", "Gale"))
    assert fir.approve("admit", "Ivy", "files applications", "unit") == 1
    assert gale.approve("admit", "Ivy", "fine", "authorising-officer") == 1
    for role in get_args(Role):
        with pytest.raises(AccessDenied, match="of two people"):
            gale.admit("Ivy", role)
    assert gale.approve("admit", "Ivy", "fine", "unit") == 2
    assert gale.admit("Ivy", "unit").role == "unit"
    assert {one.role for one in gale.all("approval", Approval) if one.used} == {"unit"}


def test_an_admission_names_its_role_and_nothing_else_does(store: CompartmentFile) -> None:
    fir = Compartment(store, "Fir", NOW)
    with pytest.raises(InputError, match="in a role"):
        fir.approve("admit", "Ivy", "joins")
    with pytest.raises(InputError, match="in a role"):
        fir.approve("see-identity", "S-17", "threat to life", "unit")


def test_nobody_is_let_in_without_an_authorising_officer(store: CompartmentFile) -> None:
    others: dict[str, Role] = {"Ula": "unit", "Uma": "unit", "Dora": "covert-desk", "Otto": "auditor"}
    for name, role in others.items():
        admit(store, name, role)
    for role in get_args(Role):
        for name in others:
            Compartment(store, name, NOW).approve("admit", "sock", "joins", role)
        with pytest.raises(AccessDenied, match="No authorising officer"):
            Compartment(store, "Uma", NOW).admit("sock", role)
    Compartment(store, "Fir", NOW).approve("admit", "sock", "known to me", "unit")
    made = Compartment(store, "Uma", NOW).admit("sock", "unit")
    assert "Fir" in made.admitted_by


def test_who_is_inside_is_not_admitted_again(store: CompartmentFile) -> None:
    admit(store, "Ula", "unit")
    for name, role in (("Ula", "authorising-officer"), ("Fir", "auditor"), ("Gale", "authorising-officer")):
        with pytest.raises(InputError, match="inside already"):
            Compartment(store, "Fir", NOW).approve("admit", name, "changes", role)
    fir, gale = (Compartment(store, one, NOW) for one in ("Fir", "Gale"))
    for one in (fir, gale):  # both roles are agreed to before either is taken
        for role in ("unit", "auditor"):
            one.approve("admit", "Ivy", "joins", role)
    fir.admit("Ivy", "unit")
    with pytest.raises(InputError, match="inside already"):
        gale.admit("Ivy", "auditor")
    assert Compartment(store, "Ivy", NOW).member.role == "unit"


def test_writing_the_record_without_its_identity_does_not_lose_it(store: CompartmentFile) -> None:
    one = ready(store)  # granting wrote the functions into a record that was read without identity
    for person in ("Fir", "Gale"):
        Compartment(store, person, NOW).approve("see-identity", "S-17", "check")
    assert one.identity("S-17").identity_used == "a name on one platform"


def test_the_file_shows_nothing_and_without_the_second_key_no_identity(tmp_path: Path) -> None:
    folder, key = tmp_path / "compartment", tmp_path / "elsewhere" / "identity.key"
    with CompartmentFile(folder, key) as store:
        found_compartment(store, ("Fir", "Gale"), NOW)
        ready(store)
    raw = b"".join(one.read_bytes() for one in folder.iterdir() if one.is_file())
    for word in (b"Jo Example", b"S-17", b"INV-1", b"authorisation/", b"Birch", b"source"):
        assert word not in raw
    assert (folder / "store").stat().st_mode & 0o077 == 0
    with CompartmentFile(folder, tmp_path / "other.key") as other:
        one = register(other)
        assert one.source("S-17").security_and_welfare
        for person in ("Fir", "Gale"):
            Compartment(other, person, NOW).approve("see-identity", "S-17", "check")
        with pytest.raises(StoreError, match="another key"):
            one.identity("S-17")


def test_a_moved_row_is_noticed(store: CompartmentFile) -> None:
    ready(store).apply("A-2", asked())
    rows = store._db.execute(
        "SELECT id, record FROM boxes WHERE kind = ?", (store._digest("authorisation"),)
    ).fetchall()
    store._db.execute("UPDATE boxes SET record = ? WHERE id = ?", (rows[0][1], rows[1][0]))
    with pytest.raises(StoreError, match="changed, moved"):
        register(store).authorisations()


def test_every_act_inside_is_on_the_compartments_own_ledger(store: CompartmentFile) -> None:
    ready(store)
    kinds = [entry["kind"] for entry in store.acts()]
    assert kinds[:2] == ["founded", "founded"]
    assert {
        "operation-opened",
        "source-kept",
        "authorisation-apply",
        "authorisation-grant",
        "consulted",
    } <= set(kinds)


def test_a_compartment_begins_with_two_people_once(store: CompartmentFile, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        found_compartment(store, ("Kit", "Lee"), NOW)
    with CompartmentFile(tmp_path / "other") as other, pytest.raises(InputError):
        found_compartment(other, ("Fir", " Fir "), NOW)


def test_dates_are_days(store: CompartmentFile) -> None:
    assert ready(store).source("S-17").welfare_due == date(2027, 5, 31)
