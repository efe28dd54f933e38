"""The demonstration's casework: a platform's stop, a bank's alert and a partner's word become one case of one child.

Everybody in it is made up. What is typed is what a person would type: the command line itself runs it, in
the folder of the house whose it is. Two things run beside it as they would in service: the platform's outbox, which
hands the case over on the house's bus, and the partner's TAXII server.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape

import lightship
from lightship import app_payments_score as payments
from lightship import app_share
from lightship.app_casework import open_casework
from lightship.app_casework_serve import taking
from lightship.app_platform import Deployment
from lightship.app_serve import served
from lightship.casework.handover import listen
from lightship.console.desk import WatchDesk
from lightship.console.settings import utc_now
from lightship.console.taxii import collection_of, taxii_app
from lightship.core.cases import Case, Stream
from lightship.core.casework import Inquiry, Referral
from lightship.exchange.alerts_file import read_alerts
from lightship.infra.bus import LocalBus
from lightship.infra.migrate import upgrade
from lightship.infra.store import SqlStore
from lightship.payments.generate import generate
from lightship.watch.handover import Handover, OverBus
from lightship.watch.outbox import send_due

Type = Callable[[Path, tuple[str, ...]], str]
"""Runs a command line in a house's state folder, and returns what it prints."""

Claim = tuple[str, bool, str]
"""What a user would say, whether it held, and what was seen."""

PLATFORM, HOST = "Example Live", "host-b"
TITLE = "Casework: a stop, an alert and a tip become one case, with the child first"
CUSTOMERS, PAYERS, SEED = 1500, 30, 7
TOOL = Path(lightship.__file__).parents[2] / "tools" / "verify_export.py"
UNTIL = (datetime.now(UTC).date() + timedelta(days=90)).isoformat()
AGREEMENT = """partner = "{name}"
key = "{key}"
size = 16
least = 3
list_size = 16
round_size = 8
bases = ["Data Protection Act 2018 s.31"]
"""
COVERT = "C-4417-heron,covert@unit.example"
"""The unit's own reference, and whom it wants called: what nobody outside may come to know."""
GRADE = '{gsc = "OFFICIAL", tlp = "amber", pap = "amber"}'


def chapter(typed: Type) -> Callable[[Path, Console], list[Claim]]:
    """Return the chapter, as it is played by somebody who types.

    Parameters
    ----------
    typed
        The command line.
    """

    def play(out: Path, console: Console) -> list[Claim]:
        kept = out / "casework"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix="lightship-casework-") as made:
            return Day(Path(made), kept, console, typed).claims()

    return play


class Day:
    """Four houses: a platform and a body that share a bus, a bank, a partner abroad, and another body's covert unit."""

    def __init__(self, folder: Path, kept: Path, console: Console, typed: Type) -> None:
        self.folder, self.kept, self.console, self._typed = folder, kept, console, typed
        self.body, self.partner, self.unit = (folder / one for one in ("body", "partner", "unit"))

    def claims(self) -> list[Claim]:
        """Play the day, and return what held."""
        self.console.print("  [dim]Everybody here is made up; nobody is told anything.[/]")
        came = self.come()
        self.case, one = self._one_case()
        return [*came, one, self.asked(), self._sent(self.case), *self._verified(self.case)]

    def come(self) -> list[Claim]:
        """Let the stop, the alert and the tip come in."""
        return [self._stop(), self._alert(), self._tip()]

    def typed(self, house: Path, *words: str, shown: bool = True) -> str:
        """Type a command in a house."""
        if shown:
            short = " ".join(one.replace(f"{self.folder}/", "") for one in words)
            self.console.print(f"  [dim]{house.name} $ lightship {escape(short)}[/]")
        return self._typed(house, words)

    def write(self, name: str, text: str) -> str:
        """Write a file that somebody has, and return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _stop(self) -> Claim:
        """Report, judge and stop a livestream; the platform hands its case over by its outbox."""
        platform, now = Deployment(self.folder / "platform"), utc_now()
        platform.folder.mkdir()
        upgrade(platform.url)
        bus, ended = LocalBus(), threading.Event()
        with SqlStore(platform.url) as store, open_casework(self.body / "cases", self.console.print) as cases:
            began = now - timedelta(minutes=9)
            with store.begin() as work:
                work.save(
                    Stream(
                        "b",
                        "rtmp://example/b",
                        HOST,
                        "public",
                        "terms",
                        "public-live",
                        began,
                        child_host=True,
                    )
                )
            watch = WatchDesk(store, bus)
            told = watch.report("r", "b", now, kind="child-at-risk-now", words="It looks wrong.")
            watch.claim(told.case_id, "mo", now)
            watch.judge(told.case_id, "mo", now, verdict="abuse", clause="abuse-live", reason="seen")
            send_due(store, lambda _effect: None, utc_now)
            self.typed(
                platform.folder, "cases", "refer", told.case_id, "--folder", str(platform.folder), "--platform",
                PLATFORM, "--by", "mo", "--send",
            )  # fmt: skip
            listening = threading.Thread(target=listen, args=(bus, taking(cases), lambda: not ended.is_set()))
            listening.start()
            try:
                sent = send_due(store, Handover(store, PLATFORM, OverBus(bus, PLATFORM)), utc_now)
            finally:
                ended.set()
                listening.join()
            with store.look() as work, cases.look() as there:
                stopped = work.get(Case, told.case_id)
                found = there.find(Inquiry, {"state": "new"})
        held = sent == 1 and stopped is not None and not stopped.live and len(found) == 1
        seen = (
            f"urgency {found[0].urgency}, {found[0].owner}, due {found[0].due_at:%H:%M} UTC"
            if found
            else "nothing"
        )
        return "a stopped stream is handed over, owned and due before the platform is told so", held, seen

    def _alert(self) -> Claim:
        """Score made-up payments; a person files a report of the first alert, and refers it."""
        people, alerts = self.folder / "bank" / "people", self.folder / "bank" / "alerts"
        generate(people, CUSTOMERS, PAYERS, SEED)
        payments.score_dataset(people, alerts, "uk", typologies=("livestream-payer",))
        first = read_alerts(alerts / "alerts.jsonl")[0]
        truth = {
            row["subject"]: row["typology"] for row in pq.read_table(people / "truth.parquet").to_pylist()
        }
        self.payer = first.subject
        referral = str(self.folder / "alert.jsonl")
        self.typed(
            self.folder / "bank", "payments", "refer", str(alerts), "--alert", first.alert, "--filed-as", "SAR-17",
            "--by", "kim", "--out", referral,
        )  # fmt: skip
        taken = self.typed(
            self.body,
            "cases",
            "intake",
            referral,
            "--form",
            "alerts-jsonl",
            "--sender",
            "Example Bank",
            "--by",
            "ann",
        )
        held = "opened" in taken and truth.get(first.subject) == "livestream-payer"
        return (
            "the bank's first alert, once its report is filed, is a referral too",
            held,
            f"{first.total_mdb / 1000:+.0f} dB",
        )

    def _tip(self) -> Claim:
        """Read the TAXII server of a partner abroad, who knows both and shares what it may."""
        tip = {
            "id": "tip-1", "kind": "sells livestreams", "platform": PLATFORM, "observed_at": utc_now().isoformat(),
            "identifiers": [
                {"kind": "handle", "value": HOST, "platform": PLATFORM, "role": "child", "person": "p1"},
                {"kind": "account", "value": self.payer, "role": "suspect", "person": "p2"},
                {"kind": "handle", "value": "night_otter_88", "platform": PLATFORM, "role": "suspect", "person": "p2"},
            ],
            "facts": ["contact=hands-on"],
            "text": "Said by a neighbour.",
        }  # fmt: skip
        file = self.write("tip.json", json.dumps(tip))
        taken = self.typed(
            self.partner,
            "cases",
            "intake",
            file,
            "--form",
            "signal-json",
            "--sender",
            "Hotline",
            "--by",
            "lia",
            shown=False,
        )
        referral, inquiry = taken.split()[0], taken.split("opened ")[1].split()[0]
        partners = self.write(
            "partner/partners.toml", f'[[partners]]\nname = "body"\ntitle = "A body"\ngrade = {GRADE}\n'
        )
        self.typed(
            self.partner,
            "share",
            "mark",
            referral,
            "--originator",
            "A unit abroad",
            "--tlp",
            "green",
            shown=False,
        )
        self.typed(
            self.partner, "share", "send", inquiry, "--to", "body", "--partners", partners, "--house", "A unit abroad",
            "--way", "taxii",
        )  # fmt: skip
        tokens = self.write("partner/tokens.txt", f"body {sha256(b'made-up').hexdigest()}\n")
        token = self.write("body/token.txt", "made-up")
        with self._taxii(Path(partners), Path(tokens)) as address:
            words = (
                "cases", "intake", "--taxii", f"{address}/api/collections/{collection_of('body')}", "--token", token,
                "--sender", "A unit abroad", "--by", "ann",
            )  # fmt: skip
            taken, again = self.typed(self.body, *words), self.typed(self.body, *words, shown=False)
        held = taken.count("opened") == 1 and not again.strip()
        return (
            "a partner's collection is read, and each object once",
            held,
            f"urgency {taken.split('urgency ')[1][0]}",
        )

    @contextmanager
    def _taxii(self, partners: Path, tokens: Path) -> Iterator[str]:
        with open_casework(self.partner / "cases", self.console.print) as store:
            app = taxii_app(store, app_share.members(partners, tokens), title="A unit abroad", clock=utc_now)
            with served(app, "127.0.0.1", 0) as address:
                yield address

    def _one_case(self) -> tuple[str, Claim]:
        """Link: a machine proposes who is one person, and a person decides; three inquiries become one."""
        self.typed(self.body, "cases", "link")
        proposed = self.typed(self.body, "cases", "link", "list", "--by", "ann", shown=False)
        links = [line.split()[0] for line in proposed.splitlines() if line[:1].strip()]
        for one in links:
            for line in self.typed(self.body, "cases", "link", "explain", one, "--by", "ann").splitlines()[
                :5
            ]:
                self.console.print(f"    [dim]{escape(line)}[/]")
            self.typed(self.body, "cases", "link", "accept", one, "--by", "ben", "--why", "The same account.")
        queue = self.typed(self.body, "cases", "list", "--by", "ann").splitlines()
        heads = [line for line in queue if line[:1].strip()]
        first = heads[0].split()[0]
        for line in queue[:4]:
            self.console.print(f"    {escape(line)}")
        shown = self.typed(self.body, "cases", "show", first, "--by", "ann", shown=False)
        came = [line for line in shown.splitlines() if line.startswith("  referral ")]
        held = len(links) == 2 and len(heads) == 1 and len(came) == 3 and f"(child): handle {HOST}" in shown
        claim = "people decide that three inquiries are one, and the child in danger now is first"
        return first, (claim, held, f"{len(came)} referrals, {len(links)} links, {heads[0].split('  ')[1]}")

    def asked(self) -> Claim:
        """Ask another body whether it knows the payer's handle; a covert interest answers nothing, and is told."""
        mail = self.folder / "mail"
        keys = {
            one: self.typed(one, "deconflict", "key", f"{one.name}.example", shown=False).strip()
            for one in (self.body, self.unit)
        }
        for one, other in ((self.body, self.unit), (self.unit, self.body)):
            self.write(
                f"{one.name}/deconflict/agreements/{other.name}.toml",
                AGREEMENT.format(name=f"{other.name}.example", key=keys[other]),
            )
        self.typed(self.unit, "undercover", "found", "Fir", "Gale", shown=False)
        head = "kind,identifier,value,platform,reference,contact,urgency,until\n"
        overt = self.write(
            "overt.csv", f"{head}child,handle,heron,{PLATFORM},R-9,desk@unit.example,1,{UNTIL}\n"
        )
        covert = self.write(
            "covert.csv", f"{head}persona,handle,night_otter_88,{PLATFORM},{COVERT},1,{UNTIL}\n"
        )
        for words, house in (
            (("prepare", "body", "--interests", overt, "--out", f"{mail}/list"), self.unit),
            (("open", "unit", f"{mail}/list"), self.body),
            (("prepare", "body", "--interests", covert, "--by", "Fir", "--out", f"{mail}/round"), self.unit),
            (("answer", "unit", f"{mail}/round", "--out", f"{mail}/back"), self.body),
            (("open", "body", f"{mail}/back", "--by", "Fir"), self.unit),
        ):
            self.typed(house, "deconflict", *words, shown=False)
        answers = []
        for name, handles in (
            ("one", ("night_otter_88", "ivy", "elm")),
            ("other", ("nobody_here", "ivy", "elm")),
        ):
            rows = io.StringIO()
            csv.writer(rows).writerows(
                [("identifier", "value", "platform"), *(("handle", one, PLATFORM) for one in handles)]
            )
            self.typed(
                self.body, "deconflict", "ask", "unit", self.write(f"ask-{name}.csv", rows.getvalue()), "--basis",
                "Data Protection Act 2018 s.31", "--reference", f"Q-{name}", "--contact", "desk@body.example",
                "--until", UNTIL, "--urgency", "1", "--out", f"{mail}/{name}", shown=name == "one",
            )  # fmt: skip
            self.typed(
                self.unit,
                "deconflict",
                "answer",
                "body",
                f"{mail}/{name}",
                "--out",
                f"{mail}/{name}-back",
                shown=False,
            )
            answers.append(
                self.typed(self.body, "deconflict", "open", "unit", f"{mail}/{name}-back", shown=False)
            )
        notices = self.typed(self.unit, "deconflict", "desk", "--by", "Fir").splitlines()
        sizes = {(self.folder / "mail" / f"{name}-back").stat().st_size for name in ("one", "other")}
        held = answers == ["{}\n", "{}\n"] and len(notices) == len(sizes) == 1 and "Q-one" in notices[0]
        seen = f"the answer is {sizes.pop()} bytes for a hit and a miss; the covert desk has {len(notices)} notice"
        return "who asks learns nothing of covert work, and the covert desk learns what it must", held, seen

    def _sent(self, case: str) -> Claim:
        """Send the case to the partner in a pack that opens without a network, in their language."""
        age = self.typed(
            self.partner, "share", "identity", str(self.partner / "pack.key"), shown=False
        ).strip()
        self.typed(
            self.body,
            "share",
            "signing-key",
            str(self.body / "house.key"),
            "--name",
            "body.example/sharing",
            shown=False,
        )
        partners = self.write(
            "body/partners.toml",
            '[[partners]]\nname = "abroad"\ntitle = "A unit abroad"\nlanguage = "fil"\n'
            f'age = "{age}"\ngrade = {GRADE}\n',
        )
        self.mark()
        pack = self.kept / "case.pack"
        self.typed(
            self.body, "share", "send", case, "--to", "abroad", "--partners", partners, "--house", "A body", "--way",
            "pack", "--key", str(self.body / "house.key"), "--out", str(pack),
        )  # fmt: skip
        opened = self.kept / "opened"
        said = self.typed(
            self.partner, "share", "open", str(pack), "--identity", str(self.partner / "pack.key"), "--sender",
            str(self.body / "house.pub"), "--out", str(opened),
        )  # fmt: skip
        page = (opened / "read.html").read_text(encoding="utf-8")
        held = (
            "From body.example/sharing" in said
            and 'lang="fil"' in page
            and HOST in page
            and "<script" not in page
        )
        return (
            "the partner opens a signed, encrypted pack without a network",
            held,
            f"{pack.stat().st_size:,} bytes; {opened / 'read.html'}",
        )

    def mark(self) -> None:
        """Mark what came unmarked, without which nothing of it leaves; the partner's own came marked."""
        with open_casework(self.body / "cases", self.console.print) as store, store.look() as work:
            unmarked = [one.id for one in work.find(Referral, {"marking": ""})]
        for one in unmarked:
            self.typed(
                self.body, "share", "mark", one, "--originator", "A body", "--tlp", "amber", shown=False
            )

    def _verified(self, case: str) -> Iterator[Claim]:
        """Let the defence verify the evidence, and its tampered twin, with a program that knows nothing of us."""
        capture = self.write(
            "capture.toml",
            f"""exhibit = "AB/1"
process = "acquisition"
captured_by = "ann"
captured_at = {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}
source = "Records of the platform's stream"
method = "Export by the platform"
tool = "lightship cases refer"
tool_version = "1"
sha256_before = ""
sha256_after = "{sha256(b"made up").hexdigest()}"
difference = "A live stream has no hash before."
clock_offset_s = 0.0
clock_reference = "NTP, stratum 2"
activity = "FSA-DIG-100"
""",
        )
        record = self.write(
            "decision.json", json.dumps({"case": case, "host": HOST, "victim": {"name": "not shown"}})
        )
        export, whole, shown = self.kept / "evidence", self.folder / "whole.json", self.folder / "shown.json"
        for words in (
            ("capture", case, capture),
            ("commit", case, record, "--by", "ann", "--out", str(whole)),
            (
                "sanitise",
                str(whole),
                "--remove",
                "/victim/name",
                "--why",
                "personal-data",
                "--out",
                str(shown),
            ),
            ("export", case, str(export), "--by", "ann", "--to", "defence", "--copy", str(shown)),
        ):
            self.typed(self.body, "evidence", *words, shown=words[0] == "export")
        key = self.kept / "own.pub"
        shutil.copy(self.body / "evidence" / "own.pub", key)
        if not TOOL.exists():
            self.console.print(
                "  [dim]The program that verifies an export is in the source: tools/verify_export.py.[/]"
            )
            return
        twin = self.folder / "twin"
        shutil.copytree(export, twin)
        entries = next(twin.glob("*.entries.jsonl"))
        data = bytearray(entries.read_bytes())
        data[len(data) // 2] ^= 1
        entries.write_bytes(data)
        right, wrong = _verify(export, key), _verify(twin, key)
        yield "the defence's own program verifies the evidence", right[0] == 0, right[1].partition(";")[0]
        yield "and refuses it with one bit changed", wrong[0] == 1, wrong[1].splitlines()[0]


def _verify(export: Path, key: Path) -> tuple[int, str]:
    command = [sys.executable, str(TOOL), str(export), "--key", str(key)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own program
    return done.returncode, (done.stdout or done.stderr).strip()
