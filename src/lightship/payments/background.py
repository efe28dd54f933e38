"""What stands behind an alert: the subject's payments, whom they went to or came from, and who else paid those.

The connection is one on which :func:`lightship.payments.network.lay_out` has run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lightship.core.payments import Alert
from lightship.payments.network import Link, keep_ids, keep_links, links

WINDOW_DAYS = 365
"""How far back the payments of a subject are laid before an analyst."""

LINKS = 3_000
"""Links of the network around a subject: more are no picture. The nearest are kept."""

_DAY_US = 86_400_000_000
_COLUMNS = (
    "payment", "at_us", "time_known", "payer", "payee", "payee_name", "amount_minor", "currency", "payee_amount_minor",
    "payee_currency", "payer_country", "payee_country", "rail", "via", "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One payment from or to the subject.

    Parameters
    ----------
    cited
        Indicators that rest on it, of those for and against.
    """

    payment: str
    at_us: int
    time_known: bool
    payer: str
    payee: str
    payee_name: str | None
    amount_minor: int
    currency: str
    payee_amount_minor: int | None
    payee_currency: str | None
    payer_country: str | None
    payee_country: str | None
    rail: str
    via: str | None
    text: str | None
    cited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Customer:
    """What the dataset knows of a subject that is a customer; None is not known."""

    customer: str
    kind: str
    opened: str
    country: str | None
    zone: str | None
    born_year: int | None
    sex: str | None


@dataclass(frozen=True, slots=True)
class Background:
    """What stands behind an alert.

    Parameters
    ----------
    customer
        None where the subject is no customer.
    ties
        Countries that the institution knows the subject to be tied to, and how.
    markers
        Facts from outside about the subject and the others, ``(subject, words)``.
    rows
        Payments of the window that an indicator cites or that went from person to person across a border, the oldest
        first.
    aside
        Other payments of the window, which are not shown.
    links
        The subject's, and who else is tied to the same receivers or payers.
    links_left_out
        More links than a picture holds.
    """

    customer: Customer | None
    ties: tuple[tuple[str, str], ...]
    markers: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    aside: int
    links: tuple[Link, ...]
    links_left_out: int

    def sent(self, subject: str) -> tuple[Row, ...]:
        """Return the payments that the subject made."""
        return tuple(row for row in self.rows if row.payer == subject)

    def received(self, subject: str) -> tuple[Row, ...]:
        """Return the payments that came to the subject."""
        return tuple(row for row in self.rows if row.payer != subject)


def gather(con: Any, alerts: Sequence[Alert], hub_payers: int) -> Iterator[Background]:
    """Yield what stands behind each alert, up to its last payment.

    The whole dataset is gone through once for all of them, not once for each.

    Parameters
    ----------
    hub_payers
        A receiver with more payers is shown alone.
    """
    keep_ids(con, "subjects", {alert.subject for alert in alerts})
    theirs = "payer in (select id from subjects) or payee in (select id from subjects)"
    con.execute(f"create or replace temp table own_moves as select * from moves where {theirs}")
    con.execute(f"create or replace temp table own_across as select * from across where {theirs}")
    con.execute(
        """
        create or replace temp table small as
        select payee as id from across where payee in (select payee from own_across)
        group by payee having count(distinct payer) <= $hub
        """,
        {"hub": hub_payers},
    )
    con.execute("""
        create or replace temp table near_shaped as select * from shaped where payee in (select id from small)
        or payer in (select payer from own_across where payee in (select id from subjects))
    """)
    for alert in alerts:
        keep_ids(con, "one", [alert.subject])
        keep_ids(con, "cited", {id_ for one in (*alert.reasons, *alert.counter) for id_ in one.payments})
        rows, aside = _rows(con, alert)
        others = {row.payee if row.payer == alert.subject else row.payer for row in rows}
        near, left = _links(con, alert)
        ties = con.execute(
            "select country, tie from ties where customer = ? group by all order by all", [alert.subject]
        ).fetchall()
        markers = _markers(con, sorted({alert.subject, *others}))
        yield Background(_customer(con, alert.subject), tuple(ties), markers, rows, aside, near, left)


def _customer(con: Any, subject: str) -> Customer | None:
    rows = con.execute(
        "select customer, kind, opened::varchar, country, zone, born_year, sex from customers where customer = ?",
        [subject],
    ).fetchall()
    return Customer(*rows[0]) if rows else None


def _markers(con: Any, subjects: Sequence[str]) -> tuple[tuple[str, str], ...]:
    rows = con.execute(
        """
        select subject, marker || ' since ' || since || ' (' || source || ')' as words
        from markers where list_contains(?, subject) order by all
        """,
        [list(subjects)],
    ).fetchall()
    return tuple(rows)


def _rows(con: Any, alert: Alert) -> tuple[tuple[Row, ...], int]:
    cited: dict[str, list[str]] = {}
    for reason in (*alert.reasons, *alert.counter):
        for payment in reason.payments:
            cited.setdefault(payment, []).append(reason.indicator)
    rows = con.execute(
        """
        select payment, epoch_us("at") as at_us, time_known, payer, payee, payee_name, amount_minor, currency,
            payee_amount_minor, payee_currency, payer_country, payee_country, rail, via, text,
            payment in (select id from cited) or payment in (select payment from own_across) as shown
        from own_moves where (payer = $subject or payee = $subject) and epoch_us("at") between $since and $until
        order by at_us, payment
        """,
        {"subject": alert.subject, "since": alert.at_us - WINDOW_DAYS * _DAY_US, "until": alert.at_us},
    ).fetchall()
    shown = tuple(
        Row(**dict(zip(_COLUMNS, row, strict=False)), cited=tuple(sorted(set(cited.get(row[0], ())))))
        for row in rows
        if row[-1]
    )
    return shown, len(rows) - len(shown)


def _links(con: Any, alert: Alert) -> tuple[tuple[Link, ...], int]:
    """Return the subject's links across borders, and those of who is tied to the same others."""
    until = f'epoch_us("at") between {alert.at_us - WINDOW_DAYS * _DAY_US} and {alert.at_us}'
    mine = "(payer in (select id from one) or payee in (select id from one))"
    shown = "payment in (select id from cited) or payment in (select payment from own_across)"
    keep_links(con, "own", "own_moves", f"{mine} and {until} and ({shown})")
    tied = """(payee in (select payee from own where payee in (select id from small))
        or payer in (select payer from own where payee in (select id from one)))"""
    keep_links(con, "others", "near_shaped", f"{tied} and {until} and not {mine}")
    own = links(con, "own", LINKS)
    many = con.execute("select count(*) from others").fetchall()[0][0]
    near = links(con, "others", many)[: LINKS - len(own)]
    return tuple(own + near), many - len(near)
