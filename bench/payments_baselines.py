"""Five ways that others would rank the same customers: a single rule, a count of rules, and three learned models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]

FEATURES = (
    "n",
    "receivers",
    "median",
    "spread",
    "largest",
    "usual",
    "tiny",
    "gap",
    "night",
    "round",
    "texts",
    "fan",
    "untied",
    "platform",
    "presence",
    "paid",
)
"""What the published models use: value first, then count, gaps, spread, hours, round sums, ties, cards."""

MEASURE = """
with sends as (
    select p.payer, p.payee, p."at" as t, p.amount_minor / 100.0 as gbp, p.text,
        p.amount_minor % 500 = 0 or coalesce(p.payee_amount_minor % 10000 = 0, false) as is_round,
        case when p.time_known then extract(hour from p."at" at time zone 'Europe/London') end as h,
        k.customer is not null and t.customer is null as untied
    from read_parquet('{folder}/payments.parquet') p
    join (select customer from read_parquet('{folder}/customers.parquet') where kind = 'person') k
        on k.customer = p.payer
    left join read_parquet('{folder}/ties.parquet') t on t.customer = p.payer and t.country = p.payee_country
    where p.merchant_code is null and p.rail in ('bank', 'remittance', 'wallet')
        and p.payer_country = 'GB' and p.payee_country in ({corridors})
), fans as (
    select payee, count(distinct payer) as fan from sends group by payee
), gaps as (
    select payer, date_diff('hour', lag(t) over (partition by payer order by t), t) / 24.0 as gap from sends
), cards as (
    select payer, count(*) filter (merchant_code = '5967') as platform,
        count(*) filter (payee_country in ({corridors})) as presence
    from read_parquet('{folder}/payments.parquet') where rail = 'card' group by payer
), pay as (
    select payee as payer, count(*) as paid from read_parquet('{folder}/payments.parquet')
    where text = 'salary' group by payee
), gap as (
    select payer, coalesce(median(gap), 400) as gap from gaps group by payer
), each as (
    select s.payer, count(*) as n, count(distinct s.payee) as receivers, median(gbp) as median,
        coalesce(stddev_pop(gbp), 0) as spread, max(gbp) as largest,
        avg(cast(gbp between 8.6 and 172 as int)) as usual, avg(cast(gbp < 27 as int)) as tiny,
        coalesce(avg(cast(h >= 21 or h < 5 as int)), 0) as night, avg(cast(is_round as int)) as round,
        avg(cast(text is not null as int)) as texts, max(f.fan) as fan, avg(cast(untied as int)) as untied
    from sends s join fans f on f.payee = s.payee group by s.payer
)
select each.payer, {columns}
from each join gap on gap.payer = each.payer left join cards on cards.payer = each.payer
    left join pay on pay.payer = each.payer
order by each.payer
"""


@dataclass(frozen=True)
class Customers:
    """Customers with payments into a listed corridor.

    Parameters
    ----------
    ids
        Who.
    values
        (n, features) float64.
    pays
        (n,) bool, the truth.
    """

    ids: tuple[str, ...]
    values: Floats
    pays: NDArray[np.bool_]

    def column(self, name: str) -> Floats:
        """Return one feature."""
        return self.values[:, FEATURES.index(name)]


def customers(folder: Path, corridors: tuple[str, ...], known: frozenset[str]) -> Customers:
    """Return them, measured."""
    columns = ", ".join(f"coalesce({name}, 0) as {name}" for name in FEATURES).replace(
        "coalesce(gap, 0)", "coalesce(gap.gap, 0)"
    )
    codes = ", ".join(f"'{code}'" for code in corridors)
    query = MEASURE.format(folder=folder, corridors=codes, columns=columns)
    connection = duckdb.connect(config={"memory_limit": "3GB"})
    table = connection.sql(query).df()
    connection.close()
    ids = tuple(table["payer"])
    values = table[list(FEATURES)].to_numpy(dtype=np.float64)
    return Customers(ids, values, np.array([who in known for who in ids]))


def single_rule(_: Customers) -> Callable[[Customers], Floats]:
    """Rank by the number of payments of the usual sum into a listed corridor."""
    return lambda given: given.column("n") * given.column("usual")


def rule_count(_: Customers) -> Callable[[Customers], Floats]:
    """Rank by how many of the published flags are up, as AUSTRAC's guide words them; then by count."""

    def ranked(given: Customers) -> Floats:
        flags = (
            (given.column("n") >= 3) & (given.column("median") < 260),  # A$500
            given.column("receivers") >= 2,
            given.column("untied") > 0.5,
            given.column("night") >= 0.5,
            given.column("round") >= 0.5,
            given.column("texts") > 0,
            given.column("platform") > 0,
            given.column("presence") > 0,
        )
        return np.asarray(np.sum(flags, axis=0) + np.minimum(given.column("n"), 900) / 1000.0)

    return ranked


def _learned(model: Any) -> Callable[[Customers], Callable[[Customers], Floats]]:
    def train(known: Customers) -> Callable[[Customers], Floats]:
        model.fit(_shaped(known), known.pays)
        return lambda given: np.asarray(model.predict_proba(_shaped(given))[:, 1], dtype=np.float64)

    return train


def isolation_forest(known: Customers) -> Callable[[Customers], Floats]:
    """Rank by how soon random cuts set a customer apart; it learns no outcomes."""
    model = IsolationForest(n_estimators=200, random_state=1).fit(_shaped(known))
    return lambda given: -np.asarray(model.score_samples(_shaped(given)), dtype=np.float64)


def _shaped(given: Customers) -> Floats:
    """Return the features, the long-tailed ones as logarithms."""
    tails = [
        FEATURES.index(name)
        for name in ("n", "receivers", "median", "spread", "largest", "gap", "fan", "platform", "presence")
    ]
    values = given.values.copy()
    values[:, tails] = np.log1p(values[:, tails])
    return values


BASELINES: dict[str, Callable[[Customers], Callable[[Customers], Floats]]] = {
    "single rule": single_rule,
    "rule count": rule_count,
    "logistic regression": _learned(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    ),
    "LightGBM": _learned(
        LGBMClassifier(n_estimators=200, num_leaves=15, learning_rate=0.05, verbose=-1, random_state=1)
    ),
    "isolation forest": isolation_forest,
}
"""Name to what is trained on other seeds' customers and then ranks; the first two have nothing to learn."""
