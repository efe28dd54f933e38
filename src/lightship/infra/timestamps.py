"""A client of time-stamping authorities (RFC 3161), and the check of what they answer against a given certificate."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from lightship.core.errors import InputError, LedgerError

ANSWER_BYTES = 1 << 18  # answers are of some kilobytes; no authority fills the memory


def load_certificate(path: Path) -> x509.Certificate:
    """Return the certificate of a PEM file.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(
            f"The certificate cannot be read: {error}.", str(path), "Get it from the authority."
        ) from error


def verify_stamp(
    token: bytes, data: bytes, certificate: x509.Certificate, nonce: int | None = None
) -> datetime:
    """Return the time at which an authority had these bytes, once its answer is verified. Needs no network.

    Parameters
    ----------
    certificate
        The authority's own, or its issuer's.

    Raises
    ------
    LedgerError
        If it is no time-stamp of these bytes by this authority.
    """
    try:
        answer = decode_timestamp_response(token)
        return _verified(answer, data, certificate, nonce)
    except (ValueError, VerificationError, x509.InvalidVersion) as error:
        raise LedgerError(
            f"This is no time-stamp of these bytes by this authority: {error}.",
            certificate.subject.rfc4514_string(),
            "Check the certificate, or ask for another stamp.",
        ) from error


def _verified(
    answer: TimeStampResponse, data: bytes, certificate: x509.Certificate, nonce: int | None
) -> datetime:
    builder = VerifierBuilder(nonce=nonce).add_root_certificate(certificate)
    try:
        certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        builder = builder.tsa_certificate(certificate)
    except x509.ExtensionNotFound:
        pass  # an issuer's certificate: the authority's own comes with the answer
    builder.build().verify_message(answer, data)
    return answer.tst_info.gen_time


def stamp(
    address: str,
    data: bytes,
    certificate: x509.Certificate,
    transport: httpx.BaseTransport | None = None,
    timeout_s: float = 30.0,
) -> tuple[bytes, datetime]:
    """Ask an authority to stamp bytes; returns its answer as it came, verified, and the time in it.

    Raises
    ------
    InputError
        If the address is not encrypted and not this machine's.
    LedgerError
        If it cannot be reached, refuses, or answers with something else.
    """
    if not address.startswith(("https://", "http://127.0.0.1:", "http://[::1]:")):
        raise InputError("The request would cross the network unencrypted.", address, "Give https://.")
    asked = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        with httpx.Client(transport=transport, timeout=timeout_s, follow_redirects=False) as http:
            token = _answer(http, address, asked.as_bytes())
    except httpx.HTTPError as error:
        raise LedgerError(
            f"The time-stamping authority cannot be asked: {error or type(error).__name__}.",
            address,
            "Try again, or another authority.",
        ) from error
    return token, verify_stamp(token, data, certificate, asked.nonce)


def _answer(http: httpx.Client, address: str, asked: bytes) -> bytes:
    kind = "application/timestamp-query"
    with http.stream("POST", address, content=asked, headers={"Content-Type": kind}) as reply:
        reply.raise_for_status()
        size, parts = 0, list[bytes]()
        for part in reply.iter_bytes():
            size += len(part)
            if size > ANSWER_BYTES:
                raise LedgerError("The answer is longer than any time-stamp.", address, "Check the address.")
            parts.append(part)
    return b"".join(parts)
