"""A partner opens what was sealed to them; the wrong key, a cut, a change and a false sender are each named."""

import hashlib
import io
import re
import zipfile
from dataclasses import replace

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.casework import Marking
from lightship.core.errors import InputError, LightshipError, PackChanged, PackUnsigned, PolicyError
from lightship.core.notes import SigningKey
from lightship.core.release import Partner, Released, Thing
from lightship.exchange import labels as catalogues
from lightship.exchange.offline_pack import MOST_BYTES, seal, unseal
from lightship.exchange.offline_page import page

KEY = SigningKey.from_seed("force.example/sharing", bytes(32))
MINE, OTHER = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
FILES = {"bundle.json": b"{}", "read.html": b"<p>x"}
NASTY = "<script>alert(1)</script>\u202e\" onload='x"


def _sealed(files=FILES, key=KEY, to=MINE):
    return seal(files, recipient="pnp", age=str(to.to_public()), made_at="2026-11-28T12:00:00Z", key=key)


def _headed(sealed):
    return (
        b"lightship.shared-pack/1 %d %s\n" % (len(sealed), hashlib.sha256(sealed).hexdigest().encode())
        + sealed
    )


def test_what_was_sealed_is_opened():
    opened = unseal(_sealed(), str(MINE), KEY.verifier)
    assert (opened.sender, opened.recipient, opened.files) == (KEY.name, "pnp", FILES)


def test_each_trouble_is_named():
    data = _sealed()
    with pytest.raises(InputError, match="another key"):
        unseal(data, str(OTHER), KEY.verifier)
    with pytest.raises(InputError, match="cut short"):
        unseal(data[:-7], str(MINE), KEY.verifier)
    with pytest.raises(PackChanged, match="changed on its way"):
        unseal(data[:-7] + bytes([data[-7] ^ 1]) + data[-6:], str(MINE), KEY.verifier)
    sealed = data.partition(b"\n")[2]
    with pytest.raises(PackChanged, match="changed on its way"):
        unseal(_headed(sealed[:-7] + bytes([sealed[-7] ^ 1]) + sealed[-6:]), str(MINE), KEY.verifier)
    with pytest.raises(InputError, match="no shared pack"):
        unseal(b"hello", str(MINE), KEY.verifier)
    with pytest.raises(InputError, match="no age private key"):
        unseal(data, "hello", KEY.verifier)
    with pytest.raises(PackUnsigned, match="did not sign"):
        unseal(_sealed(key=SigningKey.from_seed(KEY.name, bytes([1] * 32))), str(MINE), KEY.verifier)
    with pytest.raises(InputError, match="no age public key"):
        seal(FILES, recipient="p", age="age1", made_at="", key=KEY)


def _inside(data, identity=MINE):
    return pyrage.decrypt(data.partition(b"\n")[2], [identity])


def test_a_pack_passed_on_or_refilled_is_refused():
    inside = _inside(_sealed())
    passed = _headed(pyrage.encrypt(inside, [OTHER.to_public()]))
    with pytest.raises(PackUnsigned, match="somebody else"):
        unseal(passed, str(OTHER), KEY.verifier)
    other = io.BytesIO(inside)
    with zipfile.ZipFile(other, "a") as archive:
        archive.writestr("more.html", b"x")
    with pytest.raises(PackChanged, match="not those that were signed"):
        unseal(_headed(pyrage.encrypt(other.getvalue(), [MINE.to_public()])), str(MINE), KEY.verifier)
    with zipfile.ZipFile(other, "a") as archive:
        archive.writestr("../out.html", b"x")
    with pytest.raises(PackChanged, match="names no pack has"):
        unseal(_headed(pyrage.encrypt(other.getvalue(), [MINE.to_public()])), str(MINE), KEY.verifier)


WHOLE = _sealed()


@settings(max_examples=60)
@given(st.data())
def test_no_changed_pack_opens_or_crashes(data):
    whole = WHOLE
    at = data.draw(st.integers(0, 2000).map(lambda n: n % len(whole)))
    changed = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + data.draw(st.integers(0, 3)) :]
    if changed != whole:
        with pytest.raises(LightshipError):
            unseal(changed, str(MINE), KEY.verifier)


def test_a_pack_is_at_most_a_megabyte():
    import secrets

    with pytest.raises(InputError, match="more than 1000000"):
        _sealed({"a.bin": secrets.token_bytes(MOST_BYTES)})


PARTNER = Partner("pnp", "A partner", Marking())


def _released():
    values = dict.fromkeys(
        ("title", "reasons", "kind", "value", "platform", "narrative", "text", "rival"), NASTY
    )
    kinds = ("inquiry", "referral", "identifier", "link", "report")
    return Released(PARTNER, tuple(Thing(kind, kind, values, Marking(conditions=NASTY)) for kind in kinds))


@pytest.mark.parametrize("code", [*catalogues.languages(), catalogues.PSEUDO])
def test_the_page_runs_nothing_fetches_nothing_and_is_in_its_language(code):
    words = catalogues.labels(code)
    text = page(_released(), NASTY, NASTY, words).decode()
    tags = set(re.findall(r"<([a-z0-9]+)", text))
    assert not tags & {"script", "img", "link", "iframe", "object", "a", "form", "svg"}
    assert "default-src &#x27;none&#x27;" in text
    assert not re.search(r"<[^>]*\son[a-z]+=", text)
    assert f'lang="{code}" dir="{words.direction}"' in text
    assert text.count("<details>") == 2
    assert "<details open" not in text
    assert not re.search(r"(left|right)\s*:|text-align:\s*(left|right)", text), (
        "right to left needs no other style"
    )
    for key in ("title", "sender", "referrals", "identifiers", "links", "reports", "show"):
        assert words[key] in text


def test_every_label_goes_through_the_catalogue():
    empty = Released(PARTNER, (Thing("i", "inquiry", {"title": "T"}, Marking()),))
    text = page(empty, "S", "D", catalogues.labels(catalogues.PSEUDO)).decode()
    body = re.sub(r"<bdi>.*?</bdi>", "", text.partition("<body>")[2], flags=re.DOTALL)
    rest = [one for one in re.findall(r">([^<]+)<", body) if one.strip() and not one.startswith("[")]
    assert rest == []


def test_what_is_not_translated_is_english(tmp_path):
    thai, english = catalogues.labels("th"), catalogues.labels("en")
    assert thai.words.keys() == english.words.keys()
    assert all(thai[key] == english[key] for key in thai.english)
    assert thai["date"] == "วันที่"
    assert set(catalogues.languages()) == {"en", "fil", "fr", "es", "ro", "th"}
    for text, why in (
        ('direction = "up"\n[labels]\n', "direction"),
        ('direction = "ltr"\n[labels]\nnew = "x"', "no English"),
        ('direction = "ltr"', "cannot be read"),
    ):
        file = tmp_path / "x.toml"
        file.write_text(text)
        with pytest.raises(PolicyError, match=why):
            catalogues.labels(str(file))


def test_the_recipient_is_named_on_the_page():
    text = page(
        replace(_released(), recipient=replace(PARTNER, title="Unit abroad")),
        "S",
        "D",
        catalogues.labels("fr"),
    )
    assert "Unit abroad" in text.decode()
