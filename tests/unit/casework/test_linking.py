"""Who may be one person: what names somebody for a time, what a home shares, and a child who is never an adult."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tables import tables
from tests.unit.console.making import Journal

from lightship import packs
from lightship.casework import desk, link_model, linking, links, resolving
from lightship.casework.bundling import Told, bundle, bundles_of, folded, standing, take_apart
from lightship.casework.intake import Received, read_again, take_in
from lightship.casework.link_pass import explain, link_all, link_new, link_one, near
from lightship.casework.linking import Weighed, weigh
from lightship.casework.made_people import parse_world, people_told
from lightship.casework.profiles import Held, Pair, comparable, profiles, side_of
from lightship.casework.urgency import shipped as shipped_ladder
from lightship.core.casework import (
    Bundle,
    Comparison,
    Identifier,
    Inquiry,
    Link,
    Named,
    Parsed,
    Referral,
    Use,
)
from lightship.core.errors import AccessDenied, InputError, PolicyError
from lightship.infra.migrate import upgrade
from lightship.infra.store import SqlStore

MODEL = link_model.shipped()
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
DAY_S = 86_400


@pytest.fixture
def store(tmp_path):
    url = tables(tmp_path / "s")
    with SqlStore(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def told():
    where, text = packs.read("casework", "people", ".toml", "made-up people")
    return list(people_told(parse_world(text, str(where)), 400, 42))


def keep(store, told):
    with store.begin() as work:
        for one in told:
            due = {"owner": "intake desk", "due_at": NOW + timedelta(hours=1)}
            work.save(Inquiry(one.referral.inquiry_id, NOW, **due), one.referral, *one.identifiers)


def held_of(told):
    return [
        Held(
            each.person,
            each.role,
            each.kind,
            each.value,
            each.platform,
            *(2 * (one.referral.happened_at.timestamp(),)),
        )
        for one in told
        for each in one.identifiers
    ]


def person(label, /, day=0, role="suspect", **named):
    """Return what a referral says of somebody, by kind; a handle is on one platform."""
    at_s = 1.7e9 + day * DAY_S
    return [
        Held(
            f"{label}/p", role, kind.replace("_", "-"), value, "chat" if kind == "handle" else "", at_s, at_s
        )
        for kind, value in named.items()
    ]


def levels(*held):
    """Return what is seen of the first two persons, by comparison."""
    people = profiles(MODEL, [one for each in held for one in each])
    first, second = list(people.values())[:2]
    found = weigh(MODEL, Pair(first, second), dict.fromkeys((first.name, second.name), 0.0001))
    return {part.comparison: part.level for part in found.parts if part.level}


def test_both_ways_give_every_pair_the_same_weight(store, told):
    keep(store, told)
    held = held_of(told)
    people = profiles(MODEL, held)
    whole = {(one.one, one.other): one for one in resolving.compare(
        MODEL, people, resolving.rarities(MODEL, held), least_db=-math.inf)}  # fmt: skip
    found = {}
    every = replace(MODEL, weak_db=-math.inf)
    with store.begin() as work:
        for one in told:
            for those in near(work, every, one.referral.id, now=NOW).values():
                found |= {(each.weighed.one, each.weighed.other): each.weighed for each in those}
    assert len(whole) > 200
    assert found.keys() == whole.keys()
    for key, one in whole.items():
        assert found[key].weight_db == pytest.approx(one.weight_db, abs=1e-6)
        assert [part.level for part in found[key].parts] == [part.level for part in one.parts]
        assert sum(part.weight_db for part in one.parts) == pytest.approx(one.weight_db)
        assert all(re.fullmatch(r"[a-z]+: [+-]\d+\.\d dB, .+", reason) for reason in one.reasons)
        assert one.rival


def test_a_number_names_somebody_for_a_time():
    mine = person("a", phone="+447700900001")
    assert levels(mine, person("b", day=80, phone="+447700900001"))["phone"] == "tenure"
    assert levels(mine, person("b", day=200, phone="+447700900001"))["phone"] == "recycled"
    between = person("c", day=75, phone="+447700900001")
    assert levels(mine, person("b", day=150, phone="+447700900001"), between)["phone"] == "tenure"
    assert levels(mine, person("b", phone="+447700900002"))["phone"] == "differ"
    assert "phone" not in levels(mine, person("b", email="b@x.example"))


def test_a_handle_says_more_where_hardly_anybody_else_would_take_it():
    assert (
        levels(person("a", handle="kestrel_mole4411"), person("b", day=700, handle="kestrel_mole4411"))[
            "handle"
        ]
        == "own"
    )
    assert levels(person("a", handle="fox22"), person("b", day=20, handle="fox22"))["handle"] == "tenure"
    assert levels(person("a", handle="fox22"), person("b", day=400, handle="fox22"))["handle"] == "reused"
    elsewhere = [replace(one, platform="other") for one in person("b", handle="kestrel_mole4411")]
    assert levels(person("a", handle="kestrel_mole4411"), elsewhere)["handle"] == "elsewhere"
    elsewhere = [replace(one, platform="other") for one in person("b", handle="fox22")]
    assert "handle" not in levels(person("a", handle="fox22"), elsewhere), (
        "a word that many take says nothing"
    )


def test_a_device_or_line_around_which_many_are_says_little():
    def crowd(size, **what):
        return [person(f"c{number}", email=f"c{number}@x.example", **what) for number in range(size)]

    mine, other = person("a", device="d1", email="a@x.example"), person("b", device="d1", email="b@x.example")
    assert levels(mine, other)["place"] == "device"
    assert levels(mine, other, *crowd(3, device="d1"))["place"] == "household"
    assert levels(mine, other, *crowd(30, device="d1"))["place"] == "differ"
    mine, other = (
        person("a", ip="192.0.2.1", email="a@x.example"),
        person("b", ip="192.0.2.1", email="b@x.example"),
    )
    assert levels(mine, other)["place"] == "line"
    assert "place" not in levels(mine, other, *crowd(30, ip="192.0.2.1")), "a café's line"
    assert not profiles(MODEL, mine)["a/p"].keys & {"ip||192.0.2.1"}, "a line names nobody"


def test_two_of_one_family_are_told_apart_by_their_given_names():
    assert levels(person("a", name="kato bade"), person("b", name="kato bade"))["name"] == "same"
    assert levels(person("a", name="kato bade"), person("b", name="kto bade"))["name"] == "alike"
    assert levels(person("a", name="kato bade"), person("b", name="k bade"))["name"] == "alike"
    assert levels(person("a", name="kato bade"), person("b", name="mina bade"))["name"] == "family"
    assert levels(person("a", name="kato bade"), person("b", name="mina sorov"))["name"] == "differ"
    home = {"device": "d1", "ip": "192.0.2.1"}
    people = profiles(MODEL, [*person("a", name="kato bade", **home), *person("b", name="mina bade", **home)])
    siblings = weigh(MODEL, Pair(people["a/p"], people["b/p"]), {})
    assert not linking.stands(MODEL, Pair(people["a/p"], people["b/p"]), siblings)


def test_a_rarer_name_weighs_more_and_the_rival_is_said():
    people = profiles(
        MODEL,
        [
            *person("a", name="kato bade", email="a@x.example"),
            *person("b", name="kato bade", email="a@x.example"),
        ],
    )
    pair = Pair(people["a/p"], people["b/p"])
    rare, common = (weigh(MODEL, pair, {"kato bade": share}) for share in (1e-6, 1e-2))
    assert rare.weight_db > common.weight_db + 30
    assert "Without the" in common.rival


def test_whoever_a_referral_calls_child_and_suspect_is_compared_with_nobody():
    both = [*person("a", email="a@x.example"), *person("a", role="child", handle="fox22")]
    assert "a/p" not in profiles(MODEL, both)
    assert side_of({"child", "unknown"}) == "child"


def test_a_pair_of_child_and_suspect_or_of_one_referral_cannot_be_made():
    people = profiles(
        MODEL, [*person("a", role="child", email="a@x.example"), *person("b", email="a@x.example")]
    )
    with pytest.raises(AccessDenied, match="never one person"):
        Pair(people["a/p"], people["b/p"])
    with pytest.raises(AccessDenied, match="never one person"):
        Pair(people["b/p"], people["b/p"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["child", "suspect", "facilitator", "unknown"]), min_size=2, max_size=9),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.floats(-40, 60)), max_size=30),
)
def test_no_group_ever_holds_a_child_and_an_adult(roles, weights):
    held = [one for number, role in enumerate(roles)
            for one in person(f"r{number % 7}x{number // 7}", role=role, email="one@x.example")]  # fmt: skip
    people = profiles(MODEL, held)
    names = list(people)
    pairs = {}
    for first, second, weight_db in weights:
        if first < len(names) > second and comparable(people[names[first]], people[names[second]]):
            one, other = links.pair(names[first], names[second])
            parts = (linking.Part("email", "few", 20.0, "the same"),)
            pairs[one, other] = Weighed(one, other, weight_db, parts, "")
    for group in resolving.resolve(MODEL, people, pairs.values(), {}).groups:
        assert not {"child", "adult"} <= {people[one].side for one in group}
        assert len({people[one].referral for one in group}) == len(group)


def test_a_pass_proposes_what_holds_people_together_and_nothing_twice(store, told):
    keep(store, told)
    done = link_all(store, MODEL, now=NOW)
    with store.begin() as work:
        found = work.find(Link)
        assert len(found) == done.proposed > 50
        assert {one.state for one in found} == {"proposed"}
        truth = {key: number for one in told for key, number in one.truth.items()}
        assert sum(truth[one.one] == truth[one.other] for one in found) / len(found) > 0.97
        again = explain(work, MODEL, found[0].one, found[0].other, by="ann", now=NOW)
        assert again.reasons == found[0].reasons
        with pytest.raises(InputError, match="share nothing"):
            explain(work, MODEL, found[0].one, "nobody/p", by="ann", now=NOW)
        links.vote(work, shipped_ladder(), found[0].id, yes=False, by="ann", why="two people", now=NOW)
    assert link_all(store, MODEL, now=NOW).proposed == 0
    with store.look() as work:
        assert work.get(Link, found[0].id).state == "refused", "what people decided stays"


def test_one_more_is_linked_once_with_those_who_are_one_already(store):
    def refer(number):
        referral = Referral(
            f"r{number}", "platform", "p", "", "k", "k", NOW + timedelta(seconds=number), "0", f"i{number}"
        )
        due = {"owner": "intake desk", "due_at": NOW + timedelta(hours=1)}
        email = Identifier(f"r{number}-0", f"r{number}", "email", "a@x.example", "suspect", f"r{number}/p")
        with store.begin() as work:
            work.save(Inquiry(f"i{number}", NOW, **due), referral, email, Comparison(f"r{number}", NOW))

    for number in range(4):
        refer(number)
        assert link_new(store, MODEL, now=NOW) == 1
    assert link_new(store, MODEL, now=NOW) == 0
    with store.begin() as work:
        assert len(work.find(Link)) == 3, "of four who are one, three links hold them together"
        assert link_one(work, MODEL, "r3", now=NOW) == ()
        assert {"collection", "consultation", "combination"} >= {one.verb for one in work.find(Use)}
        with pytest.raises(InputError, match="no such referral"):
            link_one(work, MODEL, "none", now=NOW)
    refer(4)
    refer(5)
    link_all(store, MODEL, now=NOW)
    assert link_new(store, MODEL, now=NOW) == 0, "a pass over all counts for everybody"


def say_of(store, name, *rows):
    """Keep a referral that says things of one person: the kind, the value, and who they are by it."""
    referral = Referral(name, "platform", "p", "", "k", "k", NOW, "0", f"i-{name}")
    due = {"owner": "intake desk", "due_at": NOW + timedelta(hours=1)}
    named = [
        Identifier(f"{name}-{number}", name, kind, value, role, f"{name}/p")
        for number, (kind, value, role) in enumerate(rows)
    ]
    with store.begin() as work:
        work.save(Inquiry(f"i-{name}", NOW, **due), referral, *named)


@pytest.mark.parametrize("whole", [False, True])
def test_who_is_a_child_by_what_nobody_is_compared_by_stops_no_pass(store, whole):
    """One sender says "unknown" by the address and "child" by a hash: they are a child, and all others are linked."""
    both = (("email", "bob@x.example"), ("phone", "+447700900123"))
    say_of(store, "a", *((*one, "suspect") for one in both))
    say_of(store, "b", *((*one, "unknown") for one in both), ("hash", "ab" * 32, "child"))
    say_of(store, "c", *((*one, "suspect") for one in both))
    if whole:
        link_all(store, MODEL, now=NOW)
    else:
        for name in ("a", "b", "c"):
            with store.begin() as work:
                link_one(work, MODEL, name, now=NOW)
    with store.look() as work:
        assert [(one.one, one.other) for one in work.find(Link)] == [("a/p", "c/p")]


def test_a_pass_leaves_out_a_child_and_an_adult_on_the_record_and_people_are_refused(store):
    say_of(store, "a", ("email", "bob@x.example", "suspect"))
    say_of(store, "b", ("email", "bob@x.example", "child"))
    say_of(store, "c", ("email", "bob@x.example", "unknown"))
    those = [Link("", "a/p", other, 20.0, (), "x", NOW) for other in ("b/p", "c/p")]
    with store.begin() as work, pytest.raises(AccessDenied, match="never one person"):
        links.propose(work, those, by="ann", now=NOW)
    with store.begin() as work:
        made = links.propose(work, those, now=NOW, leave_out=True)
        assert [one.other for one in made] == ["c/p"]
    entries = Journal(store).of("link-left-out")
    assert [(one["referral"], one["other"]) for one in entries] == [("a", "b")]


def came(store, key, now, *named):
    """Take a referral in that names one suspect by these, kind and value."""
    parsed = Parsed("partner", key, "k", named=tuple(Named("p", "suspect", *one) for one in named))
    batch = [Received("csv", "bank", key.encode(), parsed)]
    return take_in(store, shipped_ladder(), batch, now=now, offices=desk.Offices())[0].referral_id


BOTH = (("email", "bob@x.example"), ("phone", "+447700900123"))


def test_who_comes_with_an_earlier_time_and_is_kept_later_is_compared_all_the_same(store):
    first = came(store, "a", NOW, *BOTH)
    came(store, "b", NOW + timedelta(seconds=5), ("email", "zed@x.example"))
    assert link_new(store, MODEL, now=NOW + timedelta(seconds=6)) == 2
    late = came(store, "c", NOW + timedelta(seconds=4), *BOTH)
    assert link_new(store, MODEL, now=NOW + timedelta(minutes=1)) == 1
    with store.look() as work:
        (link,) = work.find(Link)
    assert {link.one, link.other} == {f"{first}/p", f"{late}/p"}
    assert link_new(store, MODEL, now=NOW + timedelta(minutes=2)) == 0


def test_a_store_of_before_the_list_is_compared_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'old'}"
    upgrade(url, "0008")
    with SqlStore(url) as old:
        for name in ("a", "b"):
            say_of(old, name, *((*one, "suspect") for one in BOTH))
    upgrade(url)
    with SqlStore(url) as store:
        assert [link_new(store, MODEL, now=NOW) for _ in range(2)] == [2, 0]
        with store.look() as work:
            assert work.count(Link) == 1


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_read_again_is_compared_again(store, whole):
    first = came(store, "a", NOW, *BOTH)
    unread = came(store, "b", NOW)
    assert link_new(store, MODEL, now=NOW) == 1, "who names nobody is compared with nobody"
    parsed = Parsed("partner", "b", "k", named=tuple(Named("p", "suspect", *one) for one in BOTH))
    with store.begin() as work:
        read_again(
            work, shipped_ladder(), unread, parsed, form="stix", by="ann", now=NOW + timedelta(hours=1)
        )
    if whole:
        assert link_all(store, MODEL, now=NOW + timedelta(hours=2)).proposed == 1
    else:
        assert link_new(store, MODEL, now=NOW + timedelta(hours=2)) == 1
    assert link_new(store, MODEL, now=NOW + timedelta(hours=3)) == 0
    with store.look() as work:
        assert {one for link in work.find(Link) for one in (link.one, link.other)} == {
            f"{first}/p",
            f"{unread}/p",
        }


def test_one_that_cannot_be_compared_holds_up_nobody_and_is_told(store):
    with store.begin() as work:
        work.save(Comparison("gone", NOW))
    came(store, "a", NOW, *BOTH)
    came(store, "b", NOW, *BOTH)
    with pytest.raises(InputError, match="no such referral"):
        link_new(store, MODEL, now=NOW)
    with store.look() as work:
        assert len(work.find(Link)) == 1
        assert [one.id for one in work.find(Comparison, {"done_at": None})] == ["gone"]


def test_a_model_without_grades_or_with_an_impossible_chance_is_refused():
    where, text = packs.read("casework", "linking", ".toml", "model of linking")
    for was, now, why in (
        ('grade = "counted"', 'grade = ""', "no grade"),
        ("few = { one = ", "few = { one = 1", "between 0 and 1"),
        ("most = ", "mast = ", "cannot be read"),
    ):
        with pytest.raises(PolicyError, match=why):
            link_model.parse_model(text.replace(was, now), str(where))


def test_reports_of_one_file_or_account_within_a_time_are_one_bundle():
    def told(name, hours, *values):
        return Told(
            name, NOW + timedelta(hours=hours), tuple((value.partition("|")[0], value) for value in values)
        )

    found = bundles_of(
        [
            told("a", 0, "hash||f", "handle|chat|u"),
            told("b", 30, "hash||f"),
            told("c", 30 + 24 * 20, "hash||f"),
            told("d", 1, "handle|chat|u"),
            told("e", 2, "handle|chat|v"),
            told("f", 9, "handle|chat|v"),
            told("g", 99, "handle|chat|v"),
        ],
        MODEL.bundles,
    )
    assert {members for _, members in found} == {("a", "b"), ("e", "f")}


def test_what_a_person_took_apart_no_machine_bundles_again(store):
    with store.begin() as work:
        for number in range(3):
            due = {"owner": "intake desk", "due_at": NOW + timedelta(hours=1)}
            work.save(
                Inquiry(f"i{number}", NOW, **due),
                Referral(f"r{number}", "platform", "p", "", "k", "k", NOW, "0", f"i{number}"),
                Identifier(f"x{number}", f"r{number}", "hash", "0" * 64, "unknown", f"r{number}/p"),
            )
        before = work.find(Referral)
        (made,) = bundle(work, MODEL.bundles, now=NOW)
        assert made.members == ("r0", "r1", "r2")
        assert set(folded(work, ["i0", "i1"], by="ann", now=NOW)) == {"i0", "i1"}
        assert standing(work, by="ann", now=NOW) == [made]
        take_apart(work, made.id, by="ann", why="three people", now=NOW)
        assert work.find(Referral) == before
        assert bundle(work, MODEL.bundles, now=NOW) == ()
        assert [one.undone_by for one in work.find(Bundle)] == ["ann"]
