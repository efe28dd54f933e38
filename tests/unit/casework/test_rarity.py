"""What a fact can weigh follows from how rare it is, without knowing which referrals were of a child in danger."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.sharing import NOW
from tests.tables import tables
from tests.unit.exchange.referral_samples import SAMPLES

from lightship import packs
from lightship.casework.desk import Offices
from lightship.casework.intake import take_in
from lightship.casework.made import parse_priors, weeks_of
from lightship.casework.rarity import MOST_DB, counted, rarities
from lightship.casework.simulate import top_share
from lightship.casework.urgency import judge, shipped
from lightship.core.casework import Use
from lightship.core.errors import InputError
from lightship.infra.store import SqlStore

LADDER = shipped()


def test_a_fact_weighs_at_most_what_its_share_allows():
    found = {one.factor.id: one for one in rarities(LADDER, [["live=now"], *([["material=known"]] * 8), []])}
    assert (found["live-now"].shown, found["live-now"].of) == (1, 10)
    assert found["live-now"].most_db == pytest.approx(10.0)
    assert found["known-material"].most_db == pytest.approx(0.969, abs=0.001)
    assert found["self-harm"].most_db == pytest.approx(10.0), "as if one did"
    assert rarities(LADDER, [])[0].most_db == 0.0
    with pytest.raises(InputError):
        rarities(LADDER, [["record=yes"]])


def test_the_weights_that_are_shipped_are_such_bounds_and_never_above_them():
    where, text = packs.read("casework", "simulation", ".toml", "priors")
    weeks = weeks_of(parse_priors(text, str(where)), 26, 100)
    for one in rarities(LADDER, (each.facts for each in weeks)):
        assert one.factor.weight_db <= min(MOST_DB, one.most_db), one.factor.id
    flat = replace(LADDER, factors=tuple(replace(one, weight_db=10.0) for one in LADDER.factors))

    def top(ladder):
        return top_share(lambda one: (-judge(ladder, one.facts).weight_db,), weeks)

    assert top(LADDER) > top(flat) + 0.02, "and they order a queue better than equal ones"


def test_a_force_counts_its_own_and_that_is_logged(tmp_path):
    from lightship.casework.door import received

    url = tables(tmp_path / "c.db")
    with SqlStore(url) as store:
        batch = received("signal-json", "Lantern", SAMPLES["signal-json"], NOW)
        take_in(store, LADDER, batch, now=NOW, offices=Offices(), by="ann")
        with store.begin() as work:
            found = counted(work, LADDER, by="ann", now=NOW + timedelta(hours=1))
            assert work.find(Use, {"about": "referrals", "verb": "consultation", "by": "ann"})
    assert {one.of for one in found} == {1}
    assert sum(one.shown for one in found) >= 1
