"""What ordinary people pay, and each group that looks like something else: families, partners, travellers, players."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from . import parameters
from .book import (
    COUNTRIES,
    CURRENCIES,
    CURRENCY,
    GB,
    GROUP,
    RAIL,
    TEXT,
    WITHOUT_MINOR,
    Floats,
    Ints,
    World,
    countries,
    draw,
)
from .people import WEEKDAY, clock, nice, pence, scatter, season, standing, to_menu

BANK, CARD, WALLET = RAIL["bank"], RAIL["card"], RAIL["wallet"]
REMITTANCE, CRYPTO, GAMING, GIFT = RAIL["remittance"], RAIL["crypto"], RAIL["gaming"], RAIL["gift-card"]
USD = CURRENCIES.index("USD")
TRIP_COUNTRIES = {
    "TH": 26,
    "PH": 14,
    "MX": 12,
    "DO": 9,
    "CO": 6,
    "VN": 10,
    "ID": 10,
    "KH": 4,
    "KE": 3,
    "BR": 6,
}
# Shops of everyday life: code, median pounds, share.
SHOPS = (
    ("5411", 24, 0.24), ("5812", 28, 0.14), ("5814", 9, 0.12), ("5541", 42, 0.10), ("5651", 38, 0.10),
    ("5311", 30, 0.08), ("5912", 11, 0.06), ("5732", 90, 0.04), ("5942", 14, 0.04), ("4111", 12, 0.05),
    ("7832", 18, 0.03),
)  # fmt: skip
CHILD_SHOPS = (
    ("5814", 6, 0.40),
    ("5411", 4, 0.25),
    ("5651", 22, 0.15),
    ("7832", 10, 0.12),
    ("5942", 8, 0.08),
)


def assign(world: World, rng: np.random.Generator, name: str, share: float, among: Ints) -> Ints:
    """Give part of those who have no life of their own yet the group `name`; return them."""
    people = world.people
    free = among[np.isin(people.group[among], (GROUP["everyday"], GROUP["business"], GROUP["child"]))]
    count = min(max(round(share * len(among)), 2), len(free))
    chosen = np.sort(rng.choice(free, count, replace=False))
    people.group[chosen] = GROUP[name]
    return chosen


def pools(
    world: World, rng: np.random.Generator, role: str, merchant: str, count: int, country: Ints | int = GB
) -> Callable[[int], Ints]:
    """Make `count` merchants; return a function that draws from them, few of them often."""
    made = world.others(rng, country, role, merchant=int(merchant), count=None if np.ndim(country) else count)
    return lambda size: made[(len(made) * rng.random(size) ** 2).astype(np.int64)]


def by_day(world: World, gbp: Floats, day: Ints, country: Ints) -> tuple[Ints, Ints]:
    """Return pence and what arrives when the sum is round where it arrives."""
    own = np.array([CURRENCIES.index(CURRENCY[code]) for code in COUNTRIES])[country]
    rate = world.rates[np.clip(day, 0, parameters.DAYS - 1), own]
    local = nice(gbp * rate)
    minor = np.array([1 if code in WITHOUT_MINOR else 100 for code in CURRENCIES])[own]
    return np.maximum(np.rint(local / rate * 100), 1).astype(np.int64), np.rint(local * minor).astype(
        np.int64
    )


# --- everybody ---------------------------------------------------------------------------------------------------


def pay_and_bills(world: World) -> None:
    """Pay or pension in, rent and a bill out, on the household's pay days."""
    rng, people = world.rng("pay"), world.people
    employers = world.others(rng, GB, "everyday", organisation=True, count=max(len(people) // 25, 5))
    landlords = world.others(rng, GB, "everyday", count=max(len(people) // 12, 5))
    firms = world.others(rng, GB, "everyday", organisation=True, count=60)
    state = world.others(rng, GB, "everyday", organisation=True, count=1)
    for rule in parameters.PAY_RULES:
        who = np.flatnonzero(people.main & (people.pay_rule == rule))
        if not len(who):
            continue
        parts = {"weekly": 4.3, "four-weekly": 1.08}.get(rule, 1.0)
        wage = pence(rng, 2150 / parts, 0.45, len(who))
        employer = employers[(len(employers) * rng.random(len(who)) ** 2).astype(np.int64)]
        source = np.where(people.age[who] >= 67, state, employer)
        leaves = np.where(
            rng.random(len(who)) < 0.07, rng.integers(0, parameters.DAYS, len(who)), parameters.DAYS
        )
        at, day = standing(who, rule, stop=leaves)
        moved = wage[at] * np.exp(rng.normal(0, 0.03, len(at)))
        world.pay(day, clock(rng, "batch", len(at)), source[at], who[at], moved, BANK, text=TEXT["salary"])
        for share, payee, median in ((parameters.RENT, landlords, 820), (parameters.BILLS, firms, 64)):
            payers = who[rng.random(len(who)) < share]
            to = payee[rng.integers(0, len(payee), len(payers))]
            sums = pence(rng, median, 0.4, len(payers), 100 if median > 100 else 1)
            at, day = standing(payers, "last-workday" if rule == "weekly" else rule)
            text = TEXT["rent"] if median > 100 else -1
            world.pay(day + 1, clock(rng, "batch", len(at)), payers[at], to[at], sums[at], BANK, text=text)


def friends(world: World) -> None:
    """Small debts among people who know one another: neighbours, colleagues, relatives, here and at other banks."""
    rng, people = world.rng("friends"), world.people
    outside = world.others(rng, GB, "everyday", count=len(people))
    who = np.flatnonzero(~people.business & (people.age >= 18))
    circle = _circle(world, rng, who, outside)
    at, day = scatter(rng, who, *parameters.FRIENDS, season("weekend"))
    to = circle[at, rng.integers(0, circle.shape[1], len(at))]
    sums = np.where(
        rng.random(len(at)) < 0.55, pence(rng, 22, 0.8, len(at), 500), pence(rng, 18, 0.8, len(at))
    )
    rail = np.where(rng.random(len(at)) < 0.85, BANK, WALLET)
    text = np.where(
        rng.random(len(at)) < 0.2, rng.choice([TEXT["food"], TEXT["gift"], TEXT["tickets"]], len(at)), -1
    )
    forth = rng.random(len(at)) < 0.55
    second = clock(rng, "friends", len(at))
    world.pay(day, second, np.where(forth, who[at], to), np.where(forth, to, who[at]), sums, rail, text=text)


def _circle(world: World, rng: np.random.Generator, who: Ints, outside: Ints) -> Ints:
    """Return five contacts of each: three in ten bank here, live near by (in the list) and are of age or not alike."""
    shape = (len(who), 5)
    near = (who[:, None] + np.rint(rng.normal(0, 400, shape)).astype(np.int64)) % len(world.people)
    people = world.people
    fits = (people.age[near] >= 18) == (people.age[who] >= 18)[:, None]
    own = (rng.random(shape) < 0.3) & fits & ~people.business[near] & (near != who[:, None])
    return np.where(own, near, outside[near])


def shops(world: World) -> None:
    """Card payments in shops and online, software, gift cards, betting, coins."""
    rng, people = world.rng("shops"), world.people
    grown = np.flatnonzero(~people.business & (people.age >= 18))
    children = np.flatnonzero(~people.business & (people.age < 18))
    for who, habit, kinds in (
        (grown, parameters.SHOPPING, SHOPS),
        (children, parameters.CHILD_SHOPPING, CHILD_SHOPS),
    ):
        at, day = scatter(rng, who, *habit, season("shopping"))
        kind = rng.choice(len(kinds), len(at), p=[share for _, _, share in kinds])
        for number, (code, median, _) in enumerate(kinds):
            mine = np.flatnonzero(kind == number)
            shop = pools(world, rng, "everyday", code, max(len(people) // 400, 4))
            sums = pence(rng, median, 0.7, len(mine))
            world.pay(
                day[mine], clock(rng, "shopping", len(mine)), who[at[mine]], shop(len(mine)), sums, CARD
            )
    _some(world, rng, grown, parameters.ONLINE, "5999", 24, WALLET, "shopping", "shopping")
    _some(world, rng, grown, parameters.SOFTWARE, "5817", 9, CARD, "flat", "evening")
    _some(world, rng, grown, parameters.GIFT_CARDS, "5947", 30, GIFT, "gifts", "shopping", step=500)
    abroad = countries(*draw(rng, {"US": 4, "CN": 4, "DE": 3, "FR": 2, "ES": 3, "IT": 2, "HK": 1}, 300))
    shop = pools(world, rng, "everyday", "5311", 300, abroad)
    at, day = scatter(rng, grown, *parameters.SHOP_ABROAD, season("shopping"))
    world.pay(
        day, clock(rng, "shopping", len(at)), grown[at], shop(len(at)), pence(rng, 34, 0.8, len(at)), CARD
    )
    of_age = _grown(world)
    young = of_age[people.age[of_age] <= 45]
    coins = young[rng.random(len(young)) < parameters.CRYPTO[0]]
    _some(world, rng, coins, parameters.CRYPTO[1:], "6051", 80, CRYPTO, "flat", "evening", step=500)
    bets = of_age[rng.random(len(of_age)) < parameters.BETTING[0]]
    _some(world, rng, bets, parameters.BETTING[1:], "7995", 18, CARD, "weekend", "night", step=500)


def _some(
    world: World,
    rng: np.random.Generator,
    who: Ints,
    habit: tuple[float, float],
    code: str,
    median: float,
    rail: int,
    days: str,
    hours: str,
    *,
    step: int = 1,
    role: str = "everyday",
) -> None:
    at, day = scatter(rng, who, *habit, season(days))
    shop = pools(world, rng, role, code, 25)
    sums = pence(rng, median, 0.7, len(at), step)
    world.pay(day, clock(rng, hours, len(at)), who[at], shop(len(at)), sums, rail)


def help_abroad(world: World) -> None:
    """Now and then anybody pays one person abroad: a holiday flat, a wedding, an exam fee, a friend in need."""
    rng, people = world.rng("help"), world.people
    who = np.flatnonzero(~people.business & (people.age >= 18))
    at, day = scatter(rng, who, *parameters.HELP_ABROAD, season("flat"))
    where = countries(
        *draw(rng, {"ES": 5, "FR": 4, "PL": 3, "IN": 3, "PH": 1, "TH": 1, "US": 3, "RO": 2, "NG": 1}, len(at))
    )
    to = world.others(rng, where, "everyday")
    text = rng.choice([-1, -1, TEXT["deposit"], TEXT["gift"], TEXT["accommodation"]], len(at))
    rail = rng.choice([BANK, REMITTANCE, WALLET], len(at), p=[0.5, 0.3, 0.2])
    sums = pence(rng, 110, 0.9, len(at), 500)
    world.pay(day, clock(rng, "family", len(at)), who[at], to, sums, rail, text=text)


def firms(world: World) -> None:
    """Firms pay and are paid by invoice; some buy abroad."""
    rng, people = world.rng("firms"), world.people
    who = np.flatnonzero(people.business)
    partners = world.others(rng, GB, "business", organisation=True, count=max(len(who) // 2, 5))
    for habit, out in ((parameters.BUSINESS_PAYS, True), (parameters.BUSINESS_GETS, False)):
        at, day = scatter(rng, who, *habit, season("flat"))
        other = partners[(at * 7 + rng.integers(0, 6, len(at))) % len(partners)]
        sums = pence(rng, 310, 1.1, len(at))
        payer, payee = (who[at], other) if out else (other, who[at])
        world.pay(day, clock(rng, "office", len(at)), payer, payee, sums, BANK, text=TEXT["invoice"])
    buyers = who[rng.random(len(who)) < parameters.BUSINESS_ABROAD]
    where = countries(
        *draw(rng, {"CN": 4, "DE": 4, "PL": 2, "IN": 2, "US": 2, "TH": 1, "PH": 1}, len(buyers))
    )
    supplier = world.others(rng, where, "business", organisation=True)
    at, day = scatter(rng, buyers, 8, 1.0, season("flat"))
    sums = pence(rng, 900, 1.0, len(at))
    world.pay(day, clock(rng, "office", len(at)), buyers[at], supplier[at], sums, BANK, text=TEXT["invoice"])


# --- children ----------------------------------------------------------------------------------------------------


def children(world: World) -> None:
    """Pocket money in; food, games, small debts out; sometimes several within a day."""
    rng, people = world.rng("children"), world.people
    who = np.flatnonzero(people.parent >= 0)
    for rule in ("weekly", "four-weekly", "15th"):
        mine = who[people.pay_rule[who] == rule]
        sums = pence(rng, 5 if rule == "weekly" else 18, 0.4, len(mine), 100)
        at, day = standing(mine, rule)
        world.pay(day, clock(rng, "batch", len(at)), people.parent[mine[at]], mine[at], sums[at], BANK)
    outside = world.others(rng, GB, "child", count=len(people))
    circle = _circle(world, rng, who, outside)
    at, day = scatter(rng, who, *parameters.CHILD_FRIENDS, season("weekend"))
    sums = pence(rng, 7, 0.7, len(at), 50)
    to = circle[at, rng.integers(0, 5, len(at))]
    back = rng.random(len(at)) < 0.45
    second = clock(rng, "friends", len(at))
    world.pay(day, second, np.where(back, to, who[at]), np.where(back, who[at], to), sums, BANK)

    out = who[
        rng.random(len(who)) < parameters.CHILD_DAY_OUT
    ]  # a concert, a school trip, a birthday: settled in one evening
    count = rng.integers(3, 7, len(out))
    at = np.repeat(np.arange(len(out)), count)
    day, start = rng.choice(parameters.DAYS, len(out), p=season("weekend")), clock(rng, "friends", len(out))
    to = circle[np.searchsorted(who, out)[at], rng.integers(0, 5, len(at))]
    second = start[at] + rng.integers(0, 5 * 3600, len(at))
    world.pay(day[at], second, out[at], to, pence(rng, 11, 0.7, len(at), 50), BANK)

    sale = who[rng.random(len(who)) < parameters.CHILD_SALE]  # birthday and Christmas money
    at = np.repeat(np.arange(len(sale)), rng.integers(3, 9, len(sale)))
    day, start = rng.choice(parameters.DAYS, len(sale), p=season("gifts")), clock(rng, "evening", len(sale))
    games, cards = pools(world, rng, "child", "5816", 12), pools(world, rng, "child", "5947", 12)
    plays = rng.random(len(at)) < 0.7
    to = np.where(plays, games(len(at)), cards(len(at)))
    second = start[at] + rng.integers(0, 36 * 3600, len(at))
    sums = to_menu(np.exp(rng.normal(2.6, 0.6, len(at))), (5, 10, 15, 20, 25, 50))
    world.pay(day[at], second, sale[at], to, sums, np.where(plays, GAMING, GIFT))

    few = who[rng.random(len(who)) < parameters.CHILD_ABROAD]
    where = np.where(people.origin[few] == GB, countries("US")[0], people.origin[few])
    to = world.others(rng, where, "child", surname=people.surname[few])
    at, day = scatter(rng, few, 1.5, 1.0, season("gifts"), least=1)
    sums = pence(rng, 14, 0.6, len(at), 500)
    world.pay(day, clock(rng, "evening", len(at)), few[at], to[at], sums, WALLET, text=TEXT["gift"])

    cheated = who[rng.random(len(who)) < parameters.CHILD_CHEATED]
    to = world.others(rng, GB, "child", count=len(cheated))
    at = np.repeat(np.arange(len(cheated)), rng.integers(1, 3, len(cheated)))
    day, start = rng.integers(0, parameters.DAYS, len(cheated)), clock(rng, "evening", len(cheated))
    second = start[at] + rng.integers(0, 7200, len(at))
    world.pay(
        day[at], second, cheated[at], to[at], pence(rng, 60, 0.5, len(at), 500), BANK, text=TEXT["tickets"]
    )


# --- look-alikes -------------------------------------------------------------------------------------------------


def overseas_family(world: World) -> None:
    """Family support from those who work here: on pay day and regular, or as need arises; surnames are shared."""
    rng, people = world.rng("overseas-family"), world.people
    of_age = _grown(world)
    from_abroad = of_age[people.origin[of_age] != GB]
    who = assign(world, rng, "overseas-family", parameters.FAMILY_SENDS, from_abroad)
    home = people.origin[who]
    _known(world, who, home, rng.random(len(who)) < parameters.FAMILY_TIE_KNOWN, "family")
    rest = from_abroad[people.group[from_abroad] != GROUP["overseas-family"]]
    _known(world, rest, people.origin[rest], rng.random(len(rest)) < parameters.ORIGIN_KNOWN, "family")
    shared = (True, True, False, True, False)  # parents and brothers, in-laws, cousins
    names = [people.surname[who] if same else None for same in shared]
    kin = np.stack([world.others(rng, home, "overseas-family", surname=name) for name in names], axis=1)
    agents = world.others(rng, np.repeat(countries(*parameters.ORIGINS), 4), "overseas-family")
    by_agent = rng.random(len(who)) < parameters.FAMILY_AGENT
    place = np.array(
        [list(countries(*parameters.ORIGINS)).index(country) for country in home[by_agent]], np.int64
    )
    kin[by_agent] = agents[place * 4 + rng.integers(0, 4, len(place))][:, None]
    outside = rng.random(len(who)) < parameters.FAMILY_OUTSIDE_REMITTER
    remitters = world.others(rng, GB, "everyday", merchant=4829, count=6)
    rail = rng.choice([REMITTANCE, BANK, WALLET], len(who), p=[0.72, 0.18, 0.10])
    regular = rng.random(len(who)) < parameters.FAMILY_REGULAR

    def send(at: Ints, day: Ints, gbp: Floats, to: Ints) -> None:
        there_round = rng.random(len(at)) < 0.3
        local, arrives = by_day(world, gbp, day, home[at])
        sums = np.where(there_round, local, np.maximum(np.rint(gbp / 10), 1) * 1000)
        hidden = outside[at]
        reasons = [-1, -1, TEXT["family support"], TEXT["school"], TEXT["medical"], TEXT["education"]]
        text = np.where(hidden, -1, rng.choice(reasons, len(at), p=[0.3, 0.25, 0.28, 0.08, 0.06, 0.03]))
        payee = np.where(hidden, remitters[people.remitter[who[at]] % 6], to)
        there = np.where(there_round & ~hidden, arrives, 0)
        second = clock(rng, "family", len(at))
        world.pay(day, second, who[at], payee, sums, np.where(hidden, CARD, rail[at]), text=text, there=there)

    for rule in parameters.PAY_RULES:
        mine = np.flatnonzero(regular & (people.pay_rule[who] == rule))
        level = (
            parameters.FAMILY_SUM
            * np.exp(rng.normal(0, parameters.FAMILY_SUM_SPREAD, len(mine)))
            / (2.5 if rule == "weekly" else 1)
        )
        at, day = standing(mine, rule)
        sent = rng.random(len(at)) < (0.45 if rule == "weekly" else 0.9)
        at, day = at[sent], day[sent] + rng.geometric(0.5, sent.sum()) - 1
        gift = np.where((day > 35) & (day < 58) & (rng.random(len(at)) < 0.5), 1.6, 1.0)  # before Christmas
        which = (rng.random(len(at)) < 0.15).astype(np.int64)
        send(mine[at], day, level[at] * gift * np.exp(rng.normal(0, 0.08, len(at))), kin[mine[at], which])
    needs = np.flatnonzero(~regular)
    at, day = scatter(rng, needs, *parameters.FAMILY_NEEDS, season("family"), least=1)
    which = np.minimum(rng.integers(0, 5, len(at)), rng.integers(1, 5, len(needs))[at])
    send(
        needs[at],
        day,
        parameters.FAMILY_NEED_SUM * np.exp(rng.normal(0, 0.7, len(at))),
        kin[needs[at], which],
    )
    tops = np.flatnonzero(regular)  # what befalls, beside what is regular
    at, day = scatter(rng, tops, 1.2, 0.6, season("family"))
    send(
        tops[at],
        day,
        parameters.FAMILY_NEED_SUM * np.exp(rng.normal(0, 0.7, len(at))),
        kin[tops[at], rng.integers(0, 5, len(at))],
    )


def _known(world: World, who: Ints, where: Ints, known: NDArray[np.bool_], tie: str) -> None:
    world.ties.append((who[known], where[known], tie))


def partner_abroad(world: World) -> None:
    """Somebody's partner lives abroad: one person for years, by call in the evening, sometimes back."""
    rng = world.rng("partner")
    grown = _grown(world)
    who = assign(world, rng, "partner-abroad", parameters.PARTNER, grown)
    where = countries(*draw(rng, parameters.PARTNER_COUNTRIES, len(who)))
    tie = draw(rng, parameters.PARTNER_TIES, len(who))
    for name in ("travel", "residence"):
        _known(world, who, where, tie == name, name)
    to = world.others(rng, where, "partner-abroad")
    at, day = scatter(rng, who, *parameters.PARTNER_SENDS, season("flat"), least=2)
    level = np.exp(rng.normal(np.log(95), 0.5, len(who)))
    sums = np.maximum(np.rint(level[at] * np.exp(rng.normal(0, 0.45, len(at))) / 10), 1) * 1000
    rail = rng.choice([REMITTANCE, WALLET, BANK], len(who), p=[0.5, 0.2, 0.3])
    text = np.where(
        rng.random(len(at)) < 0.3, rng.choice([TEXT["gift"], TEXT["rent"], TEXT["medical"]], len(at)), -1
    )
    second = clock(rng, "night", len(at))
    world.pay(day, second, who[at], to[at], sums, rail[at], text=text)
    back = np.flatnonzero(rng.random(len(who)) < parameters.PARTNER_BACK)
    at, day = scatter(rng, back, 4, 1.0, season("flat"), least=1)
    sums = pence(rng, 70, 0.7, len(at), 100)
    world.pay(day, clock(rng, "office", len(at)), to[back[at]], who[back[at]], sums, BANK)
    visits = np.flatnonzero((tie == "travel") & (rng.random(len(who)) < 0.7))
    _trips(world, rng, who[visits], where[visits], "partner-abroad", gives=0.0)


def payroll_abroad(world: World) -> None:
    """Let a firm, or one person with a trade, pay tutors and assistants abroad on fixed dates, by invoice."""
    rng, people = world.rng("payroll"), world.people
    firms_ = assign(
        world, rng, "payroll-abroad", parameters.PAYROLL_BUSINESS, np.flatnonzero(people.business)
    )
    persons = assign(world, rng, "payroll-abroad", parameters.PAYROLL_PERSON, _grown(world))
    who = np.concatenate([firms_, persons])
    home = draw(rng, {"PH": 45, "IN": 18, "UA": 8, "PK": 8, "BD": 5, "KE": 5, "RO": 6, "VN": 5}, len(who))
    known = people.business[who] | (rng.random(len(who)) < 0.3)
    _known(world, who, countries(*home), known & (rng.random(len(who)) < 0.8), "business")
    count = rng.integers(2, 13, len(who))
    boss = np.repeat(np.arange(len(who)), count)
    to = world.others(rng, countries(*home)[boss], "payroll-abroad")
    wage = np.exp(rng.normal(np.log(120), 0.6, len(boss)))
    joins = np.where(rng.random(len(boss)) < 0.3, rng.integers(0, parameters.DAYS, len(boss)), 0)
    leaves = np.where(
        rng.random(len(boss)) < 0.25, rng.integers(0, parameters.DAYS, len(boss)), parameters.DAYS
    )
    rhythm = np.array(["15th", "last-workday", "four-weekly", "weekly"])[rng.integers(0, 4, len(who))]
    for rule in ("15th", "last-workday", "four-weekly", "weekly"):
        mine = np.flatnonzero(rhythm[boss] == rule)
        at, day = standing(mine, rule, start=joins[mine], stop=leaves[mine])
        usd = np.rint(
            wage[mine[at]] * np.exp(rng.normal(0, 0.12, len(at))) * (0.4 if rule == "weekly" else 1) * 1.3
        )
        sums = np.rint(usd / world.rates[day, USD] * 100)
        text = np.where(rng.random(len(at)) < 0.7, TEXT["invoice"], -1)
        rail = rng.choice([BANK, WALLET, REMITTANCE], len(who), p=[0.4, 0.45, 0.15])[boss[mine[at]]]
        second = clock(rng, "office", len(at))
        world.pay(
            day,
            second,
            who[boss[mine[at]]],
            to[mine[at]],
            sums,
            rail,
            text=text,
            there=usd * 100,
            there_currency=USD,
        )


def sponsors(world: World) -> None:
    """Equal monthly sums to a registered charity abroad; a few to the manager of a small home in person."""
    rng = world.rng("sponsors")
    who = assign(world, rng, "charity-sponsor", parameters.SPONSOR, _grown(world))
    places = countries(*draw(rng, parameters.SPONSOR_COUNTRIES, 60))
    charities = world.others(rng, places, "charity-sponsor", organisation=True)
    managers = world.others(rng, places, "charity-sponsor")
    pick = rng.integers(0, 60, len(who))
    in_person = rng.random(len(who)) < parameters.SPONSOR_SMALL
    to = np.where(in_person, managers[pick], charities[pick])
    sums = to_menu(
        np.exp(rng.normal(np.log(24), 0.4, len(who))), (10, 12, 15, 18, 20, 22, 25, 30, 35, 40, 50)
    )
    starts = np.where(rng.random(len(who)) < 0.2, rng.integers(0, parameters.DAYS - 60, len(who)), 0)
    rule = np.array(["15th", "25th", "last-workday"])[rng.integers(0, 3, len(who))]
    for name in ("15th", "25th", "last-workday"):
        mine = np.flatnonzero(rule == name)
        at, day = standing(mine, name, start=starts[mine])
        text = rng.choice(
            [-1, TEXT["sponsorship"], TEXT["education"], TEXT["school"]], len(at), p=[0.4, 0.3, 0.2, 0.1]
        )
        person = in_person[mine[at]]
        second = np.where(person, clock(rng, "evening", len(at)), clock(rng, "batch", len(at)))
        rail = np.where(person, REMITTANCE, BANK)
        world.pay(day + 1, second, who[mine[at]], to[mine[at]], sums[mine[at]], rail, text=text)


def students(world: World) -> None:
    """Support a child or relative who studies abroad: fees at term's begin, an allowance, and small sums in between."""
    rng, people = world.rng("students"), world.people
    grown = _grown(world)
    who = assign(world, rng, "student-support", parameters.STUDENT, grown[people.age[grown] > 35])
    where = countries(*draw(rng, parameters.STUDENT_COUNTRIES, len(who)))
    _known(world, who, where, rng.random(len(who)) < 0.4, "family")
    school = world.others(rng, where, "student-support", organisation=True)
    relative = world.others(rng, where, "student-support", surname=people.surname[who])
    terms = np.array([65, 160, 310])
    at, term = np.repeat(np.arange(len(who)), 3), np.tile(terms, len(who))
    day = term + rng.integers(-8, 12, len(at))
    fee = np.exp(rng.normal(np.log(900), 0.8, len(who)))
    sums = np.rint(fee[at]) * 100
    world.pay(day, clock(rng, "office", len(at)), who[at], school[at], sums, BANK, text=TEXT["education"])
    at, day = standing(who, "25th")
    allowance = pence(rng, 160, 0.5, len(who), 1000)
    rail = rng.choice([REMITTANCE, BANK, WALLET], len(who), p=[0.35, 0.5, 0.15])
    text = np.where(rng.random(len(at)) < 0.4, TEXT["accommodation"], -1)
    world.pay(
        day + 1, clock(rng, "family", len(at)), who[at], relative[at], allowance[at], rail[at], text=text
    )
    at, day = scatter(rng, who, 4, 0.8, season("flat"))
    sums = pence(rng, 40, 0.6, len(at), 500)
    world.pay(day, clock(rng, "evening", len(at)), who[at], relative[at], sums, rail[at])


def romance(world: World) -> None:
    """Romance-fraud victims: a little for a phone, then a ticket, then a hospital; soon thousands, then no more."""
    rng, people = world.rng("romance"), world.people
    grown = _grown(world)
    who = assign(
        world,
        rng,
        "romance-fraud-victim",
        parameters.ROMANCE,
        grown[(people.age[grown] > 40) & (people.opened[grown] < 0)],
    )
    where = countries(*draw(rng, {"GH": 25, "NG": 30, "PH": 12, "MY": 10, "US": 8, "GB": 15}, len(who)))
    to = np.stack([world.others(rng, where, "romance-fraud-victim") for _ in range(3)], axis=1)
    for victim in range(len(who)):
        count = int(rng.integers(4, 19))
        day = int(rng.integers(0, parameters.DAYS - 60)) + np.cumsum(
            np.maximum(rng.exponential(8, count), 0.2)
        ).astype(np.int64)
        growth = rng.uniform(1.2, 1.6) ** np.arange(count)
        gbp = np.minimum(rng.uniform(40, 160) * growth * np.exp(rng.normal(0, 0.4, count)), 9000)
        which = np.minimum((np.arange(count) * rng.integers(1, 4)) // count, 2)
        text = rng.choice(
            [-1, TEXT["medical"], TEXT["tickets"], TEXT["gift"]], count, p=[0.6, 0.15, 0.15, 0.1]
        )
        rail = rng.choice([REMITTANCE, BANK, CRYPTO], p=[0.5, 0.4, 0.1])
        sums = nice(gbp) * 100
        world.pay(day, clock(rng, "evening", count), who[victim], to[victim, which], sums, rail, text=text)


def adult_platform(world: World) -> None:
    """Tokens of adult platforms, at night, at menu prices; a few also pay adult performers abroad by wallet."""
    rng, people = world.rng("adult-platform"), world.people
    grown = _grown(world)
    mostly = grown[(people.sex[grown] == 0) | (rng.random(len(grown)) < 0.1)]
    who = assign(
        world, rng, "adult-platform", parameters.ADULT_PLATFORM[0] * len(grown) / len(mostly), mostly
    )
    tokens(world, rng, who, parameters.ADULT_PLATFORM[1], parameters.ADULT_PLATFORM[2])
    direct = who[rng.random(len(who)) < parameters.ADULT_DIRECT]
    performers = world.others(
        rng,
        countries(*draw(rng, {"RO": 5, "CO": 5, "UA": 2, "PH": 1, "US": 2}, parameters.PERFORMERS)),
        "adult-platform",
    )
    at, day = scatter(rng, direct, 6, 1.0, season("flat"), least=1)
    first, then = rng.integers(0, len(performers), len(direct)), rng.integers(0, 2, len(at))
    own = performers[(first[at] + then) % len(performers)]
    sums = to_menu(np.exp(rng.normal(3.5, 0.5, len(at))), parameters.MENU)
    world.pay(day, clock(rng, "night", len(at)), direct[at], own, sums, WALLET)


def tokens(world: World, rng: np.random.Generator, who: Ints, mean: float, shape: float) -> None:
    """Let `who` buy tokens."""
    platforms = pools(
        world, rng, "adult-platform", "5967", 8, countries("US", "US", "US", "GB", "GB", "GB", "US", "US")
    )
    at, day = scatter(rng, who, mean, shape, season("flat"), least=1)
    sums = to_menu(np.exp(rng.normal(3.1, 0.6, len(at))), (10, 20, 25, 50, 100, 200))
    world.pay(day, clock(rng, "night", len(at)), who[at], platforms(len(at)), sums, CARD)


def travellers(world: World) -> None:
    """Take a trip far away: flights, hotels, cash, meals on the card there; guides and drivers paid in person."""
    rng, people = world.rng("travellers"), world.people
    who = assign(world, rng, "traveller", parameters.TRAVELLER, _grown(world))
    where = countries(*draw(rng, TRIP_COUNTRIES, len(who)))
    people.trip[who] = where
    _known(world, who, where, rng.random(len(who)) < 0.5, "travel")
    _trips(world, rng, who, where, "traveller", gives=parameters.TRAVELLER_GIVES)


def _trips(
    world: World, rng: np.random.Generator, who: Ints, where: Ints, role: str, *, gives: float
) -> None:
    """Let each take one trip."""
    begins = rng.choice(parameters.DAYS, len(who), p=season("holidays"))
    nights = rng.integers(6, 25, len(who))
    airline, hotel = pools(world, rng, role, "4511", 12), pools(world, rng, role, "7011", 60)
    second = clock(rng, "evening", len(who))
    world.pay(
        begins - rng.integers(5, 120, len(who)),
        second,
        who,
        airline(len(who)),
        pence(rng, 640, 0.4, len(who)),
        CARD,
    )
    world.pay(
        begins - rng.integers(1, 90, len(who)),
        second,
        who,
        hotel(len(who)),
        pence(rng, 180, 0.7, len(who)),
        CARD,
    )
    for country in np.unique(where):
        here = np.flatnonzero(where == country)
        for code, median, mean in (
            ("5812", 12, 4),
            ("6011", 60, 2),
            ("7011", 70, 1.5),
            ("5411", 9, 2),
            ("4121", 7, 1),
        ):
            shop = pools(world, rng, role, code, 25, np.full(25, country))
            at = np.repeat(here, rng.poisson(mean, len(here)))
            day = begins[at] + rng.integers(0, nights[at])
            sums = pence(rng, median, 0.6, len(at))
            world.pay(day, clock(rng, "shopping", len(at)), who[at], shop(len(at)), sums, CARD)
    guides = world.others(rng, np.repeat(np.unique(where), parameters.GUIDES), role)
    paid = np.flatnonzero(rng.random(len(who)) < gives)
    at = np.repeat(paid, rng.integers(1, 5, len(paid)))
    place = np.searchsorted(np.unique(where), where[at])
    known = (parameters.GUIDES * rng.random(len(at)) ** 2).astype(np.int64)
    to = guides[place * parameters.GUIDES + known]
    day = begins[at] + rng.integers(-12, nights[at])
    sums, arrives = by_day(world, 38 * np.exp(rng.normal(0, 0.8, len(at))), day, where[at])
    rail = rng.choice([WALLET, REMITTANCE, BANK], len(at), p=[0.5, 0.35, 0.15])
    world.pay(day, clock(rng, "evening", len(at)), who[at], to, sums, rail, there=arrives)
    after = np.flatnonzero(rng.random(len(who)) < (parameters.TRAVELLER_GOES_ON if gives else 0))
    friend = world.others(rng, where[after], role)
    at = np.repeat(np.arange(len(after)), rng.integers(1, 5, len(after)))
    day = begins[after[at]] + nights[after[at]] + rng.integers(5, 150, len(at))
    reasons = rng.choice([-1, TEXT["school"], TEXT["medical"], TEXT["gift"]], len(at))
    sums = pence(rng, 45, 0.5, len(at), 500)
    world.pay(day, clock(rng, "evening", len(at)), who[after[at]], friend[at], sums, REMITTANCE, text=reasons)


def gig_work(world: World) -> None:
    """Pay from platforms: weekly or as it comes, odd net sums. Sellers get small sums from strangers."""
    rng, people = world.rng("gig"), world.people
    grown = _grown(world)
    who = assign(world, rng, "gig", parameters.GIG, grown[people.age[grown] < 60])
    platforms = world.others(
        rng, np.where(rng.random(14) < 0.5, GB, countries("US")[0]), "gig", organisation=True
    )
    own = platforms[rng.integers(0, 14, len(who))]
    at, day = standing(who, "weekly")
    worked = rng.random(len(at)) < rng.beta(1.5, 2.5, len(who))[at]
    at, day = at[worked], day[worked]
    world.pay(day, clock(rng, "batch", len(at)), own[at], who[at], pence(rng, 96, 0.6, len(at)), BANK)
    sellers = assign(world, rng, "marketplace-seller", parameters.SELLER, grown)
    at, day = scatter(rng, sellers, 24, 1.0, season("shopping"), least=3)
    home = np.where(
        rng.random(len(at)) < 0.85, GB, countries(*draw(rng, {"US": 3, "DE": 2, "IE": 2, "FR": 1}, len(at)))
    )
    buyers = world.others(rng, home, "marketplace-seller")
    world.pay(day, clock(rng, "evening", len(at)), buyers, sellers[at], pence(rng, 19, 0.8, len(at)), WALLET)
    at, day = scatter(rng, sellers, 10, 1.0, season("shopping"))
    post = pools(world, rng, "marketplace-seller", "4215", 5)
    world.pay(
        day, clock(rng, "office", len(at)), sellers[at], post(len(at)), pence(rng, 6, 0.4, len(at)), CARD
    )


def gamers(world: World) -> None:
    """Players: game credit all year round, grown-ups and children."""
    rng, people = world.rng("gamers"), world.people
    grown = _grown(world)
    young = grown[people.age[grown] < 50]
    big = assign(world, rng, "gamer", parameters.GAMER * len(grown) / len(young), young)
    small = assign(world, rng, "gamer", parameters.GAMER_CHILD, np.flatnonzero(people.parent >= 0))
    games = pools(world, rng, "gamer", "5816", 20)
    for who, median in ((big, 17.0), (small, 9.0)):
        at, day = scatter(rng, who, *parameters.GAMER_SPENDS, season("weekend"), least=3)
        sums = to_menu(np.exp(rng.normal(np.log(median), 0.5, len(at))), (5, 8, 10, 15, 20, 25, 50))
        rail = np.where(rng.random(len(at)) < 0.9, GAMING, GIFT)
        world.pay(day, clock(rng, "evening", len(at)), who[at], games(len(at)), sums, rail)


def lessons_and_makers(world: World) -> None:
    """Weekly lessons with a teacher abroad; small works ordered from makers abroad; friends abroad helped at times."""
    rng = world.rng("lessons")
    grown = _grown(world)
    who = assign(world, rng, "lessons-abroad", parameters.LESSONS, grown)
    where = countries(
        *draw(rng, {"PH": 30, "ES": 10, "CO": 14, "UA": 8, "IN": 8, "MX": 10, "BR": 6, "CN": 8}, len(who))
    )
    teacher = world.others(rng, where, "lessons-abroad")
    price = to_menu(np.exp(rng.normal(np.log(13), 0.3, len(who))), (8, 10, 12, 15, 18, 20, 25))
    weekday, hour = rng.integers(0, 6, len(who)), rng.integers(8, 22, len(who))
    starts = rng.integers(-150, parameters.DAYS - 40, len(who))
    stops = starts + rng.integers(30, 300, len(who))
    days = np.arange(parameters.DAYS)
    at, day = (x.ravel() for x in np.meshgrid(np.arange(len(who)), days, indexing="ij"))
    held = (
        (WEEKDAY[day] == weekday[at]) & (day >= starts[at]) & (day < stops[at]) & (rng.random(len(at)) < 0.85)
    )
    at, day = at[held], day[held]
    second = hour[at] * 3600 + rng.integers(0, 3600, len(at))
    text = np.where(rng.random(len(at)) < 0.5, TEXT["lesson"], -1)
    world.pay(day, second, who[at], teacher[at], price[at], WALLET, text=text)

    who = assign(world, rng, "commissions", parameters.COMMISSIONS, grown)
    makers = world.others(
        rng,
        countries(*draw(rng, parameters.MAKER_COUNTRIES, max(round(len(who) * parameters.MAKERS), 10))),
        "commissions",
    )
    at, day = scatter(rng, who, 6, 0.8, season("flat"), least=1)
    to = makers[(len(makers) * rng.random(len(at)) ** 1.5).astype(np.int64)]
    usd = (
        to_menu(np.exp(rng.normal(np.log(45), 0.6, len(at))), (15, 20, 25, 30, 40, 50, 60, 75, 100, 150))
        / 100
    )
    sums = np.rint(usd / world.rates[day, USD] * 100)
    second = clock(rng, "evening", len(at))
    world.pay(day, second, who[at], to, sums, WALLET, there=np.rint(usd * 100), there_currency=USD)

    who = assign(world, rng, "friends-abroad", parameters.FRIENDS_ABROAD, grown)
    where = countries(*draw(rng, parameters.FRIEND_COUNTRIES, len(who)))
    _known(world, who, where, rng.random(len(who)) < 0.3, "travel")
    to = np.stack([world.others(rng, where, "friends-abroad") for _ in range(3)], axis=1)
    most = rng.choice([1, 2, 3], len(who), p=[0.6, 0.28, 0.12])
    at, day = scatter(rng, who, 3.5, 1.2, season("gifts") * 0.5 + season("flat") * 0.5, least=1)
    sums = pence(rng, 48, 0.5, len(at), 500)
    text = rng.choice([-1, TEXT["gift"], TEXT["school"], TEXT["medical"]], len(at), p=[0.5, 0.25, 0.15, 0.1])
    rail = rng.choice([REMITTANCE, WALLET, BANK], len(who), p=[0.6, 0.2, 0.2])
    world.pay(
        day,
        clock(rng, "evening", len(at)),
        who[at],
        to[at, rng.integers(0, most[at])],
        sums,
        rail[at],
        text=text,
    )


def organisers(world: World) -> None:
    """Somebody young collects from friends for a house, a festival, a present, and pays for it at once."""
    rng, people = world.rng("organisers"), world.people
    grown = _grown(world)
    who = assign(world, rng, "organiser", parameters.ORGANISER, grown[people.age[grown] < 40])
    outside = world.others(rng, GB, "organiser", count=max(len(who) * 8, 8))
    venue = pools(world, rng, "organiser", "7922", 30)
    for person in range(len(who)):
        for _ in range(int(rng.integers(1, 4))):
            count = int(rng.integers(4, 19))
            share = int(pence(rng, 24, 0.6, 1, 100)[0])
            day, second = int(rng.integers(0, parameters.DAYS - 8)), clock(rng, "friends", count)
            days = day + rng.integers(0, 5, count)
            friends_ = rng.choice(outside, count, replace=False) if len(outside) >= count else outside[:count]
            world.pay(
                days[: len(friends_)],
                second[: len(friends_)],
                friends_,
                who[person],
                share,
                BANK,
                text=TEXT["tickets"],
            )
            later = np.array([day + 5])
            world.pay(later, clock(rng, "evening", 1), who[person], venue(1), share * (count + 1), CARD)


def _grown(world: World) -> Ints:
    """Return who was of age all year: coins, bets and adult platforms are sold to nobody younger."""
    people = world.people
    return np.flatnonzero(~people.business & (people.age >= 19))


def live(world: World) -> None:
    """Let everybody live a year: look-alikes first, for they are what the others are not."""
    for life in (
        overseas_family, partner_abroad, payroll_abroad, sponsors, students, romance, adult_platform, travellers,
        gig_work, gamers, lessons_and_makers, organisers, pay_and_bills, friends, shops, help_abroad, firms, children,
    ):  # fmt: skip
        life(world)
