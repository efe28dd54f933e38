from __future__ import annotations

import unicodedata
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightship.casework.normal import _KINDS, key, normalise, platform_name
from lightship.core.casework import IdentifierKind
from lightship.core.errors import InputError

SCRIPTS = st.text(min_size=1, max_size=40)
EMAILS = st.builds(
    "{}@{}.{}".format, st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=8), st.just("org")
)
DIGITS = st.text(st.characters(categories=["Nd"]), min_size=9, max_size=13)


def test_every_kind_of_identifier_has_its_form() -> None:
    assert set(_KINDS) == set(get_args(IdentifierKind))


@given(st.sampled_from(sorted(_KINDS)), st.one_of(SCRIPTS, EMAILS, DIGITS.map("+".__add__)))
@example("handle", "a\u00a8b")  # a space before a combining mark: taking it away joins the two
@example("email", "ﬁrst\u00adlast@EXÄMPLE.org")
@example("name", "\u1e9e \u0130")
def test_normalising_twice_is_normalising_once_in_every_script(kind: IdentifierKind, value: str) -> None:
    try:
        once = normalise(kind, value)
    except InputError:
        return
    assert once
    assert normalise(kind, once) == once


@given(SCRIPTS)
def test_forms_that_look_alike_are_one_handle(value: str) -> None:
    try:
        once = normalise("handle", value)
    except InputError:
        return
    for other in (unicodedata.normalize("NFD", value), f" @{value}", "\u200b" + value + "\u2060"):
        assert normalise("handle", other) == once


@pytest.mark.parametrize(
    ("kind", "same"),
    [
        ("email", ["Some.One@gmail.com", "someone+x@GMAIL.com", "mailto:some.one@googlemail.com", "someone@gmail.com."]),
        ("email", ["jo@bücher.example", "JO@xn--bcher-kva.example", "jo@BÜCHER.example"]),
        ("phone", ["+44 20 7946 0000", "0044 (0)20 7946 0000", "tel:+44-20-7946-0000", "+٤٤٢٠٧٩٤٦٠٠٠٠"]),
        ("handle", ["@Some_One", "ＳＯＭＥ_ＯＮＥ", "some_\u200bone"]),
        ("handle", ["Διόσ", "ΔΙΌΣ", "διός"]),
        ("account", ["GB82 WEST 1234 5698 7654 32", "gb82west12345698765432", "IBAN GB82-WEST-1234-5698-7654-32"]),
        ("account", ["12-34-56 12345678", "12345612345678"]),
        ("wallet", ["0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B", "ethereum:0xab5801a7d398351b8be11c439e05c5b3259aec9b"]),
        ("wallet", ["BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ", "bitcoin:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq?x=1"]),
        ("device", ["49-015420-323751-8", "490154203237518", "49015420323751"]),
        ("device", ["AA:BB:CC:DD:EE:FF", "aabb.ccdd.eeff"]),
        ("ip", ["2001:DB8::0:1", "2001:db8::1"]),
        ("ip", ["::ffff:192.0.2.1", "192.0.2.1"]),
        ("event", ["2026-11-24 SW1A 1AA", "2026-11-24 sw1a1aa", "٢٠٢٦-١١-٢٤ SW1A-1AA"]),
    ],
)  # fmt: skip
def test_spellings_of_one_identifier_are_one(kind: IdentifierKind, same: list[str]) -> None:
    assert len({normalise(kind, one) for one in same}) == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "no address"),
        ("email", "@example.org"),
        ("phone", "020 7946 0000"),
        ("phone", "+0 123"),
        ("account", "GB83 WEST 1234 5698 7654 32"),
        ("wallet", "???"),
        ("ip", "300.1.1.1"),
        ("hash", "xyz"),
        ("event", "yesterday London"),
        ("handle", "\u200b"),
        ("handle", "x" * 513),
        ("handle", "@"),
        ("fax", "1"),
    ],
)
def test_what_cannot_be_read_is_refused(kind: IdentifierKind, value: str) -> None:
    with pytest.raises(InputError):
        normalise(kind, value)


def test_case_is_kept_where_it_matters() -> None:
    assert normalise("wallet", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT") == "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
    assert normalise("payment-token", " tok_AbC ") == "tok_AbC"


def test_national_numbers_need_their_country() -> None:
    assert normalise("phone", "020 7946 0000", calling_code="44") == "+442079460000"


def test_a_handle_is_one_on_its_platform_only() -> None:
    assert key("handle", "x", "Chat-App") == key("handle", "x", "chat app") == "handle|chatapp|x"
    assert key("handle", "x", "other") != key("handle", "x", "chat")
    assert key("email", "a@b.c", "ignored") == "email||a@b.c"
    with pytest.raises(InputError):
        key("handle", "x")
    assert platform_name("") == ""


def test_a_refusal_does_not_repeat_the_value() -> None:
    for kind in sorted(_KINDS):
        with pytest.raises(InputError) as refused:
            normalise(
                kind,
                "\u200b" if kind in {"handle", "name", "payment-token", "device", "account"} else "Zyzzyx?",
            )
        assert "Zyzzyx" not in str(refused.value)
