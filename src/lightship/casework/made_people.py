"""Made-up referrals of made-up people, with the truth beside them: who is who, and what is one report.

The hard cases are drawn on purpose: people of one home who share its line, device, account and family name; children of
the suspect's own home; numbers, handles and devices that become somebody else's; addresses of cafés and of mobile
networks; words that many take as a handle; common names; people named in one referral together; and one person with
several addresses and handles. What is drawn, and how often, is ``packs/casework/people.toml``.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from lightship.core.casework import Identifier, IdentifierKind, PersonRole, Referral, Source
from lightship.core.errors import PolicyError

BEGAN = datetime(2024, 11, 1, tzinfo=UTC)
PLATFORMS = ("chatto", "piclane", "streamly", "gamehall", "talkbox")
_DAY_S = 86_400
_SYLLABLES = ("ba", "de", "fi", "go", "ha", "jo", "ka", "le", "mi", "no", "pa", "ro", "sa", "ti", "vu", "we")


@dataclass(frozen=True, slots=True)
class World:
    """What people are drawn from, by the names of the file."""

    share: Mapping[str, float]
    days: Mapping[str, float]
    shows: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Told:
    """A made-up referral.

    Parameters
    ----------
    truth
        The number of the real person behind each person that it names.
    children
        Which of those numbers are children.
    """

    referral: Referral
    identifiers: tuple[Identifier, ...]
    truth: Mapping[str, int]
    children: frozenset[int]


def parse_world(text: str, where: str) -> World:
    """Read what people are drawn from.

    Raises
    ------
    PolicyError
        If it cannot be read, or has no grade and source.
    """
    try:
        table = tomllib.loads(text)
        if not table["grade"] or not table["source"]:
            raise PolicyError("The world has no grade or source.", where, "Say where its numbers are from.")
        return World(table["share"], table["days"], table["shows"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PolicyError(f"The world cannot be read: {error}.", where, "Correct the file.") from error


@dataclass
class _Home:
    """Where people live: its family name, its shared device and account, and its line's addresses by day."""

    family: str
    device: str
    account: str
    lines: list[tuple[float, str]]


@dataclass
class _Someone:
    """A real person; of ``phones`` and ``devices`` each has a first and a last day."""

    number: int
    child: bool
    home: _Home
    given: str
    family: str
    emails: list[str]
    phones: list[tuple[float, float, str]]
    devices: list[tuple[float, float, str]]
    account: str
    token: str
    wallet: str
    shares_device: bool
    began_d: float
    platforms: list[str]
    handles: dict[str, list[tuple[float, float, str]]] = field(default_factory=dict)


def people_told(world: World, referrals: int, seed: int) -> Iterator[Told]:
    """Yield made-up referrals, in no order of time."""
    maker = _Maker(world, random.Random(seed), referrals)  # noqa: S311 - made-up people, no secret
    made = 0
    while made < referrals:
        for told in maker.circle():
            yield told
            made += 1
            if made == referrals:
                return


@dataclass(frozen=True, slots=True)
class Incident:
    """A made-up report of something; reports of one ``number`` say the same, and 0 stands alone."""

    report: str
    at: datetime
    values: tuple[tuple[IdentifierKind, str], ...]
    number: int


def incidents_told(count: int, seed: int) -> list[Incident]:
    """Return made-up reports: files that go round, events and accounts that are reported again, and what only looks so.

    The hard cases: a file that goes round again weeks later is another incident, as is an account that is reported for
    something new days later; reports of a viral file come from many accounts, some of which are reported by themselves
    within hours; a third of viral files lie still for days and go on; and events at one place on two days are two.
    """
    rng = random.Random(seed)  # noqa: S311 - made-up reports, no secret
    found: list[Incident] = []
    number = 0
    while len(found) < count:
        at_h, kind = rng.random() * 24 * 365, rng.random()
        number += 2
        draw = _viral if kind < 0.08 else _again if kind < 0.30 else _event if kind < 0.36 else _lone
        for when_h, values, incident in draw(rng, at_h, number):
            at = BEGAN + timedelta(hours=when_h)
            found.append(Incident(f"report{len(found):07d}", at, tuple(values), incident))
    return found


_Values = list[tuple[IdentifierKind, str]]


def _viral(rng: random.Random, at_h: float, number: int) -> Iterator[tuple[float, _Values, int]]:
    """Yield reports of a file that goes round, and weeks later again."""
    for part, start_h in enumerate((at_h, at_h + 24 * (20 + rng.random() * 60))):
        when_h, many = start_h, 2 + int(rng.expovariate(1 / 18))
        lull = rng.randrange(many) if rng.random() < 0.3 else -1
        for place in range(many):
            when_h += rng.expovariate(1 / 3) if place != lull else 40 + rng.random() * 50
            who: tuple[IdentifierKind, str] = ("handle", f"handle|chatto|u{rng.randrange(10**9)}")
            yield when_h, [("hash", f"hash||f{number}"), who], number + part
            if rng.random() < 0.05:
                yield when_h + rng.random() * 20, [who], 0


def _again(rng: random.Random, at_h: float, number: int) -> Iterator[tuple[float, _Values, int]]:
    """Yield reports of an account within hours, and often of something new that it does days later."""
    for part in range(1 + (rng.random() < 0.3)):
        when_h = at_h + part * (30 + rng.random() * 200)
        for _ in range(2 + (rng.random() < 0.4)):
            when_h += rng.expovariate(1 / 5)
            yield when_h, [("handle", f"handle|chatto|v{number}")], number + part


def _event(rng: random.Random, at_h: float, number: int) -> Iterator[tuple[float, _Values, int]]:
    """Yield two reports each of two events at one place, a day apart."""
    for day in range(2):
        for _ in range(2):
            yield at_h + 24 * day + rng.random() * 12, [("event", f"event||{number}-{day}")], number + day


def _lone(rng: random.Random, at_h: float, number: int) -> Iterator[tuple[float, _Values, int]]:
    """Yield a report that stands alone."""
    yield at_h + rng.random(), [("handle", f"handle|chatto|w{number}")], 0


class _Maker:
    """Draws circles of people, and the referrals that name them."""

    def __init__(self, world: World, rng: random.Random, referrals: int) -> None:
        self.world, self.rng = world, rng
        self.number = self.serial = self.homes = 0
        self.freed: dict[str, list[tuple[float, str]]] = {
            "phone": [],
            "device": [],
            "handle": [],
            "email": [],
        }
        self.cafes = [self._address(90) for _ in range(1 + referrals // 250)]
        self.mobile = [self._address(91) for _ in range(1 + referrals // 800)]
        self.given = [self._word(2) for _ in range(300)]
        self.family = [self._word(3) for _ in range(2500)]
        self.words = [self._word(3) for _ in range(400)]
        self.common = {
            len(words): list(accumulate(1.0 / (rank + 3) for rank in range(len(words))))
            for words in (self.given, self.family, self.words)
        }
        self.taken: set[tuple[str, str]] = set()
        self.facilitators: list[tuple[_Someone, _Someone]] = []

    def circle(self) -> Iterator[Told]:
        """Yield the referrals of somebody, and of whoever of their home is referred too."""
        home = self._home()
        those = [self._someone(home)]
        if self._drawn("lives_with"):
            those.append(self._someone(home, shared=True))
        children = [self._someone(self._home(), child=True)]
        if self._drawn("child_at_home"):
            children = [self._someone(home, child=True, parent=those[0])]
        arranged = self._facilitator()
        for one in those:
            last_d = one.began_d
            while True:
                yield self._told(one, those, children[0], arranged, last_d)
                if self.rng.random() >= self.world.share["more"]:
                    break
                last_d = min(self.world.days["world"], last_d + self._for("active") / 3)

    def _told(
        self,
        one: _Someone,
        home: list[_Someone],
        child: _Someone,
        arranged: tuple[_Someone, _Someone],
        at_d: float,
    ) -> Told:
        shows = list(self.world.shows.values())
        name = self.rng.choices(list(self.world.shows), [each["weight"] for each in shows])[0]
        named: list[tuple[str, PersonRole, _Someone]] = [("suspect-1", "suspect", one)]
        if self._drawn("co_offender"):
            other = next((each for each in home if each is not one), None) if self._drawn_half() else None
            named.append(("suspect-2", "suspect", other or self._stranger()))
        brought = self._drawn("facilitator")
        if brought:
            named.append(("facilitator-1", "facilitator", arranged[0]))
        if self._drawn("child") and name != "financial":  # banks hardly ever know of the child
            named.append(("child-1", "child", arranged[1] if brought else child))
        self.serial += 1
        id_ = f"made{self.serial:08d}"
        at = BEGAN + timedelta(days=at_d)
        sources: Mapping[str, Source] = {
            "platform": "platform", "cybertip": "cybertip", "financial": "financial",
            "hotline": "hotline", "partner": "partner",
        }  # fmt: skip
        referral = Referral(
            id_, sources[name], "made", id_, "made", "made", at, id_, f"i{id_}", happened_at=at
        )
        identifiers: list[Identifier] = []
        truth: dict[str, int] = {}
        for label, role, who in named:
            said: PersonRole = "unknown" if self._drawn("unknown_role") else role
            for kind, value, platform in self._shown(who, self.world.shows[name], at_d):
                key = f"{id_}/{label}"
                identifiers.append(
                    Identifier(f"{id_}-{len(identifiers)}", id_, kind, value, said, key, platform)
                )
                truth[key] = who.number
        return Told(
            referral, tuple(identifiers), truth, frozenset(who.number for *_, who in named if who.child)
        )

    def _shown(
        self, who: _Someone, shows: Mapping[str, float], at_d: float
    ) -> Iterator[tuple[IdentifierKind, str, str]]:
        """Yield what a source names of somebody; nobody is named by nothing."""
        found: list[tuple[IdentifierKind, str, str]] = []
        while not found:
            for kind in (
                "email",
                "phone",
                "handle",
                "account",
                "payment-token",
                "wallet",
                "device",
                "ip",
                "name",
            ):
                if kind in {"account", "payment-token", "wallet"} and who.child:
                    continue
                if self.rng.random() < shows.get(kind, 0.0):
                    found += self._value(who, kind, at_d)
        yield from found

    def _value(
        self, who: _Someone, kind: IdentifierKind, at_d: float
    ) -> list[tuple[IdentifierKind, str, str]]:
        rng = self.rng
        if kind == "handle":
            platform = who.platforms[0] if rng.random() < 0.8 else rng.choice(who.platforms)
            return [(kind, self._handle(who, platform, at_d), platform)]
        if kind == "ip":
            return [(kind, self._line(who, at_d), "") for _ in range(1 + (rng.random() < 0.5))]
        return [(kind, self._plain(who, kind, at_d), "")]

    def _plain(self, who: _Someone, kind: IdentifierKind, at_d: float) -> str:
        rng = self.rng
        match kind:
            case "email":
                return who.emails[0] if rng.random() < 0.9 else rng.choice(who.emails)
            case "phone":
                return self._now(who.phones, at_d)
            case "device":
                shared = who.shares_device and rng.random() < 0.4
                return who.home.device if shared else self._now(who.devices, at_d)
            case "name":
                return self._spelt(who)
            case _:
                return {"account": who.account, "payment-token": who.token}.get(kind, who.wallet)

    def _line(self, who: _Someone, at_d: float) -> str:
        draw = self.rng.random()
        if draw < self.world.share["cafe"]:
            return self.rng.choice(self.cafes)
        if draw < self.world.share["cafe"] + self.world.share["mobile"]:
            return self.rng.choice(self.mobile)
        return next(value for since, value in reversed(who.home.lines) if since <= at_d)

    def _spelt(self, who: _Someone) -> str:
        given = who.given
        if self._drawn("misspelt"):
            place = self.rng.randrange(len(given))
            given = given[0] if self._drawn_half() else given[:place] + given[place + 1 :] or given
        return f"{given} {who.family}"

    def _handle(self, who: _Someone, platform: str, at_d: float) -> str:
        there = who.handles.setdefault(platform, [])
        alive = [one for one in there if at_d <= one[1]]
        if not alive:
            known = [each[0][2] for name, each in who.handles.items() if each and name != platform]
            again = bool(known) and self._drawn("same_handle") and (platform, known[0]) not in self.taken
            alive = [(at_d, 1e9, known[0])] if again else [self._new_handle(platform, at_d)]
            if self._drawn("second_handle"):
                alive.append(self._new_handle(platform, at_d))
            there += alive
            self.taken |= {(platform, one[2]) for one in alive}
        return alive[0][2] if self.rng.random() < 0.8 else self.rng.choice(alive)[2]

    def _new_handle(self, platform: str, at_d: float) -> tuple[float, float, str]:
        """Return a handle with the days from and until which it is theirs; one person's at a time on a platform."""
        free, until_d = self.freed["handle"], 1e9
        ready = _ready(free, 40, at_d, f"{platform}|")
        if ready is not None and self.rng.random() < 0.5:
            return at_d, until_d, free.pop(ready)[1].partition("|")[2]
        word = self.rng.choices(self.words, cum_weights=self.common[len(self.words)])[0]
        if common := self._drawn("common_handle"):
            stem, more = f"{word}{self.rng.randrange(1, 30)}", 0
            while (platform, f"{stem}{more or ''}") in self.taken:
                more += 1
            made = f"{stem}{more or ''}"
        else:
            made = f"{word}_{self.rng.choice(self.given)}{self.rng.randrange(10_000)}"
        if self._drawn("reused_word" if common else "reused_handle"):
            until_d = at_d + self._for("active")
            free.append((until_d + self._for("quarantine"), f"{platform}|{made}"))
        return at_d, until_d, made

    def _someone(
        self, home: _Home, *, child: bool = False, shared: bool = False, parent: _Someone | None = None
    ) -> _Someone:
        rng, share = self.rng, self.world.share
        self.number += 1
        began_d = rng.random() * self.world.days["world"]
        given = rng.choices(self.given, cum_weights=self.common[len(self.given)])[0]
        family = home.family
        if shared and rng.random() >= share["same_family_name"]:
            family = self._family()
        emails = [self._email(given)]
        while len(emails) < 3 and rng.random() < share["second_email"]:
            emails.append(self._email(given))
        one = _Someone(
            self.number, child, home, given, family, emails, [], [],
            account=home.account if shared and rng.random() < share["joint_account"] else self._serial("GB"),
            token=self._serial("tok"), wallet=self._serial("bc1q"),
            shares_device=rng.random() < share["shares_device"], began_d=began_d,
            platforms=rng.sample(PLATFORMS, rng.choices((1, 2, 3), (7, 3, 1))[0], counts=(9, 5, 3, 2, 1)),
        )  # fmt: skip
        if not shared and not child:
            home.account = one.account
        one.phones = self._tenures("phone", began_d)
        one.devices = self._tenures("device", began_d)
        if parent is not None and self._drawn("child_parent_phone"):
            one.phones = parent.phones
        return one

    def _tenures(self, kind: str, began_d: float) -> list[tuple[float, float, str]]:
        """Return what somebody has one after the other; some of it was somebody else's, and some becomes so."""
        found, at_d = [], began_d - self.rng.random() * self.world.days[kind]
        free = self.freed[kind]
        often = self.world.share["recycled_phone" if kind == "phone" else "second_hand"]
        while at_d < self.world.days["world"] + 1:
            until_d = at_d + self._for(kind)
            if (ready := _ready(free, 200, at_d)) is not None:
                value = free.pop(ready)[1]
            else:
                value = f"+4477{self._count():08d}" if kind == "phone" else self._serial("dev")
            if self.rng.random() < often:
                free.append((until_d + self._for("quarantine"), value))
            found.append((at_d, until_d, value))
            at_d = until_d
        return found

    def _now(self, tenures: list[tuple[float, float, str]], at_d: float) -> str:
        return next((value for since, until, value in tenures if since <= at_d < until), tenures[-1][2])

    def _facilitator(self) -> tuple[_Someone, _Someone]:
        """Return somebody who arranges, and the child of their home; each has some twelve customers."""
        if not self.facilitators or self.rng.random() < 0.06:
            home = self._home()
            adult = self._someone(home)
            self.facilitators.append((adult, self._someone(home, child=True, parent=adult)))
        return self.rng.choice(self.facilitators[-20:])

    def _stranger(self) -> _Someone:
        return self._someone(self._home())

    def _home(self) -> _Home:
        lines, at_d = [], -1.0
        while at_d < self.world.days["world"]:
            lines.append((at_d, self._address(10)))
            at_d += self._for("line")
        return _Home(self._family(), self._serial("dev"), self._serial("GB"), lines)

    def _family(self) -> str:
        return self.rng.choices(self.family, cum_weights=self.common[len(self.family)])[0]

    def _email(self, given: str) -> str:
        shared = self.freed["email"]
        if shared and self.rng.random() < self.world.share["stranger_email"]:
            return shared.pop()[1]
        made = f"{given}.{self._count():x}@mail.example"
        if self._drawn("stranger_email"):
            shared.append((0.0, made))
        return made

    def _for(self, what: str) -> float:
        return self.rng.expovariate(1.0 / self.world.days[what])

    def _drawn(self, what: str) -> bool:
        return self.rng.random() < self.world.share[what]

    def _drawn_half(self) -> bool:
        return self.rng.random() < 0.5

    def _count(self) -> int:
        self.homes += 1
        return self.homes

    def _serial(self, stem: str) -> str:
        return f"{stem}{self._count():010d}"

    def _address(self, net: int) -> str:
        number = self._count()
        return f"{net}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def _word(self, syllables: int) -> str:
        return "".join(self.rng.choice(_SYLLABLES) for _ in range(syllables))


def _ready(free: list[tuple[float, str]], newest: int, at_d: float, stem: str = "") -> int | None:
    """Return the place of something that is free again by a day, among the newest that are."""
    places = range(max(0, len(free) - newest), len(free))
    return next(
        (place for place in places if free[place][0] <= at_d and free[place][1].startswith(stem)), None
    )
