"""No subset of corridor, nationality, age and sex reaches an alert: the analysis against brute force."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship import app_payments
from lightship.core.errors import PolicyError
from lightship.payments.baseline import Baseline, Table
from lightship.payments.pack import Indicator, Model, Pack
from lightship.payments.proof import prove, refuse_unproven
from lightship.payments.vocabulary import FEATURES
from lightship.payments.weigh import weigh

SHARES = {
    "untied_share": frozenset({"nationality"}),
    "round_share": frozenset(),
    "night_share": frozenset(),
}
MODEL = Model("share", mean=0.5, concentration=2.0)


def _indicator(
    number: int, feature: str, family: str, cap_db: float, *, joined: bool, counter: bool
) -> Indicator:
    return Indicator(
        id=f"I{number}",
        family=family,
        title="t",
        sentence="s",
        feature=feature,
        params={"from_hour": 21, "to_hour": 5} if feature == "night_share" else {},
        currency="",
        model=MODEL,
        cap_db=cap_db,
        counter=counter,
        look_alike="x",
        silent=counter,
        among_all=False,
        only_joined=joined,
        needs="p",
        off="",
        published="",
        source="https://example.org",
        grade="A",
        tbv=False,
        since=date(2020, 1, 1),
        until=None,
    )


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    indicators = []
    for number in range(draw(st.integers(1, 5))):
        counter = draw(st.booleans()) and draw(st.booleans())
        family = draw(st.sampled_from(["c1", "c2"] if counter else ["a", "b", "c"]))
        indicators.append(
            _indicator(
                number,
                draw(st.sampled_from(sorted(SHARES))),
                family,
                float(draw(st.integers(1, 12))),
                joined=draw(st.booleans()) and not counter,
                counter=counter,
            )
        )
    return replace(
        app_payments.typology("livestream-payer"),
        indicators=tuple(indicators),
        keeper=None,
        floor_db=float(draw(st.integers(1, 20))),
        families_needed=draw(st.integers(0, 3)),
    )


def _worst(pack: Pack, on: frozenset[str]) -> Baseline:
    """Return a baseline whose weights are as large as caps allow: bin 1 for, bin 0 nothing."""
    members: dict[str, int] = {}
    for one in pack.computed:
        if one.id in on:
            members[one.family] = members.get(one.family, 0) + 1
    groups = (len(pack.habit) + 1) * 6
    tables = {
        one.id: Table(
            (1,),
            members[one.family],
            ((0.5, 0.5),) * groups,
            ((0, 0 if one.counter else round(one.cap_db * 1000) // members[one.family]),) * groups,
        )
        for one in pack.computed
        if one.id in on
    }
    return Baseline("t", "", "", 0, 1, (), tables, {}, threshold_mdb=0)


def _reachable(pack: Pack) -> bool:
    """Try every subset of indicators that are on, and every subset of the protected ones that speak."""
    ids = [one.id for one in pack.computed]
    for size in range(len(ids) + 1):
        for on in itertools.combinations(ids, size):
            base = _worst(pack, frozenset(on))
            protected = [one.id for one in pack.computed if one.id in on and SHARES[one.feature]]
            for speaking in itertools.product((0, 1), repeat=len(protected)):
                said = dict(zip(protected, speaking, strict=True))
                values = {one.id: said.get(one.id, 0) for one in pack.computed}
                found = weigh(values, 0, 0, 0, pack, base)
                if found.total_mdb >= round(pack.floor_db * 1000) and found.speaking >= pack.families_needed:
                    return True
    return False


@given(packs())
def test_what_the_analysis_passes_brute_force_cannot_reach(pack: Pack) -> None:
    if prove(pack).holds:
        assert not _reachable(pack)


@given(packs())
def test_without_needed_families_the_bound_is_tight(pack: Pack) -> None:
    pack = replace(pack, families_needed=0)
    assert _reachable(pack) == (prove(pack).reach_mdb >= prove(pack).floor_mdb)


def test_the_shares_of_this_test_are_protected_as_the_vocabulary_says() -> None:
    assert {name: FEATURES[name].protected for name in SHARES} == SHARES


@pytest.mark.parametrize("name", app_payments.TYPOLOGIES)
def test_every_packaged_typology_is_proven(name: str) -> None:
    assert prove(app_payments.typology(name)).holds


def test_a_pack_in_which_nationality_decides_is_refused_with_the_reason() -> None:
    pack = app_payments.typology("livestream-payer")
    louder = tuple(replace(one, cap_db=12.0) if one.id == "C9" else one for one in pack.indicators)
    with pytest.raises(PolicyError, match=r"C9 \(nationality\) bring up to 12 dB, and the floor is 5 dB"):
        refuse_unproven(replace(pack, indicators=louder))
    with pytest.raises(PolicyError, match="it must be at least 2"):
        refuse_unproven(replace(pack, families_needed=1))
    with pytest.raises(PolicyError, match=r"at most the \d+ that the pack has"):
        refuse_unproven(replace(pack, families_needed=20))


def test_a_watchkeeper_that_adds_up_nationality_is_refused() -> None:
    pack = app_payments.typology("livestream-payer")
    assert pack.keeper is not None
    with pytest.raises(PolicyError, match=r"The Watchkeeper adds up C9 \(nationality\) over the weeks"):
        refuse_unproven(replace(pack, keeper=replace(pack.keeper, traits=("C1", "C9"))))
