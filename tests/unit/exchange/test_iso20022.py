"""ISO 20022: every family and version, the traps of each, and files that mean harm."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.exchange.messages import KINDS, OTHER, OWN, document, el, entry, statement, transfers, txt

from lightship.core.errors import InputError
from lightship.exchange import iso20022
from lightship.exchange.rejects import Rejects

PAYMENT = {
    "payer": OWN, "payer_name": "Ann Lee", "payer_country": "GB", "payee": OTHER, "payee_name": "Maria Cruz", "payee_country": "PH",
    "amount": "12.50", "currency": "GBP", "via": "MBTCPHMMXXX", "text": "school fees", "tx": "T1", "e2e": "E1",
}  # fmt: skip


@pytest.fixture(params=["whole", "streamed"])
def read(request, tmp_path, monkeypatch):
    """Read a message, by each of the two ways a file is parsed."""
    if request.param == "streamed":
        monkeypatch.setattr(iso20022, "_SMALL", 1 << 10)

    def reading(data, name="m.xml", pad=True):
        if request.param == "streamed" and pad and b"</Document>" in data:
            data = data.replace(b"</Document>", b"<!--" + b"." * 2048 + b"--></Document>")
        path = tmp_path / name
        path.write_bytes(data)
        found = iso20022.Reading(Rejects(), Counter())
        rows = [row for batch in iso20022.read([(0, path)], found) for row in batch.to_pylist()]
        return rows, found

    return reading


@pytest.mark.parametrize(("kind", "version"), [(k, v) for k in ("pacs.008", "pain.001") for v in KINDS[k]])
def test_a_transfer_reads_alike_in_every_version(read, kind, version):
    (row,), found = read(transfers(kind, version, [PAYMENT]))
    assert row["payer"] == OWN
    assert row["payee"] == OTHER
    assert (row["amount"], row["currency"]) == ("12.50", "GBP")
    assert (row["payer_country"], row["payee_country"]) == ("GB", "PH")
    assert (row["via"], row["payee_name"], row["text"].strip()) == (
        "MBTCPHMMXXX",
        "Maria Cruz",
        "school fees",
    )
    assert row["at"] == "2026-03-01T21:30:00+00:00"
    assert row["payee_amount"] is None
    assert not len(found.rejects)


@pytest.mark.parametrize(
    ("kind", "version"), [(k, v) for k in ("camt.052", "camt.053", "camt.054") for v in KINDS[k]]
)
def test_an_entry_reads_alike_in_every_version_and_both_directions(read, kind, version):
    out = {
        "servicer": "A1",
        "e2e": "E1",
        "amount": "12.50",
        "role": "Cdtr",
        "name": "Maria Cruz",
        "country": "PH",
        "account": OTHER,
        "bic": "MBTCPHMMXXX",
        "text": "fees",
    }
    in_ = {**out, "servicer": "A2", "role": "Dbtr"}
    data = statement(
        kind, version, entry(version, {"amount": "12.50", "direction": "DBIT"}, [out]),
        entry(version, {"amount": "12.50", "direction": "CRDT"}, [in_]),
    )  # fmt: skip
    (paid, got), found = read(data)
    assert (paid["payer"], paid["payee"], paid["customer"]) == (OWN, OTHER, "payer")
    assert (got["payer"], got["payee"], got["customer"]) == (OTHER, OWN, "payee")
    assert (paid["payer_country"], paid["payee_country"], paid["via"]) == ("GB", "PH", "MBTCPHMMXXX")
    assert (got["payer_country"], got["payee_country"], got["payee_name"]) == ("PH", "GB", "Ann Lee")
    assert paid["payment"] != got["payment"]
    assert paid["at"] == "2026-03-01"
    assert not len(found.rejects)


def test_a_batch_booking_is_counted_by_its_parts_alone(read):
    parts = [{"servicer": f"A{n}", "amount": f"{n}.00", "name": "R", "account": f"00{n}"} for n in (1, 2, 3)]
    rows, _ = read(statement("camt.053", 8, entry(8, {"amount": "6.00", "direction": "DBIT"}, parts)))
    assert [row["amount"] for row in rows] == ["1.00", "2.00", "3.00"]


def test_a_single_part_without_an_amount_takes_the_entrys_and_of_several_none_does(read):
    one = {"servicer": "A1", "name": "R", "account": "001"}
    rows, found = read(statement("camt.053", 8, entry(8, {"amount": "6.00", "direction": "DBIT"}, [one])))
    assert [row["amount"] for row in rows] == ["6.00"]
    rows, found = read(
        statement(
            "camt.053", 8, entry(8, {"amount": "6.00", "direction": "DBIT"}, [one, {**one, "servicer": "A2"}])
        )
    )
    assert not rows
    assert [(one.row, one.field) for one in found.rejects.rows] == [(2, "amount"), (1, "amount")]


def test_entries_that_are_no_payments_are_passed_over_and_counted(read):
    part = {"servicer": "A1", "amount": "1", "name": "R", "account": "001"}
    data = statement(
        "camt.052", 8, entry(8, {"amount": "1", "direction": "DBIT", "status": "PDNG"}, [part]),
        entry(8, {"amount": "2", "direction": "DBIT"}), entry(8, {"amount": "3", "direction": "SIDE"}, [part]),
    )  # fmt: skip
    rows, found = read(data)
    assert not rows
    assert found.passed_over == {"not booked yet": 1, "nobody on the other side": 1}
    assert [(one.row, one.field) for one in found.rejects.rows] == [(3, "CdtDbtInd")]


@pytest.mark.parametrize("how", [{"reversal": "true"}, {"reversal": "1"}, {"returned": "AC04"}])
def test_a_reversal_takes_its_payment_back(read, how):
    part = {
        "e2e": "E1",
        "amount": "5",
        "name": "Maria",
        "account": OTHER,
        "servicer": "A9",
        "returned": how.get("returned", ""),
    }
    rows, _ = read(
        statement(
            "camt.053",
            8,
            entry(8, {"amount": "5", "direction": "CRDT", "reversal": how.get("reversal", "")}, [part]),
        )
    )
    assert [(row["payer"], row["payee"], row["end_to_end"]) for row in rows] == [(OTHER, OWN, "E1")]
    assert rows[0]["reverses"]


def test_midnight_to_the_second_is_a_day_and_a_time_of_the_part_counts_first(read):
    part = {"servicer": "A1", "amount": "1", "name": "R", "account": "001"}
    booked = {"amount": "1", "direction": "DBIT", "booked": "2026-03-01T00:00:00"}
    (row,), _ = read(statement("camt.053", 8, entry(8, booked, [part])))
    assert row["at"] == "2026-03-01"
    (row,), _ = read(statement("camt.053", 8, entry(8, booked, [{**part, "moment": "2026-02-28T23:10:00Z"}])))
    assert row["at"] == "2026-02-28T23:10:00Z"


def test_both_currencies_are_kept_on_their_sides(read):
    abroad = {**PAYMENT, "settled": "900.00", "settled_currency": "PHP"}
    (row,), _ = read(transfers("pacs.008", 8, [abroad]))
    assert (row["amount"], row["currency"], row["payee_amount"], row["payee_currency"]) == (
        "12.50",
        "GBP",
        "900.00",
        "PHP",
    )
    part = {
        "servicer": "A1",
        "amount": "12.50",
        "given": "900",
        "given_currency": "PHP",
        "name": "R",
        "account": "001",
    }
    (row,), _ = read(statement("camt.053", 8, entry(8, {"amount": "12.50", "direction": "DBIT"}, [part])))
    assert (row["amount"], row["payee_amount"], row["payee_currency"]) == ("12.50", "900", "PHP")
    (row,), _ = read(
        statement(
            "camt.053", 8, entry(8, {"amount": "12.50", "direction": "CRDT"}, [{**part, "role": "Dbtr"}])
        )
    )
    assert (row["amount"], row["currency"], row["payee_amount"], row["payee_currency"]) == (
        "900",
        "PHP",
        "12.50",
        "GBP",
    )


def test_a_payment_for_another_day_has_no_time(read):
    (row,), _ = read(transfers("pain.001", 9, [PAYMENT], day="2026-03-05"))
    assert row["at"] == "2026-03-05"


def test_nobody_has_an_account_and_a_debtor_may_be_empty(read):
    (row,), _ = read(
        transfers("pacs.008", 8, [{**PAYMENT, "payee": "", "payee_country": "", "payee_name": "Maria  CRUZ"}])
    )
    assert row["payee"] == "name:maria cruz"
    assert row["payee_country"] == "PH"  # of her bank
    empty = document(
        "pacs.008",
        8,
        el("CdtTrfTxInf", el("PmtId", txt("TxId", "T")), txt("IntrBkSttlmAmt", "1", Ccy="GBP"), el("Dbtr")),
    )
    (row,), _ = read(empty)
    assert row["payer"] == ""  # which the check of rows refuses


def test_the_id_is_the_same_wherever_the_uetr_is_told(read):
    uetr = "0F1E2D3C-0000-4000-8000-000000000001"
    (a,), _ = read(transfers("pacs.008", 8, [{**PAYMENT, "uetr": uetr}]))
    part = {"servicer": "A1", "uetr": uetr.lower(), "amount": "12.50", "name": "R", "account": OTHER}
    (b,), _ = read(statement("camt.053", 8, entry(8, {"amount": "12.50", "direction": "DBIT"}, [part])))
    assert a["payment"] == b["payment"] == uetr.lower()


def test_namespaces_with_a_prefix_with_none_and_several_messages_in_an_envelope(read):
    plain = transfers("pacs.008", 8, [PAYMENT])
    expected, _ = read(plain)
    assert read(transfers("pacs.008", 8, [PAYMENT], prefix="doc"))[0] == expected
    assert read(plain.replace(b' xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"', b""))[0] == expected
    inner = plain.split(b"?>", 1)[1]
    later = transfers("pacs.008", 12, [PAYMENT]).split(b"?>", 1)[1]
    rows, _ = read(b"<Envelope xmlns='urn:x'>" + inner + later + b"</Envelope>")
    assert [{**row, "row": 1} for row in rows] == expected * 2


def test_a_message_that_announces_more_than_it_holds_is_told(read):
    rows, found = read(transfers("pacs.008", 8, [PAYMENT], count=3))
    assert len(rows) == 1
    assert [(one.row, one.field) for one in found.rejects.rows] == [(0, "NbOfTxs")]


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "bad", [LAUGHS, OUTSIDE, b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">', b"<!DOCTYPE x>"]
)
def test_a_document_type_is_refused_and_nothing_is_expanded(read, bad):
    data = transfers("pacs.008", 8, [{**PAYMENT, "text": "TEXT"}]).replace(b"TEXT", b"&a;")
    data = data.replace(b"?>", b"?>" + bad, 1)
    with pytest.raises(InputError, match=r"document type.*m.xml, line 1"):
        read(data, pad=False)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda d: d[: len(d) // 2], "breaks off or is wrong.*line"),
        (lambda d: d.replace(b"school", b"sch\xe9ol"), "breaks off or is wrong.*line"),
        (lambda d: d.replace(b'encoding="UTF-8"', b'encoding="UTF-16"'), "wrong|not XML"),
        (lambda d: d.replace(b'encoding="UTF-8"', b'encoding="no-such"'), "wrong|not XML"),
        (lambda d: b"", "wrong|not XML"),
        (lambda d: b"\x00\x01\x02", "wrong|not XML"),
        (lambda d: b"<html><body>no</body></html>", "No message of payments.*html > body"),
        (lambda d: b"<a>" * 2000, "wrong"),
    ],
)
def test_a_file_that_is_broken_says_so_with_its_place(read, harm, says):
    with pytest.raises(InputError, match=says) as error:
        read(harm(transfers("pacs.008", 8, [PAYMENT] * 4)), pad=False)
    assert "m.xml" in error.value.where


def test_an_empty_statement_is_no_error_and_utf_16_is_read(read):
    assert read(statement("camt.053", 8))[0] == []
    data = transfers("pacs.008", 8, [PAYMENT])
    expected, _ = read(data)
    told = data.decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert read(told, pad=False)[0] == expected


WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cn", "Zs", "Zl", "Zp", "Co")), min_size=1, max_size=12
)
ANY = st.fixed_dictionaries(
    {
        "payer": st.just(OWN), "payer_name": WORDS, "payer_country": st.sampled_from(["GB", "SE"]),
        "payee": st.from_regex(r"[0-9]{6,12}", fullmatch=True), "payee_name": WORDS, "payee_country": st.sampled_from(["PH", "KE", "US"]),
        "amount": st.decimals("0.01", "99999", places=2).map(str), "currency": st.sampled_from(["GBP", "SEK", "JPY"]),
        "text": WORDS, "tx": st.from_regex(r"[A-Z0-9]{1,10}", fullmatch=True), "e2e": WORDS,
    }
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(ANY, min_size=1, max_size=6),
    st.sampled_from([(k, v) for k in ("pacs.008", "pain.001") for v in KINDS[k]]),
)
def test_what_is_written_is_read_whatever_the_version(read, payments, version):
    kind, number = version
    if kind == "pain.001":
        payments = [{**one, "payer_country": payments[0]["payer_country"]} for one in payments]
    rows, found = read(transfers(kind, number, payments))
    assert not len(found.rejects)
    for row, one in zip(rows, payments, strict=True):
        for name in ("payer", "payee", "amount", "currency", "payer_country", "payee_country"):
            assert row[name] == one[name]
        assert row["payee_name"] == one["payee_name"].strip()
        assert row["text"].strip() == one["text"].strip()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_a_reading_or_one_clear_error(read, data):
    whole = transfers("pacs.008", 8, [PAYMENT] * 3)
    place = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.sampled_from(["cut", "drop", "flip"]))
    if change == "cut":
        bad = whole[:place]
    elif change == "drop":
        bad = whole[:place] + whole[place + data.draw(st.integers(1, 40)) :]
    else:
        bad = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    said = []
    try:
        said = read(bad, pad=False)[0]
    except InputError as error:
        where = error.where
    else:
        where = "m.xml"
    assert "m.xml" in where
    assert len(said) <= 3


def test_accounts_and_banks_are_found_where_they_seldom_stand(read):
    data = transfers("pacs.008", 12, [{**PAYMENT, "payee_country": "", "via": ""}])
    creditor = b"<CdtrAcct><Id><Othr><Id>0012345678</Id></Othr></Id></CdtrAcct>"
    assert creditor in data
    data = data.replace(creditor, b"<CdtrAcct><Prxy><Id>+63 900</Id></Prxy></CdtrAcct>")
    data = data.replace(
        b"<CdtrAgt></CdtrAgt>", b"<CdtrAgt><FinInstnId><Nm>Example Remit</Nm></FinInstnId></CdtrAgt>"
    )
    (row,), _ = read(data)
    assert (row["payee"], row["via"], row["payee_country"]) == ("+63 900", "Example Remit", "")
    data = data.replace(b"<DbtrAcct><Id><IBAN>", b"<DbtrAcct><Id><PrtryAcct><Id>").replace(
        b"</IBAN></Id></DbtrAcct>", b"</Id></PrtryAcct></Id></DbtrAcct>"
    )
    (row,), _ = read(data)
    assert (row["payer"], row["payer_country"]) == (OWN, "GB")


def both_ways(path, data, monkeypatch):
    """Return what a file comes to when it is parsed whole, and when it is streamed."""
    path.write_bytes(data)
    ways = []
    for small in (1 << 18, 256):
        monkeypatch.setattr(iso20022, "_SMALL", small)
        found = iso20022.Reading(Rejects(), Counter())
        said = []
        try:
            for batch in iso20022.read([(0, path)], found):
                said += batch.to_pylist()
        except InputError as error:
            said.append((error.what, error.where, error.todo))
        ways.append((said, found.rejects.rows, found.passed_over))
    return ways


TEXTS = st.sampled_from(
    ["", "A", "GBP", "12.50", "BOOK", "PDNG", "DBIT", "CRDT", "true", "GB33BUKB20201555555555"]
)
LEAVES = [
    "Amt", "Cd", "CdtDbtInd", "CreDtTm", "Dt", "DtTm", "EndToEndId", "IBAN", "Id", "InstdAmt", "IntrBkSttlmAmt", "MsgId",
    "NbOfTxs", "Nm", "RvslInd", "Sts", "TxId", "Ustrd", "BICFI",
]  # fmt: skip
HOLDERS = [
    "Acct", "BkToCstmrStmt", "CdtTrfTxInf", "Cdtr", "CdtrAcct", "Dbtr", "DbtrAcct", "GrpHdr", "Ntry", "NtryDtls", "Othr",
    "PmtId", "PmtInf", "RltdPties", "RmtInf", "Stmt", "TxDtls", "BookgDt",
]  # fmt: skip
TREES = st.recursive(
    st.builds(el, st.sampled_from(LEAVES), TEXTS),
    lambda inner: st.builds(
        lambda name, parts: el(name, *parts), st.sampled_from(HOLDERS), st.lists(inner, max_size=6)
    ),
    max_leaves=40,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TREES, max_size=4), st.sampled_from(list(KINDS)))
def test_any_tree_of_known_elements_reads_alike_whole_and_streamed(tmp_path, monkeypatch, trees, kind):
    whole, streamed = both_ways(tmp_path / "m.xml", document(kind, 8, "." * 300, *trees), monkeypatch)
    assert whole == streamed


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_says_the_same_whole_and_streamed(tmp_path, monkeypatch, data):
    part = {"servicer": "A1", "amount": "1", "name": "R", "account": "001"}
    good = data.draw(
        st.sampled_from(
            [
                transfers("pacs.008", 8, [PAYMENT, {**PAYMENT, "tx": "T2"}], count=3),
                transfers("pain.001", 9, [PAYMENT] * 2, prefix="p"),
                statement(
                    "camt.053", 8, *[entry(8, {"amount": "2.00", "direction": "DBIT"}, [part, part])] * 2
                ),
            ]
        )
    )
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(150, len(bad) - 1))  # the root has begun
        end = place + data.draw(st.sampled_from([1, 1, 7, 40]))
        bad[place:end] = data.draw(
            st.sampled_from([b"", b"<", b"<!DOCTYPE x>", b"<!--x-->", b"\xff", b"&a;", b"</Ntry>"])
        )
    whole, streamed = both_ways(tmp_path / "m.xml", bytes(bad), monkeypatch)
    assert whole == streamed


def test_values_are_known_by_what_encloses_them_though_their_tags_come_in_one_order(read):
    plain = transfers("pacs.008", 8, [PAYMENT])
    nested = plain.replace(b"<Cdtr><Nm>", b"<Cdtr><CtctDtls><Nm>").replace(
        b"Maria Cruz</Nm>", b"Maria Cruz</Nm></CtctDtls>"
    )
    beside = plain.replace(b"<Cdtr><Nm>", b"<Cdtr><CtctDtls></CtctDtls><Nm>")
    assert nested != plain != beside
    for _ in range(2):  # as they are met first, and as they are remembered
        assert [read(data)[0][0]["payee_name"] for data in (nested, beside)] == ["", "Maria Cruz"]


def test_a_text_is_one_whatever_stands_in_it(read):
    odd = transfers("pacs.008", 8, [PAYMENT]).replace(
        b"school fees", b"sch<!-- a --><![CDATA[ool <]]><?b c?>&amp;&#233;\xef\xb7\x90"
    )
    assert read(odd)[0][0]["text"].strip() == "school <&\u00e9\ufdd0"


def test_the_shapes_of_records_that_are_remembered_are_few_and_small(read, monkeypatch):
    monkeypatch.setattr(iso20022, "_SHAPES", 8)
    monkeypatch.setattr(iso20022, "_LARGEST", 60)
    known = iso20022._interbank._known
    known.clear()
    plain = transfers("pacs.008", 8, [PAYMENT])
    head, middle, tail = plain.partition(b"<CdtTrfTxInf>")
    rest, end, tail = tail.partition(b"</CdtTrfTxInf>")
    for more in range(100):
        rows, _ = read(head + middle + b"<X></X>" * more + rest + end + tail)
        assert rows[0]["payee_name"] == "Maria Cruz"
        assert len(known) <= 8
    assert all(len(shape) <= 2 * 60 for shape in known)


@pytest.mark.parametrize("inside", ["<TxDtls><Amt>1</Amt></TxDtls>", "<GrpHdr></GrpHdr>"])
def test_a_part_of_no_entry_is_rejected(read, inside):
    rows, found = read(document("camt.053", 8, inside))
    assert not rows
    assert [one.field for one in found.rejects.rows] == (["Ntry"] if "TxDtls" in inside else [])
    rows, _ = read(b"<Ntry>" + inside.encode() + b"</Ntry>", pad=False)
    assert not rows


def test_an_entry_says_the_same_of_its_parts_whole_and_streamed_though_it_says_it_after_them(
    tmp_path, monkeypatch
):
    part = {"servicer": "A1", "amount": "1.00", "name": "R", "account": "001"}
    data = statement("camt.053", 8, entry(8, {"amount": "1.00", "direction": "DBIT"}, [part]))
    said = b"<CdtDbtInd>DBIT</CdtDbtInd>"
    assert data.count(said) == 1
    late = data.replace(said, b"").replace(b"</NtryDtls>", b"</NtryDtls>" + said)
    whole, streamed = both_ways(tmp_path / "m.xml", late, monkeypatch)
    assert whole == streamed
    assert [one.field for one in whole[1]] == ["CdtDbtInd"]
