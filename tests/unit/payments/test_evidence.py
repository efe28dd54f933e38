"""What is said to be behind an indicator is behind it."""

from dataclasses import fields

import pytest

from lightship import app_payments
from lightship.payments.baseline import Baseline, Table, edges_of
from lightship.payments.evidence import reason
from lightship.payments.rows import Row
from lightship.payments.weigh import Weighed

PACK = app_payments.typology("livestream-payer")
PLAIN = {one.name: 0 for one in fields(Row)}


def rows(**facts):
    return [Row(**{**PLAIN, "payment": f"p{n}", "nth": n, "ref": 2000, **facts}) for n in (1, 2, 3)]


def told(indicator, found):
    one = next(one for one in PACK.computed if one.id == indicator)
    edges, groups = edges_of(one), (len(PACK.habit) + 1) * 6
    bins = ((1 / (len(edges) + 1),) * (len(edges) + 1),) * groups
    base = Baseline("", "", "", 0, 1, (), {one.id: Table(edges, 1, bins, ())}, {}, 0)
    return reason(found, one, dict(one.params), Weighed(0, {one.id: 5000}, 5000, 2), PACK, base)


@pytest.mark.parametrize(("indicator", "fact"), [("C14", "platform"), ("C12", "presence"), ("C18", "crypto"), ("C17", "markers")])  # fmt: skip
def test_what_rests_on_other_payments_cites_none_of_these(indicator, fact):
    found = told(indicator, rows(**{fact: 9}))
    assert found.value == 9
    assert found.payments == ()


def test_what_rests_on_these_cites_them():
    assert told("C16", rows(rise=2)).payments == ("p1", "p2", "p3")
    assert told("C5", rows(round=1)).payments == ("p1", "p2", "p3")
