"""Files of an institution become a dataset: every bad row with its place and reason, and nothing half-written."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.exchange.messages import OTHER, OWN, entry, statement, transfers

from lightship.app_payments_read import Reading, read, rejects_file
from lightship.core.errors import InputError, SinkError
from lightship.core.payments import TABLES
from lightship.exchange import fx, payment_tables

HEAD = "payment,at,payer,payee,amount,currency,rail,payer_country,payee_country"
GOOD = ["p{n}", "2026-03-01T10:00:00Z", "c1", "r1", "12.50", "GBP", "bank", "GB", "PH"]
LATEST = date(2026, 11, 24)


def row(n=1, **changed):
    values = dict(zip(HEAD.split(","), [one.format(n=n) for one in GOOD], strict=True)) | changed
    return ",".join(values.values())


def write(path, *rows, head=HEAD):
    path.write_bytes("\n".join([head, *rows, ""]).encode() if not isinstance(head, bytes) else head)
    return path


def reading(*paths, **more):
    return Reading(list(paths), **{"latest": LATEST, **more})


def payments(out):
    rows = pq.read_table(out / "payments.parquet").to_pylist()
    return [{**one, "at": one["at"].replace(tzinfo=None)} for one in rows]


def rejects(out):
    with rejects_file(out).open(newline="", encoding="utf-8") as file:
        return [(int(one["row"]), one["field"], one["reason"]) for one in csv.DictReader(file)]


BAD = [
    ({"payment": ""}, "payment", "it is missing"),
    ({"at": "2026-02-30"}, "at", "“2026-02-30” is no date or time that there is"),
    ({"at": "2026-13-01T10:00:00Z"}, "at", "“2026-13-01T10:00:00Z” is no date or time that there is"),
    ({"at": "2027-01-01"}, "at", "“2027-01-01” lies after 2026-11-24"),
    ({"at": "1969-12-31"}, "at", "“1969-12-31” is before 1970"),
    ({"amount": "-5"}, "amount", "“-5” is not above 0"),
    ({"amount": "0.00"}, "amount", "“0.00” is not above 0"),
    ({"amount": "12.345"}, "amount", "“12.345” has more decimals than GBP has"),
    ({"amount": "12,5 pounds"}, "amount", "“12"),
    ({"amount": "9" * 30}, "amount", "“999"),
    ({"currency": "JPY"}, "amount", "“12.50” has more decimals than JPY has"),
    ({"currency": "GBX"}, "currency", "“GBX” is no currency (ISO 4217)"),
    ({"payee_country": "UK"}, "payee_country", "“UK” is no country (ISO 3166-1)"),
    ({"payee": " "}, "payee", "it is missing"),
    ({"rail": "pigeon"}, "rail", "“pigeon” is none of bank"),
]


def test_each_bad_row_is_rejected_with_its_row_field_and_reason_and_the_rest_goes_on(tmp_path):
    lines = [
        row(0),
        *(row(n, **bad).replace("12,5 pounds", '"12,5 pounds"') for n, (bad, _, _) in enumerate(BAD, 1)),
    ]
    out = tmp_path / "ds"
    counts = read(reading(write(tmp_path / "p.csv", *lines)), out)
    assert [one["payment"] for one in payments(out)] == ["p0"]
    found = rejects(out)
    assert [(number, name) for number, name, _ in found] == [
        (n, name) for n, (_, name, _) in enumerate(BAD, 2)
    ]
    assert all(reason.startswith(told) for (_, _, reason), (_, _, told) in zip(found, BAD, strict=True))
    assert sum(counts.rejected.values()) == len(BAD)


def test_columns_are_those_of_the_contract(tmp_path):
    out = tmp_path / "ds"
    read(reading(write(tmp_path / "p.csv", row())), out)
    kinds = {"string": pa.string(), "int64": pa.int64(), "int16": pa.int16(), "bool": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us", tz="UTC")}  # fmt: skip
    for table in ("payments", "customers"):
        schema = pq.read_schema(out / f"{table}.parquet")
        assert {one.name: one.type for one in schema} == {
            name: kinds[kind] for name, (kind, _) in TABLES[table].items()
        }


def test_rows_keep_their_numbers_across_blocks_broken_rows_and_quoted_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(payment_tables, "_BLOCK", 1000)
    lines = [row(n) for n in range(1, 301)]
    lines[149] = row(150, payee='"a\nb"')
    lines[199] = "too,short"
    lines[249] = row(250, amount="x")
    out = tmp_path / "ds"
    read(reading(write(tmp_path / "p.csv", *lines)), out)
    assert [one[:2] for one in rejects(out)] == [(150, "payee"), (200, "row"), (250, "amount")]
    assert len(payments(out)) == 297


@pytest.mark.parametrize("used", [True, False])
@pytest.mark.parametrize("later", ["plain", '"quoted"'])
def test_a_quotation_mark_that_is_not_closed_does_not_swallow_rows_in_silence(tmp_path, used, later):
    head, note = HEAD, "" if used else ",note"
    lines = [row(n) + ("," + (later if n != 3 else '"open')) for n in range(1, 7)]
    (tmp_path / "p.csv").write_text("\n".join([head + (",text" if used else note), *lines]) + "\n")
    counts = read(reading(tmp_path / "p.csv"), tmp_path / "ds")
    ((place, field, reason),) = rejects(tmp_path / "ds")
    assert (place, field) == (3, "text" if used else "note")
    lost = 3 if later == "plain" else 1
    assert f"with {lost} after it" in reason
    assert [one["payment"] for one in payments(tmp_path / "ds")] == [
        f"p{n}" for n in (1, 2, *range(4 + lost, 7))
    ]
    assert sum(counts.read.values()) == counts.kept["payments"] + len(rejects(tmp_path / "ds"))


def test_a_quotation_mark_that_swallows_a_large_file_is_told_with_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(payment_tables, "_BLOCK", 1000)
    lines = [row(n) + "," + ('"open' if n == 20 else "x") for n in range(1, 200)]
    (tmp_path / "p.csv").write_text("\n".join([HEAD + ",text", *lines]) + "\n")
    with pytest.raises(InputError, match=r"after row 1\d.*A quotation mark is not closed") as error:
        read(reading(tmp_path / "p.csv"), tmp_path / "ds")
    assert "p.csv, after row" in error.value.where


def test_lines_within_a_text_are_no_rows(tmp_path):
    text = '"Flat 1\n12 High Street, Town, a ""nice"" place"'
    (tmp_path / "p.csv").write_text(f"{HEAD},text\n{row(1)},{text}\n{row(2)},x\n")
    read(reading(tmp_path / "p.csv"), tmp_path / "ds")
    assert [one["text"] for one in payments(tmp_path / "ds")] == [
        'Flat 1 12 High Street, Town, a "nice" place',
        "x",
    ]


def test_control_characters_end_no_line_of_a_form_and_stand_in_no_id(tmp_path):
    lines = [row(1) + ',"a\n\x00WHO\x0bb"', row("\x01") + ",x", row(3, payee='"b\n1"') + ",x"]
    (tmp_path / "p.csv").write_text("\n".join([HEAD + ",text", *lines]) + "\n")
    read(reading(tmp_path / "p.csv"), tmp_path / "ds")
    assert [(one["payment"], one["text"]) for one in payments(tmp_path / "ds")] == [("p1", "a WHO b")]
    assert [field for _, field, _ in rejects(tmp_path / "ds")] == ["payment", "payee"]


def test_bytes_that_are_no_text_reject_their_row_alone(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes("\n".join([HEAD, row(1), row(2, payee="caf?"), row(3)]).encode().replace(b"?", b"\xe9"))
    read(reading(path), tmp_path / "ds")
    assert rejects(tmp_path / "ds") == [(2, "payee", "it is not UTF-8 text; name the mapping's encoding")]


def test_a_mapping_reads_what_an_institution_calls_its_columns(tmp_path):
    (tmp_path / "m.toml").write_text(
        """
        [payments]
        zone = "Europe/London"
        at_format = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
        decimal = ","
        thousands = "."
        delimiter = ";"
        encoding = "latin-1"
        [payments.columns]
        payment = "Nr"
        at = ["Tag", "Zeit"]
        payer = "Von"
        payee = "An"
        amount = "Betrag"
        currency = "Whg"
        payee_country = "Nach"
        [payments.constants]
        rail = "remittance"
        [payments.values.payee_country]
        Philippinen = "PH"
        [customers.columns]
        customer = "Nr"
        kind = "Art"
        opened = "Seit"
        [customers.values.kind]
        P = "person"
        """
    )
    table = tmp_path / "p.csv"
    table.write_bytes(
        "Nr;Tag;Zeit;Von;An;Betrag;Whg;Nach\n1;01/07/2026;10:00;c1;Peñá;1.234,50;GBP;Philippinen\n2;02/07/2026;;c1;r;5;GBP;KE\n".encode(
            "latin-1"
        )
    )
    people = tmp_path / "c.csv"
    people.write_text("Nr,Art,Seit\nc1,P,2020-01-31\n")
    out = tmp_path / "ds"
    counts = read(reading(table, mapping=tmp_path / "m.toml", facts={"customers": [people]}), out)
    first, second = payments(out)
    assert (first["payee"], first["amount_minor"], first["payee_country"], first["rail"]) == (
        "Peñá",
        123450,
        "PH",
        "remittance",
    )
    assert (first["at"].isoformat(), first["time_known"]) == ("2026-07-01T09:00:00", True)
    assert (second["at"].isoformat(), second["time_known"]) == ("2026-07-02T11:00:00", False)
    assert pq.read_table(out / "customers.parquet").to_pylist()[0]["opened"] == date(2020, 1, 31)
    assert not counts.customers_derived


def test_a_time_without_an_offset_is_that_of_the_payers_country_or_not_known(tmp_path):
    lines = [
        row(1, at="2026-07-01 23:30:00"),
        row(2, at="2026-07-01 23:30:00", payer_country="PH"),
        row(3, at="2026-07-01 23:30:00", payer_country=""),
    ]
    read(reading(write(tmp_path / "p.csv", *lines)), tmp_path / "ds")
    found = {one["payment"]: (one["at"].isoformat(), one["time_known"]) for one in payments(tmp_path / "ds")}
    assert found == {
        "p1": ("2026-07-01T22:30:00", True),
        "p2": ("2026-07-01T15:30:00", True),
        "p3": ("2026-07-01T23:30:00", False),
    }


def test_a_day_written_as_midnight_is_no_payment_at_night(tmp_path):
    lines = [
        row(1, at="2026-07-01 00:00:00"),
        row(2, at="2026-07-01T00:00"),
        row(3, at="2026-07-01T00:00:00+01:00"),
        row(4, at="2026-07-01 00:00:01"),
        row(5, at="2026-07-01Z"),
    ]
    read(reading(write(tmp_path / "p.csv", *lines)), tmp_path / "ds")
    found = {one["payment"]: (one["at"].isoformat(), one["time_known"]) for one in payments(tmp_path / "ds")}
    assert found == {
        "p1": ("2026-07-01T11:00:00", False),
        "p2": ("2026-07-01T11:00:00", False),
        "p3": ("2026-06-30T23:00:00", True),
        "p4": ("2026-06-30T23:00:01", True),
        "p5": ("2026-07-01T11:00:00", False),
    }


@pytest.mark.parametrize(
    "at",
    ["2026-3-9", "2026-03-09 10:00:00 Europe/Paris", "2026-03-09T10:00:00+25:00", "epoch", "infinity",
     "2026-03-09 (BC)", "2026-03-09T1:00", "2026-02-30", "2026-03-09T24:30:00Z", "2026-06-30T23:59:60Z"],
)  # fmt: skip
def test_a_time_that_would_have_to_be_guessed_is_rejected(tmp_path, at):
    read(reading(write(tmp_path / "p.csv", row(1), row(2, at=at))), tmp_path / "ds")
    assert [one["payment"] for one in payments(tmp_path / "ds")] == ["p1"]
    assert "is no date or time that there is" in (tmp_path / "ds.rejects.csv").read_text()


def test_parquet_of_any_types_reads_as_text_does(tmp_path):
    values = [one.format(n=1) for one in GOOD]
    table = pa.table({name: [value] for name, value in zip(HEAD.split(","), values, strict=True)})
    typed = table.set_column(4, "amount", pa.array([0.1 + 0.2])).set_column(
        1, "at", pa.array([date(2026, 3, 1)])
    )
    pq.write_table(typed, tmp_path / "p.parquet")
    read(reading(tmp_path / "p.parquet"), tmp_path / "ds")
    (one,) = payments(tmp_path / "ds")
    assert (one["amount_minor"], one["at"].isoformat(), one["time_known"]) == (
        30,
        "2026-03-01T12:00:00",
        False,
    )


def test_a_number_that_is_none_is_shown_as_it_stands(tmp_path):
    values = [one.format(n=1) for one in GOOD]
    table = pa.table({name: [value] * 3 for name, value in zip(HEAD.split(","), values, strict=True)})
    table = table.set_column(4, "amount", pa.array([12.5, float("nan"), float("inf")]))
    pq.write_table(table, tmp_path / "p.parquet")
    read(reading(tmp_path / "p.parquet"), tmp_path / "ds")
    assert [reason for _, _, reason in rejects(tmp_path / "ds")] == [
        "“nan” is no amount",
        "“inf” is no amount",
    ]


def test_a_dataset_reads_back_as_itself(tmp_path):
    read(reading(write(tmp_path / "p.csv", row(1), row(2, at="2026-03-02"))), tmp_path / "a")
    read(reading(tmp_path / "a" / "payments.parquet"), tmp_path / "b")
    assert (tmp_path / "a" / "payments.parquet").read_bytes() == (
        tmp_path / "b" / "payments.parquet"
    ).read_bytes()


def test_two_rates_of_one_day_are_refused(tmp_path):
    (tmp_path / "fx.csv").write_text("day,GBP\n2026-03-01,0.8\n2026-03-01,8\n")
    with pytest.raises(InputError, match=r"GBP has two rates of 2026-03-01. \[.*fx.csv, row 2\]"):
        fx.read(tmp_path / "fx.csv")


def test_what_is_told_twice_counts_once_and_what_contradicts_it_is_rejected(tmp_path):
    lines = [row(1), row(1), row(1, amount="99"), row(2)]
    counts = read(reading(write(tmp_path / "p.csv", *lines)), tmp_path / "ds")
    assert counts.duplicates == 1
    assert [(one["payment"], one["amount_minor"]) for one in payments(tmp_path / "ds")] == [
        ("p1", 1250),
        ("p2", 1250),
    ]
    assert rejects(tmp_path / "ds") == [(3, "payment", "another row with other contents has this id")]


def test_a_reversal_finds_what_it_takes_back_by_id_or_reference(tmp_path):
    part = {"servicer": "A1", "e2e": "E1", "amount": "12.50", "name": "Maria", "account": OTHER}
    data = statement(
        "camt.053", 8, entry(8, {"amount": "12.50", "direction": "DBIT"}, [part]),
        entry(8, {"amount": "12.50", "direction": "CRDT", "reversal": "true", "booked": "2026-03-03"}, [{**part, "servicer": "A2"}]),
        entry(8, {"amount": "7", "direction": "CRDT", "reversal": "true", "booked": "2026-03-03"}, [{**part, "servicer": "A3", "amount": "7", "e2e": "E9"}]),
    )  # fmt: skip
    (tmp_path / "m.xml").write_bytes(data)
    counts = read(reading(tmp_path / "m.xml"), tmp_path / "ds")
    assert (counts.reversals, counts.unmatched) == (2, 1)
    found = {one["payment"]: one["reverses"] for one in payments(tmp_path / "ds")}
    assert found[f"back:{OWN}/A2"] == f"{OWN}/A1"
    assert [one["customer"] for one in pq.read_table(tmp_path / "ds" / "customers.parquet").to_pylist()] == [
        OWN
    ]


def test_a_strangers_reversal_takes_nothing_back(tmp_path):
    head = HEAD + ",reverses"
    lines = [row(1) + ",", row(2, payer="x", payee="y") + ",p1", row(3, payer="r1", payee="c1") + ",p1"]
    read(reading(write(tmp_path / "p.csv", *lines, head=head)), tmp_path / "ds")
    assert rejects(tmp_path / "ds") == [(2, "reverses", "“p1” is a payment between other people")]
    assert [(one["payment"], one["reverses"]) for one in payments(tmp_path / "ds")] == [
        ("p1", None),
        ("p3", "p1"),
    ]


def test_one_payment_told_by_two_families_counts_once_with_its_time(tmp_path):
    uetr = "0f1e2d3c-0000-4000-8000-000000000001"
    told = {
        "payer": OWN,
        "payer_name": "Ann Lee",
        "payee": OTHER,
        "payee_name": "Maria",
        "amount": "12.50",
        "currency": "GBP",
        "uetr": uetr,
    }
    part = {"servicer": "A1", "uetr": uetr, "amount": "12.50", "name": "Maria", "account": OTHER}
    (tmp_path / "a.xml").write_bytes(
        statement("camt.053", 8, entry(8, {"amount": "12.50", "direction": "DBIT"}, [part]))
    )
    (tmp_path / "b.xml").write_bytes(transfers("pacs.008", 8, [told]))
    counts = read(reading(tmp_path), tmp_path.with_name(tmp_path.name + "-ds"))
    (one,) = payments(tmp_path.with_name(tmp_path.name + "-ds"))
    assert counts.duplicates == 1
    assert one["time_known"]


def test_several_currencies_need_rates_of_their_days(tmp_path):
    path = write(tmp_path / "p.csv", row(1), row(2, currency="PHP"), row(3, currency="PHP", at="2023-01-01"))
    with pytest.raises(
        InputError, match=r"several currencies \(GBP, PHP\).*p.csv, row 2, field currency.*--fx"
    ):
        read(reading(path), tmp_path / "ds")
    read(reading(path, rates="example"), tmp_path / "ds")
    assert [one["payment"] for one in payments(tmp_path / "ds")] == ["p1", "p2"]
    assert rejects(tmp_path / "ds") == [(3, "currency", "the rates say nothing of PHP on 2023-01-01")]
    assert fx.read(tmp_path / "ds" / "rates.csv").per_base("PHP", date(2026, 3, 9)) is not None


NAMED = "\n".join(f'{name} = "{name}"' for name in HEAD.split(","))


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("", "names no table"),
        ("[payments]\n", "names no column for payment, at, payer"),
        ("[payments.columns]\npayment = 'x'\n", "names no column for at, payer"),
        ("[payments.columns]\nwho = 'x'\n", "names “who”, which is nothing"),
        ("[people]\n", "names “people”, which is nothing"),
        ("[payments]\ncolour = 1\n", "names “colour”"),
        ("payments = 3\n", "a table is expected"),
        ("[payments\n", "cannot be read"),
        ("[payments]\nzone = 3\n", "a text is expected"),
        ("[payments.values]\nrail = 5\n", "a table is expected"),
        ("a = " + "[" * 5000, "cannot be read"),
        ('[payments]\nat_format = "%Q"\n[payments.columns]\n' + NAMED, "“%Q” is no form of a time"),
    ],
)
def test_a_mapping_that_names_none_or_nonsense_is_refused(tmp_path, mapping, says):
    (tmp_path / "m.toml").write_text(mapping)
    with pytest.raises(InputError, match=says) as error:
        read(reading(write(tmp_path / "p.csv", row()), mapping=tmp_path / "m.toml"), tmp_path / "ds")
    assert "m.toml" in error.value.where


def test_a_zone_that_there_is_not_and_columns_that_are_missing_are_told(tmp_path):
    names = "\n".join(f'{name} = "{name}"' for name in HEAD.split(","))
    (tmp_path / "m.toml").write_text(f'[payments]\nzone = "Mars/Base"\n[payments.columns]\n{names}\n')
    with pytest.raises(InputError, match="no time zone “Mars/Base”"):
        read(reading(write(tmp_path / "p.csv", row()), mapping=tmp_path / "m.toml"), tmp_path / "ds")
    (tmp_path / "m.toml").write_text(f"[payments.columns]\n{names}\n")
    with pytest.raises(InputError, match=r"no column “amount”.*p.csv.*It has: a, b"):
        read(
            reading(write(tmp_path / "p.csv", "1,2", head="a,b"), mapping=tmp_path / "m.toml"),
            tmp_path / "ds",
        )
    with pytest.raises(InputError, match=r"has no column called payment.*It has: a, b"):
        read(reading(write(tmp_path / "p.csv", "1,2", head="a,b")), tmp_path / "ds")


@pytest.mark.parametrize("harm", [b"", b"PAR1 no", b"\xff\xfe\x00\x01", b'a,b\n"never ends'])
@pytest.mark.parametrize("name", ["p.csv", "p.parquet", "p.xml"])
def test_a_broken_file_is_one_clear_error(tmp_path, name, harm):
    (tmp_path / name).write_bytes(harm)
    with pytest.raises(InputError, match=name):
        read(reading(tmp_path / name), tmp_path / "ds")
    assert not (tmp_path / "ds").exists()


def test_too_many_rejects_stop_the_reading_and_leave_the_reasons(tmp_path):
    path = write(tmp_path / "p.csv", *(row(n, amount="x") for n in range(30)), row(31))
    with pytest.raises(
        InputError, match=r"More than 20 rows.*p.csv, row 1, field amount.*Most often \(21 times\)"
    ):
        read(reading(path, reject_limit=20), tmp_path / "ds")
    assert len(rejects(tmp_path / "ds")) == 21
    assert not (tmp_path / "ds").exists()


def test_nothing_to_read_is_told(tmp_path):
    with pytest.raises(InputError, match=r"No payment can be used; of the first, amount: “x” is no amount"):
        read(reading(write(tmp_path / "p.csv", row(amount="x"))), tmp_path / "ds")
    (tmp_path / "m.xml").write_bytes(statement("camt.053", 8))
    with pytest.raises(InputError, match="There is no payment in it"):
        read(reading(tmp_path / "m.xml"), tmp_path / "ds")


def test_a_folder_is_read_however_deep_in_order_and_without_what_is_hidden(tmp_path):
    folder = tmp_path / ".kept" / "in"  # what is hidden above it does not matter
    for place, name in enumerate(
        ["b.csv", "a/z.csv", "a/deep/y.csv", "a.csv", ".h.csv", ".git/x.csv", "a/.h/w.csv"]
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, row(place))
    counts = read(reading(folder), tmp_path / "ds")
    names = [name.partition("/in/")[2] for name in counts.read]
    assert names == ["a/deep/y.csv", "a/z.csv", "a.csv", "b.csv"]


def test_a_rerun_gives_the_same_bytes_whatever_the_order_of_rows(tmp_path):
    lines = [
        row(n, at=f"2026-03-{n % 28 + 1:02d}T10:00:{n % 60:02d}Z", payer=f"c{n % 7}") for n in range(2000)
    ]
    read(reading(write(tmp_path / "p.csv", *lines)), tmp_path / "ds")
    first = {path.name: path.read_bytes() for path in (tmp_path / "ds").iterdir()}
    read(reading(tmp_path / "p.csv"), tmp_path / "ds")
    assert {path.name: path.read_bytes() for path in (tmp_path / "ds").iterdir()} == first
    read(reading(write(tmp_path / "q.csv", *reversed(lines))), tmp_path / "other")
    assert (tmp_path / "other" / "payments.parquet").read_bytes() == first["payments.parquet"]
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "ds",
        "ds.rejects.csv",
        "other",
        "other.rejects.csv",
        "p.csv",
        "q.csv",
    ]


def test_a_folder_in_it_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "all" / "shut").mkdir(parents=True)
    opening = os.scandir

    def shut(path="."):
        if str(path).endswith("shut"):  # as its rights would say to all but root
            raise PermissionError(13, "Permission denied", str(path))
        return opening(path)

    monkeypatch.setattr(os, "scandir", shut)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read(reading(tmp_path / "all"), tmp_path / "ds")


def test_a_folder_that_is_no_dataset_is_left_alone(tmp_path):
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="Something else lies"):
        read(reading(write(tmp_path / "p.csv", row())), tmp_path / "ds")
    assert (tmp_path / "ds" / "mine.txt").read_text() == "mine"


LIMITED = """
import resource, signal, sys
from datetime import UTC, date, datetime
from pathlib import Path
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from lightship.app_payments_read import Reading, read
from lightship.core.errors import LightshipError
try:
    read(Reading([Path(sys.argv[1])], date(2026, 11, 24)), Path(sys.argv[2]))
except LightshipError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_disk_that_is_full_is_one_clear_error_and_leaves_the_old_dataset(tmp_path):
    read(reading(write(tmp_path / "p.csv", row())), tmp_path / "ds")
    before = {path.name: path.read_bytes() for path in (tmp_path / "ds").iterdir()}
    many = write(tmp_path / "q.csv", *(row(n, payee=f"r{n * 7919}") for n in range(60_000)))
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, many, tmp_path / "ds"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == SinkError.exit_code, ran.stderr
    assert "cannot be written" in ran.stdout
    assert {path.name: path.read_bytes() for path in (tmp_path / "ds").iterdir()} == before
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_a_reader_that_is_killed_leaves_the_old_dataset(tmp_path):
    read(reading(write(tmp_path / "p.csv", row())), tmp_path / "ds")
    before = {path.name: path.read_bytes() for path in (tmp_path / "ds").iterdir()}
    many = write(tmp_path / "q.csv", *(row(n) for n in range(200_000)))
    script = LIMITED.replace("resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))", "")
    child = subprocess.Popen([sys.executable, "-c", script, many, tmp_path / "ds"])
    until = time.monotonic() + 30
    while time.monotonic() < until and not [one for one in tmp_path.iterdir() if one.name.startswith(".ds.")]:
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in (tmp_path / "ds").iterdir()} == before


FINE = st.fixed_dictionaries(
    {
        "at": st.integers(0, 200_000_000).map(
            lambda s: datetime.fromtimestamp(1_577_836_800 + s, UTC).replace(tzinfo=None)
        ),
        "minor": st.integers(1, 10**9),
        "currency": st.sampled_from(["GBP", "JPY", "KWD"]),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FINE, min_size=1, max_size=8), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_amounts_and_times_come_through_exactly(tmp_path, found, currency):
    digits = fx.digits()[currency]
    lines = []
    for n, one in enumerate(found):
        whole, part = divmod(one["minor"], 10**digits)
        amount = f"{whole}.{part:0{digits}d}" if digits else str(whole)
        lines.append(row(n, amount=amount, currency=currency, at=one["at"].isoformat() + "+00:00"))
    read(reading(write(tmp_path / "p.csv", *lines)), tmp_path / "ds")
    got = {one["payment"]: (one["at"], one["amount_minor"]) for one in payments(tmp_path / "ds")}
    assert got == {f"p{n}": (one["at"], one["minor"]) for n, one in enumerate(found)}


def test_the_manifest_says_what_became_of_the_rows(tmp_path):
    read(reading(write(tmp_path / "p.csv", row(1), row(1), row(2, amount="x"))), tmp_path / "ds")
    counts = json.loads((tmp_path / "ds" / "dataset.json").read_text())["counts"]
    assert (counts["duplicates"], counts["rejected"], counts["kept"]["payments"]) == (1, {"amount": 1}, 1)


def test_ties_and_markers_have_their_own_checks(tmp_path):
    ties = write(
        tmp_path / "t.csv",
        "c1,PH,family",
        "c1,PH,family",
        "c1,PH,friend",
        "c1,XX,family",
        head="customer,country,tie",
    )
    markers = write(
        tmp_path / "m.csv",
        "r1,flagged-receiver,2026-01-01,a hunt",
        "r1,flagged-receiver,2026-02-30,a hunt",
        head="subject,marker,since,source",
    )
    read(
        reading(write(tmp_path / "p.csv", row()), facts={"ties": [ties], "markers": [markers]}),
        tmp_path / "ds",
    )
    assert pq.read_table(tmp_path / "ds" / "ties.parquet").num_rows == 1
    assert [(number, name) for number, name, _ in rejects(tmp_path / "ds")] == [
        (3, "tie"),
        (4, "country"),
        (2, "since"),
    ]


def test_many_small_messages_are_taken_together_and_each_keeps_its_name(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(300):
        told = {
            "payer": OWN,
            "payer_name": "Ann",
            "payee": f"00{n}",
            "payee_name": "M",
            "amount": "x" if n == 77 else "5",
            "currency": "GBP",
            "tx": f"T{n}",
        }
        (tmp_path / "in" / f"{n:03}.xml").write_bytes(transfers("pacs.008", 8, [told]))
    counts = read(reading(tmp_path / "in"), tmp_path / "ds")
    assert counts.kept["payments"] == 299
    assert set(counts.read.values()) == {1}
    with rejects_file(tmp_path / "ds").open(encoding="utf-8") as file:
        (one,) = list(csv.DictReader(file))
    assert one["file"].endswith("077.xml")
    assert (one["row"], one["field"]) == ("1", "amount")
