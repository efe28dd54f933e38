"""The shapes that HMA documents in its `docs/api.md` and returns in its own tests, asked as its clients ask."""

import base64

import numpy as np
import pytest
from tests.unit.console.serving import ask, bank, hexed, pictures, service
from tests.unit.console.test_walks import flipped

HASHES = pictures(np.random.default_rng(2), 6)
MD5 = bytes(range(16))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    banks = [bank("BANK_A", HASHES[:4], [("md5", MD5)]), bank("BANK_B", HASHES[2:3])]
    made = service(tmp_path_factory.mktemp("hma"), banks, tenants={"other": {}})
    yield made
    made.service.close()


def get(served, path, **params):
    return ask(served, "GET", path, params=params, tenant=params.pop("tenant", "acme"))


def test_lookup_gives_matches_by_bank_with_the_distance_as_text(served):
    value = get(served, "/m/lookup", signal=hexed(flipped(HASHES[0], 1, 2)), signal_type="pdq").json()
    ((name, (match,)),) = value.items()
    assert name == "BANK_A"
    assert set(match) == {"bank_content_id", "distance"}
    assert match["distance"] == "2"
    assert type(match["bank_content_id"]) is int
    assert 0 < match["bank_content_id"] < 2**53


def test_lookup_without_a_match_is_an_empty_object(served):
    done = get(served, "/m/lookup", signal=hexed(HASHES[5]), signal_type="pdq")
    assert (done.status_code, done.json()) == (200, {})


def test_raw_lookup_gives_numbers_or_with_distance_objects(served):
    query = {"signal": hexed(HASHES[2]), "signal_type": "pdq"}
    plain = get(served, "/m/raw_lookup", **query).json()
    far = get(served, "/m/raw_lookup", **query, include_distance="True").json()
    assert set(plain) == set(far) == {"matches"}
    assert len(plain["matches"]) == 2
    assert plain["matches"] == [one["bank_content_id"] for one in far["matches"]]
    assert {one["distance"] for one in far["matches"]} == {"0"}


def test_banks_restrict_the_search(served):
    query = {"signal": hexed(HASHES[2]), "signal_type": "pdq"}
    assert set(get(served, "/m/lookup", **query).json()) == {"BANK_A", "BANK_B"}
    assert set(get(served, "/m/lookup", **query, banks="BANK_B,BANK_X").json()) == {"BANK_B"}
    assert get(served, "/m/raw_lookup", **query, banks="NON_EXISTENT_BANK").json() == {"matches": []}


def test_what_hma_lets_a_client_say_besides_changes_nothing(served):
    query = {"signal": hexed(HASHES[0]), "signal_type": "pdq"}
    assert (
        get(served, "/m/lookup", **query, seed="7", bypass_coinflip="true").json()
        == get(served, "/m/lookup", **query).json()
    )


def test_numbers_stay_the_same_and_are_each_tenants_own(served):
    query = {"signal": hexed(HASHES[0]), "signal_type": "pdq"}
    one, again = (get(served, "/m/raw_lookup", **query).json() for _ in range(2))
    assert one == again
    assert one != get(served, "/m/raw_lookup", **query, tenant="other").json()


@pytest.mark.parametrize("kind", ["md5", "video_md5"])
def test_a_video_is_found_by_its_md5(served, kind):
    value = get(served, "/m/lookup", signal=MD5.hex(), signal_type=kind).json()
    assert value["BANK_A"][0]["distance"] == "0"


def test_index_status_has_hmas_fields(served):
    value = get(served, "/m/index/status").json()
    assert value["pdq"] == {"present": True, "built_to": 1793491200, "size": 5}
    assert value["sha256"] == {"present": False, "built_to": -1, "size": 0}
    assert set(get(served, "/m/index/status", signal_type="video_md5").json()) == {"video_md5"}
    assert get(served, "/m/index/status", signal_type="nope").status_code == 400


def test_status_is_alive_for_a_load_balancer_without_a_token(served):
    done = ask(served, "GET", "/status", token="")
    assert (done.status_code, done.text) == (200, "I-AM-ALIVE")


@pytest.mark.parametrize(
    "query",
    [
        {"signal": "xyz", "signal_type": "pdq"},
        {"signal": "0" * 63, "signal_type": "pdq"},
        {"signal": "0" * 64, "signal_type": "nope"},
        {"signal": "0" * 64},
        {"signal_type": "pdq"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["/m/lookup", "/m/raw_lookup"])
def test_a_wrong_question_is_400_with_a_message(served, path, query):
    done = get(served, path, **query)
    assert done.status_code == 400
    assert done.json()["message"]


def test_content_is_refused_as_by_an_hma_without_the_hashers_role(served):
    for done in (
        get(served, "/m/lookup", url="http://a.example/x.png"),
        ask(served, "POST", "/m/lookup", files={"photo": b"x"}),
    ):
        assert done.status_code == 403
        assert "Hashing is disabled" in done.json()["message"]


def test_a_client_that_only_takes_an_address_puts_the_token_into_it(served):
    basic = base64.b64encode(f"hma:{served.tokens['acme']}".encode()).decode()
    done = ask(served, "GET", "/m/index/status", token="", headers={"Authorization": f"Basic {basic}"})
    assert done.status_code == 200
