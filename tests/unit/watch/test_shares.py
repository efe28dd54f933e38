"""Streams are shared out evenly, whoever joins, whatever each can take; nothing is let go of for nobody."""

from hypothesis import given
from hypothesis import strategies as st

from lightship.watch.shares import Crew, lease, wanted

WORKERS = ("a", "b", "c", "d")


def tick(name, live, holders, most, free):
    """Do what a worker does in a tick; returns how many streams it let go of."""
    leases = {lease(id_): who for id_, who in holders.items()} | {f"worker/{one}": one for one in most}
    crew = Crew.of(leases, most, name)
    own = [id_ for id_ in live if holders.get(id_) == name]
    taken = [id_ for id_ in live if holders.get(id_, name) != name]
    for id_ in wanted(live, own, taken, free[name], crew.share(len(live)), most[name] - len(own)):
        holders[id_] = name
    free[name] = {id_ for id_ in live if id_ not in own and id_ not in taken}
    own = [id_ for id_ in live if holders.get(id_) == name]
    left = sum(id_ not in holders for id_ in live)
    surplus = crew.surplus(name, len(own), len(live), left)
    for id_ in own[len(own) - surplus :]:
        del holders[id_]
    return surplus


@given(
    streams=st.integers(0, 40),
    most=st.dictionaries(st.sampled_from(WORKERS), st.integers(1, 40), min_size=1),
    first=st.data(),
)
def test_it_comes_to_rest_evenly_and_nothing_is_left_that_somebody_could_watch(streams, most, first):
    live = [f"s{n}" for n in range(streams)]
    holders, free = {}, {name: set() for name in most}
    for id_ in live:  # any beginning: as if the others had just joined
        who = first.draw(st.sampled_from([*most, ""]))
        if who and sum(one == who for one in holders.values()) < most[who]:
            holders[id_] = who
    for _ in range(12):
        moved = sum(tick(name, live, holders, most, free) for name in most)
    assert moved == 0, "it rests"
    counts = {name: sum(one == name for one in holders.values()) for name in most}
    assert all(counts[name] <= most[name] for name in most)
    assert sum(counts.values()) == min(streams, sum(most.values()))
    least = streams // len(most)
    assert all(counts[name] >= min(most[name], least) for name in most), counts


def test_a_worker_that_has_not_said_what_it_takes_is_given_nothing():
    leases = {lease(f"s{n}"): "a" for n in range(6)} | {"worker/a": "a", "worker/b": "b"}
    assert Crew.of(leases, {"a": 10}, "a").surplus("a", 6, 6, 0) == 0
    assert Crew.of(leases, {"a": 10, "b": 1}, "a").surplus("a", 6, 6, 0) == 1
    assert Crew.of(leases, {"a": 10, "b": 9}, "a").surplus("a", 6, 6, 0) == 3


def test_who_has_not_come_yet_to_take_what_is_free_is_handed_nothing():
    leases = {lease("s0"): "a", lease("s1"): "a", "worker/a": "a", "worker/b": "b"}
    crew = Crew.of(leases, {"a": 10, "b": 10}, "a")
    assert crew.surplus("a", 2, 3, 1) == 0
    assert crew.surplus("a", 2, 2, 0) == 1
