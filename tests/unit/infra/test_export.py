"""An export is checked by a program that knows nothing of us; whatever byte is changed, it says where."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightship.core.canonical import canonical, digest
from lightship.core.cases import Exhibit
from lightship.core.errors import InputError
from lightship.core.notes import SigningKey, sign_note
from lightship.core.statements import sign_statement
from lightship.duties.filing_figures import DEFINITIONS, figures
from lightship.infra.export import export
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.vault import FileVault

TOOL = Path(__file__).parents[3] / "tools" / "verify_export.py"
T0 = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
KEY = SigningKey.from_seed("example.org/duties", bytes(32))
LOOKS = SigningKey.from_seed("example.org/vault", bytes([1]) * 32)

_spec = importlib.util.spec_from_file_location("verify_export", TOOL)
verify_export = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify_export)


def filed(n, **more):
    """The entries of one report, as filing writes them."""
    facts = {"filing": f"d{n}.1", "duty": f"d{n}", "snapshot": f"{n:064x}", "declared_by": "ada"}
    declared = {"kind": "report-declared", **facts, "note": sign_statement("snapshot", facts, KEY)}
    at = T0 + timedelta(minutes=n)
    told = {
        "kind": "report-filed", "filing": f"d{n}.1", "duty": f"d{n}", "authority": "ncmec" if n % 3 else "nca",
        "supplement_of": "", "snapshot": f"{n:064x}", "reference": str(1000 + n), "aware_at": T0.isoformat(),
        "filed_at": at.isoformat(),
    }  # fmt: skip
    state = {"kind": "duty-filed", "duty": f"d{n}", "value": {"id": f"d{n}", "state": "filed"}}
    return [declared, {**told, **more}, state]


def made(folder, reports=40, extra=()):
    """Two ledgers and their export; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, name in ((KEY, "duties"), (LOOKS, "vault")):
        (folder / f"{name}.pub").write_text(f"{key.verifier}\n")
    with LedgerFile(folder / "duties.ledger", KEY) as ledger:
        for n in range(1, reports + 1):
            ledger.append_all(filed(n))
        ledger.append_all(extra)
        for _ in range(9):
            ledger.append_all([{"kind": "detection", "words": "孙 \u2028 é"}] * 50)
    with LedgerFile(folder / "vault.ledger", LOOKS) as ledger:
        ledger.append_all({"kind": "exhibit-sealed", "exhibit": f"{n:064x}"} for n in range(9))
        facts = {"exhibit": f"{1:064x}", "why": "a year is over"}
        note = sign_statement("destruction", facts, LOOKS)
        ledger.append({"kind": "exhibit-destroyed", **facts, "note": note})
    out = folder / "out"
    ledgers = {"duties": folder / "duties.ledger", "vault": folder / "vault.ledger"}
    keys = {"duties": str(KEY.verifier), "vault": str(LOOKS.verifier)}
    export(out, ledgers, keys, KEY, T0, figures)
    return out


def certified(folder, change=lambda fields: fields, entry=True):
    """A deployment whose vault destroyed an exhibit, with the certificates of duties; returns its export."""
    data = b"benign"
    one = Exhibit(hashlib.sha256(data).hexdigest(), "c1", "s1", 0.0, 1.0, "image/png", len(data), T0, T0)
    folder.mkdir(parents=True, exist_ok=True)
    with LedgerFile(folder / "vault.ledger", LOOKS) as seen:
        vault = FileVault(folder / "vault", seen)
        vault.seal(data, one)
        record = vault.destroy(one, by="retention", reason="its time is over", now=T0)
    report = {"duty": "d1", "case": "c1", "reference": "1001"}
    papers = {
        "destruction": change({**report, "destroyed": [{"exhibit": one.id, "record": record}]}),
        "retention": {**report, "kept": [{"exhibit": one.id, "until": T0.isoformat()}], "holds": []},
    }
    (folder / "certificates").mkdir()
    with LedgerFile(folder / "duties.ledger", KEY) as ledger:
        for kind, fields in papers.items():
            note = sign_note(f"lightship/{kind}-certificate/v1\n{canonical(fields).decode()}\n", KEY)
            (folder / "certificates" / f"d1.{kind}.txt").write_text(note)
            if entry or kind == "retention":
                ledger.append({"kind": f"{kind}-certified", "duty": "d1", "digest": digest(note)})
    for key, name in ((KEY, "duties"), (LOOKS, "vault")):
        (folder / f"{name}.pub").write_text(f"{key.verifier}\n")
    ledgers = {"duties": folder / "duties.ledger", "vault": folder / "vault.ledger"}
    keys = {"duties": str(KEY.verifier), "vault": str(LOOKS.verifier)}
    export(folder / "out", ledgers, keys, KEY, T0, figures, folder / "certificates")
    return folder / "out"


def test_certificates_are_checked_against_the_ledger_and_the_vaults_own_log(tmp_path, capsys):
    assert run(certified(tmp_path / "a")) == 0
    assert "2 certificates signed" in capsys.readouterr().out

    def another(fields):
        return {**fields, "destroyed": [{**fields["destroyed"][0], "record": "sha256:0"}]}

    assert run(certified(tmp_path / "b", another)) == 1
    assert (
        "certificates.jsonl, line 1, field destroyed[0].record: the vault's log has no such"
        in capsys.readouterr().out
    )
    assert run(certified(tmp_path / "c", entry=False)) == 1
    assert (
        "certificates.jsonl, line 1, field note: no entry of a ledger certifies it" in capsys.readouterr().out
    )
    out = certified(tmp_path / "d")
    lines = (out / "certificates.jsonl").read_bytes().splitlines(keepends=True)
    (out / "certificates.jsonl").write_bytes(lines[0])
    resign(out, "certificates.jsonl")
    assert run(out) == 1
    assert "line 2, field note: 1 certificates of the ledger are missing" in capsys.readouterr().out


def keys_of(out):
    return [part for name in ("duties", "vault") for part in ("--key", str(out.parent / f"{name}.pub"))]


def run(out, *more):
    return verify_export.main([str(out), *keys_of(out), *more])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return made(tmp_path_factory.mktemp("export"))


@pytest.fixture
def copy(whole, tmp_path):
    shutil.copytree(whole.parent, tmp_path / "x")
    return tmp_path / "x" / "out"


def test_an_export_verifies_by_a_program_that_does_not_know_us(whole):
    code = (
        "import runpy, sys; sys.argv = ['verify_export.py', *sys.argv[1:]]\n"
        f"try:\n runpy.run_path({str(TOOL)!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        " assert not [one for one in sys.modules if one.startswith('lightship')]\n sys.exit(end.code)"
    )
    command = [sys.executable, "-I", "-c", code, str(whole), *keys_of(whole)]
    told = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", timeout=60)
    assert told.returncode == 0, told
    assert told.stdout.startswith("Verified: 580 entries in 2 logs")
    assert "40 reports and 0 supplements filed" in told.stdout


def test_it_uses_the_standard_library_and_cryptography_alone():
    lines = [
        one.split()[1].split(".")[0]
        for one in TOOL.read_text().splitlines()
        if one.startswith(("import ", "from "))
    ]
    assert {one for one in lines if one not in sys.stdlib_module_names} == {"cryptography"}


def test_the_figures_are_defined_and_counted_twice_independently(whole):
    table = json.loads((whole / "figures.json").read_text())
    assert set(table) == set(DEFINITIONS)
    assert table["reports_filed"] == {"nca": 13, "ncmec": 27}
    assert table["aware_to_filed_s"] == {"number": 40, "p50": 1200, "p95": 2280, "most": 2400}
    assert table["exhibits"] == {"sealed": 9, "destroyed": 1}
    assert table["duties"] == {"filed": 40}
    assert (table["filed_twice"], table["filed_undeclared"]) == (0, 0)


FILES = ("manifest.note", "duties.entries.jsonl", "duties.checkpoints.jsonl", "vault.entries.jsonl",
         "vault.checkpoints.jsonl", "figures.json")  # fmt: skip


def flip(out, file, at, bit):
    data = bytearray((out / file).read_bytes())
    at %= len(data)
    data[at] ^= 1 << bit
    (out / file).write_bytes(data)
    return at


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(file=st.sampled_from(FILES), at=st.integers(0, 2**20), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_is_found_and_its_file_named(whole, tmp_path_factory, capsys, file, at, bit):
    out = tmp_path_factory.mktemp("t") / "out"
    shutil.copytree(whole, out)
    for one in whole.parent.glob("*.pub"):
        shutil.copy(one, out.parent)
    flip(out, file, at, bit)
    assert run(out) == 1
    assert file in capsys.readouterr().out


@pytest.mark.parametrize("file", ["duties.entries.jsonl", "vault.entries.jsonl"])
def test_a_changed_entry_is_named_by_its_line(copy, capsys, file):
    data = (copy / file).read_bytes()
    line = random.Random(1).randrange(data.count(b"\n"))
    at = sum(len(one) for one in data.splitlines(keepends=True)[:line]) + 30
    flip(copy, file, at, 1)
    assert run(copy) == 1
    assert f"{file}, line {line + 1}, field entry" in capsys.readouterr().out


def resign(out, *files):
    """Do what the holder of the manifest's key could: sign the changed files anew."""
    note = (out / "manifest.note").read_text()
    facts = json.loads(note.split("\n")[1])
    for file in files:
        facts["files"][file] = verify_export.sha256((out / file).read_bytes()).hexdigest()
    (out / "manifest.note").write_text(sign_statement("export", facts, KEY))


def test_a_changed_entry_with_a_fitting_hash_and_manifest_does_not_fit_its_checkpoint(copy, capsys):
    file = copy / "duties.entries.jsonl"
    lines = file.read_bytes().split(b"\n")
    entry = lines[300][17:].replace(b"detection", b"detectiom")
    lines[300] = verify_export.sha256(b"\0" + entry).hexdigest()[:16].encode() + b" " + entry
    file.write_bytes(b"\n".join(lines))
    resign(copy, file.name)
    assert run(copy) == 1
    first, last = re.search(r"lines (\d+) to (\d+) do not match", capsys.readouterr().out).groups()
    assert int(first) <= 301 <= int(last) < int(first) + 512


def test_changed_figures_are_named_though_the_manifest_was_signed_anew(copy, capsys):
    file = copy / "figures.json"
    file.write_text(file.read_text().replace('"ncmec":27', '"ncmec":28'))
    resign(copy, file.name)
    assert run(copy) == 1
    assert 'figures.json, line 1, field reports_filed: the entries add up to {"nca": 13, "ncmec": 27}' in (
        capsys.readouterr().out
    )


def test_a_missing_entry_an_odd_file_and_a_cut_log_are_named(copy, capsys):
    file = copy / "duties.entries.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    resign(copy, file.name)
    assert run(copy) == 1
    assert "field entry: 1 entries are missing" in capsys.readouterr().out
    (copy / "more.txt").write_text("x")
    assert run(copy) == 1
    assert "more.txt is not part of the export" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({**filed(77)[0], "declared_by": "bob"}, "declared_by"),
        ({**filed(77)[0], "note": filed(77)[0]["note"].replace("ada", "bob")}, "note"),
        (filed(77)[1], "snapshot"),
    ],
)
def test_a_statement_that_was_not_signed_and_a_report_nobody_declared_are_named(
    tmp_path, capsys, entry, field
):
    assert run(made(tmp_path, 2, [entry])) == 1
    assert f"duties.entries.jsonl, line 7, field {field}" in capsys.readouterr().out


def test_a_checkpoint_kept_elsewhere_shows_a_log_that_was_put_back(whole, tmp_path, capsys):
    with LedgerFile(whole.parent / "duties.ledger", KEY) as ledger:
        good = ledger.checkpoint()
    (tmp_path / "good").write_text(good)
    assert run(whole, "--witness", str(tmp_path / "good")) == 0
    with LedgerFile(tmp_path / "later", KEY) as ledger:
        ledger.append_all({"kind": "x"} for _ in range(900))
        (tmp_path / "bad").write_text(ledger.checkpoint())
    assert run(whole, "--witness", str(tmp_path / "bad")) == 1
    assert "cut or rewritten" in capsys.readouterr().out
    stranger = SigningKey.from_seed("example.org/other", bytes(32))
    with LedgerFile(tmp_path / "other", stranger) as ledger:
        (tmp_path / "odd").write_text(ledger.checkpoint())
    assert run(whole, "--witness", str(tmp_path / "odd")) == 1
    assert "of no log here" in capsys.readouterr().out


def test_the_wrong_key_and_what_cannot_be_read_are_said(whole, tmp_path, capsys):
    stranger = SigningKey.from_seed("example.org/duties", bytes([7]) * 32)
    (tmp_path / "k.pub").write_text(str(stranger.verifier))
    assert verify_export.main([str(whole), "--key", str(tmp_path / "k.pub")]) == 1
    assert "none of the given keys" in capsys.readouterr().out
    only = [str(whole), "--key", str(whole.parent / "duties.pub")]
    assert verify_export.main(only) == 1
    assert "the log 'vault'" in capsys.readouterr().out
    assert verify_export.main([str(tmp_path / "none"), "--key", str(tmp_path / "k.pub")]) == 2
    (tmp_path / "k.pub").write_text("a+b+c")
    assert verify_export.main([str(whole), "--key", str(tmp_path / "k.pub")]) == 2


def test_an_export_is_never_written_over_another(whole):
    with pytest.raises(InputError, match="not empty"):
        export(whole, {}, {}, KEY, T0, figures)
