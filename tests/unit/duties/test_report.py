"""From a case to a report, as the compliance lead does it at the shell; and what is wrong is named by its field."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from tests.tables import tables
from tests.unit.duties.reports import T0, YEAR, duty, file_of, schema
from tests.unit.exchange.cybertip_server import NAME, PASSWORD, line, needs_xsd, serving
from typer.testing import CliRunner

from lightship import packs
from lightship.app_duties_report import read_settings
from lightship.app_platform import ledger_of
from lightship.cli import app
from lightship.core.cases import Case, Stream
from lightship.core.duties import Detection, Filing, Held, NotHeld
from lightship.core.errors import InputError, LightshipError
from lightship.core.people import Look
from lightship.duties import people
from lightship.duties.filing_report import (
    Records,
    Service,
    Told,
    draft_cybertip,
    draft_worksheet,
    fields_of_case,
    log_faults,
    parse_told,
    parse_words,
    tip_of,
)
from lightship.duties.filing_snapshot import from_bytes, viewed
from lightship.exchange.cybertip import build
from lightship.exchange.schedule1 import faults, parse_fields
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault

FORM = parse_fields(*packs.report_text("gb-schedule-1"))
WORDS = parse_words(*packs.report_text("us-cybertip"))
SERVICE = Service(
    "Example Live",
    "Livestreams",
    "Example Live Ltd",
    "Zoë",
    "孙 Нина ني",
    "duty@example.org",
    "+44 20 7946 0000",
)
DAY = T0.date()
TOLD = Told(
    held={
        "user-name": "host7",
        "account-email": "seven@example.org",
        "email-verified-at": "2026-01-02T03:04:05Z",
        "account-recovery-email": ["spare@example.org"],
        "login-ips": ["192.0.2.7 at 2026-11-27T08:00:00+01:00", "[2001:db8::7]:4431 at 2026-11-27T09:00:00Z"],
        "upload-ip": "[2001:db8::7]:4431 at 2026-11-28T23:31:07Z",
    },
    not_held={"identity-documents": "The service asks for none."},
)


def records(n=1, files=2, **more):
    owed = duty(n, **more)
    stream = Stream(f"s{n}", "rtmp://x/secret-key", "h", "public", "terms", "p", T0 - timedelta(minutes=9))
    case = Case(
        owed.case_id, f"s{n}", "machine", T0, T0, "Known media, 61 dB, for 4 s", 61.0, "end", 0.5, 1.0, 0.5
    )
    found = Detection(owed.id, owed.case_id, f"s{n}", "csea-livestream", "machine", "terms", T0)
    return Records(owed, found, case, stream, tuple(file_of(n, at)[1] for at in range(files)))


def filing(records_, adapter="worksheet", **more):
    return Filing(
        f"{records_.duty.id}.1",
        records_.duty.id,
        records_.duty.authority,
        adapter,
        "building",
        T0,
        T0,
        **more,
    )


def test_every_field_is_a_value_or_a_reason_and_nothing_optional_keeps_a_first_report_back():
    fields = fields_of_case(records(), SERVICE, Told(), FORM)
    assert list(fields) == [one.id for one in FORM.on(DAY)]
    assert all(isinstance(one, Held) or one.because.strip() for one in fields.values())
    assert faults(fields, FORM, DAY) == ()
    needed = {one.id for one in FORM.fields if one.needed}
    for name in set(fields) - needed:
        assert faults({**fields, name: NotHeld("It is not known.")}, FORM, DAY) == ()
    assert needed == {"reporter-name", "content", "how-detected"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("shared-at", "2026-11-28T23:40:00", "says no zone"),
        ("shared-at", "Saturday night", "is no time"),
        ("upload-ip", "[192.0.2.7]:443", "is IPv4, and brackets are for IPv6"),
        ("upload-ip", "::ffff:192.0.2.7", "is IPv4 written as IPv6: give 192.0.2.7"),
        ("upload-ip", "192.0.2.7:70000 at 2026-11-28T23:31:07Z", "is no port"),
        ("upload-ip", "192.0.2.7 at 23:31", "is no time"),
        ("login-ips", ["192.0.2.7", "300.1.1.1"], "is no IP address"),
        ("account-email", "nobody", "is no e-mail address"),
        ("account-telephone", "07700 900123", "no country's code"),
        ("original-hash", "sha256:abc", "64 hexadecimal"),
        ("user-name", "a\0b", "U+0000"),
        ("user-name", "   ", "it is blank"),
        ("user-name", ["a", "b"], "it has one value"),
        ("login-ips", [], "say why it is not held"),
        ("shoe-size", "44", "no such field"),
    ],
)
def test_a_value_that_is_none_is_named_by_its_field(name, value, said):
    fields = fields_of_case(records(), SERVICE, Told(held={name: value}), FORM)
    (fault,) = faults(fields, FORM, DAY)
    assert fault.field.startswith(name)
    assert said in fault.what


def test_a_case_without_what_the_law_wants_is_named_and_a_blank_reason_is_none():
    bare = replace(records(), detection=None, case=None)
    named = {one.field for one in faults(fields_of_case(bare, Service("x"), Told(), FORM), FORM, DAY)}
    assert named == {"reporter-name", "content", "how-detected"}
    blank = fields_of_case(records(), SERVICE, Told(not_held={"exif": " "}), FORM)
    assert [str(one) for one in faults(blank, FORM, DAY)] == ["exif: it is not held, and nobody says why"]


def test_a_name_in_any_script_stands_on_the_worksheet_and_turns_nothing_round():
    names = ["Zoë", "孙", "Нина", "ني", "नीना", "\u202eevil", "<b>&amp;", "𐌰𐌱"]
    fields = fields_of_case(records(), SERVICE, Told(held={"connections": names}), FORM)
    draft = draft_worksheet(filing(records()), records(), fields, FORM, T0)
    page = etree.HTML(draft.snapshot.body.encode())
    assert [one.text for one in page.iterfind(".//li/bdi")][: len(names)] == names
    assert draft.faults == ()
    assert from_bytes(draft.snapshot.to_bytes()) == draft.snapshot


def test_the_worksheet_is_in_the_lists_order_and_shows_no_address_under_which_a_stream_can_be_pulled():
    fields = fields_of_case(records(), SERVICE, TOLD, FORM)
    body = draft_worksheet(filing(records()), records(), fields, FORM, T0, ("Call 999 first.",)).snapshot.body
    page = etree.HTML(body.encode())
    shown = [one.text for one in page.iterfind(".//th")]
    assert shown[3:] == [one.says for one in FORM.on(DAY)]
    assert "secret-key" not in body
    assert "Call 999 first." in body
    assert "Not held: The service asks for none." in body


def test_a_supplement_names_the_first_report():
    done = records(reference="NCA-7", state="filed")
    fields = fields_of_case(done, SERVICE, TOLD, FORM)
    page = draft_worksheet(filing(done, supplement_of="d0001.1"), done, fields, FORM, T0).snapshot.body
    assert "Supplement to NCA-7" in page
    tip = tip_of(filing(done, "cybertip", supplement_of="d0001.1"), done, fields, SERVICE, TOLD, WORDS)
    assert "It supplements the report filed as NCA-7." in tip["additionalInfo"]


def look(exhibit, **more):
    values = {"account": "mo", "shift_id": "", "case_id": exhibit.case_id, "exhibit_id": exhibit.id, "shown": "still",
              "purpose": "review", "at": T0, "seconds": 5.0}  # fmt: skip
    return Look(**{"id": "l1", **values, **more})


@pytest.mark.parametrize(
    ("more", "whole"),
    [
        ({}, True),
        ({"shown": "words"}, False),
        ({"shown": "blurred"}, False),
        ({"shown": "sound"}, False),
        ({"exhibit_id": "another"}, False),
        ({"at": T0 + timedelta(seconds=1)}, False),
    ],
)
def test_whether_a_picture_was_viewed_is_what_the_access_log_says(more, whole):
    (exhibit,) = records(files=1).exhibits
    assert viewed(exhibit, [look(exhibit, **more)], T0).whole is whole


def test_a_video_was_viewed_where_one_person_saw_it_move_for_as_long_as_it_lasts():
    (exhibit,) = records(files=1).exhibits
    film = replace(exhibit, media="video/mp4", to_s=20.0)
    one, two = (look(film, id=f"l{n}", shown="motion", seconds=10.0) for n in (1, 2))
    assert not viewed(film, [look(film)], T0).whole, "a still is not the whole of it"
    assert not viewed(film, [one, replace(two, account="bo")], T0).whole, "two halves are nobody's whole"
    assert viewed(film, [one, two], T0) == viewed(film, [two, one], T0).__class__(True, ("l1", "l2"))


@needs_xsd
def test_dropping_a_view_from_the_log_flips_the_flag_and_a_flag_against_the_log_is_named():
    base = records(files=1)
    (exhibit,) = base.exhibits
    drafts = {}
    for name, looks in (("seen", (look(exhibit),)), ("unseen", ())):
        mine = replace(base, looks=looks)
        fields = fields_of_case(mine, SERVICE, TOLD, FORM)
        drafts[name] = draft_cybertip(
            filing(mine, "cybertip"),
            mine,
            fields,
            FORM,
            T0,
            service=SERVICE,
            told=TOLD,
            words=WORDS,
            schema=schema(),
        )
        assert drafts[name].faults == ()
    flags = {name: one.snapshot.files[0].details["fileViewedByEsp"] for name, one in drafts.items()}
    assert flags == {"seen": True, "unseen": False}
    assert drafts["seen"].snapshot.files[0].looks == ("l1",)
    assert log_faults(drafts["seen"].snapshot, base.exhibits, [look(exhibit)]) == ()
    (fault,) = log_faults(drafts["seen"].snapshot, base.exhibits, [])
    assert str(fault) == f"{exhibit.id[:16]}.png: fileViewedByEsp: the access log says no"


@needs_xsd
def test_a_cybertip_of_a_case_fits_the_schema_and_holds_what_the_case_does():
    mine = records()
    fields = fields_of_case(mine, SERVICE, replace(TOLD, escalate="It is under way."), FORM)
    tip = tip_of(filing(mine, "cybertip"), mine, fields, SERVICE, TOLD, WORDS)
    root = etree.fromstring(build(schema(), "report", tip))
    assert root.findtext(".//reportingPerson/lastName") == "孙 Нина ني"
    assert [one.text for one in root.iterfind(".//ipCaptureEvent/ipAddress")] == [
        "2001:db8::7",
        "192.0.2.7",
        "2001:db8::7",
    ]
    assert [one.text for one in root.iterfind(".//ipCaptureEvent/port")] == ["4431", "4431"]
    assert root.find(".//personOrUserReportedPerson/email").get("verificationDate") == "2026-01-02T03:04:05Z"
    assert "identity-documents: not held. The service asks for none." in root.findtext("additionalInfo")


@needs_xsd
def test_what_ncmec_would_refuse_is_named_before_anything_leaves():
    mine = records(files=1)
    told = replace(TOLD, escalate="x" * 3001, incident="Other", classes={mine.exhibits[0].id: "C9"})
    fields = fields_of_case(mine, SERVICE, told, FORM)
    draft = draft_cybertip(
        filing(mine, "cybertip"),
        mine,
        fields,
        FORM,
        T0,
        service=SERVICE,
        told=told,
        words=WORDS,
        schema=schema(),
    )
    named = {one.field.rpartition("/")[2] for one in draft.faults}
    assert named == {"escalateToHighPriority", "incidentType", "industryClassification"}
    assert draft.snapshot.body == "", "what is wrong has no body that could be sent"


# At the shell ------------------------------------------------------------------------------------


@pytest.fixture
def platform(tmp_path, monkeypatch):
    """A platform's folder with one case for NCMEC, one for the NCA, and an NCMEC to report to."""
    tables(tmp_path / "s")
    (tmp_path / "s").rename(tmp_path / "platform.db")
    monkeypatch.setenv("TIP", f"{NAME}:{PASSWORD}")
    with (
        SqlStore(f"sqlite:///{tmp_path / 'platform.db'}") as store,
        ledger_of(tmp_path / "looks.ledger", "lightship-vault") as seen,
    ):
        vault = FileVault(tmp_path / "vault", seen)
        for n, authority in ((1, "ncmec"), (2, "nca")):
            mine = records(n, authority=authority)
            for at in range(2):
                vault.seal(*file_of(n, at))
            other = replace(mine.exhibits[0], id="f" * 64, media="application/vnd.lightship.basis+json")
            extra = (other,) if n == 1 else ()
            with store.begin() as work:
                work.save(mine.duty, mine.detection, mine.case, mine.stream, *mine.exhibits, *extra, *(
                    look(one, id=f"l{n}{at}") for at, one in enumerate(mine.exhibits[:1])))  # fmt: skip
        with store.begin() as work:
            until = datetime.now(UTC) + timedelta(days=90)
            people.seat(work, "administrator", name="Ada", account="ada", begins_at=T0 - YEAR, trained_until=until, by="root")  # fmt: skip
    (tmp_path / "told.toml").write_text('[held]\nuser-name = "host7"\n')
    return tmp_path


def settings(folder, address, xsd):
    (folder / "xsd").write_bytes(xsd)
    (folder / "reports.toml").write_text(
        '[service]\nname = "Example Live"\nfirst_name = "Ada"\nlast_name = "孙"\nemail = "duty@example.org"\n'
        f'[cybertip]\naddress = "{address}"\ncredential = "env:TIP"\nschema = "xsd"\n'
    )


def run(folder, *words, code=0, typed=None):
    done = CliRunner().invoke(app, ["duties", *words, "--folder", str(folder)], input=typed)
    found = done.exception.exit_code if isinstance(done.exception, LightshipError) else done.exit_code
    assert found == code, (done.output, done.exception)
    return done.output + (str(done.exception) if isinstance(done.exception, LightshipError) else "")


def verify(out, folder, *more):
    tool = Path(__file__).parents[3] / "tools" / "verify_export.py"
    keys = [part for name in ("platform", "looks", "duties") for part in ("--key", folder / f"{name}.pub")]
    return subprocess.run(
        [sys.executable, tool, out, *keys, *more], check=False, capture_output=True, text=True, timeout=60
    )


@needs_xsd
def test_the_compliance_lead_files_with_ncmec_and_an_auditor_verifies_it(platform):
    there = line()
    with serving(there) as address:
        settings(platform, address, there.xsd)
        said = run(platform, "report", "build", "d0001", "--facts", str(platform / "told.toml"))
        assert "user-name: host7" in said
        assert "fileViewedByEsp True" in said
        assert "d0001.1 to ncmec by cybertip: ready" in said
        assert "is ready" in run(platform, "report", "check", "d0001")
        assert not there.reports, "nothing leaves by looking"
        assert "Nothing was sent" in run(platform, "report", "file", "d0001", code=1, typed="n\n")
        said = run(platform, "report", "file", "d0001", "--by", "ada", typed="y\n")
        assert "filed under 1001" in said
        assert "filed under 1001" in run(platform, "report", "file", "d0001", "--declare", code=12), (
            "never twice"
        )
        said = run(platform, "report", "supplement", "d0001", "--by", "ada", "--declare")
        assert "filed under 1002" in said
        first, second = there.finished()
        assert (len(first.files), len(second.files)) == (2, 0), "what was sent is not sent again"
        assert b"supplements the report filed as 1001" in second.xml
        assert "d0001.2\tncmec\tfiled\t1002" in run(platform, "report", "list")
        assert "Nothing that is built here is refused" in run(platform, "report", "schema")
    out = platform / "export"
    run(platform, "export", str(out))
    done = verify(out, platform)
    assert done.returncode == 0, done.stdout
    assert "1 reports and 1 supplements filed, each declared before" in done.stdout
    entries = (out / "platform.entries.jsonl").read_text()
    for content in ("host7", "duty@example.org", "孙", "benign bytes"):
        assert content not in entries, "the auditor sees no content"
    data = bytearray((out / "platform.entries.jsonl").read_bytes())
    data[len(data) // 2] ^= 1
    (out / "platform.entries.jsonl").write_bytes(data)
    done = verify(out, platform)
    assert done.returncode == 1
    assert done.stdout.startswith("NOT verified: platform.entries.jsonl, line ")


@needs_xsd
def test_the_worksheet_is_printed_entered_and_its_reference_recorded_once(platform):
    there = line()
    with serving(there) as address:
        settings(platform, address, there.xsd)
        page, paper = platform / "d2.html", platform / "d2.pdf"
        said = run(platform, "report", "file", "d0002", "--declare", "--by", "ada", "--out", str(page))
        assert "Enter the worksheet in the portal" in said
        assert "<bdi>Ada 孙</bdi>" in page.read_text()
        run(platform, "report", "build", "d0002", "--out", str(paper))
        assert paper.read_bytes().startswith(b"%PDF-")
        assert "filed under NCA-2026-7" in run(platform, "report", "reference", "d0002.1", "NCA-2026-7")
        assert "has the reference NCA-2026-7" in run(
            platform, "report", "reference", "d0002.1", "NCA-8", code=12
        )


@needs_xsd
def test_an_expired_credential_is_named_and_the_report_goes_on_when_it_is_renewed(platform, monkeypatch):
    there = line()
    with serving(there) as address:
        settings(platform, address, there.xsd)
        there.password = "renewed"
        said = run(platform, "report", "file", "d0001", "--declare", "--by", "ada", code=16)
        assert "Renew the credential" in said
        monkeypatch.setenv("TIP", f"{NAME}:renewed")
        said = run(platform, "report", "resume", "d0001.1", "--why", "It was renewed.", "--by", "ada")
        assert "filed under 1001" in said
        assert len(there.finished()) == 1


@needs_xsd
def test_a_report_that_is_wrong_is_put_back_with_its_fields_named_and_nothing_leaves(platform):
    there = line()
    with serving(there) as address:
        settings(platform, address, there.xsd)
        (platform / "told.toml").write_text('[held]\nupload-ip = "[192.0.2.7]:1"\n')
        facts = ("--facts", str(platform / "told.toml"))
        assert "upload-ip: 192.0.2.7 is IPv4" in run(platform, "report", "check", "d0001", *facts, code=16)
        assert "upload-ip" in run(
            platform, "report", "file", "d0001", "--declare", "--by", "ada", *facts, code=16
        )
        assert not there.reports
        assert "refused" in run(platform, "report", "list")
        assert "retracted" in run(
            platform, "report", "retract", "d0001.1", "--why", "a mistake", "--by", "ada"
        )
        run(platform, "report", "build", "d0009", code=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[held]\nuser-name = 3", "“held.user-name” is no text: 3"),
        ('[held]\nlogin-ips = ["192.0.2.7", 4]', "“held.login-ips” is no text"),
        ("[held]\nshared-at = 2026-11-28T23:40:00", "between quotation marks"),
        ("held = 3", "“held” is no table"),
        ("[not_held]\nexif = true", "“not_held.exif” is no text"),
        ("escalate = 1", "“escalate” is no text"),
        ("[nonsense]\nx = 1", "cannot be read"),
        ("not toml [", "cannot be read"),
    ],
)
def test_what_a_person_says_is_text_or_is_refused_by_its_name(text, said):
    with pytest.raises(InputError, match=re.escape(said)):
        parse_told(text, "told.toml")


@pytest.mark.parametrize(
    "text", ["[service]\nname = 1", "service = 1", '[service]\nname = "x"\nhome = "y"', "[x]"]
)
def test_who_reports_is_text_or_is_refused(tmp_path, text):
    path = tmp_path / "reports.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"cannot be read|is no text|is no table"):
        read_settings(path)
