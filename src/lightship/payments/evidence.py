"""What a subject's rows say, in Python: values, reasons for and against in plain words, and the alert.

The live step values every payment so; a batch only the subjects in the queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lightship.core.canonical import digest
from lightship.core.payments import Alert, Reason
from lightship.payments.baseline import Baseline, group_words
from lightship.payments.lane import BURST_US
from lightship.payments.pack import Indicator, Pack
from lightship.payments.rows import UNKNOWN
from lightship.payments.vocabulary import FEATURES, Params
from lightship.payments.weigh import Weighed
from lightship.payments.wording import agreed

MOST_PAYMENTS = 20


def value_of(rows: Sequence[Any], indicator: Indicator, params: Params) -> int | None:
    """Return an indicator's value over a subject's rows, None if it is not known."""
    feature = FEATURES[indicator.feature]
    hit = feature.measure.hit
    if feature.reduce in ("own", "max"):
        rows = rows[-1:] if feature.reduce == "own" else rows
        highest = max(int(hit(row, params)) for row in rows)
        return None if highest == UNKNOWN else highest
    if feature.reduce == "sum":
        return sum(int(hit(row, params)) for row in rows)
    hits, of = _share(rows, indicator, params)
    return len(hits) * 1000 // of if of else None


def _share(rows: Sequence[Any], indicator: Indicator, params: Params) -> tuple[list[Any], int]:
    measure = FEATURES[indicator.feature].measure
    among = [row for row in rows if measure.among(row, params)]
    return [row for row in among if measure.hit(row, params)], len(among)


def _behind(rows: Sequence[Any], indicator: Indicator, params: Params) -> tuple[str, ...]:
    """Return the payments behind a value, oldest first."""
    feature = FEATURES[indicator.feature]
    if feature.elsewhere:
        return ()
    if feature.reduce == "share":
        found = _share(rows, indicator, params)[0]
    elif feature.reduce == "sum":
        found = [row for row in rows if feature.measure.hit(row, params)]
    elif feature.reduce == "own":
        found = [row for row in rows if row.at_us >= rows[-1].at_us - BURST_US]
    else:
        found = list(rows)
    return tuple(row.payment for row in found[:MOST_PAYMENTS])


def reason(
    rows: Sequence[Any], indicator: Indicator, params: Params, weighed: Weighed, pack: Pack, base: Baseline
) -> Reason:
    """Return an indicator's part in an alert, in plain words."""
    feature = FEATURES[indicator.feature]
    value = value_of(rows, indicator, params) or 0
    table = base.tables[indicator.id]
    share = table.shares[weighed.group][table.bin(value)]
    count, of = value, len(rows)
    shown = float(value)
    text = f"{value:,}"
    if feature.reduce == "share":
        hits, of = _share(rows, indicator, params)
        count, shown, text = len(hits), value / 1000, f"{value / 10:.0f} %"
    elif feature.unit == "share":
        shown, text = value / 1000, f"{value / 10:.0f} %"
    elif feature.unit in ("hundredths", "thousandths"):
        shown = value / (100 if feature.unit == "hundredths" else 1000)
        text = f"{shown:,.2f}"
    who = group_words(pack, weighed.group)
    sentence = agreed(indicator.sentence.format(value=text, count=f"{count:,}", of=f"{of:,}"))
    return Reason(
        indicator=indicator.id,
        family=indicator.family,
        sentence=f"{sentence} Of comparable subjects ({who}), {_percent(share)} show about the same.",
        value=shown,
        unit=feature.unit,
        peer_group=who,
        peer_share=share,
        weight_mdb=weighed.parts[indicator.id],
        payments=_behind(rows, indicator, params),
        source=indicator.source,
        grade=indicator.grade,
    )


def _percent(share: float) -> str:
    """Return a share in words that keep small ones apart."""
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.2g} %"


def alert(
    subject: str,
    rows: Sequence[Any],
    params: Mapping[str, Params],
    weighed: Weighed,
    pack: Pack,
    base: Baseline,
    *,
    rank: int = 0,
    keeper_mdb: int = 0,
) -> Alert:
    """Return the alert about a subject, with every indicator that weighed for it or against it."""
    reasons = [
        reason(rows, one, params[one.id], weighed, pack, base)
        for one in pack.computed
        if weighed.parts.get(one.id, 0) != 0
    ]
    named = {
        "typology": pack.id,
        "subject": subject,
        "pack": base.pack,
        "baseline": base.digest,
        "payment": rows[-1].payment,
    }
    return Alert(
        alert=digest(named).removeprefix("sha256:")[:32],
        typology=pack.id,
        lane=pack.lane,
        subject=subject,
        at_us=rows[-1].at_us,
        rank=rank,
        total_mdb=weighed.total_mdb,
        keeper_mdb=keeper_mdb,
        threshold_mdb=base.threshold_mdb,
        reasons=tuple(sorted((one for one in reasons if one.weight_mdb > 0), key=_heaviest)),
        counter=tuple(sorted((one for one in reasons if one.weight_mdb < 0), key=_heaviest)),
        off=tuple(base.off.items()),
        pack=base.pack,
        baseline=base.digest,
    )


def _heaviest(one: Reason) -> tuple[int, str]:
    return -abs(one.weight_mdb), one.indicator
