"""Hunts: whom they come to, by which path, where they stop, and that pseudonyms hide who it was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.payments.outward_making import customer, dataset, payment, rows

from lightship import app_payments_outward as app
from lightship import app_payments_pseudonyms as hiding
from lightship.app_payments_data import connected
from lightship.core.errors import InputError
from lightship.payments.hunt import hunt, read_seeds
from lightship.payments.hunt_files import hunt_files
from lightship.payments.network import lay_out, rank_receivers
from lightship.payments.pseudonyms import is_pseudonym, pseudonym

SHAPE = app.shape("")


def hunted(folder, seeds, depth=2):
    with connected(folder) as con:
        lay_out(con, SHAPE)
        return hunt(con, SHAPE, seeds, depth)


def by_id(result):
    return {(one.side, one.id): one for one in result.found}


def test_a_hunt_comes_to_the_payers_and_what_lies_behind_them(tmp_path):
    found = by_id(hunted(dataset(tmp_path), ["r1"]))
    assert found["payer", "p1"].depth == found["payer", "p2"].depth == 1
    assert found["payer", "p3"].path == ("r1", "p2", "r4", "p3")
    assert found["payer", "p3"].way == (
        "Paid «r4» (1 payment on 2026-03-08), which was also paid by «p2» (1 payment on 2026-03-07), "
        "who paid the seed «r1» (2 payments from 2026-03-03 to 2026-03-06)."
    )
    # p2 pays three receivers, r4 has two payers: a sixth
    assert found["payer", "p3"].strength == 1_000_000 // 3 // 2
    assert found["payer", "p4"].stopped == "family tie to PH"
    assert ("payer", "p1") in found
    assert ("receiver", "shop") not in found


def test_it_never_goes_through_a_hub_and_says_so(tmp_path):
    result = hunted(dataset(tmp_path), ["r1"])
    assert result.hubs == ("hub",)
    assert by_id(result)["receiver", "hub"].stopped == "a hub of 301 payers"
    assert not [one for one in result.found if one.id.startswith("q")]


def test_a_seed_that_is_a_hub_is_listed_weaker_and_not_gone_on_from(tmp_path):
    result = hunted(dataset(tmp_path), ["hub"])
    assert result.hub_seeds == ("hub",)
    found = by_id(result)
    assert len(found) == 301
    assert found["payer", "p2"].strength < 1_000_000


def test_depth_one_stays_with_the_payers_of_seeds(tmp_path):
    result = hunted(dataset(tmp_path), ["r1", "absent"], depth=1)
    assert {one.id for one in result.found} == {"p1", "p2", "p4"}
    assert result.unknown == ("absent",)


def test_a_name_in_common_stops_it(tmp_path):
    tables = rows()
    tables["payments"].append(payment("z1", "p9", "p2", 1, payee_country="GB", payee_name="Lena Ramos"))
    result = hunted(dataset(tmp_path, tables), ["r1"])
    assert ("payer", "p3") not in by_id(result)  # p2 and r4 are both called Ramos


def test_what_was_taken_back_does_not_count(tmp_path):
    tables = rows()
    tables["payments"] += [
        payment("g0", "p9", "r1", 1),
        payment("g1", "p9", "r1", 2, reverses="g0"),
    ]
    assert ("payer", "p9") not in by_id(hunted(dataset(tmp_path, tables), ["r1"]))


def test_a_person_who_pays_and_receives_is_two_ends(tmp_path):
    tables = {
        "payments": [payment("a", "x", "y", 1), payment("b", "y", "x", 2), payment("c", "z", "x", 2)],
        "customers": [],
    }
    found = by_id(hunted(dataset(tmp_path, tables), ["y"]))
    assert set(found) == {("payer", "x")}
    found = by_id(hunted(dataset(tmp_path, tables), ["x"]))
    assert set(found) == {("payer", "y"), ("payer", "z")}


@settings(max_examples=25, deadline=None)
@given(
    ties=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=25),
    seed=st.integers(0, 6),
)
def test_every_path_is_made_of_payments_that_were_made(ties, seed, tmp_path_factory):
    listed = [payment(f"n{i}", f"p{a}", f"r{b}", i, payee_name=None) for i, (a, b) in enumerate(ties)]
    folder = dataset(tmp_path_factory.mktemp("ties"), {"payments": listed, "customers": []})
    result = hunted(folder, [f"r{seed}"])
    made = {(f"p{a}", f"r{b}") for a, b in ties}
    for one in result.found:
        assert one.path[0] == f"r{seed}"
        assert one.path[-1] == one.id
        assert len(one.path) in {2, 3, 4}
        assert all(pair in made or pair[::-1] in made for pair in zip(one.path, one.path[1:], strict=False))
        assert one.strength >= 0
    assert {one.id for one in result.found if one.depth == 1} == {a for a, b in made if b == f"r{seed}"}


def test_with_the_banks_key_nothing_plain_leaves(tmp_path):
    folder, key_file = dataset(tmp_path / "d"), tmp_path / "key"
    hiding.make_key(key_file)
    key = hiding.read_key(key_file)
    (tmp_path / "seeds").write_text("r1 # known since February\n")
    plain = app.hunt(folder, tmp_path / "seeds", tmp_path / "a", depth=2, key_file=None, shape_name="")
    app.hunt(folder, tmp_path / "seeds", tmp_path / "b", depth=2, key_file=key_file, shape_name="")
    text = (tmp_path / "b" / "hunt.csv").read_text() + (tmp_path / "b" / "hunt.json").read_text()
    text += (tmp_path / "b" / "network.html").read_text().split("</script>")[0]
    for one in plain.found:
        assert f"«{one.id}»" not in text
        assert f'"{one.id}"' not in text
    assert "Reyes" not in text
    assert pseudonym(key, "p3") in text

    hiding.hide(folder, tmp_path / "hidden", key_file)
    hiding.hide(tmp_path / "seeds", tmp_path / "hidden-seeds", key_file)
    app.hunt(
        tmp_path / "hidden", tmp_path / "hidden-seeds", tmp_path / "c", depth=2, key_file=None, shape_name=""
    )
    assert (tmp_path / "c" / "hunt.csv").read_bytes() == (tmp_path / "b" / "hunt.csv").read_bytes()
    app.hunt(folder, tmp_path / "hidden-seeds", tmp_path / "e", depth=2, key_file=key_file, shape_name="")
    assert (tmp_path / "e" / "hunt.csv").read_bytes() == (tmp_path / "b" / "hunt.csv").read_bytes()
    back = dict(hiding.reveal(tmp_path / "c" / "hunt.csv", folder, key_file))
    assert back[pseudonym(key, "p3")] == "p3"


def test_a_hidden_dataset_has_no_names_texts_or_identifiers(tmp_path):
    import duckdb

    tables = rows()
    tables["payments"][0]["text"] = "school"
    folder, key_file = dataset(tmp_path / "d", tables), tmp_path / "key"
    hiding.make_key(key_file)
    hiding.hide(folder, tmp_path / "hidden", key_file)
    with duckdb.connect() as con:
        found = con.execute(f"select * from '{tmp_path}/hidden/payments.parquet'").fetchall()
        columns = [one[0] for one in con.description]
    assert len(found) == len(tables["payments"])
    for row in (dict(zip(columns, one, strict=True)) for one in found):
        assert row["payee_name"] is None
        assert row["text"] is None
        assert is_pseudonym(row["payer"])
        assert is_pseudonym(row["payee"])


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    path = tmp_path / "key"
    hiding.make_key(path)
    with pytest.raises(InputError, match="cannot be made"):
        hiding.make_key(path)
    path.chmod(0o644)
    with pytest.raises(InputError, match="Others can read"):
        hiding.read_key(path)
    path.write_text("ab")
    path.chmod(0o600)
    with pytest.raises(InputError, match="not 64"):
        hiding.read_key(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        hiding.read_key(path)


def test_pseudonyms_depend_on_the_key_and_stay_as_they_are():
    one, two = pseudonym(bytes(32), "r1"), pseudonym(b"\1" * 32, "r1")
    assert one != two
    assert pseudonym(b"\1" * 32, one) == one


def test_a_file_without_seeds_is_refused():
    with pytest.raises(InputError, match="no seed"):
        read_seeds("# nobody\n\n", "seeds.txt")


def test_the_same_hunt_gives_the_same_bytes(tmp_path):
    folder = dataset(tmp_path)
    first, second = (hunt_files(hunted(folder, ["r1"]), {"a": "b"}, pseudonyms=False) for _ in range(2))
    assert first == second


def test_no_spreadsheet_takes_a_name_for_a_formula(tmp_path):
    tables = {"payments": [payment("a", "=cmd()", "r1", 1)], "customers": [customer("=cmd()")]}
    made = hunt_files(hunted(dataset(tmp_path, tables), ["r1"]), {}, pseudonyms=False)
    assert b",'=cmd()," in made["hunt.csv"]


def test_receivers_to_whom_unrelated_payers_come_back_are_ranked_first(tmp_path):
    with connected(dataset(tmp_path)) as con:
        lay_out(con, SHAPE)
        ranking = rank_receivers(con, SHAPE, 10)
    assert [(one.receiver, one.payers, one.related) for one in ranking.receivers] == [
        ("r1", 2, 1),
        ("r4", 2, 0),
    ]
    assert ranking.receivers[0].weight == 2_000_000
    assert ranking.hubs == 1
    assert ranking.receivers[0].markers == ("flagged-receiver since 2026-02-01 (partner notice 7)",)


def test_a_payer_of_many_counts_less_a_business_not_at_all_and_a_host_comes_last(tmp_path):
    payments = [payment(f"m{number}", "many", f"r{number}", 1) for number in range(12)]
    payments += [payment("a", "p1", "r3", 2), payment("b", "p1", "r3", 9), payment("c", "many", "r3", 4)]
    payments += [payment("d", "works", "r3", 3), payment("e", "works", "r5", 3)]
    payments += [payment(f"h{number}", f"guest{number}", "host", number) for number in range(9)]
    payers = {one["payer"] for one in payments}
    kinds = [customer(one, kind="business" if one == "works" else "person") for one in payers]
    with connected(dataset(tmp_path, {"payments": payments, "customers": kinds})) as con:
        lay_out(con, SHAPE)
        ranking = rank_receivers(con, SHAPE, 10)
    found = [(one.receiver, one.payers, one.weight) for one in ranking.receivers]
    assert found == [("r3", 2, 1_000_000 + 6_000_000 // 12), ("host", 9, 9_000_000)]


def test_what_is_at_home_large_or_with_a_shop_is_not_in_the_shape(tmp_path):
    tables = {
        "payments": [
            payment("a", "p1", "r1", 1), payment("b", "p2", "r1", 1, 900000), payment("c", "p3", "r1", 1, payee_country="GB"),
            payment("d", "p4", "r1", 1, merchant_code="5411"), payment("e", "p5", "r1", 1, rail="card"),
            payment("f", "p6", "r1", 1, currency="XXX"), payment("g", "p7", "r1", 1, payee_country=None),
        ],
        "customers": [],
    }  # fmt: skip
    with connected(dataset(tmp_path, tables)) as con:
        lay_out(con, SHAPE)
        ranking = rank_receivers(con, SHAPE, 10, least=1)
    assert [(one.receiver, one.payers) for one in ranking.receivers] == [("r1", 1)]
    assert ranking.outside == 1
