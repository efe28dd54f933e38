"""The closed vocabulary of what a typology pack may measure, and each measure defined once for every engine.

A *view* is a table of rows, one a payment, grouped by its *subject*: a payer, a receiver, a child's account, or one
that money passes through. A *measure* reads a row's columns and says what it counts. ``row`` is an Ibis table in the
batch engines and a value of `rows` in the live step, so that ``(row.ref >= low) & (row.ref <= high)`` is one definition
for DuckDB, Spark and Python: comparisons of integers, joined by ``&`` and ``|``, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lightship.payments.rows import UNKNOWN

View = Literal["payer", "receiver", "burst", "mule"]
VIEWS: dict[View, str] = {
    "payer": "a customer's payments to people in a listed corridor",
    "receiver": "payments from customers to one person in a listed corridor",
    "burst": "what leaves a child's account, looked at with each payment",
    "mule": "small credits from people to an account, and what leaves it again",
}

DATA = {
    "p": "payments",
    "k": "customer records: age, ties, residence, payroll",
    "f": "exchange rates with dates",
    "t": "reference texts",
    "m": "merchant or card data",
    "g": "the network of payers and receivers",
    "o": "markers from outside",
}
"""What an indicator may need, by the letter that packs write."""

PROTECTED = ("corridor", "nationality", "age", "sex")
"""Attributes that may never decide: any of them alone, or all together, cannot reach an alert (see `proof`)."""

TEXTS = ("everyday", "handle", "invoice")
"""Categories of reference texts; a jurisdiction gives the words of its languages."""

MERCHANTS = ("platform",)
"""Categories of merchants; a jurisdiction gives the codes."""

Params = Mapping[str, int]
Reduce = Literal["share", "sum", "max", "own"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a row contributes: a share counts `hit` among `among`, the others take `hit` as a number.

    Parameters
    ----------
    hit
        From a row and the parameters.
    among
        Which rows a share is of.
    """

    hit: Callable[[Any, Params], Any]
    among: Callable[[Any, Params], Any] = lambda row, _: row.ref >= 0


@dataclass(frozen=True, slots=True)
class Feature:
    """One entry of the vocabulary.

    Parameters
    ----------
    words
        What it is, in plain words.
    views
        Where it can be measured.
    reduce
        ``"share"`` in thousandths of the rows; ``"sum"`` or ``"max"`` over them; ``"own"``: of one moment.
    unit
        Unit of its value.
    needs
        Letters of :data:`DATA`.
    measure
        Its definition.
    params
        Names that a pack must give. Those that end in ``_minor`` are sums of money, written in the pack as a number of
        its ``currency`` and handed to the measure in hundredths of the reference currency.
    protected
        Which of :data:`PROTECTED` it stands for.
    after_first
        True if the first row cannot count, so that a share is out of one row fewer.
    elsewhere
        True if it rests on other payments than the view's rows, or on none: no row is behind it.
    """

    words: str
    views: tuple[View, ...]
    reduce: Reduce
    unit: str
    needs: str
    measure: Measure
    params: tuple[str, ...] = ()
    protected: frozenset[str] = frozenset()
    after_first: bool = False
    elsewhere: bool = False


def _within(column: str) -> Callable[[Any, Params], Any]:
    return lambda row, p: (getattr(row, column) >= p["low"]) & (getattr(row, column) <= p["high"])


def _flag(column: str, value: int = 1) -> Callable[[Any, Params], Any]:
    return lambda row, _: getattr(row, column) == value


def _column(column: str) -> Callable[[Any, Params], Any]:
    return lambda row, _: getattr(row, column)


def _known(column: str) -> Callable[[Any, Params], Any]:
    return lambda row, _: getattr(row, column) != UNKNOWN


def _later(row: Any, _: Params) -> Any:
    return row.nth > 1


_SENDS: tuple[View, ...] = ("payer", "receiver")

FEATURES: dict[str, Feature] = {
    "payments": Feature(
        "how many payments", _SENDS, "sum", "payments", "p", Measure(lambda row, _: row.ref >= 0)
    ),
    "amount_share": Feature(
        "share of payments of `low_minor` to `high_minor`",
        _SENDS,
        "share",
        "share",
        "pf",
        Measure(lambda row, p: (row.ref >= p["low_minor"]) & (row.ref <= p["high_minor"])),
        ("low_minor", "high_minor"),
    ),
    "round_share": Feature(
        "share of payments that are a round sum in the payer's or the receiver's currency",
        _SENDS,
        "share",
        "share",
        "p",
        Measure(_flag("round")),
    ),
    "night_share": Feature(
        "share of payments from `from_hour` to before `to_hour`, over midnight, by the payer's clock",
        ("payer",),
        "share",
        "share",
        "p",
        Measure(
            lambda row, p: (row.hour >= p["from_hour"]) | ((row.hour < p["to_hour"]) & (row.hour >= 0)),
            _known("hour"),
        ),
        ("from_hour", "to_hour"),
    ),
    "new_receiver_share": Feature(
        "share of payments, after the first, to someone not paid before",
        ("payer",),
        "share",
        "share",
        "p",
        Measure(_flag("first"), _later),
        after_first=True,
    ),
    "receivers": Feature(
        "number of different receivers", ("payer",), "sum", "receivers", "p", Measure(_flag("first"))
    ),
    "shared_receiver_share": Feature(
        "share of payments to people whom `least` to `most` other customers pay too, nothing tying those to the "
        "country, and who are paid at least `per_ten` times for every ten of these and one who paid once",
        ("payer",),
        "share",
        "share",
        "pg",
        Measure(
            lambda row, p: (
                (row.peers >= p["least"]) & (row.peers <= p["most"]) & (row.per_ten >= p["per_ten"])
            )
        ),
        ("least", "most", "per_ten"),
    ),
    "crowd_share": Feature(
        "share of payments to someone whom more than `most` other customers pay, as they would an organisation",
        ("payer",),
        "share",
        "share",
        "pg",
        Measure(lambda row, p: row.peers > p["most"]),
        ("most",),
    ),
    "untied_share": Feature(
        "share of payments to a country to which nothing known ties the payer",
        _SENDS,
        "share",
        "share",
        "pk",
        Measure(_flag("untied"), _known("untied")),
        protected=frozenset({"nationality"}),
    ),
    "rhythm_share": Feature(
        "share of payments, after the first, that follow the one before it to the same person by `low` to `high` days",
        _SENDS,
        "share",
        "share",
        "p",
        Measure(_within("gap"), _later),
        ("low", "high"),
        after_first=True,
    ),
    "equal_share": Feature(
        "share of payments, after the first, that equal the one before it to the same person",
        _SENDS,
        "share",
        "share",
        "p",
        Measure(_flag("equal"), _later),
        after_first=True,
    ),
    "known_share": Feature(
        "share of payments to someone first paid at least `days` days before",
        _SENDS,
        "share",
        "share",
        "p",
        Measure(lambda row, p: row.known >= p["days"]),
        ("days",),
    ),
    "there_share": Feature(
        "share of payments within 30 days of the payer's own card being used in that country",
        _SENDS,
        "share",
        "share",
        "pm",
        Measure(_flag("there")),
    ),
    "back_share": Feature(
        "share of payments to someone who has paid the customer too",
        ("payer",),
        "share",
        "share",
        "p",
        Measure(_flag("back")),
    ),
    **{
        f"{text}_share": Feature(
            f"share of payments whose reference is of the category '{text}'",
            _SENDS,
            "share",
            "share",
            "t",
            Measure(_flag(text)),
        )
        for text in TEXTS
    },
    "rail_share": Feature(
        "share of payments by the rail whose place is `rail`",
        _SENDS,
        "share",
        "share",
        "p",
        Measure(lambda row, p: row.rail == p["rail"]),
        ("rail",),
    ),
    "micro_sends": Feature(
        "payments of at most `high_minor` by the rail whose place is `rail`",
        ("payer",),
        "sum",
        "payments",
        "pf",
        Measure(lambda row, p: (row.ref <= p["high_minor"]) & (row.rail == p["rail"])),
        ("high_minor", "rail"),
    ),
    "platform_payments": Feature(
        "card payments to adult platforms",
        ("payer",),
        "max",
        "payments",
        "m",
        Measure(_column("platform")),
        elsewhere=True,
    ),
    "crypto_payments": Feature(
        "small payments in crypto",
        ("payer",),
        "max",
        "payments",
        "pf",
        Measure(_column("crypto")),
        elsewhere=True,
    ),
    "escalation": Feature(
        "whether later payments are larger, and faster (0, 1 or 2; of four payments or more)",
        ("payer",),
        "max",
        "steps",
        "pf",
        Measure(_column("rise")),
    ),
    "presence_days": Feature(
        "days on which the payer's own card was used in a listed country",
        ("payer",),
        "max",
        "days",
        "m",
        Measure(_column("presence")),
        elsewhere=True,
    ),
    "markers": Feature(
        "markers from outside",
        ("payer", "receiver", "burst"),
        "max",
        "markers",
        "o",
        Measure(_column("markers")),
        elsewhere=True,
    ),
    "untied_payers": Feature(
        "different customers who pay, nothing known tying them to the country, where every ten of them and one who "
        "paid once pay at least `per_ten` times; none elsewhere",
        ("receiver",),
        "sum",
        "payers",
        "pg",
        Measure(lambda row, p: (row.first == 1) & (row.untied != 0) & (row.per_ten >= p["per_ten"])),
        ("per_ten",),
    ),
    "sharing_payers": Feature(
        "different customers who pay this receiver and another whom 2 to 40 others pay, nothing known tying those to "
        "the country, and who is paid at least `per_ten` times for every ten of these and one who paid once",
        ("receiver",),
        "sum",
        "payers",
        "pg",
        Measure(lambda row, p: (row.first == 1) & (row.beside >= p["per_ten"])),
        ("per_ten",),
    ),
    "burst_payments": Feature(
        "fresh payments in 48 hours", ("burst",), "own", "payments", "p", Measure(_column("burst"))
    ),
    "burst_night_share": Feature(
        "share of the fresh payments of the 48 hours made from 22:00 to before 05:00 by the account's clock",
        ("burst",),
        "own",
        "share",
        "p",
        Measure(lambda row, _: row.nights * 1000 // row.burst),
    ),
    "burst_gifts": Feature(
        "fresh payments by gift card in 48 hours",
        ("burst",),
        "own",
        "payments",
        "p",
        Measure(_column("gifts")),
    ),
    "burst_coins": Feature(
        "fresh payments by crypto in 48 hours", ("burst",), "own", "payments", "p", Measure(_column("coins"))
    ),
    "burst_children": Feature(
        "other children's accounts from which the same person was paid in the 90 days before",
        ("burst",),
        "own",
        "accounts",
        "pg",
        Measure(_column("children")),
    ),
    "burst_passed": Feature(
        "others whose money the receiver, a customer, took in the 90 days before and passed on within two days",
        ("burst",),
        "own",
        "people",
        "pg",
        Measure(_column("passes")),
    ),
    "burst_games": Feature(
        "fresh payments for games in 48 hours", ("burst",), "own", "payments", "p", Measure(_column("games"))
    ),
    "burst_untied": Feature(
        "fresh payments in 48 hours into a listed corridor to which nothing known ties the account",
        ("burst",),
        "own",
        "payments",
        "pk",
        Measure(_column("abroad")),
        protected=frozenset({"corridor", "nationality"}),
    ),
    "burst_opener": Feature(
        "amount of the first fresh payment of the 48 hours, hundredths of the reference currency",
        ("burst",),
        "own",
        "hundredths",
        "pf",
        Measure(_column("opener")),
    ),
    "burst_least": Feature(
        "amount of the smallest fresh payment of the 48 hours, hundredths of the reference currency",
        ("burst",),
        "own",
        "hundredths",
        "pf",
        Measure(_column("least")),
    ),
    "burst_mean": Feature(
        "mean amount of the fresh payments of the 48 hours, hundredths of the reference currency",
        ("burst",),
        "own",
        "hundredths",
        "pf",
        Measure(lambda row, _: row.spent // row.burst),
    ),
    "burst_growth": Feature(
        "mean of the fresh payments after the first, in thousandths of the first",
        ("burst",),
        "own",
        "thousandths",
        "p",
        Measure(_column("growth")),
    ),
    "burst_rush": Feature(
        "fresh payments within 6 hours", ("burst",), "own", "payments", "p", Measure(_column("rush"))
    ),
    "burst_same_share": Feature(
        "share of the fresh payments of the 48 hours to the same receiver, or by the same kind of voucher",
        ("burst",),
        "own",
        "share",
        "p",
        Measure(lambda row, _: row.same * 1000 // row.burst),
    ),
    "burst_depletion": Feature(
        "sum of the fresh payments of the 48 hours, in thousandths of what leaves the account in a month",
        ("burst",),
        "own",
        "thousandths",
        "p",
        Measure(_column("depletion")),
    ),
    "credit_senders": Feature(
        "different people who sent small credits",
        ("mule",),
        "sum",
        "senders",
        "pg",
        Measure(lambda row, p: (row.credit == 1) & (row.first == 1) & (row.ref <= p["high_minor"])),
        ("high_minor",),
    ),
    "young_share": Feature(
        "share of credits from senders known to be under 22",
        ("mule",),
        "share",
        "share",
        "pk",
        Measure(_flag("young"), _flag("credit")),
        protected=frozenset({"age"}),
    ),
    "small_credit_share": Feature(
        "share of credits of at most `high_minor`",
        ("mule",),
        "share",
        "share",
        "pf",
        Measure(lambda row, p: row.ref <= p["high_minor"], _flag("credit")),
        ("high_minor",),
    ),
    "onward_payments": Feature(
        "payments onward into crypto or abroad within two days of a credit",
        ("mule",),
        "sum",
        "payments",
        "p",
        Measure(_flag("prompt")),
    ),
}
"""Feature by name. Closed: a pack that names another is refused."""
