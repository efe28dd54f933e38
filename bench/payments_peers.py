# ruff: noqa: B023 - what the lambdas close over is used at once
"""The payer's indicators once more in pandas and in polars, as people write them: whole columns, no engine of ours.

Both read the same Parquet and return the same values, which :mod:`bench.payments` checks before it compares times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from lightship.core.payments import RAILS
from lightship.payments.features import LATEST, MOST_PEERS, NEAR_US
from lightship.payments.pack import Pack
from lightship.payments.prepare import DAY_US, PERSON_RAILS, Terms, Window, rate_spans, zone_spans
from lightship.payments.vocabulary import TEXTS, Params

COLUMNS = (
    *("payment", "at", "time_known", "payer", "payee", "amount_minor", "currency", "payee_amount_minor"),
    *("payee_currency", "payer_country", "payee_country", "rail", "text", "merchant_code", "reverses"),
)


def _reference(rows: pd.DataFrame, terms: Terms) -> pd.Series:
    """Return sums in hundredths of the reference currency."""
    per_minor = pd.Series(0.0, index=rows.index)
    for code, start, end, rate, _ in rate_spans(terms.currencies):
        per_minor[(rows.currency == code) & (rows.at_us >= start) & (rows.at_us < end)] = rate
    return (rows.amount_minor * per_minor + 0.5).astype("int64")


def _sums(rows: pd.DataFrame, terms: Terms, name: str) -> pd.Series:
    """Return one of the jurisdiction's sums at each row's time."""
    found = pd.Series(0, index=rows.index)
    for end, value in reversed(terms.sums(name)):
        found[rows.at_us < end] = value
    return found


def with_pandas(  # noqa: PLR0915 - one script, as people write it
    folder: Path, terms: Terms, window: Window, pack: Pack, params: Mapping[str, Params]
) -> pd.DataFrame:
    """Return the payer's values, one row a customer."""
    j = terms.jurisdiction
    p = pd.read_parquet(folder / "payments.parquet", columns=list(COLUMNS))
    customers = pd.read_parquet(folder / "customers.parquet")
    ties = pd.read_parquet(folder / "ties.parquet")[["customer", "country"]].drop_duplicates()
    p["at_us"] = p["at"].astype("int64")
    p = p[(p.at_us > window.from_us) & (p.at_us <= window.to_us) & (p.payer != p.payee)]
    gone = p.loc[p.reverses.notna(), "reverses"]
    p = p[p.reverses.isna() & ~p.payment.isin(gone)]
    corridors = [one.country for one in j.corridors]
    s = p[p.merchant_code.isna() & p.rail.isin(PERSON_RAILS) & p.payee_country.isin(corridors)]
    people = customers[customers.kind == "person"][["customer", "country", "zone", "born_year"]]
    s = s.merge(people, left_on="payer", right_on="customer")
    year = s["at"].dt.year
    s = s[~((year - s.born_year) <= j.adult_age)]
    s = s[s.payer_country.fillna(s.country).fillna("") != s.payee_country].copy()
    steps = {code: one.round_minor for code, one in terms.currencies.items()}
    s["ref"] = _reference(s, terms)
    s["round"] = (s.amount_minor % s.currency.map(steps) == 0) | (
        s.payee_amount_minor % s.payee_currency.map(steps) == 0
    ).fillna(False)
    offset = pd.Series(float("nan"), index=s.index)
    zone = s.zone.fillna(s.country.map(dict(terms.zones)))
    for name, start, end, seconds in zone_spans(set(zone.dropna()), window):
        offset[(zone == name) & (s.at_us >= start) & (s.at_us < end)] = seconds
    s["hour"] = ((s.at_us // 1_000_000 + offset) // 3600 % 24).where(s.time_known)
    tied = s.merge(
        ties, left_on=["payer", "payee_country"], right_on=["customer", "country"], how="left", indicator=True
    )
    s["untied"] = (tied["_merge"] == "left_only").to_numpy()
    for name in TEXTS:
        s[name] = s.text.str.lower().str.contains(j.texts[name], regex=True).fillna(False).astype(bool)
    s = s.sort_values(["at_us", "payment"])
    # A receiver's other payers.
    recent = s.groupby("payee").tail(LATEST)
    pairs = recent.drop_duplicates(["payee", "payer"], keep="last")[["payee", "payer", "untied"]]
    times = recent.groupby(["payee", "payer"]).size().rename("times").reset_index()
    pairs = pairs.merge(times, on=["payee", "payer"])
    pairs["fans"] = pairs.groupby("payee").untied.transform("sum")
    paid = (pairs.times * pairs.untied).groupby(pairs.payee).transform("sum")
    pairs["per_ten"] = (paid + 1) * 10 // (pairs.fans + 1)
    pairs["peers"] = (pairs.fans - pairs.untied).clip(upper=MOST_PEERS)
    s = s.groupby("payer").tail(LATEST)
    s = s.merge(pairs[["payee", "payer", "peers", "per_ten"]], on=["payee", "payer"], how="left")
    s = s.fillna({"peers": 0, "per_ten": 0})
    s = s.sort_values(["at_us", "payment"])
    subject, other = s.groupby("payer"), s.groupby(["payer", "payee"])
    s["nth"] = subject.cumcount() + 1
    s["n"] = subject.payment.transform("size")
    previous = other.at_us.shift()
    s["first"] = previous.isna()
    s["gap"] = (s.at_us - previous) // DAY_US
    s["equal"] = (s.amount_minor == other.amount_minor.shift()) & (s.currency == other.currency.shift())
    s["known"] = (s.at_us - other.at_us.transform("min")) // DAY_US
    s["late"] = s.nth * 2 > s.n
    ends = s.assign(
        late_ref=s.ref * s.late, early_ref=s.ref * ~s.late, middle=s.at_us.where(s.late)
    ).groupby("payer").agg(
        n=("n", "first"), late_ref=("late_ref", "sum"), early_ref=("early_ref", "sum"), middle=("middle", "min"),
        begin=("at_us", "min"), end=("at_us", "max"),
    )  # fmt: skip
    early, late = ends.n // 2, ends.n - ends.n // 2
    larger = ends.late_ref * early * 8 > ends.early_ref * late * 9
    faster = (ends.end - ends.middle) * early * 9 < (ends.middle - ends.begin) * (late - 1) * 8
    rise = (larger.astype("int64") + faster.astype("int64")).where(ends.n >= 4)
    # What else is known of those who sent.
    senders = s.payer.unique()
    mine = p[p.payer.isin(senders)]
    cards = mine[
        (mine.rail == "card")
        & mine.payee_country.isin(corridors)
        & ~mine.merchant_code.isin(j.merchants["platform"])
    ]
    near = s[["payment", "payer", "payee_country", "at_us"]].merge(
        cards[["payer", "payee_country", "at_us"]], on=["payer", "payee_country"], suffixes=("", "_card")
    )
    s["there"] = s.payment.isin(near.payment[(near.at_us - near.at_us_card).abs() <= NEAR_US])
    theirs = p[p.payee.isin(senders) & p.merchant_code.isna()]
    back = theirs[theirs.payer_country.isin(corridors)][["payee", "payer"]].drop_duplicates()
    both = s[["payer", "payee"]].merge(
        back, left_on=["payer", "payee"], right_on=["payee", "payer"], how="left", indicator=True
    )
    s["back"] = (both["_merge"] == "both").to_numpy()
    coins = mine[(mine.rail == "crypto") & ~mine.merchant_code.isin(j.merchants["platform"])]
    coins = coins[_reference(coins, terms) <= _sums(coins, terms, "small_crypto")]
    about = {
        "platform": mine[mine.merchant_code.isin(j.merchants["platform"])].groupby("payer").size(),
        "crypto": coins.groupby("payer").size(),
        "presence": (cards.at_us // DAY_US).groupby(cards.payer).nunique(),
    }
    g = s.groupby("payer")
    out = pd.DataFrame({"n": g.size()})

    def share(column: pd.Series, among: pd.Series | None = None) -> pd.Series:
        hit = (column if among is None else column & among).groupby(s.payer).sum()
        of = out.n if among is None else among.groupby(s.payer).sum()
        return (hit * 1000 // of.where(of > 0)).astype("Int64")

    after = s.nth > 1
    for one in pack.computed:
        q = params[one.id]
        values: dict[str, Callable[[], Any]] = {
            "amount_share": lambda: share((s.ref >= q["low_minor"]) & (s.ref <= q["high_minor"])),
            "round_share": lambda: share(s["round"]),
            "night_share": lambda: share(
                (s.hour >= q["from_hour"]) | (s.hour < q["to_hour"]), s.hour.notna()
            ),
            "receivers": g["first"].sum,
            "shared_receiver_share": lambda: share(
                (s.peers >= q["least"]) & (s.peers <= q["most"]) & (s.per_ten >= q["per_ten"])
            ),
            "crowd_share": lambda: share(s.peers > q["most"]),
            "untied_share": lambda: share(s.untied),
            "everyday_share": lambda: share(s.everyday),
            "handle_share": lambda: share(s.handle),
            "invoice_share": lambda: share(s.invoice),
            "rhythm_share": lambda: share((s.gap >= q["low"]) & (s.gap <= q["high"]), after),
            "equal_share": lambda: share(s.equal, after),
            "known_share": lambda: share(s.known >= q["days"]),
            "there_share": lambda: share(s.there),
            "back_share": lambda: share(s.back),
            "escalation": lambda: rise,
            "micro_sends": lambda: (
                ((s.ref <= q["high_minor"]) & (s.rail == RAILS[q["rail"]])).groupby(s.payer).sum()
            ),
            "platform_payments": lambda: about["platform"].reindex(out.index).fillna(0),
            "crypto_payments": lambda: about["crypto"].reindex(out.index).fillna(0),
            "presence_days": lambda: about["presence"].reindex(out.index).fillna(0),
        }
        if one.feature in values:
            out[one.id] = values[one.feature]()
    paid = theirs[(theirs.rail == "bank") & ~theirs.payer_country.isin(corridors)]
    paid = paid[_reference(paid, terms) >= _sums(paid, terms, "salary")]
    out["months"] = (paid.at_us // (30 * DAY_US)).groupby(paid.payee).nunique().reindex(out.index).fillna(0)
    return out


def with_polars(  # noqa: C901, PLR0915 - one script, as people write it
    folder: Path, terms: Terms, window: Window, pack: Pack, params: Mapping[str, Params]
) -> pl.DataFrame:
    """Return the payer's values, one row a customer, by lazy frames."""
    j = terms.jurisdiction
    corridors = [one.country for one in j.corridors]
    at, c = pl.col("at_us"), pl.col
    p = (
        pl.scan_parquet(folder / "payments.parquet")
        .select(COLUMNS)
        .with_columns(at_us=c("at").dt.epoch("us"))
        .filter((at > window.from_us) & (at <= window.to_us) & (c("payer") != c("payee")))
    )
    gone = p.filter(c("reverses").is_not_null()).select(payment=c("reverses"))
    p = p.filter(c("reverses").is_null()).join(gone, on="payment", how="anti")
    people = pl.scan_parquet(folder / "customers.parquet").filter(c("kind") == "person")
    ties = (
        pl.scan_parquet(folder / "ties.parquet")
        .select("customer", "country")
        .unique()
        .with_columns(tied=True)
    )
    s = p.filter(
        c("merchant_code").is_null() & c("rail").is_in(PERSON_RAILS) & c("payee_country").is_in(corridors)
    )
    s = s.join(
        people.select("customer", "country", "zone", "born_year"), left_on="payer", right_on="customer"
    )
    s = s.filter(
        ~((c("at").dt.year() - c("born_year")) <= j.adult_age).fill_null(False)
        & (pl.coalesce("payer_country", "country", pl.lit("")) != c("payee_country"))
    )
    per_minor = pl.lit(None, pl.Float64)
    for code, start, end, rate, _ in rate_spans(terms.currencies):
        per_minor = (
            pl.when((c("currency") == code) & (at >= start) & (at < end))
            .then(pl.lit(rate))
            .otherwise(per_minor)
        )
    reference = (c("amount_minor") * per_minor + 0.5).floor().cast(pl.Int64)

    def sums(name: str) -> pl.Expr:
        *before, (_, last) = terms.sums(name)
        found = pl.lit(last)
        for end, value in reversed(before):
            found = pl.when(at < end).then(pl.lit(value)).otherwise(found)
        return found

    steps = {code: one.round_minor for code, one in terms.currencies.items()}
    names = people.select("zone").unique().collect()["zone"].drop_nulls().to_list()
    zone = pl.coalesce(
        "zone", c("country").replace_strict(dict(terms.zones), default=None, return_dtype=pl.String)
    )
    offset = pl.lit(None, pl.Int64)
    for name, start, end, seconds in zone_spans({*names, *terms.zones.values()}, window):
        offset = pl.when((zone == name) & (at >= start) & (at < end)).then(pl.lit(seconds)).otherwise(offset)
    step = c("currency").replace_strict(steps, default=None, return_dtype=pl.Int64)
    payee_step = c("payee_currency").replace_strict(steps, default=None, return_dtype=pl.Int64)
    s = s.with_columns(
        ref=reference,
        round=(c("amount_minor") % step == 0) | (c("payee_amount_minor") % payee_step == 0).fill_null(False),
        hour=pl.when(c("time_known")).then((at // 1_000_000 + offset) // 3600 % 24),
        **{name: c("text").str.to_lowercase().str.contains(j.texts[name]).fill_null(False) for name in TEXTS},
    )
    s = s.join(ties, left_on=["payer", "payee_country"], right_on=["customer", "country"], how="left")
    s = s.with_columns(untied=c("tied").is_null()).sort("at_us", "payment")
    pairs = (
        s.group_by("payee", maintain_order=True)
        .tail(LATEST)
        .group_by("payee", "payer")
        .agg(c("untied").last().cast(pl.Int64), times=pl.len().cast(pl.Int64))
        .with_columns(
            peers=(c("untied").sum().over("payee") - c("untied")).clip(upper_bound=MOST_PEERS),
            per_ten=((c("times") * c("untied")).sum().over("payee") + 1)
            * 10
            // (c("untied").sum().over("payee") + 1),
        )
    )
    s = s.group_by("payer", maintain_order=True).tail(LATEST)
    s = s.join(pairs.select("payee", "payer", "peers", "per_ten"), on=["payee", "payer"], how="left")
    s = s.with_columns(c("peers").fill_null(0), c("per_ten").fill_null(0)).sort("at_us", "payment")
    pair = ["payer", "payee"]
    previous = at.shift().over(pair)
    s = s.with_columns(
        nth=pl.int_range(1, pl.len() + 1).over("payer"),
        n=pl.len().over("payer").cast(pl.Int64),
        first=previous.is_null(),
        gap=(at - previous) // DAY_US,
        equal=(
            (c("amount_minor") == c("amount_minor").shift().over(pair))
            & (c("currency") == c("currency").shift().over(pair))
        ).fill_null(False),
        known=(at - at.min().over(pair)) // DAY_US,
    ).with_columns(late=c("nth") * 2 > c("n"))
    senders = s.select("payer").unique()
    mine = p.join(senders, on="payer", how="semi")
    platform = c("merchant_code").is_in(j.merchants["platform"]).fill_null(False)
    cards = mine.filter((c("rail") == "card") & c("payee_country").is_in(corridors) & ~platform)
    near = (
        s.select("payment", "payer", "payee_country", "at_us")
        .join(cards.select("payer", "payee_country", card_us="at_us"), on=["payer", "payee_country"])
        .filter((at - c("card_us")).abs() <= NEAR_US)
        .select("payment")
        .unique()
        .with_columns(there=True)
    )
    theirs = p.filter(c("merchant_code").is_null()).join(
        senders, left_on="payee", right_on="payer", how="semi"
    )
    back = (
        theirs.filter(c("payer_country").is_in(corridors))
        .select(payer="payee", payee="payer")
        .unique()
        .with_columns(back=True)
    )
    s = s.join(near, on="payment", how="left").join(back, on=pair, how="left")
    s = s.with_columns(c("there").fill_null(False), c("back").fill_null(False))
    early, late = pl.len().cast(pl.Int64) // 2, pl.len().cast(pl.Int64) - pl.len().cast(pl.Int64) // 2
    early_ref, late_ref = c("ref").filter(~c("late")).sum(), c("ref").filter(c("late")).sum()
    middle = at.filter(c("late")).min()
    larger = late_ref * early * 8 > early_ref * late * 9
    faster = (at.max() - middle) * early * 9 < (middle - at.min()) * (late - 1) * 8
    rise = pl.when(pl.len() >= 4).then(larger.cast(pl.Int64) + faster.cast(pl.Int64))

    def share(hit: pl.Expr, among: pl.Expr | None = None) -> pl.Expr:
        if among is None:
            return hit.sum().cast(pl.Int64) * 1000 // pl.len()
        of = among.sum().cast(pl.Int64)
        return pl.when(of > 0).then((hit & among).sum().cast(pl.Int64) * 1000 // of)

    after, wanted = c("nth") > 1, {}
    for one in pack.computed:
        q = params[one.id]
        values: dict[str, Callable[[], Any]] = {
            "amount_share": lambda: share(c("ref").is_between(q["low_minor"], q["high_minor"])),
            "round_share": lambda: share(c("round")),
            "night_share": lambda: share(
                ((c("hour") >= q["from_hour"]) | (c("hour") < q["to_hour"])).fill_null(False),
                c("hour").is_not_null(),
            ),
            "receivers": lambda: c("first").sum().cast(pl.Int64),
            "shared_receiver_share": lambda: share(
                c("peers").is_between(q["least"], q["most"]) & (c("per_ten") >= q["per_ten"])
            ),
            "crowd_share": lambda: share(c("peers") > q["most"]),
            "untied_share": lambda: share(c("untied")),
            **{f"{name}_share": partial(share, c(name)) for name in TEXTS},
            "rhythm_share": lambda: share(c("gap").is_between(q["low"], q["high"]).fill_null(False), after),
            "equal_share": lambda: share(c("equal"), after),
            "known_share": lambda: share(c("known") >= q["days"]),
            "there_share": lambda: share(c("there")),
            "back_share": lambda: share(c("back")),
            "escalation": lambda: rise,
            "micro_sends": (
                (c("ref") <= q.get("high_minor", 0)) & (c("rail") == RAILS[q.get("rail", 0)])
            ).sum,
        }
        if one.feature in values:
            wanted[one.id] = values[one.feature]()
    out = s.group_by("payer").agg(n=pl.len(), **wanted)
    counts = {
        "platform_payments": mine.filter(platform).group_by("payer").agg(value=pl.len()),
        "crypto_payments": mine.filter(
            (c("rail") == "crypto") & ~platform & (reference <= sums("small_crypto"))
        )
        .group_by("payer")
        .agg(value=pl.len()),
        "presence_days": cards.group_by("payer").agg(value=(at // DAY_US).n_unique()),
    }
    for one in pack.computed:
        if one.feature in counts:
            out = out.join(counts[one.feature].rename({"value": one.id}), on="payer", how="left")
            out = out.with_columns(c(one.id).fill_null(0))
    paid = theirs.filter(
        (c("rail") == "bank")
        & ~c("payer_country").is_in(corridors).fill_null(False)
        & (reference >= sums("salary"))
    )
    paid = paid.group_by(payer="payee").agg(months=(at // (30 * DAY_US)).n_unique())
    return out.join(paid, on="payer", how="left").collect()
