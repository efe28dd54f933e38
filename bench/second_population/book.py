"""The book in which the second population's payments are made up, who else is named in it, and how it is written."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from lightship.core.payments import RAILS, TABLES

from . import parameters

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

RATES = Path(
    "packs/payments/fx-example.csv"
)  # the project's made-up table: the dataset is scored with the same
CURRENCY = {
    "GB": "GBP", "IE": "EUR", "FR": "EUR", "ES": "EUR", "DE": "EUR", "IT": "EUR", "PL": "PLN", "RO": "RON",
    "US": "USD", "CA": "CAD", "AU": "AUD", "IN": "INR", "PK": "PKR", "BD": "BDT", "LK": "LKR", "NP": "NPR",
    "NG": "NGN", "GH": "GHS", "KE": "KES", "CI": "XOF", "BJ": "XOF", "PH": "PHP", "TH": "THB", "VN": "VND",
    "ID": "IDR", "KH": "KHR", "CO": "COP", "DO": "DOP", "MX": "MXN", "BR": "BRL", "JM": "JMD", "UA": "UAH",
    "AE": "AED", "HK": "HKD", "CN": "CNY", "MY": "MYR",
}  # fmt: skip
COUNTRIES = tuple(CURRENCY)
CURRENCIES = tuple(dict.fromkeys(CURRENCY.values()))
WITHOUT_MINOR = ("VND", "XOF")
GB = COUNTRIES.index("GB")
ZONES = (
    ("Europe/London", "GB", 0),
    ("Europe/Dublin", "IE", 0),
    ("Europe/Madrid", "ES", 1),
    ("Asia/Dubai", "AE", 4),
)
TEXTS = (
    "salary", "invoice", "rent", "family support", "school", "uniform", "medical", "accommodation", "education",
    "gift", "food", "tickets", "sponsorship", "lesson", "deposit", "savings",
)  # fmt: skip
TYPOLOGIES = ("livestream-payer", "livestream-receiver", "extortion-victim", "extortion-mule")
GROUPS = (
    "everyday", "child", "business", "overseas-family", "partner-abroad", "payroll-abroad", "charity-sponsor",
    "student-support", "romance-fraud-victim", "adult-platform", "traveller", "gig", "marketplace-seller", "gamer",
    "lessons-abroad", "commissions", "friends-abroad", "organiser", "livestream", "extortion",
)  # fmt: skip
GROUP = {name: at for at, name in enumerate(GROUPS)}
RAIL: dict[str, int] = {name: at for at, name in enumerate(RAILS)}
TEXT = {name: at for at, name in enumerate(TEXTS)}

# Common given names and surnames of each language's everyday kind. Nobody in the population exists.
_NAMES = {
    "GB": ("James Mary John Susan David Linda Peter Karen Paul Helen Mark Emma Ian Lucy Adam Grace",
           ("Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright Walker White Green Hall Wood Harris "
           "Clarke Turner Hill Cooper Ward Morris King Baker Lee Scott Young Allen Bell Cook")),
    "PH": ("Maria Jose Ana Mark Grace John Rosa Paolo Liza Ramon Joy Carlo Luz Noel Tess Rey",
           ("Santos Reyes Cruz Bautista Ocampo Garcia Mendoza Torres Flores Ramos Castillo Rivera Aquino Villanueva "
           "Navarro Salazar Domingo Mercado Pascual Soriano Dizon Lim Tan Magno")),
    "IN": ("Anita Rahul Priya Amit Sunita Vijay Deepa Ravi Meena Arun Fatima Ali Ayesha Imran Nadia Hasan",
           ("Singh Kaur Sharma Kumar Patel Khan Ahmed Hussain Begum Ali Shah Gupta Reddy Nair Iqbal Malik Rahman "
           "Chowdhury Perera Silva Fernando Thapa Gurung Das")),
    "NG": ("Grace Emeka Blessing Kofi Amina Tunde Joy Kwame Esther Chidi Mary Yaw Ruth Femi Ama John",
           ("Okafor Adeyemi Mensah Owusu Bello Eze Balogun Boateng Asante Ibrahim Obi Osei Mwangi Otieno Kamau Njoroge "
           "Kouassi Toure Hounsou Diallo Adjei Okoye Lawal Appiah")),
    "PL": ("Anna Piotr Maria Jan Ewa Marek Elena Ion Oksana Andrei Olga Ivan Irina Pawel Katarzyna Mihai",
           ("Nowak Kowalski Wisniewski Popescu Ionescu Popa Kovalenko Shevchenko Bondar Wojcik Kaminski Radu Stan "
           "Dumitru Melnyk Tkachenko Lewandowski Zielinski Rusu Marin")),
    "MX": ("Maria Juan Ana Carlos Rosa Luis Elena Jorge Lucia Pedro Sofia Diego Carmen Miguel Laura Rafael",
           ("Rodriguez Gomez Gonzalez Martinez Hernandez Lopez Perez Sanchez Ramirez Diaz Vargas Castro Rojas Moreno "
           "Campbell Brown Silva Souza Pena Jimenez")),
    "TH": ("Somchai Malee Anh Minh Siti Budi Dewi Linh Wei Mei Niran Kanya Sok Dara Putri Agus",
           ("Nguyen Tran Le Pham Suwan Chaiyasit Saetang Wijaya Santoso Hidayat Sok Chan Wong Chen Wang Zhang Phan Vu "
           "Lestari Kusuma")),
}  # fmt: skip
_NAMED_AS = {
    "BD": "IN", "PK": "IN", "LK": "IN", "NP": "IN", "AE": "IN", "GH": "NG", "KE": "NG", "CI": "NG", "BJ": "NG",
    "RO": "PL", "UA": "PL", "CO": "MX", "DO": "MX", "BR": "MX", "JM": "MX", "ES": "MX", "IT": "MX",
    "VN": "TH", "ID": "TH", "KH": "TH", "HK": "TH", "CN": "TH", "MY": "TH",
}  # fmt: skip
_LANGUAGES = tuple(_NAMES)
_GIVEN = [name for given, _ in _NAMES.values() for name in given.split()]
_SURNAMES = [name for _, surnames in _NAMES.values() for name in surnames.split()]
_COUNT = {lang: (len(g.split()), len(s.split())) for lang, (g, s) in _NAMES.items()}
_LANGUAGE_OF = np.array([_LANGUAGES.index(_NAMED_AS.get(c, c if c in _NAMES else "GB")) for c in COUNTRIES])
_PLACES = (
    "Harbour", "Elm", "River", "Hope", "Saint", "Hill", "Lake", "Star", "Garden", "Bridge", "Sun", "Green", "North",
    "Old", "New", "Stone",
)  # fmt: skip
_HOUSES = (
    "Academy", "Foundation", "College", "House", "Fund", "Centre", "Trust", "Services", "Studio", "Works",
)  # fmt: skip


def countries(*codes: str) -> Ints:
    """Return the indices of countries."""
    return np.array([COUNTRIES.index(code) for code in codes])


def draw(rng: np.random.Generator, shares: dict[str, Any], count: int) -> NDArray[np.str_]:
    """Return `count` keys, each as often as its share says."""
    weights = np.array(list(shares.values()), float)
    return np.array(list(shares))[rng.choice(len(shares), count, p=weights / weights.sum())]


def surnames(rng: np.random.Generator, country: Ints) -> Ints:
    """Return a surname's index for each country, the first ones of its language most often."""
    starts = np.cumsum([0, *(count for _, count in _COUNT.values())])[:-1]
    counts = np.array([count for _, count in _COUNT.values()])
    language = _LANGUAGE_OF[country]
    return np.asarray(starts[language] + counts[language] * rng.random(len(country)) ** 1.5, np.int64)


def given_names(rng: np.random.Generator, country: Ints) -> Ints:
    """Return a given name's index for each country."""
    starts = np.cumsum([0, *(count for count, _ in _COUNT.values())])[:-1]
    counts = np.array([count for count, _ in _COUNT.values()])
    language = _LANGUAGE_OF[country]
    return np.asarray(starts[language] + counts[language] * rng.random(len(country)), np.int64)


@dataclass
class People:
    """The customers, an array each: whom they live with, where their family is from, how they bank."""

    country: Ints
    zone: Ints
    origin: Ints
    surname: Ints
    born: Ints
    sex: Ints  # 0 male, 1 female
    business: NDArray[np.bool_]
    opened: Ints  # days from the first day
    parent: Ints  # of a child: the grown-up whose household it is; else -1
    partner: Ints
    main: NDArray[np.bool_]
    pay_rule: NDArray[np.str_]
    remitter: Ints
    group: Ints
    typology: Ints
    trip: Ints  # country of a long journey this year; -1 for none

    def __len__(self) -> int:
        """Return how many customers there are."""
        return len(self.born)

    @property
    def age(self) -> Ints:
        """Return ages on the last day, by the year of birth."""
        return (parameters.FIRST_DAY + timedelta(parameters.DAYS)).year - self.born


@dataclass
class World:
    """One population being made: its customers, the others named in it, and its payments."""

    seed: int
    people: People
    ties: list[tuple[Ints, Ints, str]] = field(default_factory=list)
    markers: list[tuple[Ints, str, Ints]] = field(default_factory=list)
    _others: list[tuple[Ints, ...]] = field(default_factory=list)
    _other_count: int = 0
    _rows: list[tuple[NDArray[Any], ...]] = field(default_factory=list)

    def rng(self, name: str) -> np.random.Generator:
        """Return this part's own stream of chance, so that a change in one part does not stir the others."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def others(
        self,
        rng: np.random.Generator,
        country: ArrayLike,
        role: str,
        *,
        merchant: int = 0,
        organisation: bool = False,
        surname: Ints | None = None,
        typology: int = -1,
        count: int | None = None,
    ) -> Ints:
        """Add people, firms or merchants who are no customers; return their numbers.

        Parameters
        ----------
        country
            Index of each one's country, or one for all `count`.
        role
            Group of the customers that they belong to.
        merchant
            Merchant category code; merchants have no name in the payments.
        organisation
            Named as a firm or institution, not as a person.
        surname
            Where a family shares it.
        """
        where = np.broadcast_to(
            np.asarray(country), count if count is not None else np.shape(country)
        ).astype(np.int64)
        size = len(where)
        if merchant:
            name = np.full(size, -1)
        elif organisation:
            name = -2 - rng.integers(0, len(_PLACES) * len(_HOUSES), size)
        else:
            family = surnames(rng, where) if surname is None else surname
            name = family * 1000 + given_names(rng, where)
        fixed = (np.full(size, value) for value in (merchant, GROUP[role], typology))
        self._others.append((where, name, *fixed))
        first = len(self.people) + self._other_count
        self._other_count += size
        return np.arange(first, first + size)

    @cached_property
    def rates(self) -> Floats:
        """Return what a pound bought, (days, currencies)."""
        with RATES.open() as lines:
            rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        euro = np.array([[1.0 if c == "EUR" else float(row[c]) for c in CURRENCIES] for row in rows])
        starts = np.array([np.datetime64(row["day"]) for row in rows])
        days = np.datetime64(parameters.FIRST_DAY) + np.arange(parameters.DAYS)
        table: Floats = (euro / euro[:, [CURRENCIES.index("GBP")]])[
            np.searchsorted(starts, days, side="right") - 1
        ]
        return table

    def country_of(self, party: Ints) -> Ints:
        """Return the country of each customer or other."""
        return np.concatenate([self.people.country, *(other[0] for other in self._others)])[party]

    def pay(
        self,
        day: Ints,
        second: Ints,
        payer: ArrayLike,
        payee: ArrayLike,
        pence: ArrayLike,
        rail: ArrayLike,
        *,
        text: ArrayLike = -1,
        there: ArrayLike = 0,
        there_currency: int = -1,
        truth: int = -1,
    ) -> None:
        """Write payments into the book.

        Parameters
        ----------
        day, second
            Day of the year and second of it, in the payer's zone.
        pence
            What the customer gave or got, in pence.
        text
            Index of a reference text; -1 for none.
        there
            What arrives, in minor units of the payee's currency; 0 leaves it to the rate.
        there_currency
            Where it is not the currency of the payee's country.
        """
        at = np.asarray(day, np.int64) * 86400 + np.asarray(second, np.int64)
        shape = at.shape
        row = [
            np.broadcast_to(np.asarray(value), shape) for value in (payer, payee, pence, rail, text, there)
        ]
        keep = (at >= 0) & (at < parameters.DAYS * 86400) & (row[2] >= 1)
        for party in row[:2]:  # nobody pays before the account is open
            own = party < len(self.people)
            keep &= ~own | (self.people.opened[np.where(own, party, 0)] * 86400 <= at)
        kinds = (np.int32, np.int32, np.int64, np.int8, np.int8, np.int64)
        columns = [value[keep].astype(kind) for value, kind in zip(row, kinds, strict=True)]
        size = int(keep.sum())
        fixed = (np.full(size, there_currency, np.int8), np.full(size, truth, np.int8))
        self._rows.append((at[keep].astype(np.int32), *columns, *fixed))

    def write(self, folder: Path) -> None:
        """Write the dataset and its truth; the same world gives the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        rng = self.rng("write")
        columns = [np.concatenate(parts) for parts in zip(*self._rows, strict=True)]
        self._rows.clear()
        order = np.argsort(columns[0], kind="stable")
        columns = [column[order] for column in columns]
        others = [np.concatenate(parts) for parts in zip(*self._others, strict=True)]
        ids = _ids(self.seed, len(self.people), len(others[0]))
        customers_table(self, ids, rng, folder)
        country = np.concatenate([self.people.country, others[0]])
        own_names = self.people.surname * 1000 + given_names(rng, self.people.country)
        name = np.concatenate(
            [np.where(self.people.business, -2 - np.arange(len(own_names)) % 160, own_names), others[1]]
        )
        merchant = np.concatenate([np.zeros(len(self.people), np.int64), others[2]])
        told = []
        schema = _schema("payments")
        with pq.ParquetWriter(folder / "payments.parquet", schema, compression="zstd") as out:
            for start in range(0, len(order), 500_000):
                part = [column[start : start + 500_000] for column in columns]
                table, truth = self._part(part, start, ids, country, name, merchant, rng, schema)
                out.write_table(table)
                told.append(truth)
        pq.write_table(pa.concat_tables(told), folder / "truth_payments.parquet")
        paid = np.zeros(len(ids), bool)
        paid[columns[2]] = True
        self._truth(folder, ids, others, paid)

    def _part(
        self,
        part: list[NDArray[Any]],
        start: int,
        ids: pa.Array,
        country: Ints,
        name: Ints,
        merchant: Ints,
        rng: np.random.Generator,
        schema: pa.Schema,
    ) -> tuple[pa.Table, pa.Table]:
        at, payer, payee, pence, rail, text, there, there_currency, truth = part
        size, people = len(at), self.people
        day = at // 86400
        zone = np.where(payer < len(people), people.zone[np.minimum(payer, len(people) - 1)], 0)
        timed = (rail != RAIL["bank"]) | (rng.random(size) >= parameters.TIME_UNKNOWN)
        local = np.where(timed, at, day * 86400 + 43200).astype(np.int64)
        east = np.array([offset for _, _, offset in ZONES])[zone] * 3600 + np.where(
            zone < 3, 3600, 0
        ) * _summer(local)
        micros = (local - east) * 1_000_000 + np.where(timed, rng.integers(0, 1_000_000, size), 0)
        micros += (
            int((np.datetime64(parameters.FIRST_DAY) - np.datetime64("1970-01-01")).astype(int))
            * 86_400_000_000
        )

        payer_country, payee_country = country[payer], country[payee]
        own = np.array([CURRENCIES.index(CURRENCY[c]) for c in COUNTRIES])
        pound = CURRENCIES.index("GBP")
        sterling_payer = payer < len(people)  # accounts are held in pounds, wherever the customer lives
        currency = np.where(sterling_payer, pound, own[payer_country])
        target = np.where(payee < len(people), pound, own[payee_country])
        target = np.where(there_currency >= 0, there_currency, target)
        minor = np.array([0.01 if c in WITHOUT_MINOR else 1.0 for c in CURRENCIES])
        rate = self.rates[day]
        rows = np.arange(size)
        gave = np.maximum(np.rint(pence * rate[rows, currency] * minor[currency]), 1).astype(np.int64)
        arrives = np.where(
            there > 0, there, np.maximum(np.rint(pence * rate[rows, target] * minor[target]), 1)
        )
        known = (currency != target) & (rng.random(size) < parameters.PAYEE_SUM_KNOWN)
        sent = rail == RAIL["remittance"]
        favourite = people.remitter[np.minimum(payer, len(people) - 1)]
        via = np.where(
            rng.random(size) < parameters.TRUE_TO_REMITTER,
            favourite,
            rng.integers(0, parameters.REMITTERS, size),
        )
        payment = pc.binary_join_element_wise(
            "p", pa.array(np.arange(start, start + size)).cast(pa.string()), ""
        )
        table = pa.table(
            {
                "payment": payment,
                "at": pa.array(micros).cast(pa.timestamp("us", "UTC")),
                "time_known": timed,
                "payer": ids.take(pa.array(payer)),
                "payee": ids.take(pa.array(payee)),
                "amount_minor": gave,
                "currency": _names(CURRENCIES, currency),
                "payee_amount_minor": pa.array(arrives.astype(np.int64), mask=~known),
                "payee_currency": _names(CURRENCIES, np.where(known, target, -1)),
                "payer_country": _names(COUNTRIES, payer_country),
                "payee_country": _names(COUNTRIES, payee_country),
                "rail": _names(RAILS, rail),
                "via": _names(
                    [f"remitter {at + 1}" for at in range(parameters.REMITTERS)], np.where(sent, via, -1)
                ),
                "payee_name": _party_names(name[payee], np.where(sent, via % 3, 0)),
                "text": _names(TEXTS, text),
                "merchant_code": pa.array(merchant[payee], mask=merchant[payee] == 0).cast(pa.string()),
                "reverses": pa.nulls(size, pa.string()),
            }
        ).cast(schema)
        harmful = np.flatnonzero(truth >= 0)
        kinds = _names(TYPOLOGIES, truth[harmful])
        return table, pa.table({"payment": payment.take(pa.array(harmful)), "typology": kinds})

    def _truth(self, folder: Path, ids: pa.Array, others: list[Ints], paid: NDArray[np.bool_]) -> None:
        people = len(self.people)
        receivers = np.flatnonzero(paid[people:])
        groups = (*GROUPS, *(f"receiver of {group}" for group in GROUPS))
        group = np.concatenate([self.people.group, others[3][receivers] + len(GROUPS)])
        typology = np.concatenate([self.people.typology, others[4][receivers]])
        subjects = ids.take(pa.array(np.concatenate([np.arange(people), receivers + people])))
        table = {
            "subject": subjects,
            "group": _names(groups, group),
            "typology": _names(TYPOLOGIES, typology),
        }
        pq.write_table(pa.table(table), folder / "truth.parquet", compression="zstd")


def customers_table(world: World, ids: pa.Array, rng: np.random.Generator, folder: Path) -> None:
    """Write customers, what ties them to countries, and what others have said."""
    people = world.people
    size = len(people)
    order = rng.permutation(size)  # a bank's list knows nothing of groups
    person = ~people.business
    days = np.datetime64(parameters.FIRST_DAY) + people.opened
    unborn = ~person | (rng.random(size) < parameters.BORN_UNKNOWN)
    # Ages go by the year of birth, so any month fits; a stream of its own leaves all else as it was drawn.
    month = world.rng("born-month").integers(1, 13, size)
    table = {
        "customer": ids.take(pa.array(np.arange(size))),
        "kind": _names(("person", "business"), people.business.astype(np.int64)),
        "opened": pa.array(days.astype("datetime64[D]")),
        "country": _names(COUNTRIES, people.country),
        "zone": _names([name for name, _, _ in ZONES], people.zone),
        "born_year": pa.array(people.born.astype(np.int16), mask=unborn),
        "born_month": pa.array(month.astype(np.int16), mask=unborn),
        "sex": _names(
            ("male", "female"),
            np.where(person & (rng.random(size) >= parameters.SEX_UNKNOWN), people.sex, -1),
        ),
    }
    written = pa.table(table).cast(_schema("customers")).take(pa.array(order))
    pq.write_table(written, folder / "customers.parquet", compression="zstd")

    rows = [(np.asarray(who), np.asarray(where), np.full(len(who), tie)) for who, where, tie in world.ties]
    who, where, tie = (np.concatenate(column) for column in zip(*rows, strict=True))
    pairs = {"customer": ids.take(pa.array(who)), "country": _names(COUNTRIES, where), "tie": pa.array(tie)}
    pq.write_table(pa.table(pairs).cast(_schema("ties")), folder / "ties.parquet", compression="zstd")

    subject = np.concatenate([np.zeros(0, np.int64), *(who for who, _, _ in world.markers)])
    marker = [name for who, name, _ in world.markers for _ in who]
    since = np.datetime64(parameters.FIRST_DAY) + np.concatenate(
        [np.zeros(0, np.int64), *(day for _, _, day in world.markers)]
    )
    facts = {
        "subject": ids.take(pa.array(subject)),
        "marker": pa.array(marker, pa.string()),
        "since": pa.array(since.astype("datetime64[D]")),
        "source": pa.array(["another institution"] * len(marker), pa.string()),
    }
    pq.write_table(pa.table(facts).cast(_schema("markers")), folder / "markers.parquet", compression="zstd")


def _schema(table: str) -> pa.Schema:
    kinds = {
        "timestamp": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "bool": pa.bool_(),
        "string": pa.string(),
    }
    kinds |= {"int64": pa.int64(), "int16": pa.int16()}
    return pa.schema([pa.field(name, kinds[kind], null) for name, (kind, null) in TABLES[table].items()])


def _ids(seed: int, customers: int, others: int) -> pa.Array:
    """Return an identifier for everybody that tells neither order nor group: a stride through 2^32."""
    number = (np.arange(customers + others, dtype=np.uint64) * 2654435761 + seed * 97) % 2**32
    kind = np.where(np.arange(customers + others) < customers, "c", "x")
    return pc.binary_join_element_wise(pa.array(kind), pa.array(number).cast(pa.string()), "")


def _names(table: Any, index: NDArray[Any]) -> pa.Array:
    """Return the strings that the indices mean; -1 is null."""
    return pa.array(list(table), pa.string()).take(pa.array(index.astype(np.int64), mask=index < 0))


def _party_names(code: NDArray[Any], form: NDArray[Any]) -> pa.Array:
    """Return names as a bank or remitter writes them: in full, with an initial, or the surname first in capitals."""
    person = code >= 0
    given = _names(_GIVEN, np.where(person, code % 1000, -1))
    family = _names(_SURNAMES, np.where(person, code // 1000, -1))
    firms = [f"{place} {house}" for place in _PLACES for house in _HOUSES]
    firm = _names(firms, np.where(code <= -2, (-2 - code) % len(firms), -1))
    full = pc.binary_join_element_wise(given, family, " ")
    short = pc.binary_join_element_wise(pc.utf8_slice_codeunits(given, 0, 1), family, " ")
    turned = pc.utf8_upper(pc.binary_join_element_wise(family, given, " "))
    return pc.coalesce(pc.choose(pa.array(form.astype(np.int64)), full, short, turned), firm)


def _summer(local: Ints) -> Ints:
    """Return 1 where the clocks are an hour ahead: the last Sundays of March and October."""
    first = np.datetime64(parameters.FIRST_DAY)
    begins, ends = (
        (np.datetime64(day) - first).astype(int) * 86400 + 3600 for day in ("2026-03-29", "2026-10-25")
    )
    return np.asarray((local >= begins) & (local < ends), np.int64)
