"""Who answers for what on which day; without training nobody files."""

from datetime import timedelta

import pytest
from tests.unit.duties.making import T0, store_in

from lightship.core.errors import AccessDenied, InputError
from lightship.duties import people

YEAR = T0 + timedelta(days=365)


@pytest.fixture
def work(tmp_path, database):
    with store_in(tmp_path) as store, store.begin() as work:
        yield work


def seat(work, post, name, **more):
    given = {"account": name.lower(), "begins_at": T0, "trained_until": YEAR, "by": "root", **more}
    return people.seat(work, post, name=name, **given)


def test_a_roster_as_of_any_day_says_who_held_which_post(work):
    seat(work, "accountable", "Cy")
    first = seat(work, "administrator", "Ann")
    seat(work, "replacement", "Bob")
    seat(work, "authorised", "Dee", begins_at=T0 + timedelta(days=5))
    seat(work, "administrator", "Eve", begins_at=T0 + timedelta(days=30))
    names = lambda day: [one.name for one in people.roster(work, T0 + timedelta(days=day))]  # noqa: E731
    assert names(-1) == []
    assert names(0) == ["Cy", "Ann", "Bob"]
    assert names(10) == ["Cy", "Ann", "Bob", "Dee"]
    assert names(30) == ["Cy", "Eve", "Bob", "Dee"], "whoever held the post left it then"
    assert first.ends_at is None
    with pytest.raises(AccessDenied, match="ended before"):
        people.leave(work, first.id, ends_at=YEAR, by="root")


def test_what_a_roster_lacks_is_said(work):
    assert people.lacks(people.roster(work, T0), T0) == (
        "Nobody is accountable.", "Nobody is administrator.", "Nobody is replacement.",
    )  # fmt: skip
    seat(work, "accountable", "Cy", trained_until=None)
    seat(work, "administrator", "Ann")
    seat(work, "replacement", "Bob", trained_until=T0)
    assert people.lacks(people.roster(work, T0), T0) == (
        "Cy (accountable): No training for the post is on record.",
        "Bob (replacement): The training for the post ran out on 28 November 2026.",
    )


def test_the_replacement_is_somebody_else(work):
    seat(work, "administrator", "Ann")
    with pytest.raises(AccessDenied, match="two people"):
        seat(work, "replacement", "Ann")
    with pytest.raises(AccessDenied, match="two people"):
        seat(work, "replacement", "Annie", account="ann")
    seat(work, "replacement", "Bob")
    with pytest.raises(AccessDenied, match="later"):
        seat(work, "administrator", "Old", begins_at=T0 - timedelta(days=1))
    with pytest.raises(AccessDenied, match="already"):
        seat(work, "authorised", "Bob") and seat(work, "authorised", "Bob")
    with pytest.raises(InputError):
        seat(work, "authorised", " ")


def test_training_that_ran_out_stops_filing_until_it_is_renewed(work):
    mine = seat(work, "administrator", "Ann")
    seat(work, "accountable", "Cy")
    assert people.declarant(work, "ann", YEAR - timedelta(seconds=1)) == mine
    with pytest.raises(AccessDenied, match="ran out on 28 November 2027"):
        people.declarant(work, "ann", YEAR)
    people.train(work, mine.id, until=YEAR + timedelta(days=365), materials="NCA guide 3", by="root")
    assert people.declarant(work, "ann", YEAR).name == "Ann"
    for nobody in ("cy", "mo", ""):
        with pytest.raises(AccessDenied, match="filed by"):
            people.declarant(work, nobody, T0)
    with pytest.raises(InputError):
        people.train(work, mine.id, until=YEAR, materials=" ", by="root")
