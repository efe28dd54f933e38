"""The payer-receiver network of a dataset: who pays whom in the shape that counts, and which receivers stand out.

A receiver stands out by *unrelated* payers from abroad: without a known tie to the receiver's country and without a
name in common. Those to whom payers come back stand before those whom most pay once, as guests pay a host. Each payer
counts whole with the usual number of receivers and less with more: somebody who pays forty says little about any.
DuckDB does the adding up, over whatever it can hold on disk; what comes back is small.

The connection has the tables of :data:`lightship.core.payments.TABLES` as views.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lightship.core.errors import InputError
from lightship.payments.shape import Shape

ONE = 1_000_000
"""Weights are whole millionths, so that their sum does not depend on the order."""

_LINK_COLUMNS = """
    payer, payee, count(*) as payments, min(epoch_us("at")) as first_us, max(epoch_us("at")) as last_us,
    min(payee_country) as country, min(payee_name) as name,
    case when min(currency) = max(currency) then min(currency) end as currency,
    case when min(currency) = max(currency) then sum(amount_minor)::bigint end as amount_minor,
    string_agg(distinct payee_name, ' ') as names
"""
_PARTS = "regexp_split_to_array(strip_accents(lower({})), '[^a-z]+')"


@dataclass(frozen=True, slots=True)
class Link:
    """All payments of one payer to one receiver that were looked at.

    Parameters
    ----------
    country, name
        The receiver's, as the payments say.
    currency, amount_minor
        What was paid in all; None where there were several currencies.
    related
        Why payer and receiver may belong together, such as ``"family tie to PH"``; empty where nothing is known.
    """

    payer: str
    payee: str
    payments: int
    first_us: int
    last_us: int
    country: str | None
    name: str | None
    currency: str | None
    amount_minor: int | None
    related: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver and what makes it stand out. It may be a victim's or a relative's account.

    Parameters
    ----------
    weight
        The unrelated payers' shares, summed, in millionths.
    payers, related
        Payers without and with a known relation.
    payments
        Of the unrelated payers.
    markers
        What is known of it from outside, with its source.
    """

    receiver: str
    country: str | None
    names: tuple[str, ...]
    weight: int
    payers: int
    related: int
    payments: int
    first_us: int
    last_us: int
    markers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Receivers, the heaviest first, and what was left out of the order.

    Parameters
    ----------
    hubs
        Receivers with too many payers to be a person.
    outside
        Payments across a border in a currency that no band names.
    """

    receivers: tuple[Receiver, ...]
    hubs: int
    outside: int


def lay_out(con: Any, shape: Shape) -> None:
    """Make the views and tables that the network is read from.

    ``moves`` are the payments that were not taken back, ``across`` those from person to person across a border,
    ``shaped`` those of them in the shape, and ``names_of`` the parts of the names under which payers were paid
    themselves.
    """
    con.execute("""
        create or replace temp view moves as select * from payments
        where reverses is null and payment not in (select reverses from payments where reverses is not null)
    """)
    con.execute("create or replace temp table bands (currency varchar, low bigint, high bigint)")
    con.executemany(
        "insert into bands values (?, ?, ?)",
        [(band.currency, band.low_minor, band.high_minor) for band in shape.bands],
    )
    rails = ", ".join(f"'{rail}'" for rail in shape.rails)  # a closed set, checked where the shape was read
    con.execute(f"""
        create or replace temp view across as select * from moves
        where payer_country <> payee_country and merchant_code is null and rail in ({rails})
    """)
    con.execute("""
        create or replace temp view shaped as select across.* from across
        join bands using (currency) where amount_minor between low and high
    """)
    con.execute(f"""
        create or replace temp table names_of as
        select distinct payee as who, unnest({_PARTS.format("payee_name")}) as part
        from moves where payee_name is not null and payee in (select payer from moves)
    """)


def keep_links(con: Any, name: str, source: str, where: str, values: tuple[Any, ...] = ()) -> None:
    """Keep the links of a part of the payments as a table, each with why its ends may be related."""
    con.execute(
        f"create or replace temp table bare as select {_LINK_COLUMNS} from {source} where {where} group by all",
        values,
    )
    con.execute(f"""
        create or replace temp table {name} as
        with tied as (
            select payer, payee, string_agg(distinct tie, ', ' order by tie) || ' tie to ' || bare.country as why
            from bare join ties on ties.customer = payer and ties.country = bare.country
            group by payer, payee, bare.country
        ), parts as (
            select payer, payee, unnest({_PARTS.format("names")}) as part from bare
        ), named as (
            select distinct payer, payee from parts join names_of on who = payer and names_of.part = parts.part
            where length(parts.part) >= 3
        )
        select bare.* exclude (names), case
            when tied.why is not null and named.payer is not null then tied.why || ', shares a name'
            when named.payer is not null then 'shares a name'
            else coalesce(tied.why, '') end as related
        from bare left join tied using (payer, payee) left join named using (payer, payee)
    """)


def keep_ids(con: Any, name: str, ids: Iterable[str]) -> None:
    """Keep identifiers as a table."""
    import pyarrow as pa

    listed = pa.table({"id": pa.array(sorted(ids), pa.string())})
    con.register("_ids", listed)
    con.execute(f"create or replace temp table {name} as select id from _ids")
    con.unregister("_ids")


def links(con: Any, name: str, limit: int) -> list[Link]:
    """Return the links of a kept table in order.

    Raises
    ------
    InputError
        If there are more than can be shown to anybody.
    """
    rows = con.execute(f"select * from {name} order by payer, payee limit {limit + 1}").fetchall()
    if len(rows) > limit:
        raise InputError(
            f"The network has more than {limit:,} links.",
            "",
            "Name fewer seeds, or lower the hubs' bounds in the shape.",
        )
    return [Link(*row) for row in rows]


def share_of(receivers: str, shape: Shape) -> str:
    """Return, in SQL, the millionths that a payer of so many receivers counts."""
    return f"least({ONE}, {shape.usual_receivers * ONE} // ({receivers}))"


def rank_receivers(con: Any, shape: Shape, limit: int, least: int = 2) -> Ranking:
    """Return the receivers with the most unrelated people who pay them in the shape, where they come back first.

    Parameters
    ----------
    least
        Unrelated payers that a receiver must have.
    """
    keep_links(
        con, "links", "shaped", "payer not in (select customer from customers where kind = 'business')"
    )
    con.execute(f"""
        create or replace temp table degrees as
        select payer, {share_of("count(*)", shape)} as share from links group by payer
    """)
    con.execute("""
        create or replace temp table received as
        select payee, min(country) as country,
            sum(share) filter (related = '')::bigint as weight,
            count(*) filter (related = '') as payers, count(*) filter (related <> '') as related,
            sum(payments) filter (related = '')::bigint as payments,
            min(first_us) filter (related = '') as first_us, max(last_us) filter (related = '') as last_us
        from links join degrees using (payer) group by payee
    """)
    hubs = con.execute("select count(*) from received where payers > ?", [shape.hub_payers]).fetchall()[0][0]
    outside = con.execute(
        "select count(*) from across where currency not in (select currency from bands)"
    ).fetchall()[0][0]
    rows = con.execute(
        """
        select received.*,
            (select list_sort(list(distinct payee_name)) from moves
                where moves.payee = received.payee and payee_name is not null),
            (select list_sort(list(marker || ' since ' || since || ' (' || source || ')')) from markers
                where subject = received.payee)
        from received where payers between ? and ?
        order by (payments + 1) * 10 >= ? * (payers + 1) desc, weight desc, payers desc, payee limit ?
        """,
        [least, shape.hub_payers, shape.per_ten, limit],
    ).fetchall()
    receivers = tuple(
        Receiver(
            payee,
            country,
            tuple(names or ()),
            weight,
            payers,
            related,
            payments,
            first,
            last,
            tuple(marks or ()),
        )
        for payee, country, weight, payers, related, payments, first, last, names, marks in rows
    )
    return Ranking(receivers, hubs, outside)
