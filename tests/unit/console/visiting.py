"""Browsers without a browser: sign in, follow forms, send them."""

import asyncio
import re

import httpx
from tests.unit.console.making import PASSWORD


class Visitor:
    """Somebody at the console; keeps cookies and the last page's form token."""

    def __init__(self, made, name=None):
        self.made, self.cookies, self.csrf = made, {}, ""
        if name:
            assert self.sign_in(name).status_code == 303

    def send(self, method, path, *, headers=None, **more):
        async def go():
            transport = httpx.ASGITransport(self.made.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
                cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
                own = {"accept": "text/html", **({"cookie": cookies} if cookies else {}), **(headers or {})}
                return await client.request(method, path, headers=own, **more)

        done = asyncio.run(go())
        for name, value in done.cookies.items():
            self.cookies[name] = value.strip('"')
        found = (
            re.search(r'name="csrf" value="([^"]+)"', done.text)
            if "html" in done.headers.get("content-type", "")
            else None
        )
        self.csrf = found[1] if found else self.csrf
        return done

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def post(self, path, csrf=None, **form):
        return self.send("POST", path, data={"csrf": self.csrf if csrf is None else csrf, **form})

    def sign_in(self, name, password=PASSWORD, code=None, then="/"):
        page = self.get("/sign-in")
        form = re.search(r'name="form" value="([^"]+)"', page.text)[1]
        self.made.clock.on(seconds=30)  # a code is good once
        if code is None:
            code = self.made.codes[name].at(self.made.clock())
        done = self.send(
            "POST",
            "/sign-in",
            data={"form": form, "then": then, "name": name, "password": password, "code": code},
        )
        if done.status_code == 303:
            self.get("/shift")
        return done


def working(made, name):
    """Return somebody who has begun their shift."""
    one = Visitor(made, name)
    one.post("/shift/begin")
    return one
