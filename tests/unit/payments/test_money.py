"""An institution's own rates take the place of those that came with the package."""

from datetime import date

import pytest

from lightship import app_payments
from lightship.exchange import fx
from lightship.payments.money import with_rates


def rates(tmp_path, text):
    (tmp_path / "fx.csv").write_text(text)
    return fx.read(tmp_path / "fx.csv")


def test_rates_against_any_base_become_reference_units_of_their_days(tmp_path):
    known = app_payments.currencies()
    in_euros = with_rates(
        known, rates(tmp_path, "# base: EUR\nday,GBP,VND\n2026-01-01,0.8,25000\n2026-02-01,0.9,\n")
    )
    assert in_euros["GBP"].rates == ((date(2026, 1, 1), 1 / 0.8), (date(2026, 2, 1), 1 / 0.9))
    assert in_euros["GBP"].round_minor == known["GBP"].round_minor
    assert in_euros["VND"].round_minor == known["VND"].round_minor if "VND" in known else 100_000
    in_pounds = with_rates(known, rates(tmp_path, "# base: GBP\nday,EUR,USD\n2026-01-01,1.25,1.5\n"))
    assert in_pounds["GBP"].rates == ((date(2026, 1, 1), 1.25),)
    assert in_pounds["USD"].rates[0][1] == pytest.approx(1.25 / 1.5)
    assert in_pounds["JPY"] == known["JPY"]


def test_a_rate_holds_for_its_days_and_no_longer(tmp_path):
    found = rates(tmp_path, "\ufeffDate,GBP,KWD\n2026-01-01,0.8,N/A\n2026-03-01,0.9,0.33\n")
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 5), date(2026, 2, 6), date(2026, 3, 1)]
    assert [found.per_base("GBP", day) for day in days] == [None, 0.8, 0.8, None, 0.9]
    assert found.minor("EUR", "KWD", date(2026, 3, 1)) == pytest.approx(3.3)  # fils for a cent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "day\n",
        "day,XXQ\n2026-01-01,1\n",
        "day,GBP\n2026-02-30,1\n",
        "day,GBP\n2026-01-01,-1\n",
        "day,GBP\n2026-01-01,nan\n",
    ],
)
def test_a_table_that_is_none_says_why(tmp_path, text):
    from lightship.core.errors import InputError

    with pytest.raises(InputError, match=r"fx.csv"):
        rates(tmp_path, text)
