"""Signing in through a provider that runs on loopback: what it must say, and what is refused."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from tests.unit.console.casework import body
from tests.unit.console.making import PASSWORD, console, full
from tests.unit.console.provider import CLIENT, SECRET, provider, shared_secret
from tests.unit.console.visiting import Visitor

from lightship.console.oidc import Oidc, read_oidc
from lightship.core.errors import InputError
from lightship.core.people import BODY_ROLES, Account, Session

ROLES = {"desk-moderators": "moderator", "desk-leads": "lead", "desk-auditors": "auditor"}


@pytest.fixture(scope="module")
def idp():
    with provider() as one:
        yield one


@pytest.fixture
def made(tmp_path, idp):
    idp.lie, idp.codes, idp.asked = {}, {}, []
    idp.person = {"sub": "4711", "name": "Oda", "groups": ["desk-moderators"], "amr": ["pwd", "mfa"]}
    settings = Oidc(idp.issuer, CLIENT, SECRET, "http://console", ROLES)
    return full(console(tmp_path, oidc=settings))


def out(who, then="/health"):
    """Follow a browser to the provider; returns the address that it is sent back to."""
    done = who.get(f"/sign-in/oidc?then={then}")
    assert done.status_code == 303
    return httpx.get(done.headers["location"]).headers["location"], done


def back(who, address):
    parts = urlsplit(address)
    return who.get(f"{parts.path}?{parts.query}")


def signed_in(made, **person):
    who = Visitor(made)
    address, _ = out(who)
    return who, back(who, address)


def test_the_way_out_has_state_nonce_and_pkce_and_the_cookie_is_sealed(made):
    who = Visitor(made)
    _, done = out(who)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(done.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile"
    assert asked["redirect_uri"] == "http://console/sign-in/oidc/back"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    [cookie] = [one for one in done.headers.get_list("set-cookie") if "oidc" in one]
    assert "samesite=lax" in cookie.lower()
    assert "httponly" in cookie.lower()
    assert asked["state"] not in cookie
    assert asked["nonce"] not in cookie


def test_a_group_is_a_role_and_the_browser_goes_on_to_where_it_wanted(made):
    who, done = signed_in(made)
    assert done.status_code == 200
    assert 'content="0;url=/health"' in done.text
    [account] = made.all(Account, shown_as="Oda")
    assert (account.role, account.password_hash, account.totp_sealed) == ("moderator", "", "")
    assert who.get("/health").status_code == 200
    [entry] = [one for one in made.ledger.of("signed-in") if one["by"] == account.id]
    assert entry["through"] == made.settings.oidc.issuer


def test_who_comes_in_for_the_first_time_has_no_training_and_sees_no_case(made):
    who, _ = signed_in(made)
    who.get("/shift")
    who.post("/shift/begin")
    assert "training ran out" in who.get("/items/c0").text
    [account] = made.all(Account, shown_as="Oda")
    made.room.accounts.change(account.id, "root", trained_until=made.clock() + timedelta(days=90))
    again, _ = signed_in(made)
    again.get("/shift")
    again.post("/shift/begin")
    assert again.get("/items/c0").status_code == 200


def test_there_is_no_way_in_by_a_password(made):
    signed_in(made)
    [account] = made.all(Account, shown_as="Oda")
    made.codes[account.id] = made.codes["mo"]
    for password in ("", PASSWORD):
        assert Visitor(made).sign_in(account.id, password).status_code == 401


def test_the_provider_is_offered_and_local_accounts_still_work(made):
    assert "Sign in with your organisation" in Visitor(made).get("/sign-in").text
    assert Visitor(made, "mo").get("/health").status_code == 200


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"groups": []}, "no role"),
        ({"groups": None}, "no role"),
        ({"groups": ["administrator", "moderator"]}, "no role"),
        ({"groups": [["desk-leads"], 5, {"desk-leads": 1}]}, "no role"),
        ({"groups": ["desk-moderators", "desk-auditors"]}, "several roles"),
        ({"amr": ["pwd"]}, "second factor"),
        ({"amr": None}, "second factor"),
        ({"iss": "https://another.example"}, "cannot be trusted"),
        ({"aud": "another"}, "cannot be trusted"),
        ({"aud": ["lightship", "another"]}, "cannot be trusted"),
        ({"nonce": "another"}, "cannot be trusted"),
        ({"nonce": None}, "cannot be trusted"),
        ({"exp": 1}, "cannot be trusted"),
        ({"exp": None}, "cannot be trusted"),
        ({"iat": 4_102_444_800}, "cannot be trusted"),
        ({"sub": None}, "cannot be trusted"),
    ],
    ids=str,
)
def test_nobody_gets_in_by_a_word_that_does_not_suffice(made, idp, claims, said):
    idp.lie = {"claims": claims}
    who, done = signed_in(made)
    assert done.status_code == 403
    assert said in done.text
    assert who.get("/health").status_code == 303
    assert made.all(Account, shown_as="Oda") == []


@pytest.mark.parametrize(
    "lie",
    [
        {"key": RSAKey.generate_key(2048, {"kid": "k1"})},
        {"key": shared_secret(), "alg": "HS256"},
        {"described": "https://another.example"},
    ],
    ids=["another's key", "a shared secret", "another's description"],
)
def test_nobody_gets_in_by_a_signature_or_a_description_of_another(made, idp, lie):
    if "described" in lie:
        idp.lie = lie
        done = Visitor(made).get("/sign-in/oidc")
        assert done.status_code == 403
        assert "names itself otherwise" in done.text
        return
    idp.lie = lie
    _, done = signed_in(made)
    assert done.status_code == 403
    assert "cannot be trusted" in done.text


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(made):
    who, other = Visitor(made), Visitor(made)
    address, _ = out(who)
    assert "not begun here" in back(other, address).text
    out(other)
    done = back(other, address)  # another browser with a sign-in of its own: its state differs
    assert "not begun here" in done.text
    assert back(who, address).status_code == 200
    again = back(who, address)
    assert again.status_code == 403
    before = len(made.all(Session))
    who.cookies.clear()
    assert back(who, address).status_code == 403
    assert len(made.all(Session)) == before


def test_a_code_of_another_sign_in_fails_at_the_verifier(made):
    """PKCE: who injects a stolen code into their own sign-in has not the verifier of the first."""
    who, thief = Visitor(made), Visitor(made)
    stolen = parse_qs(urlsplit(out(who)[0]).query)["code"][0]
    own = {name: values[0] for name, values in parse_qs(urlsplit(out(thief)[0]).query).items()}
    done = thief.get(f"/sign-in/oidc/back?code={stolen}&state={own['state']}")
    assert done.status_code == 403
    assert "refused the sign-in" in done.text


@pytest.mark.parametrize("query", ["", "?code=x", "?error=access_denied", "?state=&code=x"])
def test_an_answer_without_what_it_needs_is_refused(made, query):
    who = Visitor(made)
    out(who)
    assert who.get(f"/sign-in/oidc/back{query}").status_code == 403


def test_another_providers_answer_is_refused(made):
    who = Visitor(made)
    address, _ = out(who)
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    done = who.get(
        f"{parts.path}?code={query['code']}&state={query['state']}&iss=https%3A%2F%2Fanother.example"
    )
    assert "Another provider" in done.text


def test_a_sign_in_that_took_too_long_is_refused(made, monkeypatch):
    who = Visitor(made)
    address, _ = out(who)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 601)
    assert "took too long" in back(who, address).text


def test_a_changed_group_ends_the_sessions_of_the_old_role(made, idp):
    who, _ = signed_in(made)
    idp.person["groups"] = ["desk-auditors"]
    other, _ = signed_in(made)
    assert who.get("/health").status_code == 303
    assert other.get("/audit").status_code == 200
    assert len(made.all(Account, shown_as="Oda")) == 1


def test_a_closed_account_stays_closed(made):
    signed_in(made)
    [account] = made.all(Account, shown_as="Oda")
    made.room.accounts.change(account.id, "root", active=False)
    _, done = signed_in(made)
    assert done.status_code == 403
    assert "closed here" in done.text


def test_it_leads_nowhere_else(made):
    who = Visitor(made)
    address, _ = out(who, then="//evil.example")
    assert 'url=/"' in back(who, address).text


def test_new_keys_of_the_provider_are_asked_for_when_the_old_ones_are_a_minute_old(made, idp, monkeypatch):
    signed_in(made)
    assert idp.asked.count("/keys") == 1
    old, idp.key = idp.key, RSAKey.generate_key(2048, {"kid": "k1"})
    try:
        assert signed_in(made)[1].status_code == 403
        assert idp.asked.count("/keys") == 1
        now = time.monotonic()
        monkeypatch.setattr("lightship.console.oidc.time.monotonic", lambda: now + 61)
        assert signed_in(made)[1].status_code == 200
    finally:
        idp.key = old


def test_without_a_provider_there_is_no_such_page(tmp_path):
    made = console(tmp_path)
    assert Visitor(made).get("/sign-in/oidc").status_code == 404
    assert "Sign in with" not in Visitor(made).get("/sign-in").text


GOOD = """
issuer = "https://id.example"
client_id = "lightship"
secret_file = "oidc.secret"
address = "https://desk.example"
[roles]
desk-moderators = "moderator"
"""


def test_a_bodys_people_come_in_by_the_provider_too(tmp_path, idp):
    roles = {"casework": "analyst", "desk-moderators": "moderator"}
    made = body(tmp_path, oidc=Oidc(idp.issuer, CLIENT, SECRET, "http://console", roles))
    idp.lie, idp.codes, idp.asked = {}, {}, []
    idp.person = {"sub": "4712", "name": "Ona", "groups": ["casework"], "amr": ["pwd", "mfa"]}
    who = Visitor(made)
    address, _ = out(who, then="/cases")
    assert 'content="0;url=/cases"' in back(who, address).text
    assert "No case is open" in who.get("/cases").text
    assert who.get("/people").status_code == 403


def test_a_bodys_groups_have_a_bodys_roles(tmp_path):
    (tmp_path / "secret").write_text("shh\n")
    file = tmp_path / "oidc.toml"
    text = 'issuer = "https://id.example"\nclient_id = "l"\nsecret_file = "secret"\naddress = "https://c.example"\n[roles]\n'
    file.write_text(f'{text}g = "analyst"\n')
    assert read_oidc(file, BODY_ROLES).roles == {"g": "analyst"}
    with pytest.raises(InputError, match="roles"):
        read_oidc(file)
    file.write_text(f'{text}g = "moderator"\n')
    with pytest.raises(InputError, match="roles"):
        read_oidc(file, BODY_ROLES)


def test_settings_are_read_from_a_file(tmp_path):
    (tmp_path / "oidc.secret").write_text("shh\n")
    (tmp_path / "oidc.toml").write_text(GOOD)
    found = read_oidc(tmp_path / "oidc.toml")
    assert (found.client_secret, found.roles) == ("shh", {"desk-moderators": "moderator"})
    assert "shh" not in repr(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"moderator"', '"owner"'),
        ("https://id", "http://id"),
        ("https://desk", "http://desk"),
        ('client_id = "lightship"', ""),
        ('client_id = "lightship"', 'client = "lightship"'),
        ("[roles]", "[role]"),
        ("oidc.secret", "nothing"),
        ("issuer =", "issuer ="[:3]),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_a_sentence(tmp_path, old, new):
    (tmp_path / "oidc.secret").write_text("shh")
    (tmp_path / "oidc.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(InputError):
        read_oidc(tmp_path / "oidc.toml")
