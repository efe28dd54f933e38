"""The four typologies, from the published priors: who pays, who receives, the child who is extorted, and the mule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import parameters
from .book import COUNTRIES, GB, GROUP, RAIL, TEXT, TYPOLOGIES, Floats, Ints, World, countries, draw, surnames
from .lives import by_day, pools, tokens
from .people import clock, nice, pence, to_menu

PAYER, RECEIVER, VICTIM, MULE = range(len(TYPOLOGIES))


def livestream(world: World, payers: int) -> None:
    """Let `payers` customers pay for livestreamed abuse; those they pay are receivers."""
    rng, people = world.rng("livestream"), world.people
    chosen = _choose_payers(world, rng, payers)
    people.typology[chosen] = PAYER
    counts = np.maximum(
        np.rint(rng.lognormal(parameters.COUNT_MU, parameters.COUNT_SIGMA, payers)), 1
    ).astype(np.int64)
    counts = np.minimum(counts, parameters.COUNT_MOST)
    market = _Market(world, rng, payers)
    for payer, count in zip(chosen, counts, strict=True):
        _pay(world, rng, int(payer), int(count), market)
    market.close(world, rng)
    software = chosen[rng.random(payers) < parameters.PAYER_SOFTWARE]  # C13
    at = np.repeat(np.arange(len(software)), rng.integers(1, 6, len(software)))
    shop = pools(world, rng, "everyday", "5817", 10)
    day, sums = rng.integers(0, parameters.DAYS, len(at)), pence(rng, 9, 0.5, len(at))
    world.pay(day, clock(rng, "evening", len(at)), software[at], shop(len(at)), sums, RAIL["card"])
    more = chosen[
        (people.group[chosen] != GROUP["adult-platform"])
        & (rng.random(payers) < parameters.PAYER_ADULT_PLATFORM / 2)
    ]
    tokens(world, rng, more, parameters.ADULT_PLATFORM[1], parameters.ADULT_PLATFORM[2])


def _choose_payers(world: World, rng: np.random.Generator, payers: int) -> Ints:
    """Choose by sex and age as published, more of adult platforms' customers and of travellers, from any life."""
    people = world.people
    grown = np.flatnonzero(~people.business & (people.age >= 18) & (people.opened < -60))
    age = people.age[grown]
    weight = np.exp(-0.5 * ((age - parameters.PAYER_AGE[0]) / parameters.PAYER_AGE[1]) ** 2)
    population = np.bincount(age, minlength=120)[age]
    weight = (
        weight
        / population
        * np.where(people.sex[grown] == 0, parameters.PAYER_MALE, 1 - parameters.PAYER_MALE)
    )
    group = people.group[grown]
    there = np.isin(people.trip[grown], countries(*parameters.PAYER_COUNTRIES))
    weight[(group == GROUP["traveller"]) & ~there] = 0
    shares = {"adult-platform": parameters.PAYER_ADULT_PLATFORM / 2, "traveller": parameters.PAYER_TRAVELS}
    for name, share in shares.items():
        mine = group == GROUP[name]
        others = weight[~mine].sum()
        weight[mine] *= share / (1 - share) * others / max(weight[mine].sum(), 1e-300)
    weight[np.isin(group, (GROUP["romance-fraud-victim"], GROUP["payroll-abroad"]))] = 0
    return np.sort(rng.choice(grown, payers, replace=False, p=weight / weight.sum()))


class _Market:
    """Receivers in families who share a name, drawn by how many payers each has."""

    def __init__(self, world: World, rng: np.random.Generator, payers: int) -> None:
        low, high = parameters.FAN_IN
        sizes = np.arange(low, high + 1)
        shares = sizes**-parameters.FAN_IN_POWER
        mean = float((sizes * shares).sum() / shares.sum())
        links = (
            payers * float((np.arange(1, 7) * np.array(parameters.RECEIVERS)).sum()) * 0.6
        )  # one-off payers have one
        count = max(round(links / (mean * parameters.FAN_IN_SEEN)), 6)
        family = np.sort(rng.integers(0, max(count // 2, 2), count))
        country = countries(*draw(rng, parameters.PAYER_COUNTRIES, int(family.max()) + 1))
        name = surnames(rng, country)
        kin = rng.random(count) < 0.75  # in-laws and neighbours have other names
        shared = np.where(kin, name[family], surnames(rng, country[family]))
        self.country, self.family = country[family], family
        self.fan_in = rng.choice(sizes, count, p=shares / shares.sum()).astype(float)
        self.party = world.others(rng, self.country, "livestream", surname=shared, typology=RECEIVER)

    def next(self, rng: np.random.Generator, country: int, last: int | None, had: list[int]) -> int:
        """Return a receiver that the payer has not had: often a relative of the last one."""
        weight = self.fan_in * (self.country == country)
        if last is not None and rng.random() < parameters.RELATIVES:
            weight = weight * (self.family == self.family[last])
        weight[had] = 0
        if not weight.any():
            weight = self.fan_in.copy()
            weight[had] = 0
        if not weight.any():
            return int(rng.integers(0, len(self.party)))
        return int(rng.choice(len(weight), p=weight / weight.sum()))

    def close(self, world: World, rng: np.random.Generator) -> None:
        """Give some receivers honest relatives here; let a few have been flagged by others."""
        people = world.people
        kin = np.flatnonzero(rng.random(len(self.party)) < parameters.RECEIVER_HAS_KIN_HERE)
        family = np.flatnonzero(people.group == GROUP["overseas-family"])
        for receiver in kin:
            alike = family[people.origin[family] == self.country[receiver]]
            if not len(alike):
                continue
            day = np.sort(rng.integers(0, parameters.DAYS, int(rng.integers(1, 9))))
            sums = pence(rng, 120, 0.5, len(day), 1000)
            text = TEXT["family support"]
            second = clock(rng, "family", len(day))
            world.pay(
                day, second, rng.choice(alike), self.party[receiver], sums, RAIL["remittance"], text=text
            )
        flagged = self.party[rng.random(len(self.party)) < parameters.FLAGGED_RECEIVERS]
        world.markers.append((flagged, "flagged-receiver", rng.integers(-200, parameters.DAYS, len(flagged))))


def _pay(world: World, rng: np.random.Generator, payer: int, count: int, market: _Market) -> None:
    """Write one payer's payments: when, how much, to whom, by what way."""
    step = np.arange(1, count + 1)
    grows = 1 + rng.uniform(*parameters.ESCALATION) * np.log(step)  # C16
    prolific = count > parameters.PROLIFIC_ABOVE
    low, high = parameters.PROLIFIC_GAP_D if prolific else parameters.OCCASIONAL_GAP_D
    gap = np.exp(rng.uniform(np.log(low), np.log(high)))
    gaps = gap * np.exp(rng.normal(0, parameters.GAP_SPREAD, count)) / grows
    again = rng.random(count) < parameters.SAME_SESSION
    gaps[again] = rng.uniform(5, 50, count)[again] / 1440
    gaps[0] = 0
    span = float(gaps.sum())
    if span > parameters.DAYS - 20:  # so many in one year need shorter gaps than the class's
        gaps *= (parameters.DAYS - 20) / span
        span = parameters.DAYS - 20.0
    day = rng.uniform(0, parameters.DAYS - 1 - span) + np.cumsum(gaps)
    second = clock(rng, "livestream", count)
    for at in (np.flatnonzero(again[1:]) + 1).tolist():  # the same sitting
        day[at], second[at] = day[at - 1], min(second[at - 1] + int(rng.integers(300, 3000)), 86399)

    usual = parameters.PROLIFIC_SUM if prolific else parameters.OCCASIONAL_SUM
    level = usual * np.exp(rng.normal(0, parameters.PAYER_SUM_SPREAD))
    if not prolific and rng.random() < parameters.LARGE_PAYER[0] * 1.1:
        level *= parameters.LARGE_PAYER[1]
    gbp = np.maximum(level * grows * np.exp(rng.normal(0, parameters.PAYMENT_SUM_SPREAD, count)), 4.0)

    codes = list(parameters.PAYER_COUNTRIES)
    country = COUNTRIES.index(str(draw(rng, parameters.PAYER_COUNTRIES, 1)[0]))
    trip = int(world.people.trip[payer])
    country = trip if trip >= 0 and rng.random() < parameters.PAYER_TRAVELS_THERE else country
    most = 1 + int(rng.choice(6, p=parameters.RECEIVERS))
    had: list[int] = []
    to = np.zeros(count, np.int64)
    for at in range(count):
        leaves = bool(had) and rng.random() < parameters.RECEIVER_LEAVES
        if not had or (leaves and len(had) < most):
            if rng.random() > parameters.PAYER_ONE_COUNTRY:
                country = COUNTRIES.index(codes[int(rng.integers(0, len(codes)))])
            had.append(market.next(rng, country, had[-1] if had else None, had))
        to[at] = had[-1] if len(had) < 2 or rng.random() < 0.85 else had[int(rng.integers(0, len(had)))]
    sums, arrives = _sums(world, rng, gbp, day.astype(np.int64), market.country[to])
    rail = str(draw(rng, parameters.PAYER_RAILS, 1)[0])
    if int(world.people.age[payer]) < 40 and rng.random() < 0.15:  # C18
        rail = "crypto"
    texts = [
        TEXT[name]
        for name in ("family support", "school", "uniform", "medical", "accommodation", "education")
    ]
    text = np.where(rng.random(count) < parameters.PAYER_TEXT, rng.choice(texts, count), -1)
    world.pay(
        day.astype(np.int64),
        second,
        payer,
        market.party[to],
        sums,
        RAIL[rail],
        text=text,
        there=arrives,
        truth=PAYER,
    )


def _sums(world: World, rng: np.random.Generator, gbp: Floats, day: Ints, country: Ints) -> tuple[Ints, Ints]:
    """Return pence and what arrives: round here, or round there, or neither."""
    local, arrives = by_day(world, gbp, day, country)
    kind = rng.random(len(gbp))
    here, there = (
        kind < parameters.ROUND_HERE,
        (kind >= parameters.ROUND_HERE) & (kind < parameters.ROUND_HERE + parameters.ROUND_THERE),
    )
    odd = np.rint(gbp * 100)
    sums = np.where(here, to_menu(gbp, parameters.MENU), np.where(there, local, odd))
    return sums.astype(np.int64), np.where(there, arrives, 0)


def extortion(world: World) -> None:
    """Let children be extorted, and mules collect from some of them and from others elsewhere."""
    rng, people = world.rng("extortion"), world.people
    size = len(people)
    young = (
        (people.parent >= 0)
        & (people.age >= VICTIM_LOW)
        & (people.age <= VICTIM_HIGH)
        & (people.opened < 200)
    )
    children = np.flatnonzero(young)
    weight = np.where(people.sex[children] == 0, parameters.VICTIM_MALE, 1 - parameters.VICTIM_MALE)
    victims = max(round(parameters.VICTIMS * size), 4)
    chosen = rng.choice(children, min(victims, len(children)), replace=False, p=weight / weight.sum())
    account = np.where(
        rng.random(len(chosen)) < parameters.VICTIM_PARENT_ACCOUNT, people.parent[chosen], chosen
    )
    people.typology[account] = VICTIM
    grown = np.flatnonzero((people.parent < 0) & ~people.business & (people.age < 30) & (people.typology < 0))
    mules = rng.choice(grown, min(max(round(parameters.MULES * size), 3), len(grown)), replace=False)
    people.typology[mules] = MULE
    elsewhere = world.others(rng, GB, "extortion", count=max(len(mules) * 2, 4))
    shops = {
        name: pools(world, rng, "extortion", code, 8)
        for name, code in (("gift-card", "5947"), ("crypto", "6051"))
    }
    collected: dict[int, list[tuple[float, int]]] = {int(mule): [] for mule in mules}
    for victim in account:
        _burst(world, rng, int(victim), mules, elsewhere, shops, collected)
    for mule in mules:
        _collect(world, rng, int(mule), collected[int(mule)], shops)
    reported = mules[rng.random(len(mules)) < parameters.MULE_REPORTED]
    world.markers.append((reported, "closed-for-extortion", rng.integers(-300, 0, len(reported))))


VICTIM_LOW, VICTIM_HIGH = parameters.VICTIM_AGES


def _burst(
    world: World,
    rng: np.random.Generator,
    victim: int,
    mules: Ints,
    elsewhere: Ints,
    shops: dict[str, Callable[[int], Ints]],
    collected: dict[int, list[tuple[float, int]]],
) -> None:
    """Write one child's payments: small first, several fast, then none."""
    least, most = parameters.VICTIM_PAYMENTS
    count = least + int(rng.binomial(most - least, 0.38))
    median, spread, bound = parameters.VICTIM_HOURS
    hours = min(float(np.exp(rng.normal(np.log(median), spread))), bound)
    start = int(rng.integers(max(int(world.people.opened[victim]), 0) + 1, parameters.DAYS - 60))
    second = int(clock(rng, "victim", 1)[0]) + np.sort(np.r_[0, rng.random(count - 1) * hours * 3600]).astype(
        np.int64
    )
    first = min(float(np.exp(rng.normal(np.log(parameters.VICTIM_FIRST), 0.6))), parameters.VICTIM_FIRST_MOST)
    gbp = np.minimum(first * np.exp(np.r_[0, rng.normal(0.25, 0.6, count - 1)]), 500)
    gbp = np.where(rng.random(count) < 0.7, nice(gbp), gbp)
    gbp = gbp[np.cumsum(gbp) <= parameters.VICTIM_TOTAL_MOST]
    second = second[: len(gbp)]
    count = len(gbp)
    way = draw(rng, parameters.VICTIM_RAILS, 1).repeat(count)
    if rng.random() < parameters.VICTIM_CHANGES_RAIL:
        way[int(rng.integers(1, max(count, 2))) :] = draw(rng, parameters.VICTIM_RAILS, 1)[0]
    mule = rng.random() < parameters.VICTIM_TO_MULE
    abroad = countries(*draw(rng, parameters.VICTIM_COUNTRIES, 1))
    persons = (
        np.concatenate([rng.choice(mules, 2), rng.choice(elsewhere, 2)])[rng.permutation(4)[:2]]
        if mule
        else world.others(rng, abroad.repeat(2), "extortion")
    )
    send = RAIL["bank"] if mule else (RAIL["remittance"] if rng.random() < 0.5 else RAIL["wallet"])
    to, rail = np.zeros(count, np.int64), np.zeros(count, np.int64)
    which = 0
    for at in range(count):
        which = 1 - which if rng.random() < 0.25 else which
        if way[at] == "person":
            to[at], rail[at] = persons[which], send
            if mule and int(persons[which]) in collected:
                collected[int(persons[which])].append(
                    (start * 86400.0 + float(second[at]), int(gbp[at] * 100))
                )
        else:
            to[at], rail[at] = shops[way[at]](1)[0], RAIL[way[at]]
    day = np.full(count, start)
    world.pay(day, second, victim, to, np.rint(gbp * 100), rail, truth=VICTIM)
    if rng.random() < parameters.VICTIM_RECOVERY_FEE:  # V6
        helper = world.others(rng, abroad, "extortion")
        fees = int(rng.integers(1, 4))
        days = start + 10 + np.sort(rng.integers(0, 40, fees))
        sums = pence(rng, 60, 0.5, fees, 500)
        world.pay(days, clock(rng, "evening", fees), victim, helper[0], sums, RAIL["wallet"], truth=VICTIM)


def _collect(
    world: World,
    rng: np.random.Generator,
    mule: int,
    own: list[tuple[float, int]],
    shops: dict[str, Callable[[int], Ints]],
) -> None:
    """Let a mule get credits from strangers and pass each on, within hours, less its part."""
    count = int(rng.integers(*parameters.MULE_CREDITS))
    span = rng.uniform(*parameters.MULE_WEEKS) * 7 * 86400
    centre = own[0][0] if own else float(rng.uniform(20, parameters.DAYS - 60)) * 86400
    begin = min(max(centre - rng.uniform(0, span), 0), (parameters.DAYS - 2) * 86400.0 - span)
    times = np.sort(begin + rng.random(count) * span).astype(np.int64)
    sums = pence(rng, 55, 0.7, count, 500)
    strangers = world.others(rng, GB, "extortion", count=count)
    again = rng.random(count) < 0.4  # the same child pays again
    senders = strangers[np.where(again, np.maximum(np.arange(count) - 1, 0), np.arange(count))]
    world.pay(times // 86400, times % 86400, senders, mule, sums, RAIL["bank"], truth=MULE)
    every = sorted([*zip(times.tolist(), sums.tolist(), strict=True), *own])
    crypto = rng.random() < 0.6
    foreign = world.others(rng, countries(*draw(rng, parameters.VICTIM_COUNTRIES, 1)), "extortion")
    held = 0.0
    for when, credit in every:
        held += credit
        if rng.random() < 0.7:  # else it waits for the next
            on = held * (1 - rng.uniform(*parameters.MULE_KEEPS))
            held = 0.0
            median, spread = parameters.MULE_ONWARD_HOURS
            later = int(when + np.exp(rng.normal(np.log(median), spread)) * 3600)
            to = shops["crypto"](1)[0] if crypto else foreign[0]
            rail = RAIL["crypto"] if crypto else RAIL["remittance"]
            world.pay(np.array([later // 86400]), np.array([later % 86400]), mule, to, on, rail, truth=MULE)
