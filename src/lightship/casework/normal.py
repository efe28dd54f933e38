"""One spelling for each identifier, so that two bodies that mean the same thing compare the same text. Pure.

Normalising twice is normalising once. What cannot be read as its kind is refused, never guessed at.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping

from lightship.core.casework import IdentifierKind
from lightship.core.errors import InputError

MOST = 512
"""Characters of an identifier at most."""

_DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Mail domains that ignore dots before the @, by the name that both have here."""
_ROUNDS = 8
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BECH32 = re.compile(r"(bc1|tb1|ltc1|addr1|cosmos1)[02-9ac-hj-np-z]{6,}")
_DAY = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_SCHEME = re.compile(r"(mailto|tel|sip|bitcoin|ethereum|litecoin|monero):(//)?", re.IGNORECASE)


def normalise(kind: IdentifierKind, value: str, *, calling_code: str = "") -> str:
    """Return an identifier's one spelling.

    Parameters
    ----------
    value
        As it was found, in any script.
    calling_code
        Of the country whose national phone numbers are meant, such as ``"44"``; without it they are refused.

    Raises
    ------
    InputError
        If it cannot be read as its kind. The message does not repeat it.

    Examples
    --------
    >>> normalise("email", "Some.One+x@GoogleMail.com")
    'someone@gmail.com'
    >>> normalise("phone", "0044 (0)20 7946 0000")
    '+442079460000'
    >>> normalise("handle", "@Ｓome_One")
    'some_one'
    """
    if kind not in _KINDS:
        raise InputError(f"{kind!r} is no kind of identifier.", "identifier", f"One of: {', '.join(_KINDS)}.")
    text = _plain(value)
    if kind == "phone":
        text = _phone(text, calling_code)
    for _ in range(_ROUNDS):  # what is taken away may bring two characters together that are one
        again = _KINDS[kind](_plain(text))
        if again == text:
            return text
        text = again
    raise _unreadable(kind, "it has no one spelling")


def platform_name(name: str) -> str:
    """Return a platform's one spelling: letters and digits only.

    Examples
    --------
    >>> platform_name("Chat-App.COM ")
    'chatappcom'
    """
    return "".join(char for char in _folded(_plain(name, empty=True)) if char.isalnum())


def key(kind: IdentifierKind, value: str, platform: str = "") -> str:
    """Return what is matched: the kind, the platform where it is one there only, and the normalised value.

    Raises
    ------
    InputError
        If a handle comes without its platform.
    """
    where = platform_name(platform) if kind in {"handle", "payment-token"} else ""
    if kind == "handle" and not where:
        raise _unreadable("handle", "a handle without its platform")
    return f"{kind}|{where}|{value}"


def _plain(value: str, *, empty: bool = False) -> str:
    """Return text without what does not show: compatibility forms, format and control characters, outer spaces."""
    before, text = "", value
    while before != text:  # each step can make room for another: until nothing changes
        before = text
        text = unicodedata.normalize("NFKC", text)
        text = "".join(
            c for c in text if unicodedata.category(c) not in {"Cf", "Cc", "Cs", "Cn", "Co"} or c in "\t\n"
        )
        text = " ".join(text.split())
    if len(text) > MOST or not (text or empty):
        raise _unreadable("identifier", "empty" if not text else f"longer than {MOST} characters")
    return text


def _folded(text: str) -> str:
    before = ""
    while before != text:
        before, text = text, unicodedata.normalize("NFKC", text.casefold())
    return text


def _digits(text: str) -> str:
    """Return text with the digits of every script as 0 to 9."""
    return "".join(str(unicodedata.digit(c)) if unicodedata.digit(c, -1) >= 0 else c for c in text)


def _phone(text: str, calling_code: str) -> str:
    text = _SCHEME.sub("", _digits(text)).partition(";")[0]
    bare = re.sub(r"\(0\)|[\s().\-‐‑–—/]", "", text)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    elif not bare.startswith("+") and calling_code:
        bare = f"+{calling_code}{bare.removeprefix('0')}"
    if not _E164.fullmatch(bare):
        raise _unreadable("phone", "no international number, and no calling code was given")
    return bare


def _email(text: str) -> str:
    local, at, domain = _folded(_SCHEME.sub("", text)).rpartition("@")
    domain = domain.strip(" .")
    labels = [_label(one) for one in domain.split(".")]
    local = local.strip().partition("+")[0]
    domain = ".".join(labels)
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), _DOTLESS[domain]
    if not (at and local and all(labels)) or re.search(r"[\s@<>]", local + domain):
        raise _unreadable("email", "no address")
    return f"{local}@{domain}"


def _label(label: str) -> str:
    """Return a label of a domain as its script writes it, so that both its forms compare the same."""
    if label.startswith("xn--"):
        try:
            shown = _folded(label[4:].encode("ascii").decode("punycode"))
        except (UnicodeError, ValueError, OverflowError):
            return label
        return label if shown.isascii() or re.search(r"[\s@<>.+]", shown) else shown
    return label


def _handle(text: str) -> str:
    return _some("handle", _folded(text).replace(" ", "").lstrip("@"))


def _account(text: str) -> str:
    bare = "".join(c for c in _digits(text).upper() if c.isascii() and c.isalnum())
    bare = bare.removeprefix("IBAN")
    if _IBAN.fullmatch(bare):
        number = int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4]))
        if number % 97 != 1:
            raise _unreadable("account", "an IBAN whose check digits are wrong")
    return _some("account", bare)


def _wallet(text: str) -> str:
    bare = _SCHEME.sub("", text.replace(" ", "")).partition("?")[0]
    low = bare.lower()
    if low.startswith("0x") or (_BECH32.fullmatch(low) and bare in {low, bare.upper()}):
        bare = low
    if not re.fullmatch(r"[0-9A-Za-z]{8,128}", bare):
        raise _unreadable("wallet", "no address of a wallet")
    return bare


def _device(text: str) -> str:
    bare = "".join(c for c in _folded(_digits(text)) if c.isascii() and c.isalnum())
    if re.fullmatch(r"[0-9]{15,16}", bare):
        bare = bare[:14]  # of an IMEI: what follows is a check digit or a software version
    return _some("device", bare)


def _token(text: str) -> str:
    return text.replace(" ", "")


def _ip(text: str) -> str:
    try:
        found = ipaddress.ip_address(_digits(text).partition("%")[0])
    except ValueError:
        raise _unreadable("ip", "no address") from None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _name(text: str) -> str:
    return _some("name", _folded(text))


def _hash(text: str) -> str:
    bare = text.lower().rpartition(":")[2].replace(" ", "")
    if not re.fullmatch(r"[0-9a-f]{32,128}", bare):
        raise _unreadable("hash", "no hexadecimal digest")
    return bare


def _event(text: str) -> str:
    day, _, place = _folded(_digits(text)).replace("|", " ").strip().partition(" ")
    where = "".join(char for char in place if char.isalnum())
    if not _DAY.fullmatch(day) or not where:
        raise _unreadable("event", "no day and place, such as 2026-11-24 SW1A 1AA")
    return f"{day}|{where}"


_KINDS: Mapping[str, Callable[[str], str]] = {
    "email": _email,
    "phone": lambda text: _phone(text, ""),
    "handle": _handle,
    "account": _account,
    "wallet": _wallet,
    "device": _device,
    "payment-token": _token,
    "ip": _ip,
    "name": _name,
    "hash": _hash,
    "event": _event,
}


def _some(kind: str, text: str) -> str:
    if not text:
        raise _unreadable(kind, "empty")
    return text


def _unreadable(kind: str, why: str) -> InputError:
    return InputError(f"This {kind} cannot be read: {why}.", kind, "Correct it, or leave it out.")
