"""Which rules for livestreams were in use is told from the ledger, however long ago they were set."""

from datetime import timedelta

import pytest
from tests.unit.duties.book_making import LONDON
from tests.unit.duties.making import store_in
from tests.unit.duties.test_targets import Told

from lightship.duties.measures_log import EARLIER, read_log
from lightship.duties.measures_period import period_of
from lightship.duties.measures_record import of_hosts
from lightship.duties.record_book_words import in_words
from lightship.infra.period import StoredPeriod

OCTOBER = period_of("2026-10", LONDON)


@pytest.fixture
def figure(tmp_path):
    """Return the figure of October, of rules that were set so long after its beginning."""
    with store_in(tmp_path) as store:

        def made(*rules):
            told = [
                {
                    "kind": "controls",
                    "at": (OCTOBER.begins + after).isoformat(),
                    "rules": "gb",
                    "enabled": enabled,
                }
                for after, *enabled in rules
            ]
            source = StoredPeriod(store, Told(told))
            return of_hosts(source, OCTOBER, read_log(source, OCTOBER))["hosts"]

        yield made


@pytest.mark.parametrize(
    ("rules", "in_use", "times"),
    [
        ((), None, 0),
        (((timedelta(days=4), "b", "a"),), ["a", "b"], 1),
        (((-timedelta(days=3), "a"), (timedelta(days=4), "b"), (timedelta(days=5), "c")), ["c"], 2),
        (((-timedelta(days=3), "a"), (timedelta(days=40), "later")), ["a"], 0),
        (((-EARLIER - timedelta(days=400), "first"), (-EARLIER - timedelta(days=300), "then")), ["then"], 0),
    ],
)
def test_the_rules_in_use_are_those_that_were_set_last(figure, rules, in_use, times):
    found = figure(*rules)
    assert (found["rules_in_use"], found["times_set"]) == (in_use, times)


def test_a_book_says_which_rules_were_in_use(figure):
    assert "in use at the end: a; set 0 times." in in_words("hosts", figure((-timedelta(days=500), "a")))
    assert "in use at the end: not on record; set 0 times." in in_words("hosts", figure())
