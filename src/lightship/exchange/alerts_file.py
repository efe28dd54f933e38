"""Alerts as files: JSON Lines to read, pipe and compare, Parquet for a warehouse. Both hold the same, exactly."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.errors import InputError
from lightship.core.payments import Alert, Reason
from lightship.exchange.whole import write_whole

_REASON: dict[str, type] = {
    "indicator": str,
    "family": str,
    "sentence": str,
    "value": float,
    "unit": str,
    "peer_group": str,
    "peer_share": float,
    "weight_mdb": int,
    "payments": list,
    "source": str,
    "grade": str,
}
_ALERT: dict[str, type] = {
    "alert": str,
    "typology": str,
    "lane": str,
    "subject": str,
    "at_us": int,
    "rank": int,
    "total_mdb": int,
    "keeper_mdb": int,
    "threshold_mdb": int,
    "reasons": list,
    "counter": list,
    "off": list,
    "pack": str,
    "baseline": str,
}
_WORDS = {str: "text", int: "a whole number", float: "a number", list: "a list"}
_TODO = "Write it again with `lightship payments score`."


def write_alerts(path: Path, alerts: Iterable[Alert]) -> None:
    """Write alerts as Parquet where the name ends in ``.parquet``, else as JSON Lines, in the order given.

    Raises
    ------
    SinkError
        If the file cannot be written; then nothing of it is left.
    """
    write_whole(path, to_parquet(alerts) if path.suffix == ".parquet" else to_lines(alerts))


def read_alerts(path: Path) -> tuple[Alert, ...]:
    """Return the alerts of a file that :func:`write_alerts` wrote; of a folder, those of its ``alerts.jsonl``.

    Raises
    ------
    InputError
        If the file cannot be read, or a row of it is no alert: with the row and the field.
    """
    if path.is_dir():
        path /= "alerts.jsonl"
    try:
        rows = _parquet_rows(path) if path.suffix == ".parquet" else _line_rows(path)
    except OSError as error:
        raise InputError(
            f"The alerts cannot be read: {error.strerror or error}.",
            str(path),
            "Name the file that has them.",
        ) from error
    alerts = tuple(alert_from_json(row, f"{path}, row {number}") for number, row in enumerate(rows, 1))
    seen: set[str] = set()
    for number, alert in enumerate(alerts, 1):
        if alert.alert in seen:
            raise InputError(f"The alert {alert.alert} comes twice.", f"{path}, row {number}", _TODO)
        seen.add(alert.alert)
    return alerts


def alert_bytes(alert: Alert) -> bytes:
    """Return an alert as canonical JSON: the one form in which alerts are written, by a score and live."""
    return canonical(asdict(alert))


def to_lines(alerts: Iterable[Alert]) -> bytes:
    """Return alerts as JSON Lines."""
    return b"".join(alert_bytes(alert) + b"\n" for alert in alerts)


def to_parquet(alerts: Iterable[Alert]) -> bytes:
    """Return alerts as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, count, number = pa.string(), pa.int64(), pa.float64()
    kinds = {str: text, int: count, float: number, list: pa.list_(text)}
    reason = pa.struct([pa.field(name, kinds[kind]) for name, kind in _REASON.items()])
    nested = {"reasons": pa.list_(reason), "counter": pa.list_(reason), "off": pa.list_(pa.list_(text))}
    schema = pa.schema([pa.field(name, nested.get(name, kinds[kind])) for name, kind in _ALERT.items()])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([asdict(alert) for alert in alerts], schema=schema), buffer)
    return buffer.getvalue()


def alert_from_json(value: object, where: str = "") -> Alert:
    """Return the alert of the JSON that :func:`alert_bytes` wrote.

    Raises
    ------
    InputError
        If it is none: with the field.
    """
    fields = _checked(value, _ALERT, where)
    if fields["lane"] not in {"slow", "fast"}:
        raise InputError("The lane is neither slow nor fast.", f"{where}, lane", _TODO)
    sides = {
        side: tuple(_reason(one, f"{where}, {side}") for one in fields[side])
        for side in ("reasons", "counter")
    }
    for pair in fields["off"]:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
            raise InputError("An indicator that is off is not a pair of texts.", f"{where}, off", _TODO)
    off = tuple((indicator, needs) for indicator, needs in fields["off"])
    return Alert(**{**fields, **sides, "off": off})


def _reason(value: object, where: str) -> Reason:
    fields = _checked(value, _REASON, where)
    if not all(isinstance(one, str) for one in fields["payments"]):
        raise InputError("A payment's id is not text.", f"{where}, payments", _TODO)
    return Reason(**{**fields, "payments": tuple(fields["payments"])})


def _checked(value: object, types: Mapping[str, type], where: str) -> dict[str, Any]:
    """Return the fields of a row, each of its type and none too many."""
    if not isinstance(value, dict):
        raise InputError("This is not a row of alerts.", where, _TODO)
    if odd := sorted(types.keys() ^ value.keys()):
        what = "is missing" if odd[0] in types else "is not a field of alerts"
        raise InputError(f"{odd[0]!r} {what}.", where, _TODO)
    for name, kind in types.items():
        one = value[name]
        fits = isinstance(one, int | float) if kind is float else isinstance(one, kind)
        if isinstance(one, bool) or not fits:
            raise InputError(f"{name!r} is not {_WORDS[kind]}.", where, _TODO)
    return {name: float(value[name]) if kind is float else value[name] for name, kind in types.items()}


def _line_rows(path: Path) -> list[object]:
    rows: list[object] = []
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        rows.extend(json.loads(line) for line in lines if line)
    except UnicodeDecodeError as error:
        raise InputError("The alerts are not UTF-8 text.", str(path), _TODO) from error
    except ValueError as error:
        raise InputError(f"This line is not JSON: {error}.", f"{path}, row {len(rows) + 1}", _TODO) from error
    return rows


def _parquet_rows(path: Path) -> list[object]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[object] = pq.read_table(path).to_pylist()
    except pa.ArrowInvalid as error:
        raise InputError("The alerts are not a Parquet file.", str(path), _TODO) from error
    return rows
