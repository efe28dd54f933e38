"""A stream's timeline: gaps are drawn as gaps, and no time in which nobody looked is left out."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.console.making import console, full
from tests.unit.console.visiting import working

from lightship.console.trace import traced
from lightship.core.cases import Effect, Stream

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STREAM = Stream("s", "a", "h", "public", "terms", "public-live", NOW)


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def entry(minutes, kind, **more):
    return {"kind": kind, "at": at(minutes).isoformat(), "stream": "s", **more}


def began(minutes):
    return entry(minutes, "watch-began", policy="public-live", policy_digest="sha256:00", absent={})


def gaps(marks):
    return [(one.at, one.until, one.words) for one in marks if one.lane == "gap"]


def test_a_minute_with_a_gap_is_one_on_the_axis():
    covered = {"minute": 0, "pictures": 50, "looks": 40, "model_looks": 0, "late_s": 0.0}
    own = [began(0), entry(1, "coverage", gap_s=12.5, **covered), entry(2, "coverage", gap_s=0.0, **covered)]
    assert gaps(traced(own, STREAM, {}, at(3), whole=True)) == [
        (at(0), at(1), "12.5 s of this minute were not looked at")
    ]


def test_from_one_worker_to_the_next_is_a_gap():
    own = [began(0), entry(4, "let-go", run=1, reason="its lease lapsed"), began(6)]
    assert gaps(traced(own, STREAM, {}, at(9), whole=True)) == [
        (at(4), at(6), "not watched: its lease lapsed")
    ]


def test_a_stream_whose_worker_died_was_not_watched_from_its_last_look_on():
    took = entry(4, "taken-over", run=2, worker="one", since=at(3).isoformat(), held_s=30.0)
    found = gaps(traced([began(0), took, began(4)], STREAM, {}, at(9), whole=True))
    assert (at(3), at(4), "not watched: one was gone") in found
    assert any("held in memory of the last 30 s is gone" in words for _, _, words in found)


def test_a_stream_that_changes_hands_says_what_went_with_it():
    own = [began(0), entry(4, "handed-over", run=1, reason="another worker has room", forgot=29), began(4)]
    [(_, _, words)] = gaps(traced(own, STREAM, {}, at(9), whole=True))
    assert "29 pictures that memory held went with it" in words


def test_what_nobody_watches_is_a_gap_up_to_now():
    assert gaps(traced([], STREAM, {}, at(9), whole=True)) == [
        (at(0), at(9), "not watched: nobody had begun to watch")
    ]
    assert gaps(traced([], STREAM, {}, at(9), whole=False)) == []


def test_what_became_of_an_effect_is_told_by_what_it_does():
    own = [{"kind": "effect-done", "at": at(2).isoformat(), "effect": "e1", "case": "c"}]
    [mark] = traced(own, STREAM, {"e1": "stop-stream"}, at(3), whole=False)
    assert (mark.lane, mark.words) == ("effect", "stop-stream: done")


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=30))
def test_every_minute_is_watched_or_in_a_gap(steps):
    """Whatever the order in which workers come and go."""
    steps = sorted(steps, key=lambda one: one[0])
    own = [
        began(minute) if comes else entry(minute, "watch-ended", reason="let go", troubles={})
        for minute, comes in steps
    ]
    found = gaps(traced(own, STREAM, {}, at(101), whole=True))
    for minute in range(101):
        before = [comes for when, comes in steps if when <= minute]
        watched = bool(before) and before[-1]
        drawn = any(begin <= at(minute) < end for begin, end, _ in found)
        assert drawn is not watched, minute


def test_the_page_has_the_picture_and_the_same_as_a_table(tmp_path):
    made = full(console(tmp_path))
    now = made.clock()
    with made.store.begin() as work:
        work.record({**entry(0, "watch-began", policy="p", policy_digest="sha256:0", absent={"exposure": "no file"}),
                     "stream": "s0", "at": (now - timedelta(minutes=19)).isoformat()})  # fmt: skip
        work.record(
            {"kind": "let-go", "stream": "s0", "run": 1, "reason": "it lapsed", "at": now.isoformat()}
        )
        work.save(Effect("e1", "c0", "s0", "cover", "policy sha256:1", now, now))
        work.record(
            {"kind": "effect-failed", "effect": "e1", "case": "c0", "attempts": 8, "at": now.isoformat()}
        )
    made.clock.on(minutes=5)
    text = working(made, "mo").get("/subjects/host-s0").text
    assert '<svg class="timeline"' in text
    table = text.split("The same as a table")[1]
    for said in ("exposure is absent: no file", "not watched: it lapsed", "cover: failed", "cover: ordered"):
        assert said in table, said
