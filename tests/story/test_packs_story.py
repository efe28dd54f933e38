"""Who controls the controllers: signers, a parent, an auditor, and an attacker who has one signing key and tries everything."""

import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import httpx
import numpy as np
import pytest
from skimage import data

from lightship import packs
from lightship.cli import main
from lightship.detect.pdq import pdq, to_hex
from lightship.guard.diary import explain
from lightship.infra.ledger_file import read_entries
from tests.packing import edited, forge
from tests.story.scenes import write_video

SIGNERS = ("alice", "bob", "carol")


def running(monkeypatch):
    """Return how to run the program in this process; it returns its exit code and what it said."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lightship", *map(str, words)])
        code, said = 0, io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return code, said.getvalue()

    def must(*words):
        code, said = run(*words)
        assert code == 0, said
        return said

    run.must = must
    return run


@pytest.fixture
def lightship(settled, tmp_path, monkeypatch):
    """The program, in a copy of the settled world."""
    shutil.copytree(settled[0], tmp_path / "world")
    monkeypatch.chdir(tmp_path / "world")
    monkeypatch.setenv("LIGHTSHIP_STATE", "state")
    return running(monkeypatch)


def sources(files):
    """Lay a pack's sources out."""
    shutil.rmtree("sources", ignore_errors=True)
    for path, text in files.items():
        target = Path("sources") / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def vouched_list(lightship, name, file, *signers):
    """Import a list, have it signed, and return its manifest as its owner hands it out."""
    keys = [Path(f"{signer}.pub").read_text().strip() for signer in ("hotline", "police")]
    if not Path(f"{name}.toml").exists():
        Path(f"{name}.toml").write_text(
            f'name = "{name}"\nowner = "a hotline"\nsigners = {json.dumps(keys)}\n'
        )
        lightship("lists", "add", name, file, "--terms", f"{name}.toml")
    else:
        lightship("lists", "refresh", name, file)
    for signer in signers:
        lightship.must("lists", "sign", name, "--key", f"{signer}.key")
    return lightship.must("lists", "show", name, "--manifest")


def publish(lightship, *signers, seen=True):
    for signer in signers:
        lightship.must("packs", "sign", "repo", "--key", f"{signer}.key")
    lightship.must("packs", "sign", "repo", "--key", "online.key")
    lightship.must("log", "append", "repo/log", "--key", "log.key", "--packs", "repo")
    if seen:
        lightship.must(
            "log", "witness", "repo/log", "--log", "log.pub", "--key", "witness.key", "--state", "seen"
        )
    fetch("repo")


def fetch(repo, into="mirror"):
    """What a sync, a stick or a post brings to a device: public files only."""
    shutil.rmtree(into, ignore_errors=True)
    for part in ("metadata", "targets", "log"):
        shutil.copytree(Path(repo) / part, Path(into) / part)


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """Three signers, a list with its own two, a log, a witness; one pack published; a parent who agreed to it."""
    folder = tmp_path_factory.mktemp("settled")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("LIGHTSHIP_STATE", "state")
        return folder, settle(running(patched))


def settle(lightship):
    rng = np.random.default_rng(1)
    hashes = [to_hex(one) for one in rng.integers(0, 2**64, (50, 4), dtype=np.uint64)]
    head = "# as-of: 2026-11-01\n"
    lines = [f"{hash_},100,entry-{number}" for number, hash_ in enumerate(hashes)]
    Path("hotline.csv").write_text(head + "\n".join(lines) + "\n")
    lawful = to_hex(pdq(data.camera())[0])  # a photograph that somebody wants to catch
    Path("bent.csv").write_text(head + "\n".join([*lines, f"{lawful},100,entry-50"]) + "\n")
    for name in (*SIGNERS, "online", "log", "hotline", "police"):
        lightship.must("packs", "key", f"{name}.key", "--name", f"{name}.example.org")
    lightship.must("packs", "key", "witness.key", "--name", "witness.example.org", "--witness")
    manifest = vouched_list(lightship, "hotline", "hotline.csv", "hotline", "police")
    root = packs.root()
    files = {name: (root / name).read_text() for name in ("policies/test.toml", "jurisdictions/gb.toml")}
    files["cards/model.toml"] = f'title = "A model"\nsha256 = "{"a" * 64}"\nlicence = "MIT"\n'
    files["lists/hotline.manifest"] = manifest
    files["lists/hotline.keys"] = "".join(Path(f"{one}.pub").read_text() for one in ("hotline", "police"))
    sources(files)
    keys = [word for name in SIGNERS for word in ("--signer", f"{name}.pub")]
    lightship.must(
        "packs",
        "init",
        "repo",
        *keys,
        "--online",
        "online.pub",
        "--log",
        "log.pub",
        "--witness",
        "witness.pub",
    )
    lightship.must("packs", "build", "repo", "sources", "--title", "For tests")
    publish(lightship, "alice", "bob")
    consent = lightship.must("packs", "consent", "test", "--by", "A parent", "--list", "hotline")
    Path("consent.toml").write_text(consent)
    lightship.must("packs", "trust", "repo/metadata/1.root.json", "--consent", "consent.toml")
    write_video("in.mp4", seconds=4.0, card_s=(1.0, 2.0))
    return files


@pytest.fixture
def files(settled):
    return settled[1]


def guard(lightship, *more, mirror="mirror"):
    return lightship(
        "guard", "in.mp4", "out.mp4", "--policy", "test", "--packs", mirror, "--log", "guard.ledger", *more
    )


def test_a_parent_sees_what_the_device_may_use_and_the_guard_goes_by_it(lightship, files):
    said = lightship.must("packs", "verify", "mirror")
    assert "Signed by alice.example.org, bob.example.org." in said
    assert "seen by witness.example.org" in said
    assert (
        "list hotline: +50 entries, version 1 of 2026-11-01, signers hotline.example.org, police.example.org"
        in said
    )
    assert "policy test: within it" in said
    code, said = guard(lightship, "--list", "hotline.csv")
    assert (code, "of them covered" in said) == (0, True), said
    entries = list(read_entries(Path("guard.ledger")))
    assert [entry["kind"] for entry in entries[:2]] == ["pack accepted", "started"]
    assert entries[0]["signed_by"] == ["alice.example.org", "bob.example.org"]
    assert entries[1]["detectors"].keys() >= {"test-card", "known-media"}
    assert "The pack “device” (version 1) holds: signed by alice.example.org" in explain(entries)


QUIET = """
import sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(("socket.", "ssl.", "http.", "urllib.")) else None)
from pathlib import Path
from lightship import app
app.protect("in.mp4", "null", "test", log=Path("guard.ledger"), signed=Path("mirror"))
assert "tuf.ngclient" in sys.modules
print(seen, "urllib3" in sys.modules)
"""


def test_a_guard_that_verifies_packs_opens_no_socket_from_the_first_import_on(lightship, files):
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[] False\n", 0), done.stderr
    code = "import lightship.guard, lightship.app, sys; print([m for m in sys.modules if m.startswith(('tuf', 'securesystemslib'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"  # python-tuf is loaded when packs are verified, not before


def test_an_attacker_with_one_key_tries_to_add_an_entry_that_catches_a_lawful_picture(lightship, files):
    # He is one of the list's two signers: his manifest has one signature, and no pack may hold it.
    bent = vouched_list(lightship, "hotline", "bent.csv", "hotline")
    sources({**files, "lists/hotline.manifest": bent})
    code, said = lightship("packs", "build", "repo", "sources")
    assert (code, "bears 1 of the 2 signatures" in said) == (13, True), said
    # He hands the list itself to the device, past the pack.
    code, said = guard(lightship, "--list", "bent.csv")
    assert (code, "none that the pack vouches for" in said) == (13, True), said
    assert list(read_entries(Path("guard.ledger")))[-1]["kind"] == "pack refused"
    # He is one of the pack's three signers, and writes the metadata by hand.
    bad = Path("mirror/metadata/1.targets.json")

    def point_elsewhere(found):
        found.signed.targets["device.json"].hashes["sha256"] = "0" * 64

    from lightship.infra.keys import load_key

    forge(bad, point_elsewhere, load_key("carol.key"))
    lightship.must("packs", "trust", "repo/metadata/1.root.json", "--state", "new-device")
    code, said = lightship("packs", "verify", "mirror", "--state", "new-device")
    assert (code, "not those that were signed" in said) == (13, True), said
    # With the help of both the list's signers it is a new version: everyone reads of it before it can act.
    fetch("repo")
    lightship.must("lists", "sign", "hotline", "--key", "police.key")
    whole = lightship.must("lists", "show", "hotline", "--manifest")
    sources({**files, "lists/hotline.manifest": whole})
    lightship.must("packs", "build", "repo", "sources")
    code, said = lightship("packs", "diff", "repo")
    assert (code, "list hotline: +1 entries, version 1 → 2" in said) == (0, True), said
    code, said = lightship("packs", "sign", "repo", "--key", "online.key")
    assert (code, "Too few" in said) == (13, True), said


def test_he_tries_to_swap_the_model(lightship, files):
    swapped = edited(files, "cards/model.toml", "a" * 64, "b" * 64)
    sources(swapped)
    lightship.must("packs", "build", "repo", "sources", "--title", "For tests")
    lightship.must("packs", "sign", "repo", "--key", "carol.key")
    for key in ("online.key", "carol.key"):
        lightship("packs", "sign", "repo", "--key", key)
    assert not Path("repo/metadata/2.targets.json").exists()
    # He puts it where a device looks, all the same.
    shutil.copy("repo/staged/targets.json", "mirror/metadata/1.targets.json")
    code, said = lightship("packs", "verify", "mirror", "--state", "fresh")
    assert code == 13, said
    # Two who agree can do it, and everyone sees it: in words, and in the log for good.
    said = lightship.must("packs", "diff", "repo")
    assert "model card model: ANOTHER MODEL: aaaaaaaaaaaa… → bbbbbbbbbbbb…" in said
    publish(lightship, "alice", "carol")
    said = lightship.must("packs", "verify", "mirror")
    assert "Signed by alice.example.org, carol.example.org." in said
    log = Path("repo/log/tile/entries")
    assert any(b'"version":2' in path.read_bytes() for path in log.rglob("*") if path.is_file())
    assert "Verified: 3 entries" in lightship.must("log", "verify", "repo/log", "--key", "log.pub")


def test_he_and_another_signer_and_the_log_try_to_serve_one_device_a_different_pack(lightship, files):
    lightship.must("packs", "verify", "mirror")
    shutil.copytree(
        "repo", "secret"
    )  # they hold two signing keys, the online key and the log's: all but the witness
    # Everyone gets one version ...
    sources(edited(files, "policies/test.toml", "1 per hour", "1 per 2 hours"))
    lightship.must("packs", "build", "repo", "sources")
    publish(lightship, "alice", "bob")
    lightship.must("packs", "verify", "mirror")
    # ... and one device another, in a log of its own.
    sources(edited(files, "policies/test.toml", "1 per hour", "1 per 3 hours"))
    lightship.must("packs", "build", "secret", "sources")
    for key in ("bob", "carol", "online"):
        lightship.must("packs", "sign", "secret", "--key", f"{key}.key")
    lightship.must("packs", "sign", "secret", "--key", "online.key")
    lightship.must("log", "append", "secret/log", "--key", "log.key", "--packs", "secret")
    fetch("secret", "for-one")
    code, said = guard(lightship, mirror="for-one")
    assert (code, "contradict each other" in said) == (14, True), said
    last = list(read_entries(Path("guard.ledger")))[-1]
    assert (last["kind"], last["error"]) == ("pack refused", "LogForked")
    Path("shown.checkpoint").write_text(last["checkpoint"])
    # The witness does not cosign it, so that a device that has seen nothing refuses it as well.
    witness = ("log", "witness", "secret/log", "--log", "log.pub", "--key", "witness.key", "--state", "seen")
    code, said = lightship(*witness)
    assert code == 14, said
    assert list(Path("seen").glob("*.forked-*"))
    lightship.must("packs", "trust", "repo/metadata/1.root.json", "--state", "new-device")
    code, said = lightship("packs", "verify", "for-one", "--state", "new-device")
    assert (code, "0 of the 1 witnesses" in said) == (13, True), said
    # And whoever compares what the device was shown with the log sees that the log's owner lied.
    code, said = lightship("log", "verify", "repo/log", "--key", "log.pub", "--seen", "shown.checkpoint")
    assert (code, "forked" in said) == (14, True), said


def test_no_signature_makes_a_device_do_more_than_its_owner_agreed_to(lightship, files):
    sources(edited(files, "policies/test.toml", "1 per hour", "9 per hour"))
    lightship.must("packs", "build", "repo", "sources")
    publish(lightship, "alice", "bob")
    code, said = guard(lightship)
    assert code == 13
    assert "goes beyond what A parent agreed to" in said
    assert "blur by mistake 9 per h, and 1 per h was agreed to" in said
    assert "A pack was refused" in explain(read_entries(Path("guard.ledger")))
    # A list that nobody agreed to, and no consent at all.
    consent = (
        Path("consent.toml")
        .read_text()
        .replace('["hotline"]', "[]")
        .replace('"1 per 1 hours"', '"9 per 1 hours"')
    )
    Path("consent.toml").write_text(consent)
    lightship.must("packs", "trust", "repo/metadata/1.root.json", "--consent", "consent.toml")
    code, said = guard(lightship, "--list", "hotline.csv")
    assert (code, "did not agree to the list hotline" in said) == (13, True), said
    Path("state/packs/consent.toml").unlink()
    code, said = guard(lightship)
    assert (code, "Nobody has agreed" in said) == (13, True), said


def test_bad_input_is_one_sentence_and_a_documented_code(lightship, files):
    for words in (
        ("packs", "verify", "nowhere"),
        ("packs", "trust", "nowhere"),
        ("packs", "diff", "consent.toml", "sources"),
        ("packs", "build", "repo", "seen"),
        ("packs", "sign", "repo", "--key", "alice.key"),
        ("packs", "consent", "nothing", "--by", "x"),
        ("packs", "consent", "test", "--by", " "),
        ("log", "verify", "nowhere", "--key", "log.pub"),
        ("log", "verify", "repo/log", "--key", "alice.pub"),
        ("log", "verify", "repo/log", "--key", "nowhere.pub"),
        ("log", "verify", "repo/log", "--key", "log.pub", "--seen", "nowhere"),
        ("log", "append", "repo/log", "--key", "alice.key", "consent.toml"),
        ("log", "append", "repo/log", "--key", "log.key"),
        ("log", "witness", "repo/log", "--log", "log.pub", "--key", "nowhere.key", "--state", "seen"),
        ("log", "serve", "seen"),
    ):
        code, said = lightship(*words)
        assert code in {2, 3, 7, 13}, (words, code, said)
        assert said.startswith("lightship: "), (words, said)
        assert "Traceback" not in said


@pytest.fixture
def served(lightship):
    """The folder of packs on a web server, as its owner starts it."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from lightship.cli import main; main()",
            "log",
            "serve",
            "repo",
            "--port",
            "0",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    yield line.split(" at ")[1].split(";")[0]
    process.terminate()
    process.wait(timeout=20)
    process.stderr.close()


def test_a_device_fetches_what_is_served_and_nothing_else_is_served(lightship, files, served):
    shutil.copy("alice.key", "repo/alice.key")
    Path("repo/staged").mkdir(exist_ok=True)
    Path("repo/staged/targets.json").write_text("{}")
    said = lightship.must("packs", "fetch", served, "fetched")
    # The checkpoint, timestamp, snapshot, targets, a pack, a root, a tile and its entries.
    assert said.startswith("8 files came.")
    assert "Signed by alice.example.org" in lightship.must("packs", "verify", "fetched")
    lightship.must("log", "verify", "fetched/log", "--key", "log.pub")
    assert lightship.must("packs", "fetch", served, "fetched").startswith("2 files came.")
    for path in (
        "alice.key",
        "staged/targets.json",
        "log/.lock",
        "../alice.key",
        "metadata/../alice.key",
        "",
    ):
        answer = httpx.get(f"{served}/{path}")
        assert answer.status_code == 404, path
    assert httpx.post(f"{served}/log/checkpoint").status_code == 405
    headers = httpx.get(f"{served}/log/checkpoint").headers
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert "immutable" in httpx.get(f"{served}/log/tile/0/000.p/2").headers["cache-control"]
    code, said = lightship("packs", "fetch", f"{served}/nowhere", "other")
    assert (code, "answers 404" in said) == (5, True), said
    code, said = lightship("packs", "fetch", "file:///etc", "other")
    assert (code, "over HTTP or HTTPS" in said) == (13, True), said


def test_a_person_sees_what_they_would_share_and_nothing_is_sent(lightship, files):
    guard(lightship)
    said = lightship.must("statistics", "guard.ledger", "--epsilon", "3")
    assert "are made up, and nobody can tell which" in said
    assert "The 3 answers of a day together: ε = 3. Nothing was sent." in said
    assert said == lightship.must("statistics", "guard.ledger", "--epsilon", "3")
    code, said = lightship("statistics", "guard.ledger", "--epsilon", "90")
    assert (code, "ε = 30 is outside" in said) == (2, True), said
