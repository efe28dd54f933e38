"""A platform's month on a real store and ledger: made-up streams, and nothing to be seen in any."""

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from tests.tables import tables

from lightship import app_regulator, packs
from lightship.app_platform import Deployment, ledger_of
from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Stream
from lightship.core.duties import Clock, Detection, Duty, Seat
from lightship.core.known import Terms
from lightship.core.people import Shift
from lightship.duties import record_book_papers as papers
from lightship.duties import statement
from lightship.infra.store import SqlStore

BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
SECRET_WORDS = "A viewer wrote of a blue door"
KINDS = ("csea-livestream", "csea-image", "csea-other", "csea-grooming")


def configuration(**own):
    """Return a running configuration as a platform notes it at its start."""
    policies = own.pop("policies", [packs.policy("public-live")])
    usual = {
        "lists": [Terms("iwf", owner="IWF", distance=31, max_age_days=2)],
        "private_bases": [], "retention": packs.retention("gb"), "controls": {"name": "gb", "digest": "sha256:0"},
        "most_streams": 150, "release": "1.0",
    }  # fmt: skip
    return statement.configuration_of(policies, **{**usual, **own})


def note(store, at, **own):
    """Keep a configuration as that which runs."""
    with store.begin() as work:
        return statement.note_configuration(work, configuration(**own), by="the platform", now=at)


def told_of(n, at):
    """Yield what the ledger tells of a stream."""
    if n % 11 == 0:
        yield {
            "kind": "appeal",
            "at": (at + timedelta(minutes=40)).isoformat(),
            "case": f"c{n}",
            "text": SECRET_WORDS,
        }
        if n % 2:
            yield {"kind": "appeal-answered", "at": (at + timedelta(hours=1)).isoformat(), "case": f"c{n}", "by": "lee",
                   "overturned": n % 3 == 0, "reason": SECRET_WORDS}  # fmt: skip
    if n % 3 == 0:
        told = {"at": at.isoformat(), "stream": f"s{n}"}
        yield {"kind": "coverage", **told, "run": 1, "minute": 0, "gap_s": 1.5 if n % 4 == 0 else 0.0}
        yield {"kind": "scans", **told, "at_s": 1.0, "visibility": "public", "basis": "terms",
               "detector": "known-media", "version": "1", "pictures": 60}  # fmt: skip
        policy = packs.policy("public-live").digest
        yield {"kind": "watch-began", **told, "policy": "public-live", "policy_digest": policy, "absent": {}}


def filled(folder, *, count=120, seed=3, days=31, begins=BEGAN, noted=True):
    """Put a month into a new platform; returns its deployment and its store."""
    folder.mkdir(parents=True, exist_ok=True)
    store = SqlStore(tables(folder / "platform.db"))
    rng = random.Random(seed)
    values, entries = [], []
    for n in range(count):
        at = begins + timedelta(seconds=rng.randrange(days * 86_400 - 7200))
        opener = "report" if n % 5 == 0 else "machine"
        stopped = at + timedelta(seconds=rng.uniform(0.3, 9.0)) if n % 7 else None
        verdict = "not-abuse" if n % 11 == 0 else "abuse"
        values += [
            Stream(f"s{n}", "rtmp://x/y", f"host-{n}", "public", "terms", "public-live", at, title=SECRET_WORDS),
            Case(f"c{n}", f"s{n}", opener, at, at, f"List iwf, entry A-{n % 9}, distance 4, quality 90. {SECRET_WORDS}",
                 60.0, "end", 0.5, 1.0, 0.9, "decided", stopped_at=stopped, near_of=f"c{n - 1}" if n % 13 == 1 else "",
                 detectors=("known-media",) if opener == "machine" else (),
                 matched=(f"iwf/A-{n % 9}",) if opener == "machine" else ()),
            Judgement(f"j{n}", f"c{n}", "mo", at + timedelta(minutes=rng.uniform(1, 30)), verdict, "abuse-live", SECRET_WORDS),
        ]  # fmt: skip
        if stopped:
            values.append(
                Effect(
                    f"e{n}",
                    f"c{n}",
                    f"s{n}",
                    "stop-stream",
                    "policy sha256:1",
                    at,
                    at,
                    "done",
                    done_at=stopped,
                )
            )
        if n % 5 == 0:
            kind = "child-at-risk-now" if n % 10 == 0 else "other"
            values.append(
                Report(
                    f"r{n}",
                    f"s{n}",
                    kind,
                    SECRET_WORDS,
                    at,
                    f"c{n}",
                    at + timedelta(seconds=rng.uniform(5, 200)),
                )
            )
        if verdict == "abuse":
            label = KINDS[min(3, int(rng.expovariate(0.9)))]
            found_by = "report" if n % 5 == 0 else "machine"
            filed = at + timedelta(minutes=rng.uniform(5, 200)) if n % 9 else None
            values.append(
                Detection(f"d{n}", f"c{n}", f"s{n}", label, found_by, "terms", at, ("uk=yes",), n % 10 == 0)
            )
            values.append(
                Duty(
                    f"d{n}", f"c{n}", "filed" if filed else "owed", at, "nca", "P1" if n % 10 == 0 else "P2",
                    "sha256:2", ("uk=yes",), "UK provider", at + timedelta(hours=3), "mo", at + timedelta(minutes=4),
                    f"NCA-{n}" if filed else "", filed,
                )
            )  # fmt: skip
        entries += told_of(n, at)
    for day in range(days):
        at = begins + timedelta(days=day, hours=8)
        values.append(Shift(f"h{day}", "mo", at, ended_at=at + timedelta(hours=12)))
    until = begins + timedelta(days=300)
    for number, post in enumerate(("accountable", "administrator", "authorised")):
        values.append(
            Seat(f"p{number}", post, "A Person", "", begins - timedelta(days=9), trained_until=until)
        )
    values.append(
        Clock("q1", "nca-question", "d1", begins + timedelta(days=3), begins + timedelta(days=10),
              ended_at=begins + timedelta(days=5))
    )  # fmt: skip
    values.append(
        Exhibit(
            "0" * 64,
            "c1",
            "s1",
            0.0,
            2.0,
            "image/png",
            9,
            begins + timedelta(days=2),
            begins + timedelta(days=367),
        )
    )
    with store.begin() as work:
        work.save(*values)
    entries.sort(key=lambda one: one["at"])
    with ledger_of(folder / "platform.ledger", "lightship-platform") as ledger:
        ledger.append_all(entries)
    if noted:
        note(store, begins - timedelta(days=5))
    return SimpleNamespace(deployment=Deployment(folder), store=store, folder=folder)


ASSESSED = {"csea-image": "high", "csea-grooming": "medium", "csea-url": "medium", "fraud": "medium"}


def assessment_text(*, users=900_000, levels=None, more=""):
    """Return a complete assessment as a platform would write it."""
    table = app_regulator.measure_table()
    levels = {**ASSESSED, **(levels or {})}
    lines = [
        'form = "assessment"', 'service = "Example Live"', "date = 2026-10-02", 'author = "Nia, trust and safety"',
        'responsible = "Lee, managing director"', f"users = {users}", 'declares = ["live", "child-accessed"]',
        'profiles = ["livestreaming", "child users"]', 'governance = "The board, 5 October 2026"', "[steps]",
        *(f'{step} = "Done as the guidance says."' for step in ("understand", "assess", "decide", "report")),
    ]  # fmt: skip
    for harm in table.harms_on(BEGAN.date()):
        level = levels.get(harm.id, "low")
        factors = '["live"]' if harm.factors else "[]"
        lines.append(
            f'[[harms]]\nid = "{harm.id}"\nlikelihood = "{level}"\nimpact = "{level}"\nlevel = "{level}"\n'
            f'factors = {factors}\nevidence = ["figures of the last year"]\nfindings = "As the figures say."'
        )
    return "\n".join([*lines, more])


def measures_text(*, leave_out=(), stands=None):
    """Return a complete statement of measures."""
    table = app_regulator.measure_table()
    found = {**(stands or {})}
    lines = [
        'form = "measures"',
        'service = "Example Live"',
        "date = 2026-10-02",
        'author = "Nia, trust and safety"',
    ]
    for one in table.on(BEGAN.date()):
        if one.id in leave_out:
            continue
        stand = found.get(
            one.id, "does-not-apply" if one.id in {"A1", "E1", "F1", "F2", "C8", "J1", "J2"} else "taken"
        )
        lines.append(f'[[measures]]\nid = "{one.id}"\nstands = "{stand}"')
        lines.append(
            'why = "It has no such part."'
            if stand == "does-not-apply"
            else 'since = 2026-04-01\nhow = "As the software\'s guide says."'
        )
        if stand == "alternative":
            lines.append('instead = "A person looks at all of it."\nwhy = "So nothing is passed over."')
    return "\n".join(lines)


def papered(made, at=BEGAN + timedelta(days=2)):
    """Keep an approved assessment and statement of measures of the running configuration."""
    table = app_regulator.measure_table()
    from lightship.duties.record_book_forms import read_form

    form = read_form(assessment_text(), "assessment.toml", table, None)
    assert form.problems == ()
    stated = read_form(measures_text(), "measures.toml", table, form.body)
    assert stated.problems == ()
    with made.store.begin() as work:
        running = papers.latest(work, "configuration")
        for number, one in enumerate((form, stated)):
            paper = papers.write(
                work, one.kind, one.body, subject=one.service, author="nia", now=at + timedelta(minutes=number),
                configuration=running.configuration,
            )  # fmt: skip
            papers.approve(work, paper.id, by="lee", now=at + timedelta(hours=1))
    return made
