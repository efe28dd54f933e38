"""An investigating body's console on a real store, with referrals of several forms taken in."""

from datetime import timedelta
from types import SimpleNamespace

import pyotp
from tests.tables import tables
from tests.unit.console.making import CHEAP, PASSWORD, Clock, Journal, all_of
from tests.unit.console.serving import Lines
from tests.unit.exchange.referral_samples import MAPPING, SAMPLES

from lightship.app_deconflict import Bureau
from lightship.app_share import maker
from lightship.app_undercover import keep_trouble, opened
from lightship.casework import links
from lightship.casework.desk import Offices
from lightship.casework.intake import Received, take_in
from lightship.casework.urgency import shipped
from lightship.console.application import create_body_console
from lightship.console.gate import Limits
from lightship.console.health import Health
from lightship.console.pages_send import Sharing
from lightship.console.referrals_api import MOST_BYTES
from lightship.console.settings import Settings
from lightship.console.tenants import Tenants, begin
from lightship.core.casework import Identifier, Inquiry, Link, Marking, Referral
from lightship.core.ledger import VerifyReport
from lightship.core.markings import marking_json
from lightship.core.release import Partner
from lightship.exchange.referrals import parse_mapping, reader_of
from lightship.infra.store import SqlStore

STAFF = (("ann", "analyst"), ("ben", "analyst"), ("ada", "auditor"), ("root", "administrator"))
PARTNERS = {
    one.name: one
    for one in (
        Partner("abroad", "A unit abroad", Marking(tlp="amber", pap="amber"), language="fil"),
        Partner("hotline", "A hotline", Marking(tlp="green", pap="clear")),
    )
}
OWN = Marking(tlp="amber", pap="amber", originator="Example Agency")


def body(
    folder,
    clock=None,
    readers=None,
    *,
    partners=PARTNERS,
    key=None,
    oidc=None,
    mapping=lambda _sender: None,
):
    """Return a body's console with an account of each role and nothing in it.

    ``readers`` is what its people are cleared for, by account; ``mapping`` what a sender's columns mean.
    """
    clock = clock or Clock()
    store = SqlStore(tables(folder / "casework.db"))
    begin(folder / "tenants.json")
    ledger = Journal(store)
    made = SimpleNamespace(store=store, clock=clock, ledger=ledger, folder=folder, codes={})
    settings = Settings(
        secret=b"s" * 32, tenants=Tenants(folder / "tenants.json"), ledger=ledger, log=Lines(), clock=clock,
        verify=lambda: VerifyReport("lightship-casework", ledger.size, ledger.size, 3),
        health=lambda: Health(clock()), secure=False, hasher=CHEAP, oidc=oidc,
        limits=Limits(body_bytes=MOST_BYTES),
    )  # fmt: skip
    made.bureau, made.compartment = Bureau(folder / "deconflict"), folder / "compartment"
    made.app = create_body_console(
        store,
        settings,
        Sharing(partners, OWN, maker(OWN.originator, key)),
        made.bureau,
        lambda: opened(made.compartment),
        readers,
        mapping=mapping,
        told=lambda error: keep_trouble(made.compartment, error),
    )
    made.room = made.app.state.room
    made.one = lambda kind, id_: all_of(store, kind, id=id_)[0]
    made.all = lambda kind, **where: all_of(store, kind, **where)
    for name, role in STAFF:
        until = clock() + timedelta(days=200)
        made.codes[name] = pyotp.TOTP(made.room.accounts.add(name, name.title(), role, PASSWORD, until))
    return made


def referred(made, forms=tuple(SAMPLES), marking=None):
    """Take samples in, an hour before now; returns the ids of the inquiries in their order."""
    at = made.clock() - timedelta(minutes=20)
    for form in forms:
        mapping = parse_mapping(MAPPING, "map.toml") if form == "csv" else None
        parsed = reader_of(form, mapping)(SAMPLES[form], at)
        batch = [Received(form, f"Sender of {form}", SAMPLES[form], parsed)]
        list(take_in(made.store, shipped(), batch, now=at, offices=Offices(), by="ann"))
    if marking is not None:
        with made.store.begin() as work:
            for one in work.find(Referral):
                work.change(Referral, one.id, {}, marking=marking_json(marking))
    order = ("urgency", "-urgency_db", "due_at")
    with made.store.look() as work:
        made.inquiries = [one.id for one in work.find(Inquiry, {}, order=order)]
    return made


def linked(made, one, other, *, weight_db=21.5, by=None, at=None):
    """Propose a link between two persons; returns its id."""
    reasons = (
        "email: +30.0 dB, the same address",
        "name: -4.0 dB, another name",
        "device: +2.5 dB, one model",
    )
    rival = "A family that shares one address."
    with made.store.begin() as work:
        link = Link("", one, other, weight_db, reasons, rival, at or made.clock())
        named = {} if by is None else {"by": by}
        return links.propose(work, [link], now=at or made.clock(), **named)[0].id


def suspects(made, number=2):
    """Return persons of different referrals whom nobody knows to be a child."""
    found = {}
    for one in made.all(Identifier):
        if one.role in {"suspect", "unknown"}:
            found.setdefault(one.referral_id, one.person)
    return list(found.values())[:number]
