"""Names that may be one person: spellings are linked, common names are not, and each says why."""

import random

from tests.unit.payments.outward_making import customer, dataset, payment

from lightship import app_payments_outward as app
from lightship.app_payments_data import connected
from lightship.payments.names import CAP_DB, ENOUGH_DB, groups, link_names
from lightship.payments.network import keep_ids, lay_out
from lightship.payments.receivers import receiver_files, receivers

SHAPE = app.shape("")
GIVEN = [
    "ana",
    "maria",
    "jose",
    "juan",
    "rosa",
    "luz",
    "pedro",
    "carlo",
    "ramon",
    "liza",
    "grace",
    "joy",
    "mark",
    "paul",
    "john",
    "mary",
    "angel",
    "cora",
    "dante",
]
MIDDLE = ["", "", "", "b", "c", "d", "de la", "l"]
FAMILY = [
    "reyes",
    "cruz",
    "santos",
    "garcia",
    "mendoza",
    "torres",
    "flores",
    "ramos",
    "aquino",
    "diaz",
    "lopez",
    "castro",
    "bautista",
    "navarro",
    "tan",
    "sy",
]


def world(folder, *more):
    rng = random.Random(3)
    payments = [
        payment(
            f"x{n}",
            f"p{n % 97}",
            f"r{n}",
            n % 30,
            payee_name=f"{rng.choice(GIVEN)} {rng.choice(MIDDLE)} {rng.choice(FAMILY)}".title(),
        )
        for n in range(400)
    ]
    payments += [payment(f"y{n}", f"p{n}", id_, 1, payee_name=name) for n, (id_, name) in enumerate(more)]
    return dataset(folder, {"payments": payments, "customers": [customer(f"p{n}") for n in range(97)]})


def linked(folder):
    with connected(folder) as con:
        lay_out(con, SHAPE)
        ids = con.execute("select distinct payee from moves").fetchall()
        keep_ids(con, "compared", [one for (one,) in ids])
        return link_names(con, "compared")


def test_three_spellings_are_one_and_common_names_are_not(tmp_path):
    spelt = (("va", "Zenaida Marie Quiambao"), ("vb", "ZENAIDA M. QUIAMBAO"), ("vc", "Zenayda Quiambáo"))
    found = linked(world(tmp_path, *spelt))
    assert groups(found) == (("va", "vb", "vc"),)
    best = found[0]
    assert (best.left, best.right) == ("va", "vb")
    assert {name for name, _, _ in best.parts} == {"given", "family", "middle", "country"}
    assert "same middle initial" in [seen for _, seen, _ in best.parts]
    assert max(db for one in found for _, _, db in one.parts) <= CAP_DB
    assert all(one.weight_db >= ENOUGH_DB for one in found)


def test_the_same_data_give_the_same_links(tmp_path):
    folder = world(tmp_path, ("va", "Zenaida Quiambao"), ("vb", "Zenaida Quiambao"))
    assert linked(folder) == linked(folder)
    assert len(linked(folder)) == 1


def test_fewer_than_two_names_are_no_question(tmp_path):
    one = dataset(tmp_path, {"payments": [payment("a", "p", "r", 1, payee_name="Mononym")], "customers": []})
    assert linked(one) == ()


def test_a_payer_of_both_spellings_is_one_payer(tmp_path):
    folder = world(tmp_path, ("va", "Zenaida Quiambao"), ("vb", "Zenaida Quiambao"))
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "payments.parquet").to_pylist()
    table.append({**table[-1], "payment": "z", "payer": table[-2]["payer"]})  # who paid va pays vb too
    dataset(folder, {"payments": table, "customers": []})
    with connected(folder) as con:
        lay_out(con, SHAPE)
        found = receivers(con, SHAPE, 500)
    together = next(one for one in found.standing if len(one.members) == 2)
    assert [one.receiver for one in together.members] == ["vb", "va"]
    assert together.payers == 2
    files = receiver_files(found, {})
    assert b"vb = va" in files["receivers.csv"]
    assert b"same given name" in files["network.html"]
