"""What a partner's TAXII collection holds is taken in once, and what a partner puts into ours has an owner and a clock."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace

import httpx
import pytest
from tests.sharing import NOW, PARTNER
from tests.tables import tables
from tests.unit.console.serving import ask

from lightship import app_casework
from lightship.console.taxii import MEDIA, Member, collection_of, taxii_app
from lightship.core.casework import Inquiry, Referral
from lightship.core.errors import InputError
from lightship.exchange import taxii_client
from lightship.infra.store import SqlStore

ADDRESS = "https://partner.example/api/collections/c1"


@pytest.fixture
def body(tmp_path):
    url = tables(tmp_path / "casework.db")
    with SqlStore(url) as store:
        yield store


class Server:
    """A partner's server with pages of one object, under Basic authentication."""

    def __init__(self, monkeypatch):
        self.objects, self.asked = [], []
        monkeypatch.setattr(
            taxii_client.httpx,
            "Client",
            lambda **more: REAL(**{**more, "transport": httpx.MockTransport(self)}),
        )

    def add(self, *objects):
        at = NOW + timedelta(seconds=len(self.objects))
        self.objects += [(f"{at:%Y-%m-%dT%H:%M:%S}.{n:06}Z", one) for n, one in enumerate(objects)]

    def __call__(self, request):
        self.asked.append(request)
        asked = request.url.params
        rows = [
            row for row in self.objects if row[0] > max(asked.get("added_after", ""), asked.get("next", ""))
        ]
        more = {"more": len(rows) > 1, **({"next": rows[0][0]} if len(rows) > 1 else {})}
        found = {"objects": [rows[0][1]]} if rows else {}
        headers = {"X-TAXII-Date-Added-Last": rows[0][0]} if rows else {}
        return httpx.Response(200, json={**more, **found}, headers=headers)


REAL = httpx.Client


def report(number, *about):
    return {
        "type": "report",
        "id": f"report--{number}",
        "object_refs": list(about),
        "x_lightship_facts": ["live=day"],
    }


def account(number):
    return {"type": "user-account", "id": f"user-account--{number}", "account_login": f"u{number}"}


def test_a_collection_is_read_on_from_where_it_was_read_to_and_each_object_is_kept_once(
    tmp_path, body, monkeypatch
):
    token = tmp_path / "token"
    token.write_text("body:secret\n")
    server = Server(monkeypatch)
    server.add(report(1, "user-account--1"), account(1))

    def poll():
        return list(
            app_casework.intake_taxii(
                body, tmp_path, ADDRESS, token, sender="A partner", by="ann", now=datetime.now(UTC)
            )
        )

    (first,) = poll()
    assert not first.again
    assert server.asked[0].headers["authorization"].startswith("Basic ")
    assert poll() == []
    server.add(report(2), account(2))
    assert len(poll()) == 2, "a report, and what no report tells of"
    next(iter((tmp_path / "taxii").iterdir())).unlink()  # a cursor that was lost
    assert [one.again for one in poll()][:2] == [True, True]
    with body.look() as work:
        assert len(work.find(Referral, {"reference": "report--1"})) == 1
        assert {one.sender for one in work.find(Referral)} == {"A partner"}


def test_a_token_does_not_cross_the_network_in_the_open(tmp_path, body):
    with pytest.raises(InputError, match="https"):
        list(
            app_casework.intake_taxii(
                body, tmp_path, "http://partner.example/c", tmp_path, sender="p", by="a", now=NOW
            )
        )


def test_what_a_partner_puts_into_our_collection_is_a_referral_with_an_owner_and_a_clock(body):
    members = [Member(PARTNER, sha256(b"t").hexdigest())]
    served = SimpleNamespace(
        app=taxii_app(body, members, title="A force", clock=lambda: NOW), tokens={"pnp": "t"}
    )
    headers = {"Accept": MEDIA, "Content-Type": MEDIA}
    path = f"/api/collections/{collection_of(PARTNER.name)}/objects/"
    content = json.dumps({"objects": [report(1, "user-account--1"), account(1)]})
    for _ in range(2):
        assert ask(served, "POST", path, "pnp", content=content, headers=headers).status_code == 202
    with body.look() as work:
        (referral,) = work.find(Referral)
        (inquiry,) = work.find(Inquiry)
    assert (referral.sender, referral.reference) == (PARTNER.name, "report--1")
    assert inquiry.owner
    picture = json.dumps(
        {"objects": [{"type": "note", "id": "note--1", "content": "iVBORw0KGgo" + "A" * 80}]}
    )
    assert ask(served, "POST", path, "pnp", content=picture, headers=headers).status_code == 422
