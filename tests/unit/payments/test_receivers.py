"""Who is named among the receivers: those to whom unrelated customers come back, not a host of many guests."""

import pytest
from tests.unit.payments.outward_making import customer, dataset, payment

from lightship import app_payments, app_payments_score


def _families(count=60):
    """Each sends one relative 250 or so after payday, ten months long; nothing is recorded that ties them."""
    return [
        payment(f"f{who}-{month}", f"child{who}", f"mother{who}", 30 * month + who % 3, 24000 + 137 * who)
        for who in range(count)
        for month in range(10)
    ]


def _paid(receiver, payers, times, **more):
    """Return so many payers' payments to a receiver, eleven days apart, of a round sum."""
    return [
        payment(f"{receiver}-{who}-{turn}", f"{receiver}{who}", receiver, 100 + 9 * who + 11 * turn, 3000, **more)
        for who in range(payers)
        for turn in range(times)
    ]  # fmt: skip


def _named(folder, payments):
    """Return the alerts about receivers, by whom they are about."""
    payers = sorted({one["payer"] for one in payments})
    tables = {"payments": payments, "customers": [customer(one) for one in payers]}
    found = app_payments_score.score_dataset(
        dataset(folder, tables), folder / "out", "uk", typologies=["livestream-receiver"]
    )
    return {one.subject: one for one in found["livestream-receiver"].alerts}


@pytest.mark.parametrize("receiver", ["host", "maker"])
def test_whom_many_pay_once_is_not_named_and_whom_a_few_pay_again_is(tmp_path, receiver):
    # As many payments as to the seller, of as round a sum, on the same days of the year and by the same way.
    named = _named(tmp_path, _families() + _paid("seller", 4, 3) + _paid(receiver, 12, 1))
    assert "seller" in named
    assert receiver not in named
    first = named["seller"].reasons[0]
    assert (first.indicator, first.value) == ("F1", 4.0)
    assert first.sentence.startswith(
        "4 different customers pay, with no known tie to the country, where such payers come back."
    )


def test_two_payers_of_whom_one_came_back_once_are_no_crowd(tmp_path):
    seller = _paid("seller", 4, 3)
    pair = [one for one in _paid("aunt", 2, 2) if one["payment"] != "aunt-1-1"]
    assert len(pair) == 3
    named = _named(tmp_path, _families() + seller + pair)
    assert "seller" in named
    assert "aunt" not in named


def test_guests_who_were_there_speak_for_the_host_to_whom_they_come_back(tmp_path):
    host = _paid("host", 4, 3)
    stays = [
        payment(f"card{who}", f"host{who}", "hotel", 111 + 9 * who, 8000, rail="card", merchant_code="7011")
        for who in range(4)
    ]
    alone = _named(tmp_path / "alone", _families() + host)["host"]
    there = _named(tmp_path / "there", _families() + host + stays)["host"]
    assert there.total_mdb < alone.total_mdb
    (sign,) = [one for one in there.counter if one.indicator == "B6"]
    assert sign.weight_mdb < 0
    assert sign.sentence.startswith(
        "12 of 12 receipts came within 30 days of the payer's own card being used in"
    )


def test_a_receiver_s_payers_who_also_pay_another_such_receiver_speak_against_it(tmp_path):
    seller = _paid("seller", 4, 3)
    cousin = [payment(f"cousin-{who}", f"seller{who}", "cousin", 180 + who, 3000) for who in range(3)]
    stranger = _paid("stranger", 3, 1)
    named = _named(tmp_path, _families() + seller + cousin + stranger)
    assert {"seller", "cousin"} <= set(named)
    assert "stranger" not in named  # paid as often, by as many, who pay nobody else
    (shared,) = [one for one in named["cousin"].reasons if one.indicator == "F8"]
    assert shared.value == 3.0


def test_the_pack_says_that_a_receiver_may_be_a_victim():
    pack = app_payments.typology("livestream-receiver")
    assert "victims themselves" in pack.description
    assert "may need protection" in pack.description
