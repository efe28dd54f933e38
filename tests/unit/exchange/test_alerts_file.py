"""Alerts as files: what is written is what is read, and a bad row is named."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.payments.outward_making import alert

from lightship.core.errors import InputError, SinkError
from lightship.core.payments import Alert, Reason
from lightship.exchange.alerts_file import read_alerts, to_lines, write_alerts

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
REASONS = st.builds(
    Reason,
    **dict.fromkeys(("indicator", "family", "sentence", "unit", "peer_group", "source", "grade"), TEXT),
    **dict.fromkeys(("value", "peer_share"), st.floats(allow_nan=False, allow_infinity=False)),
    weight_mdb=WHOLE,
    payments=st.lists(TEXT, max_size=3).map(tuple),
)
ALERTS = st.builds(
    Alert,
    **dict.fromkeys(("alert", "typology", "subject", "pack", "baseline"), TEXT),
    **dict.fromkeys(("at_us", "rank", "total_mdb", "keeper_mdb", "threshold_mdb"), WHOLE),
    **dict.fromkeys(("reasons", "counter"), st.lists(REASONS, max_size=2).map(tuple)),
    lane=st.sampled_from(["slow", "fast"]),
    off=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
)


@pytest.mark.parametrize("name", ["alerts.jsonl", "alerts.parquet"])
@settings(deadline=None)
@given(alerts=st.lists(ALERTS, max_size=3, unique_by=lambda one: one.alert))
def test_what_is_written_is_what_is_read(name, alerts, tmp_path_factory):
    path = tmp_path_factory.mktemp("alerts") / name
    write_alerts(path, alerts)
    assert read_alerts(path) == tuple(alerts)
    first = path.read_bytes()
    write_alerts(path, read_alerts(path))
    assert path.read_bytes() == first


def test_a_folder_means_its_alerts(tmp_path):
    write_alerts(tmp_path / "alerts.jsonl", [alert()])
    assert read_alerts(tmp_path) == (alert(),)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rank": "1"}, "'rank' is not a whole number"),
        ({"rank": True}, "'rank' is not a whole number"),
        ({"subject": None}, "'subject' is not text"),
        ({"lane": "middle"}, "neither slow nor fast"),
        ({"score": 3}, "'score' is not a field"),
        ({"reasons": [{}]}, "is missing"),
        ({"off": ["C6"]}, "not a pair"),
    ],
)
def test_a_bad_row_is_named(tmp_path, change, said):
    path = tmp_path / "alerts.jsonl"
    row = json.loads(to_lines([alert(alert="two")]))
    path.write_bytes(to_lines([alert()]) + json.dumps({**row, **change}).encode())
    with pytest.raises(InputError, match=said) as error:
        read_alerts(path)
    assert "row 2" in error.value.where


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", b"{"),
        ("a.jsonl", b"\xff\n"),
        ("a.parquet", b"no"),
        ("a.jsonl", to_lines([alert(), alert()])),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError):
        read_alerts(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        read_alerts(tmp_path / "absent.jsonl")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "alerts.jsonl").mkdir()
    with pytest.raises(SinkError, match="cannot be written"):
        write_alerts(tmp_path / "alerts.jsonl", [alert()])
    assert [one.name for one in tmp_path.iterdir()] == ["alerts.jsonl"]
