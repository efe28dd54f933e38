"""A made-up inquiry with every kind of thing in it, for the tests of sharing."""

from datetime import UTC, datetime, timedelta

from lightship.casework.desk import Offices, opened
from lightship.casework.urgency import shipped
from lightship.core.casework import Identifier, IntelligenceReport, Link, Marking, Referral
from lightship.core.markings import marking_json
from lightship.core.release import Partner

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OWN = Marking("OFFICIAL", "amber", "amber", originator="lightship force")
LOW = Marking("OFFICIAL", "green", "green", originator="platform")
HIGH = Marking("SECRET", "red", "red", "C", "ask first", "unit nine")
PARTNER = Partner("pnp", "A partner abroad", Marking("OFFICIAL", "amber", "amber"), language="fil")
CANARY = "canary-7f3a"


def fill(work):
    """Save an inquiry of which two referrals may go to the partner, and what is marked high may not."""
    inquiry = opened(
        work, shipped(), ("live=day",), key="k", title="A stream last night", now=NOW, offices=Offices()
    )

    def referral(id_, marking, **more):
        work.save(
            Referral(
                id_, "platform", "a platform", f"ref-{id_}", "report", "report", NOW, "00" * 32, inquiry.id,
                facts=("live=day",), marking=marking_json(marking), **more,
            )
        )  # fmt: skip

    def named(
        number,
        referral_id,
        kind,
        value,
        person="suspect-1",
        role="suspect",
        marking=None,
        platform="",
        **more,
    ):
        text = marking_json(marking) if marking else ""
        work.save(
            Identifier(
                f"i{number}", referral_id, kind, value, role, f"{referral_id}/{person}", platform, marking=text, **more
            )
        )  # fmt: skip

    referral("r1", LOW, narrative="A viewer <b>asked</b> & paid.", happened_at=NOW - timedelta(hours=9))
    referral("r2", LOW)
    referral("r3", LOW)
    span = {"first_at": NOW - timedelta(days=3), "last_at": NOW}
    named(1, "r1", "email", "viewer@example.org")
    named(2, "r1", "handle", "viewer_1", platform="example", **span)
    named(3, "r1", "phone", "+447700900123")
    named(4, "r1", "ip", "203.0.113.9")
    named(5, "r1", "ip", "2001:db8::1", person="child-1", role="child")
    named(6, "r2", "hash", "ab" * 32)
    named(7, "r2", "wallet", "wallet-one", first_at=NOW)
    named(8, "r2", "email", f"{CANARY}@example.org", marking=HIGH)
    named(9, "r3", "handle", "viewer_2", platform="example", last_at=NOW)
    link = {
        "weight_db": 21.5,
        "reasons": ("payment token: +21.5 dB",),
        "rival": "a shared device",
        "made_at": NOW,
    }
    work.save(Link("l1", "r1/suspect-1", "r3/suspect-1", **link))
    work.save(Link("l2", "r1/suspect-1", "r2/suspect-1", **{**link, "rival": CANARY}))
    report = {"source_reference": "ref 12", "author": "ann", "made_at": NOW}
    work.save(
        IntelligenceReport("t1", inquiry.id, "Streams on Fridays.", 2, "B", marking_json(LOW), **report)
    )
    work.save(
        IntelligenceReport("t2", inquiry.id, f"{CANARY} says so.", 1, "A", marking_json(HIGH), **report)
    )
    work.save(IntelligenceReport("t3", inquiry.id, f"{CANARY} unmarked.", 1, "A", "", **report))
    return inquiry
