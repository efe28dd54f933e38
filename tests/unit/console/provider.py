"""A small OpenID Connect provider on loopback, which can also be told to lie."""

import base64
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "lightship", "a secret of the client's own"


class IdentityProvider:
    """Keeps codes for one use each; ``person`` is who signs in next, ``lie`` changes what it says."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "k1"})
        self.person = {"sub": "4711", "name": "Oda", "groups": ["desk-moderators"], "amr": ["pwd", "mfa"]}
        self.lie = {}
        self.codes, self.asked = {}, []

    def described(self):
        return {
            "issuer": self.lie.get("described", self.issuer),
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorize(self, query):
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def token(self, form, authorization):
        begun = self.codes.pop(form["code"], None)
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "%20").encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if begun is None or authorization.removeprefix("Basic ") not in {expected, plain}:
            return None
        made = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
            .rstrip(b"=")
            .decode()
        )
        if made != begun["code_challenge"] or begun["code_challenge_method"] != "S256":
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": begun["nonce"], **self.person,
            **self.lie.get("claims", {}),
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        key, algorithm = self.lie.get("key", self.key), self.lie.get("alg", "RS256")
        header = {"alg": algorithm, "kid": "k1"}
        return {
            "access_token": "x",
            "token_type": "Bearer",
            "id_token": jwt.encode(header, claims, key, [algorithm]),
        }


def shared_secret():
    return OctKey.import_key(SECRET.encode().ljust(32, b"."))


@contextmanager
def provider():
    one = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            one.asked.append(parts.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", one.authorize(query))
                self.end_headers()
            elif parts.path == "/keys":
                self.say({"keys": [one.key.as_dict(private=False)]})
            else:
                self.say(one.described())

        def do_POST(self):
            one.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self.say(one.token(form, self.headers.get("Authorization", "")))

        def say(self, value):
            body = json.dumps(value if value is not None else {"error": "invalid_grant"}).encode()
            self.send_response(200 if value is not None else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one
        server.shutdown()
