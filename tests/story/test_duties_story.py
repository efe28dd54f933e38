"""A livestream is stopped at 23:40 on a Saturday before a bank holiday: what follows, in the shell, until a year later."""

import re
import shutil
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from typer.testing import CliRunner

import lightship.app_regulator  # noqa: F401 - its clock is moved as well
from lightship import app_duties, app_duties_report, cli_duties
from lightship.app_platform import Deployment, ledger_of
from lightship.cli import app
from lightship.console.desk import WatchDesk
from lightship.core.cases import Case, Effect, Stream
from lightship.core.duties import Duty
from lightship.core.errors import LightshipError
from lightship.core.identity import identity
from lightship.demo import duties as demonstration
from lightship.duties import certificates
from lightship.duties.follow import Follower
from lightship.exchange.schedule1 import parse_fields
from lightship.infra import store as store_module
from lightship.infra.bus import LocalBus
from lightship.infra.keys import load_public_key
from lightship.infra.sealer import Sealer
from lightship.packs import report_text
from lightship.watch import evidence
from lightship.watch.outbox import send_due
from lightship.watch.ring import Still
from tests.unit.duties.making import store_in
from tests.unit.duties.test_report import verify
from tests.unit.exchange.cybertip_server import NAME, PASSWORD, line, needs_xsd, serving

NIGHT = datetime(2026, 8, 29, 22, 40, tzinfo=UTC)
"""23:40 in London; the Monday after is the late summer bank holiday."""

MONDAY = datetime(2026, 8, 31, 9, 0, tzinfo=UTC)
FORM = parse_fields(*report_text("gb-schedule-1"))
SETTINGS = """
[service]
name = "Example Live"
part = "Livestreams"
company = "Example Live Ltd"
first_name = "Ann"
last_name = "Lee"
email = "duty@example.org"
telephone = "+44 20 7946 0000"
"""
TOLD = """
[held]
user-name = "host7"
upload-ip = "[2001:db8::7]:4431 at 2026-08-29T22:31:07Z"

[not_held]
identity-documents = "The service asks for none."
"""


class House:
    """A platform's folder, its shell and its watch, at whatever time it is."""

    def __init__(self, folder, patch):
        self.folder, self.patch = folder, patch
        (folder / "provider.toml").write_text('registered = true\n[facts]\nprovider = "uk"\n')
        (folder / "reports.toml").write_text(SETTINGS)
        (folder / "told.toml").write_text(TOLD)
        self.at(NIGHT)
        with store_in(folder) as store, store.begin() as work:
            for name in "bcn":
                began = NIGHT - timedelta(minutes=9)
                work.save(
                    Stream(name, "rtmp://x", f"host-{name}", "public", "the service's terms", "p", began)
                )

    def at(self, now):
        """Let it be a time, in every part of the program that asks for it."""
        self.now = now

        class Then(datetime):
            @classmethod
            def now(cls, tz=None):
                return now.astimezone(tz)

        clock = lambda: now  # noqa: E731
        for module in [one for name, one in sys.modules.items() if name.startswith("lightship")]:
            if hasattr(module, "utc_now"):
                self.patch.setattr(module, "utc_now", clock)
        for module in (cli_duties, store_module):
            self.patch.setattr(module, "datetime", Then)
        self.patch.setattr(app_duties_report.open_reports.__wrapped__, "__defaults__", (clock,))

    def run(self, *words, code=0):
        done = CliRunner().invoke(app, ["duties", *map(str, words), "--folder", str(self.folder)])
        found = done.exception.exit_code if isinstance(done.exception, LightshipError) else done.exit_code
        assert found == code, (done.output, done.exception)
        return done.output + (str(done.exception) if done.exception is not None else "")

    def watch(self, act):
        """Do what the watch does, and let the duties follow it, as `lightship serve` would."""
        with (
            store_in(self.folder) as store,
            ledger_of(self.folder / "platform.ledger", "lightship-platform") as ledger,
        ):
            found = act(store, WatchDesk(store, LocalBus()))
            send_due(store, lambda _effect: None, lambda: self.now + timedelta(minutes=1))
            with Sealer(store, ledger) as sealer:
                while sealer.seal():
                    pass
            provider = app_duties.provider_of(self.folder)
            Follower(store, ledger, provider.law, provider.facts).follow(self.now)
            return found

    def keep_still(self, case, stills=1):
        with app_duties.vault_beside(Deployment(self.folder)) as (store, vault):
            made = [Still(float(n), f"a synthetic still {n} of {case}".encode()) for n in range(stills)]
            evidence.keep(store, vault, made, case, self.now)

    def duty(self, case):
        with store_in(self.folder) as store, store.look() as work:
            return work.get(Duty, identity(case, "detection"))

    def done(self, kind):
        with store_in(self.folder) as store, store.look() as work:
            return [one.stream_id for one in work.find(Effect, {"kind": kind, "state": "done"})]

    def certificate(self, duty, what):
        note = (self.folder / "certificates" / f"{duty}.{what}.txt").read_text()
        return certificates.opened(note, load_public_key(self.folder / "duties.pub"))


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    folder = tmp_path / "platform"
    folder.mkdir()
    one = House(folder, monkeypatch)
    for post, name in (("accountable", "cleo"), ("administrator", "ann"), ("replacement", "bo")):
        one.run("people", "seat", post, name.title(), "--account", name, "--begins", "2026-08-01",
                "--trained-until", "2027-12-31", "--by", "root")  # fmt: skip
    return one


def judged(people, case, now, verdict="abuse", clause="abuse-live"):
    people.claim(case, "mo", now)
    return people.judge(case, "mo", now, verdict=verdict, clause=clause, reason="seen")


def test_from_the_night_to_the_destruction_a_year_later(house):
    # A viewer says that a child is in danger; nobody has decided yet, and it is a detection already.
    told = house.watch(
        lambda _, people: people.report("r1", "b", NIGHT, kind="child-at-risk-now", words="Look.")
    )
    case, id_ = told.case_id, house.duty(told.case_id).id
    house.keep_still(case, 2)
    house.at(NIGHT + timedelta(minutes=1))
    assert "“arrangements” must be told" in house.run("owed")

    # One authority, with its reason, its priority and its clock; whom to call, and that the office is closed.
    said = house.run("decide", id_, "--fact", "arrangements=none", "--by", "ann")
    assert "Call 999" in said
    assert "The office is closed" in said
    assert (
        f"{id_} P1, aware 2026-08-29 22:40 UTC, until 2026-08-29 22:55 UTC: Owed to: National Crime" in said
    )
    assert "(s.66(1))" in said
    house.run("call", id_, "--whom", "999", "--reference", "A12", "--by", "ann")

    # It is stopped: a person decides.
    house.watch(lambda _, people: judged(people, case, house.now))
    assert house.done("stop-stream") == ["b"]

    # Every field is a value or a reason; what is wrong is named, and who holds no post files nothing.
    said = house.run("report", "build", id_, "--facts", house.folder / "told.toml")
    assert all(f"\n{one.id}: " in said for one in FORM.fields)
    assert "content: Child sexual abuse shown in a live stream" in said
    assert "exif: not held. A livestream carries no EXIF data." in said
    wrong = house.folder / "wrong.toml"
    wrong.write_text('[held]\nupload-ip = "[192.0.2.7]:1"\n')
    assert "upload-ip: 192.0.2.7 is IPv4" in house.run("report", "check", id_, "--facts", wrong, code=16)
    told = ("--facts", house.folder / "told.toml")
    assert "is ready" in house.run("report", "check", id_, *told)
    assert "administrator" in house.run("report", "file", id_, *told, "--declare", "--by", "mo", code=12)
    sheet = house.folder / "sheet.html"
    assert "Enter the worksheet" in house.run(
        "report", "file", id_, *told, "--declare", "--by", "ann", "--out", sheet
    )
    assert "Call 999" in sheet.read_text()
    assert "The office is closed" in sheet.read_text()
    house.at(NIGHT + timedelta(minutes=12))
    report = f"{id_}.1"
    assert "filed under NCA-2026-0829" in house.run(
        "report", "reference", report, "NCA-2026-0829", "--by", "ann"
    )
    assert "has the reference" in house.run("report", "reference", report, "NCA-2", "--by", "ann", code=12)
    assert "filed under NCA-2026-0829" in house.run(
        "report", "file", id_, "--declare", "--by", "ann", code=12
    )
    assert "reference NCA-2026-0829" in house.run("owed", "--state", "filed")

    # What is kept, until when, with a certificate; and what only the platform has.
    (house.folder / "sign-ins.json").write_text('{"ip": "192.0.2.1"}')
    house.run("retention", "keep", id_, house.folder / "sign-ins.json")
    house.at(NIGHT + timedelta(hours=1))
    assert "Sealed for reports: 1" in house.run("retention", "run")
    kind, fields = house.certificate(id_, "retention")
    assert (kind, fields["reference"]) == (certificates.RETENTION, "NCA-2026-0829")
    assert len(fields["kept"]) == 6, "two stills, what was sent, its basis, and two look-backs"
    assert {one["until"][:10] for one in fields["kept"]} == {"2027-08-29"}

    # The authority asks on Sunday: seven days, whatever is a holiday. On Monday the office is closed still.
    house.at(datetime(2026, 8, 30, 9, 30, tzinfo=UTC))
    said = house.run("question", "add", id_, "Which port?", "--received", "2026-08-30T09:00+00:00")
    assert "until 2026-09-06 09:00 UTC" in said
    question = said.split()[0]
    house.at(MONDAY)
    other = house.watch(
        lambda _, people: people.report("r2", "c", MONDAY, kind="other", words="Look.")
    ).case_id
    house.watch(lambda _, people: judged(people, other, MONDAY))
    assert sorted(house.done("stop-stream")) == ["b", "c"]
    second = house.duty(other).id
    decide = ("decide", second, "--fact", "arrangements=none", "--by", "ann")
    assert "The office is closed" in house.run(*decide)
    house.at(MONDAY + timedelta(days=1))
    said = house.run(*decide)
    assert "office is closed" not in said
    assert f"{second} P2" in said
    assert "in time" in house.run("question", "answer", question, "443")

    # An appeal is right: the stream is given back, and nothing is owed of it.
    house.watch(lambda _, people: people.appeal(other, "mo", house.now, words="It was a film."))
    house.watch(lambda _, people: people.reverse(other, "lee", house.now, reason="It was a film."))
    assert house.done("restore") == ["c"]
    assert "no abuse: It was a film." in house.run("owed", "--state", "not-owed")
    assert "filed within 15 minutes of awareness. 100.0% of 1" in house.run("targets", "--month", "2026-08")

    # A year later, and not a minute before.
    house.at(NIGHT.replace(year=2027) + timedelta(minutes=11))
    assert "Destroyed: 0 exhibits" in house.run("retention", "run")
    house.at(NIGHT.replace(year=2027) + timedelta(minutes=13))
    assert "Destroyed: 6 exhibits" in house.run("retention", "run")
    kind, fields = house.certificate(id_, "destruction")
    assert (kind, len(fields["destroyed"])) == (certificates.DESTRUCTION, 6)
    assert "reference NCA-2026-0829; what was kept for it is destroyed" in house.run(
        "owed", "--state", "closed"
    )
    verified(house, "1 reports and 0 supplements filed, each declared before")


def verified(house, said):
    """A separate program passes the export, and refuses it with one byte changed, in whichever file."""
    out = house.folder / "export"
    house.run("export", out)
    done = verify(out, house.folder)
    assert done.returncode == 0, done.stdout
    assert said in done.stdout
    for name in ("platform.entries.jsonl", "certificates.jsonl", "figures.json"):
        twin = house.folder / f"twin-{name}"
        shutil.copytree(out, twin)
        data = bytearray((twin / name).read_bytes())
        data[len(data) // 2] ^= 1
        (twin / name).write_bytes(data)
        done = verify(twin, house.folder)
        assert done.returncode == 1
        assert re.match(r"NOT verified: ", done.stdout)


@needs_xsd
def test_the_same_night_under_arrangements_with_ncmec_is_filed_by_its_api(house, monkeypatch):
    """A case that a person decided as abuse goes to NCMEC and to nobody else, and its number comes back."""
    monkeypatch.setenv("TIP", f"{NAME}:{PASSWORD}")
    case = Case(
        "c9", "n", "machine", NIGHT, NIGHT, "Known media, 61 dB, for 4 s.", 61.0, "end", 0.5, 1.0, 0.5
    )

    def opened(store, _people):
        with store.begin() as work:
            work.save(case)

    house.watch(opened)
    house.keep_still("c9", 2)
    house.watch(lambda _, people: judged(people, "c9", NIGHT))
    id_, there = house.duty("c9").id, line()
    with serving(there) as address:
        (house.folder / "xsd").write_bytes(there.xsd)
        with (house.folder / "reports.toml").open("a") as file:
            file.write(f'[cybertip]\naddress = "{address}"\ncredential = "env:TIP"\nschema = "xsd"\n')
        said = house.run("decide", id_, "--fact", "arrangements=ncmec", "--by", "ann")
        assert "Owed to: National Center for Missing" in said
        assert "P2" in said
        assert "office is closed" not in said, "that is the NCA's"
        said = house.run("report", "build", id_, "--facts", house.folder / "told.toml")
        assert "fileViewedByEsp False" in said
        assert not there.reports
        said = house.run(
            "report", "file", id_, "--facts", house.folder / "told.toml", "--declare", "--by", "ann"
        )
        (number,) = there.reports
        assert f"filed under {number}" in said
        assert [len(one.files) for one in there.finished()] == [2]
    assert house.duty("c9").reference == number
    house.run("retention", "run")
    assert house.certificate(id_, "retention")[1]["reference"] == number
    verified(house, "1 reports and 0 supplements filed, each declared before")


def test_the_demonstrations_chapter_holds_what_it_says(tmp_path):
    claims = demonstration.play(tmp_path, Console(quiet=True))
    assert [one for one in claims if not one[1]] == []
    assert len(claims) == 14
    left = {one.name for one in (tmp_path / "duties").iterdir()}
    assert {"worksheet.html", "record-book", "export", "duties.json"} <= left
