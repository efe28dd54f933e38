"""Every sentence of the packs reads as English of one and of many."""

import re

import pytest

from lightship import app_payments
from lightship.payments.wording import agreed, counted

SENTENCES = sorted(
    {one.sentence for name in app_payments.TYPOLOGIES for one in app_payments.typology(name).computed}
)
WRONG = re.compile(
    r"(?<![\d.,])1 (?:\w+ )?(?:payments|receipts|receivers|customers|people|credits|sends|days|markers|accounts)\b"
    r"|^1 (?:of \d+ \w+|of them|of its payers|\w+) (?:also )?(?:were|have|pay|equal|speak|carry)\b"
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_one_reads_as_one(sentence):
    for value, count, of in (("1", "1", "1"), ("1", "1", "21")):
        said = agreed(sentence.format(value=value, count=count, of=of))
        assert not WRONG.search(said), said
    many = sentence.format(value="21", count="11", of="1,021")
    assert agreed(many) == many


def test_what_is_said_of_one():
    said = [agreed(one.format(value="1", count="1", of="1")) for one in SENTENCES]
    assert "1 receiver." in said
    assert "1 person sent small sums." in said
    assert "1 of 1 payment was made between 21:00 and 05:00 by the payer's clock." in said
    assert "The customer's card was used in a listed country on 1 day." in said
    assert "1 other child's account has paid the same person in the 90 days before." in said
    assert counted(0, "rows") == "0 rows"
