"""The defence checks an inquiry's evidence with one file that knows nothing of Lightship; a changed twin fails."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from lightship.casework import custody
from lightship.casework.timestamps import head_stamped
from lightship.cli import app
from lightship.core.canonical import canonical
from lightship.core.errors import InputError, LedgerError, LightshipError
from lightship.core.notes import SigningKey
from lightship.core.statements import sign_statement
from lightship.infra import timestamps
from lightship.infra.keys import load_key

TOOL = Path(__file__).parents[3] / "tools" / "verify_export.py"
_spec = importlib.util.spec_from_file_location("verify_export", TOOL)
verify_export = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify_export)

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the test authority needs openssl")
A = "a" * 64
TO = ("--by", "dee", "--to", "defence")
CONFIGURATION = b"""
[tsa]
default_tsa = t
[t]
serial = serial
default_policy = 1.2.3.4
digests = sha256
signer_digest = sha256
accuracy = secs:1
"""
RECORD = f"""
exhibit = "AB/1"
process = "acquisition"
captured_by = "ann"
captured_at = 2026-11-29T10:00:00Z
source = "Synthetic stream"
method = "Recording, VAL-12"
tool = "recorder"
tool_version = "4.1"
sha256_before = "{A}"
sha256_after = "{A}"
clock_reference = "not compared: no clock"
"""


def certificate(name, key, issuer=None, issuer_key=None, days=30, usage=True):
    """An authority's certificate, or its issuer's."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.BasicConstraints(ca=issuer is None and not usage, path_length=None), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usage:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(stamping, critical=True)
    return builder.sign(issuer_key or key, hashes.SHA256())


class Authority:
    """A test authority: `openssl ts` behind a port of this machine."""

    def __init__(self, folder, name, key, issued):
        self.folder, self.name, self.broken = folder / name, name, False
        self.folder.mkdir()
        root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = certificate(f"{name} root", root_key, usage=False)
        self.own = certificate(name, key, self.root, root_key) if issued else certificate(name, key)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for file, data in (
            ("key.pem", private), ("own.pem", self.pem(self.own)), ("root.pem", self.pem(self.root)),
            ("serial", b"01\n"),
            ("ts.cnf", CONFIGURATION),
        ):  # fmt: skip
            (self.folder / file).write_bytes(data)
        self.given = self.folder / ("root.pem" if issued else "own.pem")

    @staticmethod
    def pem(one):
        return one.public_bytes(serialization.Encoding.PEM)

    def reply(self, query):
        (self.folder / "q").write_bytes(query)
        if self.broken:
            return b"no"
        command = "openssl ts -reply -config ts.cnf -queryfile q -signer own.pem -inkey key.pem -out r"
        subprocess.run(command.split(), check=True, cwd=self.folder, capture_output=True, timeout=20)
        return (self.folder / "r").read_bytes()


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """Two authorities, one of RSA known by its own certificate, one of elliptic curves known by its issuer's."""
    folder = tmp_path_factory.mktemp("tsa")
    both = {
        "one": Authority(folder, "one", rsa.generate_private_key(65537, 2048), issued=False),
        "two": Authority(folder, "two", ec.generate_private_key(ec.SECP256R1()), issued=True),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            answer = both[self.path.strip("/")].reply(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    for name, one in both.items():
        one.address = f"http://127.0.0.1:{server.server_port}/{name}"
    yield both
    server.shutdown()
    thread.join()
    server.server_close()


def lightship(*words, fails=None):
    """Run a command; returns what it printed."""
    done = CliRunner().invoke(app, ["evidence", *map(str, words)])
    if fails is None:
        assert done.exit_code == 0, (words, done.output, done.exception)
    else:
        assert isinstance(done.exception, LightshipError)
        assert fails in str(done.exception)
    return done.output


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    (tmp_path / "record.toml").write_text(RECORD)
    lightship("capture", "INV-1", tmp_path / "record.toml")
    return tmp_path


def keys(state):
    return ["--key", str(state / "state" / "evidence" / "own.pub")]


def verify(state, out, *more):
    return verify_export.main([str(out), *keys(state), *map(str, more)])


def passed(state):
    """Custody to ben, a committed record and its sanitised copy."""
    lightship("hand", "INV-1", "AB/1", "--by", "ann", "--to", "ben", "--why", "analysis")
    lightship("acknowledge", "INV-1", "AB/1", "--by", "ben", "--sha256", A)
    record = {"event": {"at": "2026-11-29", "amount_gbp": 12.5}, "victim": {"name": "canary-81"}, "n": 1e-7}
    (state / "log7.json").write_text(json.dumps(record))
    lightship("commit", "INV-1", state / "log7.json", "--by", "ben", "--out", state / "whole.json")
    lightship("sanitise", state / "whole.json", "--remove", "/victim", "--why", "personal-data",
              "--out", state / "copy.json")  # fmt: skip


@needs_openssl
def test_the_defence_verifies_custody_copies_and_two_time_stamps_offline(state, authorities, capsys):
    passed(state)
    table = "".join(
        f'[[authorities]]\nname = "{one.name}"\naddress = "{one.address}"\ncertificate = "{one.given}"\n'
        for one in authorities.values()
    )
    (state / "state" / "evidence" / "authorities.toml").write_text(table)
    assert "one stamped 4 entries" in lightship("stamp", "INV-1")
    lightship("hand", "INV-1", "AB/1", "--by", "ben", "--to", "cat", "--why", "court")
    out = state / "out"
    lightship("export", *TO, "INV-1", out, "--copy", state / "copy.json")
    assert b"canary-81" not in b"".join(one.read_bytes() for one in out.iterdir())
    assert (state / "whole.json").stat().st_mode & 0o077 == 0
    given = [part for one in authorities.values() for part in ("--tsa", one.given)]
    assert verify(state, out, *given) == 0
    told = capsys.readouterr().out
    assert "1 exhibits; 1 copies of records" in told
    assert "1 more withheld" in told
    assert "1 by one" in told
    assert "1 by two" in told
    assert verify(state, out) == 0
    assert "NOT checked: 2 time-stamps" in capsys.readouterr().out
    wrong = state / "wrong.pem"
    wrong.write_bytes(Authority.pem(certificate("one", ec.generate_private_key(ec.SECP256R1()))))
    assert verify(state, out, "--tsa", wrong) == 0
    assert "NOT checked: 2 time-stamps" in capsys.readouterr().out, (
        "a namesake's certificate vouches for nothing"
    )
    # openssl, which knows neither of us, says the same of the same bytes.
    for line in (out / "evidence.entries.jsonl").read_text().splitlines():
        entry = json.loads(line[17:])
        if entry["kind"] == "head-stamped":
            (state / "head").write_bytes(entry["checkpoint"].encode())
            (state / "token").write_bytes(base64.b64decode(entry["token"]))
            one = authorities[entry["authority"]]
            command = ["openssl", "ts", "-verify", "-data", "head", "-in", "token", "-CAfile", str(one.given)]
            subprocess.run(command, check=True, cwd=state, capture_output=True, timeout=20)
    authorities["two"].broken = True
    lightship("stamp", "INV-1", fails="1 of 2 authorities stamped the head")
    authorities["two"].broken = False


def resigned(state, out, file, change):
    """Change a file's lines as the holder of the unit's key could: the manifest is signed anew."""
    key = load_key(state / "state" / "evidence" / "own.key")
    lines = [change(json.loads(line)) for line in (out / file).read_text().splitlines()]
    (out / file).write_bytes(b"".join(canonical(line) + b"\n" for line in lines))
    facts = json.loads((out / "manifest.note").read_text().split("\n")[1])
    facts["files"][file] = verify_export.sha256((out / file).read_bytes()).hexdigest()
    (out / "manifest.note").write_text(sign_statement("export", facts, key))


def test_a_tampered_copy_fails_and_its_file_and_field_are_named(state, capsys):
    passed(state)
    out = state / "out"
    lightship("export", *TO, "INV-1", out, "--copy", state / "copy.json")
    assert verify(state, out) == 0

    def value(copy):
        for one in copy["fields"]:
            if one["name"] == "/event/amount_gbp":
                one["value"] = 125
        return copy

    def leave_out(copy):
        return {**copy, "withheld": []}

    def other(copy):
        return {**copy, "record": "log8"}

    for number, (change, says) in enumerate((
        (value, "records.jsonl, line 1, field fields/event/amount_gbp: it is not what was committed to"),
        (leave_out, "records.jsonl, line 1, field withheld: of 4 fields, some were"),
        (other, "records.jsonl, line 1, field note: no entry of a ledger commits to this record"),
    )):  # fmt: skip
        twin = state / f"twin{number}"
        shutil.copytree(out, twin)
        resigned(state, twin, "records.jsonl", change)
        assert verify(state, twin) == 1
        assert says in capsys.readouterr().out


def test_a_changed_byte_of_custody_is_named_by_its_line(state, capsys):
    passed(state)
    out = state / "out"
    lightship("export", *TO, "INV-1", out)
    file = out / "evidence.entries.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"to":"ben"', b'"to":"bet"', 1))
    assert verify(state, out) == 1
    assert "evidence.entries.jsonl, line 2, field entry" in capsys.readouterr().out


def test_an_unsigned_step_and_a_statement_of_another_kind_fail(state, capsys):
    from lightship.infra.ledger_file import LedgerFile

    path = state / "state" / "evidence" / "INV-1" / "evidence.ledger"
    key = load_key(state / "state" / "evidence" / "own.key")
    facts = {"exhibit": "AB/1", "by": "eve", "sha256": A, "acknowledged_at": "2026-11-30T00:00:00+00:00"}
    for name, more, says in (
        ("x", {}, "line 2, field note"),
        (
            "y",
            {"note": sign_statement("record", facts, key)},
            "line 2, field kind: what was signed is another kind",
        ),
    ):
        shutil.copytree(path.parent, path.parent.with_name(name))
        mine = path.parent.with_name(name) / path.name
        mine.unlink()
        with LedgerFile(mine, key, f"{key.name}/{name}/evidence") as ledger:
            ledger.append({"kind": "data-used"})
            ledger.append({"kind": "evidence-acknowledged", **facts, **more})
        lightship("export", *TO, name, state / f"out-{name}")
        assert verify(state, state / f"out-{name}") == 1
        assert says in capsys.readouterr().out


def ledger_of(state):
    from lightship.infra.ledger_file import LedgerFile

    key = load_key(state / "state" / "evidence" / "own.key")
    path = state / "state" / "evidence" / "INV-1" / "evidence.ledger"
    return LedgerFile(path, key, f"{key.name}/INV-1/evidence")


def test_a_field_of_a_step_that_nobody_signed_is_named(state, capsys):
    key = load_key(state / "state" / "evidence" / "own.key")
    facts = {"exhibit": "AB/1", "from": "ann", "to": "ben", "why": "x"}
    with ledger_of(state) as ledger:
        note = sign_statement("hand-over", facts, key)
        at = datetime.now(UTC).isoformat()
        ledger.append({"kind": "evidence-handed", **facts, "handed_at": at, "note": note})
    lightship("export", *TO, "INV-1", state / "out")
    assert verify(state, state / "out") == 1
    assert "line 2, field handed_at: it is not signed" in capsys.readouterr().out


@needs_openssl
def test_a_false_time_and_an_entry_dated_back_behind_a_stamp_are_named(state, authorities, capsys):
    one = authorities["one"]
    with ledger_of(state) as ledger:
        head = ledger.checkpoint()
        token, at = timestamps.stamp(one.address, head.encode(), one.own)
        ledger.append(dict(head_stamped(head, "one", token, at)))
        ledger.append({"kind": "data-used", "at": (at - timedelta(hours=1)).isoformat()})
        lightship("export", *TO, "INV-1", state / "out")
        ledger.append(dict(head_stamped(head, "one", token, at - timedelta(days=1))))
        lightship("export", *TO, "INV-1", state / "out2")
        ledger.append(dict(head_stamped(ledger.checkpoint(), "one", token, at)))
        lightship("export", *TO, "INV-1", state / "out3")
    assert verify(state, state / "out", "--tsa", one.given) == 3
    assert "line 3: it is dated" in capsys.readouterr().out
    assert verify(state, state / "out2", "--tsa", one.given) == 1
    assert "line 5, field stamped_at: the time-stamp says" in capsys.readouterr().out
    assert verify(state, state / "out3") == 1
    assert "line 7, field token: it is of other bytes" in capsys.readouterr().out


def steps():
    """Steps of custody, right and wrong, in any order."""
    people, hashes_ = st.sampled_from(["ann", "ben", "cat"]), st.sampled_from([A, "b" * 64])
    at = st.integers(0, 9).map(lambda hour: f"2026-11-30T0{hour}:00:00+00:00")
    own = {"exhibit": st.just("AB/1")}
    return st.one_of(
        st.fixed_dictionaries(
            {**own, "kind": st.just("evidence-captured"), "captured_by": people, "sha256_after": hashes_,
             "captured_at": at}),
        st.fixed_dictionaries(
            {**own, "kind": st.just("evidence-handed"), "from": people, "to": people, "why": st.just("w"),
             "handed_at": at}),
        st.fixed_dictionaries(
            {**own, "kind": st.just("evidence-acknowledged"), "by": people, "sha256": hashes_,
             "acknowledged_at": at}),
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(steps(), min_size=1, max_size=7))
def test_both_verifiers_name_the_same_breaks_whatever_was_entered(entries):
    now = datetime(2026, 11, 30, 10, tzinfo=UTC)
    mine = [(one.entry, one.what) for one in custody.chains(entries, now)["AB/1"].breaks]
    theirs = verify_export.Custody()
    assert mine == [
        (number, what) for number, entry in enumerate(entries) for what in theirs.step(number, entry)
    ]


def test_to_look_and_to_hand_out_are_entered_with_who_and_to_whom(state):
    lightship("show", "--by", "dee", "INV-1")
    lightship("export", *TO, "INV-1", state / "out")
    lines = (state / "out" / "evidence.entries.jsonl").read_text().splitlines()
    used = [one for one in (json.loads(line[17:]) for line in lines) if one["kind"] == "data-used"]
    assert [(one["verb"], one["by"], one["recipient"]) for one in used] == [
        ("consultation", "dee", ""), ("disclosure", "dee", "defence"),
    ]  # fmt: skip


def test_a_break_in_custody_verifies_as_a_record_and_is_named_with_a_code_of_its_own(state, capsys):
    lightship("hand", "INV-1", "AB/1", "--by", "ann", "--to", "ben", "--why", "analysis")
    told = lightship("acknowledge", "INV-1", "AB/1", "--by", "ben", "--sha256", "b" * 64)
    assert "BREAK" in told
    assert "BREAK at entry 2: ben received it with another hash" in lightship("show", "--by", "dee", "INV-1")
    lightship("export", *TO, "INV-1", state / "out")
    assert verify(state, state / "out") == 3
    assert "line 3, exhibit AB/1: ben received it with another hash than ann had" in capsys.readouterr().out


def test_what_is_sensitive_is_on_a_ledger_that_the_defences_export_does_not_hold(state):
    items = (
        '[[items]]\ndescription = "canary-44"\nlocation = "safe"\nsensitive = true\nreason = "method"\n'
        '[[items]]\ndescription = "Notebook"\nlocation = "store"\nsensitive = false\nreason = "relevant"\n'
    )
    (state / "items.toml").write_text(items)
    lightship("schedule", "INV-1", state / "items.toml", "--by", "dora", "--out", state / "mg6")
    for kind in ("sensitive", "non-sensitive"):
        lightship("reveal", "INV-1", state / "mg6" / f"{kind}.json", "1", "--by", "dora", "--to", "prosecutor",
                  "--form", "copy")  # fmt: skip
    lightship("export", *TO, "INV-1", state / "out")
    text = b"".join(one.read_bytes() for one in (state / "out").iterdir())
    assert text.count(b'"kind":"material-revealed"') == 1
    assert b"canary-44" not in text
    sensitive = (state / "mg6" / "sensitive.json").read_bytes()
    assert verify_export.sha256(sensitive).hexdigest().encode() not in text
    assert verify(state, state / "out") == 0
    lightship("export", *TO, "INV-1", state / "out2", "--sensitive")
    assert verify(state, state / "out2") == 0


def test_an_exhibit_is_captured_once_and_an_inquiry_has_a_plain_name(state):
    lightship("capture", "INV-1", state / "record.toml", fails="captured before")
    lightship("show", "--by", "dee", "../INV-1", fails="letters, digits")
    lightship("show", "--by", "dee", "INV-9", fails="no evidence of this inquiry")


@needs_openssl
def test_a_stamp_is_of_these_bytes_by_this_authority_now_or_it_is_refused(authorities):
    one, two = authorities["one"], authorities["two"]
    token, at = timestamps.stamp(one.address, b"head", one.own)
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (
        timestamps.verify_stamp(token, b"head", one.own)
        == at
        == verify_export.stamped(token, b"head", [one.own])
    )
    with pytest.raises(LedgerError, match="no time-stamp of these bytes"):
        timestamps.verify_stamp(token, b"another head", one.own)
    with pytest.raises(ValueError, match="of other bytes"):
        verify_export.stamped(token, b"another head", [one.own])
    with pytest.raises(LedgerError, match="by this authority"):
        timestamps.verify_stamp(token, b"head", two.root)
    assert verify_export.stamped(token, b"head", [two.root]) is None
    replayed = httpx.MockTransport(lambda _: httpx.Response(200, content=token))
    with pytest.raises(LedgerError, match="Nonce"):
        timestamps.stamp(one.address, b"head", one.own, replayed)
    large = httpx.MockTransport(lambda _: httpx.Response(200, content=bytes(timestamps.ANSWER_BYTES + 1)))
    with pytest.raises(LedgerError, match="longer than any"):
        timestamps.stamp(one.address, b"head", one.own, large)
    with pytest.raises(InputError, match="unencrypted"):
        timestamps.stamp("http://example.org", b"head", one.own)


@needs_openssl
def test_no_changed_byte_of_a_stamp_passes_either_verifier(authorities):
    one = authorities["two"]
    token, at = timestamps.stamp(one.address, b"head", one.root)
    passes: dict[str, list[int]] = {"outsider's": [], "own": []}
    for place in range(0, len(token), 3):
        changed = bytes([*token[:place], token[place] ^ 1, *token[place + 1 :]])
        for name, check in (
            ("outsider's", lambda data: verify_export.stamped(data, b"head", [one.root])),
            ("own", lambda data: timestamps.verify_stamp(data, b"head", one.root)),
        ):
            try:
                told = check(changed)
            except (ValueError, LedgerError):
                continue
            if told is not None:
                assert told == at, "whatever else passes, not another time"
                passes[name].append(place)
    # Bytes outside what is signed: version numbers, and lists that a verifier need not read.
    assert all(len(some) < 0.03 * len(token) for some in passes.values()), passes


def test_keys_of_people_sign_their_own_steps(state, capsys):
    from lightship.infra.keys import create_key

    mine: SigningKey = create_key(state / "ann.key", "ann.example")
    lightship("hand", "INV-1", "AB/1", "--by", "ann", "--to", "ben", "--why", "x", "--key", state / "ann.key")
    lightship("export", *TO, "INV-1", state / "out")
    assert verify(state, state / "out") == 1
    assert "signed by 'ann.example', which is none of the given keys" in capsys.readouterr().out
    assert verify(state, state / "out", "--key", state / "ann.pub") == 0
    assert mine.name == "ann.example"
