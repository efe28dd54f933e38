"""Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce; no role unless mapped.

The provider says who somebody is and which groups they are in; the mapping here says which role a group is. Who is in
no mapped group, or in groups of two roles, is refused. Training stays a matter of this console: an account that comes
in for the first time has none, and sees no case until an administrator records it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.claims import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from lightship.core.errors import AccessDenied, InputError
from lightship.core.people import PLATFORM_ROLES, Role

BACK = "/sign-in/oidc/back"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures that are taken; none that a shared secret could make."""
_TAKES_S = 5.0
_KEYS_S = 60.0
_LONGEST_BYTES = 1 << 20
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Oidc:
    """A provider, and what its groups mean here.

    Parameters
    ----------
    issuer
        Its address; ``/.well-known/openid-configuration`` is under it.
    client_id, client_secret
        Of this console, as the provider knows it.
    address
        Of this console, as browsers reach it: the provider sends them back there.
    roles
        Which role a value of ``claim`` is.
    name
        What the button says.
    claim
        Where the provider says which groups somebody is in.
    factor
        What ``amr`` must hold, so that the second factor is not lost; empty takes the provider's word for it.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    address: str
    roles: Mapping[str, Role]
    name: str = "your organisation's account"
    claim: str = "groups"
    factor: str = "mfa"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun in one browser, which alone keeps it."""

    state: str
    nonce: str
    verifier: str
    then: str

    def packed(self) -> bytes:
        """Return it as bytes."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who a provider says that somebody is: an id that never changes, a name to show, and their role."""

    id: str
    shown_as: str
    role: Role


def read_oidc(path: Path, known: tuple[Role, ...] = PLATFORM_ROLES) -> Oidc:
    """Read a provider's settings (TOML); the client's secret is in a file of its own, ``secret_file``.

    Parameters
    ----------
    known
        The roles that the console's people can have.

    Raises
    ------
    InputError
        If they cannot be read, lack something, or name a role that there is not.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        secret = (path.parent / str(values.pop("secret_file"))).read_text(encoding="utf-8").strip()
        found = Oidc(client_secret=secret, **values)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The provider's settings cannot be used: {error}.", str(path), "See the guide of the console."
        ) from error
    for where in (found.issuer, found.address):
        parts = urlsplit(where)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise InputError("The provider and this console must be reached by https.", where, "Change it.")
    if not found.roles or not set(found.roles.values()) <= set(known):
        raise InputError(
            "The roles of the provider's groups are not known.",
            str(path),
            f"Under [roles], map groups to {', '.join(known)}.",
        )
    return found


class Provider:
    """Talks to the provider: its description and keys are asked for when they are first needed.

    Parameters
    ----------
    http
        What asks; it follows no redirection.
    """

    def __init__(self, settings: Oidc, http: httpx.Client | None = None) -> None:
        self.settings = settings
        self._http = http or httpx.Client(timeout=_TAKES_S, follow_redirects=False, trust_env=False)
        self._known: Mapping[str, Any] = {}
        self._keys: tuple[float, KeySet] | None = None
        self._lock = threading.Lock()

    def begin(self, then: str) -> tuple[str, Begun]:
        """Return where to send a browser, and what it keeps until it comes back."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(state, nonce, verifier, then)
        address = prepare_grant_uri(
            self._described()["authorization_endpoint"],
            self.settings.client_id,
            "code",
            redirect_uri=self.settings.address.rstrip("/") + BACK,
            scope="openid profile",
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
        )
        return str(address), begun

    def finish(self, begun: Begun, answer: Mapping[str, str]) -> Claimed:
        """Return who came back.

        Raises
        ------
        AccessDenied
            If the answer is not of this browser's sign-in, or the provider's word does not suffice.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise AccessDenied("This sign-in was not begun here.", "sign-in", "Begin again.")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:
            raise AccessDenied("Another provider answered.", "sign-in", "Begin again.")
        if not answer.get("code"):
            raise AccessDenied(
                "The provider did not sign you in.", "sign-in", "Begin again, or ask whoever runs it."
            )
        sent = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self.settings.address.rstrip("/") + BACK,
            "code_verifier": begun.verifier,
        }
        mine = (self.settings.client_id, self.settings.client_secret)
        got = self._asked("POST", self._described()["token_endpoint"], data=sent, auth=mine)
        return self._claimed(self._checked(str(got.get("id_token", "")), begun.nonce))

    def _checked(self, text: str, nonce: str) -> Mapping[str, Any]:
        """Return what an identity token says, once signature, issuer, audience, times and nonce are right."""
        one = self.settings
        try:
            token = self._decoded(text)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": one.issuer},
                    "aud": {"essential": True, "value": one.client_id},
                },
                {"nonce": nonce, "client_id": one.client_id},
            )
            claims.validate(leeway=30)
        except (JoseError, ValueError) as error:
            raise AccessDenied("The provider's word cannot be trusted.", "sign-in", "Begin again.") from error
        if one.factor and one.factor not in (claims.get("amr") or ()):
            raise AccessDenied(
                "The provider did not ask for a second factor.", "sign-in", "Sign in with one."
            )
        return dict(claims)

    def _decoded(self, text: str) -> jwt.Token:
        """Return a token whose signature is right; keys that are not known are asked for once a minute at most."""
        with self._lock:
            fresh = self._keys is not None and time.monotonic() - self._keys[0] < _KEYS_S
            keys = self._keys[1] if self._keys is not None else None
        if keys is not None:
            try:
                return jwt.decode(text, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                if fresh:
                    raise
        keys = KeySet.import_key_set(cast(Any, self._asked("GET", self._described()["jwks_uri"])))
        with self._lock:
            self._keys = (time.monotonic(), keys)
        return jwt.decode(text, keys, algorithms=ALGORITHMS)

    def _claimed(self, claims: Mapping[str, Any]) -> Claimed:
        said = claims.get(self.settings.claim) or ()
        groups = [said] if isinstance(said, str) else [one for one in said if isinstance(one, str)]
        roles = {self.settings.roles[one] for one in groups if one in self.settings.roles}
        if not roles:
            raise AccessDenied(
                "Your account has no role here.", "sign-in", "Ask whoever runs the console for one."
            )
        if len(roles) > 1:
            what = f"Your account would have several roles here: {', '.join(sorted(roles))}."
            raise AccessDenied(what, "sign-in", "One person has one role; ask whoever runs the console.")
        mark = hashlib.sha256(f"{self.settings.issuer}\n{claims['sub']}".encode()).hexdigest()[:12]
        name = str(claims.get("name") or claims.get("preferred_username") or "")
        shown = " ".join("".join(char if char.isprintable() else " " for char in name).split())[:80]
        return Claimed(f"oidc-{mark}", shown or f"oidc-{mark}", roles.pop())

    def _described(self) -> Mapping[str, Any]:
        with self._lock:
            known = self._known
        if not known:
            known = self._asked("GET", self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if known.get("issuer") != self.settings.issuer:
                raise AccessDenied("The provider names itself otherwise.", "sign-in", "Correct its address.")
            with self._lock:
                self._known = known
        return known

    def _asked(self, method: str, address: str, **more: Any) -> Mapping[str, Any]:
        try:
            answer = self._http.request(method, address, **more)
            found = answer.json() if answer.is_success and len(answer.content) <= _LONGEST_BYTES else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise AccessDenied("The provider does not answer.", "sign-in", "Try again in a while.") from error
        if not isinstance(found, dict):
            raise AccessDenied("The provider refused the sign-in.", "sign-in", "Begin again.")
        return found
