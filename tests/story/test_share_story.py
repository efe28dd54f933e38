"""A force sends an inquiry to a partner abroad, who opens it without a network and sees only what is theirs."""

import json

import pytest
from typer.testing import CliRunner

from lightship.casework.disseminate import gather
from lightship.cli import app
from lightship.core.casework import Dissemination, Identifier, Referral, Use
from lightship.core.errors import AccessDenied, InputError, PackChanged
from lightship.infra.store import SqlStore
from tests.sharing import CANARY, OWN, fill
from tests.tables import tables

run = CliRunner()


def _ran(*words):
    result = run.invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def place(tmp_path):
    url = tables(tmp_path / "platform.db")
    with SqlStore(url) as store:
        with store.begin() as work:
            inquiry = fill(work)
        yield tmp_path, store, inquiry


def _partners(folder, age):
    file = folder / "partners.toml"
    grade = '{gsc = "OFFICIAL", tlp = "amber", pap = "amber"}'
    file.write_text(
        f'[[partners]]\nname = "pnp"\ntitle = "A partner abroad"\nlanguage = "fil"\nage = "{age}"\ngrade = {grade}\n'
    )
    return file


def test_a_pack_goes_to_a_partner_who_has_no_network(place):
    folder, store, inquiry = place
    age = _ran("share", "identity", folder / "mine.key").strip()
    _ran("share", "signing-key", folder / "house.key", "--name", "force.example/sharing")
    asked = [
        "--to",
        "pnp",
        "--partners",
        _partners(folder, age),
        "--house",
        "lightship force",
        "--folder",
        folder,
    ]
    seen = _ran("share", "preview", inquiry.id, *asked)
    assert "viewer@example.org" in seen
    assert "Stays: t2 text: gsc SECRET is above their OFFICIAL" in seen
    out = folder / "out.pack"
    said = _ran(
        "share", "send", inquiry.id, *asked, "--way", "pack", "--out", out, "--key", folder / "house.key"
    )
    assert "Stays: i8 value: gsc SECRET" in said
    assert out.stat().st_size <= 1_000_000
    opening = [
        "--identity",
        folder / "mine.key",
        "--sender",
        folder / "house.pub",
        "--out",
        folder / "opened",
    ]
    assert "From force.example/sharing, for pnp" in _ran("share", "open", out, *opening)
    texts = [file.read_text("utf-8") for file in (folder / "opened").iterdir()]
    assert len(texts) == 2
    for text in texts:
        assert CANARY not in text
        assert "above their" not in text, "what stays is not told"
        assert "viewer@example.org" in text
    page = (folder / "opened" / "read.html").read_text("utf-8")
    assert 'lang="fil"' in page
    assert "&lt;b&gt;asked&lt;/b&gt; &amp; paid." in page
    with store.look() as work:
        (kept,) = work.find(Dissemination, {"inquiry_id": inquiry.id})
        assert json.loads(kept.content) == json.loads((folder / "opened" / "bundle.json").read_text("utf-8"))
        (use,) = work.find(Use, {"about": inquiry.id, "verb": "disclosure"})
        assert use.recipient == "pnp"
        assert len(work.find(Use, {"about": inquiry.id, "verb": "consultation"})) == 1, "the preview"
    data = out.read_bytes()
    for changed, error in ((data[:-9], InputError), (data[:-9] + b"x" + data[-8:], PackChanged)):
        out.write_bytes(changed)
        with pytest.raises(error):
            _ran("share", "open", out, *opening)


@pytest.mark.parametrize("way", ["misp", "case"])
def test_the_same_goes_as_misp_and_case(place, way):
    folder, _, inquiry = place
    asked = ["--to", "pnp", "--partners", _partners(folder, ""), "--house", "f", "--folder", folder]
    _ran("cases", "disseminate", inquiry.id, *asked, "--way", way, "--out", folder / "out.json")
    text = (folder / "out.json").read_text("utf-8")
    assert "viewer@example.org" in text
    assert CANARY not in text


def test_nothing_goes_out_where_a_referral_was_never_marked(place):
    folder, store, inquiry = place
    with store.begin() as work:
        work.change(Referral, "r1", {}, marking="")
    asked = ["--to", "pnp", "--partners", _partners(folder, ""), "--house", "f", "--folder", folder]
    with pytest.raises(InputError, match="Nothing of the inquiry"):
        _ran("share", "send", inquiry.id, *asked, "--way", "taxii")
    with store.look() as work:
        assert work.find(Dissemination) == []
    _ran("share", "mark", "r1", "--originator", "platform", "--tlp", "green", "--folder", folder)
    _ran("share", "send", inquiry.id, *asked, "--way", "taxii")
    with pytest.raises(AccessDenied, match="Only its originator"):
        _ran("share", "mark", "r1", "--originator", "platform", "--tlp", "clear", "--folder", folder)
    lowering = ["--originator", "platform", "--tlp", "clear", "--allowed", "platform"]
    _ran("share", "mark", "r1", *lowering, "--folder", folder)


def test_an_inquiry_with_thousands_of_people_is_gathered_whole(place):
    _, store, inquiry = place
    with store.begin() as work:
        more = {"kind": "handle", "role": "unknown"}
        work.save(*(Identifier(f"x{n}", "r1", value=f"u{n}", person=f"r1/p{n}", **more) for n in range(1500)))
        fields = gather(work, inquiry.id, OWN)
    assert sum(one.name == "value" for one in fields) == 1509
