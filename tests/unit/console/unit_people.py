"""People inside a body's compartment, and two bodies that have agreed to ask each other."""

import re

import pyotp
from tests.unit.casework.test_undercover import RECORD
from tests.unit.casework.undercover_cases import FULL, asked, rules, soon
from tests.unit.console.casework import body
from tests.unit.console.visiting import Visitor

from lightship.app_undercover import make_key
from lightship.casework.compartment import Compartment, found_compartment
from lightship.casework.undercover import Register
from lightship.infra.compartment import CompartmentFile
from lightship.infra.keys import create_key

MEMBERS = {
    "fir": "authorising-officer",
    "gale": "authorising-officer",
    "ula": "unit",
    "dora": "covert-desk",
    "otto": "auditor",
}
BASIS = "Data Protection Act 2018 s.31"
AGREEMENT = """
partner = "{name}"
key = "{key}"
size = 16
least = 3
list_size = 16
round_size = 8
bases = ["{basis}"]
"""


def found(made):
    """Found a body's compartment with a member of each role, and each one's key."""
    made.inside, now = {}, made.clock()
    with CompartmentFile(made.compartment) as store:
        found_compartment(store, ("fir", "gale"), now)
        first = Compartment(store, "fir", now)
        for name in ("ula", "dora", "otto"):
            for one in ("fir", "gale"):
                Compartment(store, one, now).approve("admit", name, "joins the unit", MEMBERS[name])
            first.admit(name, MEMBERS[name])
        for name in MEMBERS:
            passphrase, secret = make_key(Compartment(store, name, now))
            made.inside[name] = (passphrase, pyotp.TOTP(secret))
    made.app.state.keeper.refresh()
    return made


def register(made, person="fir"):
    """Return the register as the shell has it; the store stays open with what is returned."""
    return Register(Compartment(CompartmentFile(made.compartment), person, made.clock()), rules())


def at_work(made):
    """Give a unit an operation, a source, and an authorisation that runs, applied for by ula."""
    one = register(made)
    one.open_operation("OP-1", "Example", "INV-1")
    one.keep_source(RECORD)
    one.apply("A-1", asked(applicant="ula"))
    one.grant("A-1", FULL, soon(made.clock()))
    return made


def acts(made):
    """Return what is on the compartment's own ledger."""
    with CompartmentFile(made.compartment) as store:
        return list(store.acts())


class Insider(Visitor):
    """Somebody inside; they come in by the form that everybody has."""

    def __init__(self, made, name, why="the day's reviews"):
        super().__init__(made)
        done = self.enter(name)
        assert done.status_code == 303, done.text
        assert done.headers["location"] == "/unit"
        if why:
            self.get("/unit/why")
            assert self.post("/unit/why", why=why).status_code == 303
        self.get("/unit/apply")

    def enter(self, name, passphrase=None, code=None):
        page = self.get("/sign-in")
        form = re.search(r'name="form" value="([^"]+)"', page.text)[1]
        self.made.clock.on(seconds=30)
        own = self.made.inside.get(name, ("", pyotp.TOTP("A" * 32)))
        sent = {"form": form, "then": "/", "name": name, "password": passphrase or own[0]}
        return self.send("POST", "/sign-in", data={**sent, "code": code or own[1].at(self.made.clock())})


def two_bodies(tmp_path):
    """Return two bodies, ann's and ben's, that have agreed."""
    pair = [body(tmp_path / name) for name in ("here", "there") if not (tmp_path / name).mkdir()]
    keys = [create_key(one.folder / "deconflict" / "own.key", f"{one.folder.name}.example") for one in pair]
    for one, other, key in ((pair[0], pair[1], keys[1]), (pair[1], pair[0], keys[0])):
        folder = one.folder / "deconflict" / "agreements"
        folder.mkdir()
        name = other.folder.name
        text = AGREEMENT.format(name=f"{name}.example", key=key.verifier, basis=BASIS)
        (folder / f"{name}.toml").write_text(text)
    return pair
