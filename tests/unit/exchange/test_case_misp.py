"""CASE/UCO passes its own validator without a warning, and fails it when a word is misspelt; MISP there and back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sharing import CANARY, NOW, OWN, PARTNER, fill
from tests.tables import tables

from lightship.casework.disseminate import preview
from lightship.core.errors import InputError
from lightship.exchange.case_uco import case_json
from lightship.exchange.misp_event import misp_event, stix_of
from lightship.exchange.stix_bundle import bundle, bundle_json
from lightship.infra.store import SqlStore


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    with SqlStore(tables(tmp_path_factory.mktemp("s") / "s")) as store, store.begin() as work:
        return preview(work, fill(work).id, PARTNER, OWN)[0]


def valid(folder: Path, data: bytes) -> bool:
    """Return whether case_validate takes it; a warning, which it prints beside "Conforms: True", is a failure."""
    file = folder / "graph.jsonld"
    file.write_bytes(data)
    command = [
        str(Path(sys.executable).with_name("case_validate")),
        "--built-version",
        "case-1.4.0",
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    return done.returncode == 0 and "Warning" not in done.stderr and "Conforms: True" in done.stdout


def test_a_graph_is_valid_and_a_misspelt_word_is_not(released, tmp_path):
    data, lost = case_json(released, "A force", NOW)
    assert lost == ()
    assert CANARY.encode() not in data
    for kept in (
        "viewer@example.org",
        "viewer_2",
        "+447700900123",
        "wallet-one",
        ("ab" * 32).upper(),
        "2001:db8::1",
    ):
        assert kept.encode() in data, kept
    assert valid(tmp_path, data)
    assert not valid(
        tmp_path, data.replace(b"uco-observable:EmailAddressFacet", b"uco-observable:EmailAdressFacet")
    )


def test_misp_there_and_back(released):
    sent = bundle_json(bundle(released, "A force", NOW)[0])
    event, lost = misp_event(sent)
    text = event.decode()
    assert CANARY not in text
    print(*lost, sep="\n")
    assert "viewer@example.org" in text
    back = json.loads(stix_of(event))
    assert back["type"] == "bundle"
    assert "viewer@example.org" in json.dumps(back)
    missing = {one.what for one in lost}
    for value, name in (("+447700900123", "phone"), ("wallet-one", "wallet"), ("ab" * 32, "hashes")):
        assert value in text or name in missing, f"{value} is either there or said to be lost"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"type": "bundle"}'])
def test_what_is_no_bundle_or_event_is_refused(data):
    with pytest.raises(InputError, match="refuses"):
        misp_event(data)
    with pytest.raises(InputError, match="refuses"):
        stix_of(data)
