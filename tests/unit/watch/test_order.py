"""The queue's order (R11) follows from the ledger alone, whatever happened and in whichever order it came."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.watch.making import decision, stream
from tests.unit.watch.memory import NOW, MemoryStore

from lightship.console.desk import WatchDesk
from lightship.core.cases import Case, Judgement, Stream
from lightship.core.errors import LightshipError
from lightship.infra.bus import LocalBus
from lightship.watch import desk
from lightship.watch.outbox import send_due
from lightship.watch.priority import replayed

STREAMS = ("s1", "s2", "s3")
CASE = st.sampled_from(STREAMS)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("seen"), CASE, st.sampled_from(["blur", "pause", "end"]), st.floats(1.0, 90.0), st.integers(0, 10**6)),
        st.tuples(st.just("said"), CASE, st.sampled_from(["child-at-risk-now", "other"])),
        st.tuples(st.just("judged"), CASE, st.sampled_from(["abuse", "not-abuse", "unsure"])),
        st.tuples(st.sampled_from(["over", "undone", "declined", "appealed", "reversed", "upheld", "sent"]), CASE),
    ),
    max_size=25,
)  # fmt: skip


def case_of(store, name):
    """Return the stream's newest case."""
    with store.look() as work:
        found = work.find(Case, {"stream_id": name}, order=("-opened_at",), limit=1)
    return found[0].id if found else "none"


def see(store, name, number, now, rung, db, viewers):
    with store.begin() as work:
        seen = work.change(Stream, name, {}, viewers=viewers)
        desk.file(work, desk.Sighting(seen, decision(rung, at_s=float(number), db=db), 1, 0.0), now)


def end(store, name, now):
    with store.begin() as work:
        desk.ended(work, name, now)


def decline(store, people, case, now):
    with store.look() as work:
        found = work.find(Judgement, {"case_id": case}, order=("-at",), limit=1)
    if found:
        people.second(found[0].id, "lee", now, agrees=False)


def act(store, people, number, event, now):
    what, name, *more = event
    case = case_of(store, name)
    {
        "seen": lambda: see(store, name, number, now, *more),
        "said": lambda: people.report(f"r{number}", name, now, kind=more[0], words="Look."),
        "judged": lambda: people.judge(
            case,
            "mo",
            now,
            verdict=more[0],
            clause="abuse-live" if more[0] == "abuse" else "none",
            reason="seen",
        ),
        "over": lambda: end(store, name, now),
        "undone": lambda: people.undo(case, "mo", now),
        "declined": lambda: decline(store, people, case, now),
        "appealed": lambda: people.appeal(case, "mo", now, words="It was a film."),
        "reversed": lambda: people.reverse(case, "kim", now, reason="It was a film."),
        "upheld": lambda: people.uphold(case, "kim", now, reason="It stands."),
        "sent": lambda: send_due(store, lambda _effect: None, lambda: now + timedelta(hours=1)),
    }[what]()


@settings(max_examples=150, deadline=None)
@given(EVENTS)
def test_replaying_the_ledger_gives_the_order_of_the_queue_at_every_moment(events):
    store = MemoryStore()
    people = WatchDesk(store, LocalBus())
    with store.begin() as work:
        work.save(*(stream(name) for name in STREAMS))
    for number, event in enumerate(events):
        try:
            act(store, people, number, event, NOW + timedelta(minutes=number))
        except LightshipError:
            continue  # what the state of things does not allow changes nothing
        shown = [one.id for one in people.queue({"state": "open"}, limit=100)]
        assert replayed(store.ledger) == shown
