"""Delivering effects: to the platform by a signed webhook, or straight to nginx-rtmp's control module.

The webhook's body is JSON. ``Lightship-Signature`` is ``v1=`` and the HMAC-SHA256, in hexadecimal, over the
``Lightship-Timestamp``, a full stop and the body; ``Idempotency-Key`` is the effect's id. A receiver checks all three
with :class:`Receiver`, acts once per id, and answers 2xx.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from lightship.core.cases import Effect
from lightship.core.errors import AccessDenied, SinkError
from lightship.media.trouble import public_name

SIGNATURE, TIMESTAMP, KEY = "Lightship-Signature", "Lightship-Timestamp", "Idempotency-Key"

TOLERANCE_S = 300.0
"""A webhook that is older, or so far ahead of the receiver's clock, is refused."""

_TOTAL_S = 5.0
_LEAST_SECRET = 16


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the signature of a webhook."""
    return "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(secret: bytes, headers: Mapping[str, str], body: bytes, now_s: float | None = None) -> str:
    """Return the id of the effect that a webhook carries, once it is known to be ours and of now.

    Parameters
    ----------
    headers
        In any case.
    now_s
        Unix seconds; None asks the machine's clock.

    Raises
    ------
    AccessDenied
        If it is forged, damaged or too old.
    """
    found = {name.lower(): value for name, value in headers.items()}
    timestamp, key = found.get(TIMESTAMP.lower(), ""), found.get(KEY.lower(), "")
    given = found.get(SIGNATURE.lower(), "").encode()
    if not hmac.compare_digest(sign(secret, timestamp, body).encode(), given):
        raise AccessDenied("The webhook's signature is wrong.", "webhook", "Check the shared secret.")
    try:  # it is ours: what it says can be read
        at_s, said = float(timestamp), str(json.loads(body)["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise AccessDenied("The webhook cannot be read.", "webhook", "Check its sender.") from error
    if abs((time.time() if now_s is None else now_s) - at_s) > TOLERANCE_S:
        raise AccessDenied("The webhook is too old, or from the future.", "webhook", "Check both clocks.")
    if said != key:
        raise AccessDenied("The webhook's key is not that of its body.", "webhook", "Check its sender.")
    return key


class Receiver:
    """What a platform needs to take webhooks in: verifies them, refuses replays, and says which ids are new.

    Parameters
    ----------
    secret
        Shared with the sender, at least 16 bytes.
    clock
        Unix seconds.
    """

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._secret, self._clock = _checked(secret), clock
        self._signatures: dict[str, float] = {}
        self._ids: set[str] = set()

    def take(self, headers: Mapping[str, str], body: bytes) -> tuple[str, bool]:
        """Return the effect's id, and whether it is new; one that is not was confirmed too late and is sent again.

        Raises
        ------
        AccessDenied
            If it is forged, too old, or word for word one that was taken in before.
        """
        now_s = self._clock()
        id_ = verify(self._secret, headers, body, now_s)
        signature = next(value for name, value in headers.items() if name.lower() == SIGNATURE.lower())
        for old in [one for one, at_s in self._signatures.items() if now_s - at_s > 2.0 * TOLERANCE_S]:
            del self._signatures[old]
        if signature in self._signatures:
            raise AccessDenied("This webhook was taken in before.", "webhook", "Somebody replays it.")
        self._signatures[signature] = now_s
        new = id_ not in self._ids
        self._ids.add(id_)
        return id_, new


def _checked(secret: bytes) -> bytes:
    if len(secret) < _LEAST_SECRET:
        raise SinkError(
            "The webhook's secret is too short.", "webhook", f"Use {_LEAST_SECRET} bytes or more."
        )
    return secret


@dataclass(frozen=True, slots=True)
class _Http:
    """One request, bounded as a whole, without redirects; the answer's body is not read."""

    url: str
    total_s: float
    context: ssl.SSLContext

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> int:
        return asyncio.run(self._send(method, url, headers, body))

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> int:
        import httpx

        where = public_name(self.url)
        try:
            async with (
                asyncio.timeout(self.total_s),
                httpx.AsyncClient(
                    verify=self.context, timeout=self.total_s, follow_redirects=False, trust_env=False
                ) as client,
                client.stream(method, url, headers=dict(headers), content=body) as answer,
            ):
                return answer.status_code
        except TimeoutError as error:
            raise SinkError(
                f"The receiver did not answer within {self.total_s:g} s.", where, "It is tried again."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = type(error).__name__
            raise SinkError(
                f"The receiver cannot be reached ({said}).", where, "It is tried again."
            ) from error


class Webhook:
    """Delivers effects to the platform's own webhook.

    Parameters
    ----------
    url
        Set by an administrator; it may lie in an inner network.
    secret
        Shared with the receiver, at least 16 bytes.
    clock
        Unix seconds.
    """

    def __init__(
        self, url: str, secret: bytes, clock: Callable[[], float] = time.time, total_s: float = _TOTAL_S
    ) -> None:
        self._url, self._secret, self._clock = url, _checked(secret), clock
        self._http = _Http(url, total_s, ssl.create_default_context())

    def __call__(self, effect: Effect) -> None:
        """Deliver an effect.

        Raises
        ------
        SinkError
            If it was not confirmed.
        """
        body = json.dumps(said(effect), separators=(",", ":"), sort_keys=True).encode()
        timestamp = f"{self._clock():.6f}"
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: timestamp,
            SIGNATURE: sign(self._secret, timestamp, body),
            KEY: effect.id,
        }
        status = self._http.send("POST", self._url, headers, body)
        if not 200 <= status < 300:
            raise SinkError(f"The receiver answered {status}.", public_name(self._url), "It is tried again.")


def said(effect: Effect) -> dict[str, Any]:
    """Return what a receiver is told of an effect."""
    return {
        "id": effect.id,
        "act": effect.kind,
        "stream": effect.stream_id,
        "case": effect.case_id,
        "ordered_at": effect.ordered_at.isoformat(),
        "undoes": effect.undoes,
    }


class NginxRtmp:
    """Delivers effects to nginx-rtmp's control module.

    Stops drop the publisher, cuts drop the subscribers, covers move them to another stream. To uncover or restore asks
    nothing of the server: whoever comes back is served. What is preserved is in the vault already. Keys are not its
    business: revoke them by webhook.

    Parameters
    ----------
    control
        Address of the ``rtmp_control`` location.
    locate
        Returns a stream's application and name on the server, by its id.
    cover
        Name of the stream that viewers see in place of a covered one, in the same application; empty for none.
    """

    def __init__(
        self,
        control: str,
        locate: Callable[[str], tuple[str, str]],
        cover: str = "",
        total_s: float = _TOTAL_S,
    ) -> None:
        self._control, self._locate, self._cover = control.rstrip("/"), locate, cover
        self._http = _Http(control, total_s, ssl.create_default_context())

    def __call__(self, effect: Effect) -> None:
        """Deliver an effect.

        Raises
        ------
        SinkError
            If the server did not confirm it, or cannot do it.
        """
        if effect.kind in {"restore", "uncover", "preserve"}:
            return
        app, name = self._locate(effect.stream_id)
        asked = {"app": app, "name": name}
        if effect.kind == "stop-stream":
            path = "drop/publisher"
        elif effect.kind == "cut-viewers":
            path = "drop/subscriber"
        elif effect.kind == "cover" and self._cover:
            path, asked = "redirect/subscriber", {**asked, "newname": self._cover}
        else:
            raise SinkError(
                f"nginx-rtmp cannot do {effect.kind}.",
                public_name(self._control),
                "Use the platform's webhook.",
            )
        status = self._http.send("GET", f"{self._control}/{path}?{urlencode(asked)}", {}, None)
        if status not in {200, 204}:  # 204: nobody is there (any more)
            raise SinkError(
                f"The media server answered {status}.", public_name(self._control), "It is tried again."
            )
