"""The machine that climbs the ladder: never without evidence, one cover at a time, and the same every time."""

import functools
import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship import packs
from lightship.core.errors import PolicyError
from lightship.core.judge import Observation, bind, blind, judge, resume
from lightship.core.ladder import COVERING, parse_policy
from lightship.core.values import Reading
from lightship.core.weight import BenignStream, Calibration

BASE = (packs.root() / "policies" / "test.toml").read_text(encoding="utf-8")
GRADED = BASE.replace(
    '[[detectors]]\nname = "known-media"\nlabels = ["known-media"]\nrequired = false',
    '[[detectors]]\nname = "exposure"\nlabels = ["exposed"]\ncalibration = "toy"',
)


class Detector:
    version, takes = "1", "luma"

    def __init__(self, name, label, evidence):
        self.name, self.labels, self.evidence = name, frozenset({label}), evidence

    def read(self, frames):
        return [() for _ in frames]


CARD = Detector("test-card", "test-card", "analytic")
EXPOSURE = Detector("exposure", "exposed", "calibrated")


@functools.cache
def calibration(hours=20, version="1", fps=6.0):
    streams = tuple(
        BenignStream(
            f"s{i}", "d", tuple((j * 7919 + i * 104729) % 1800 / 3600 for j in range(1800)), (2.0,) * 1800
        )
        for i in range(hours)
    )
    return Calibration("exposure", version, "exposed", fps, streams, "2026-11-24", "test")


@functools.cache
def bound(text=BASE, hours=20):
    if "exposure" in text:
        return bind(parse_policy(text), [CARD, EXPOSURE], {"exposure": calibration(hours)})
    return bind(parse_policy(text), [CARD], {})


def changed(number):
    """Another picture for every number."""
    return tuple(((number + 1) * 0x9E3779B97F4A7C15 * (k + 1)) % 2**64 for k in range(4))


def seen(at_s, card=False, exposed=None):
    readings = [Reading("test-card", "test-card", 79.3)] if card else []
    readings += [Reading("exposure", "exposed", exposed)] if exposed is not None else []
    return Observation(at_s, tuple(readings), changed(int(at_s / 2.5)))


def play(machine, observations):
    standing, decisions, states = machine.start(), [], []
    for observation in observations:
        standing, decision = judge(machine, standing, observation)
        decisions += [decision] if decision else []
        states.append(standing)
    return decisions, states


def test_strong_evidence_blurs_in_the_first_analysed_frame_and_pauses_two_seconds_later():
    decisions, _ = play(bound(), [seen(n / 6, card=n >= 30) for n in range(60)])
    assert [(d.rung, d.by) for d in decisions] == [("blur", "evidence"), ("pause", "evidence")]
    assert decisions[0].at_s == 5.0
    assert decisions[1].at_s == pytest.approx(7.0)
    assert decisions[0].reasons[0].label == "test-card"


def test_it_goes_on_when_the_picture_has_been_benign_for_long_enough():
    decisions, _ = play(bound(), [seen(n / 6, card=30 <= n < 60) for n in range(120)])
    assert decisions[-1].rung is None
    assert decisions[-1].by == "benign"
    assert decisions[-1].at_s >= 59 / 6 + 3.0 - 1e-6


def test_a_graded_detector_is_weighed_by_its_calibration():
    machine = bound(GRADED)
    ordinary, _ = play(machine, [seen(n / 4, exposed=0.25) for n in range(400)])
    assert ordinary == []
    strong, _ = play(machine, [seen(n / 4, exposed=0.25 if n < 40 else 0.9) for n in range(80)])
    assert strong[0].rung in {"observe", "blur"}
    assert strong[0].at_s == 10.0


def test_a_camera_or_an_uncounted_label_is_never_a_reason():
    observation = Observation(
        1.0, (Reading("camera", "camera-black", 1e9), Reading("test-card", "exposed", 1e9)), None
    )
    decisions, _ = play(bound(), [observation] * 50)
    assert decisions == []


story = st.lists(
    st.tuples(st.floats(0.05, 4.0), st.booleans(), st.sampled_from([0.0, 0.3, 0.49, 0.8])),
    min_size=1,
    max_size=120,
)


@settings(deadline=None, max_examples=60)
@given(story)
def test_what_holds_in_every_story(steps):
    machine = bound(GRADED)
    at_s, observations = 0.0, []
    for pause_s, card, exposed in steps:
        at_s += pause_s
        observations.append(seen(at_s, card, exposed))
    decisions, states = play(machine, observations)
    again, _ = play(machine, observations)
    assert decisions == again, "the same story gives the same decisions"
    rungs = [None, *(rung.rule.rung for rung in machine.rungs)]
    cover_since = None
    for decision in decisions:
        if decision.by == "evidence":
            assert rungs.index(decision.rung) > rungs.index(decision.before)
            assert decision.reasons
            if decision.before in COVERING:
                assert decision.at_s - cover_since >= 2.0 - 1e-6, "the graver cover waits its time"
            elif decision.rung in COVERING:
                assert decision.rung == "blur", "covers are climbed one at a time"
            if decision.rung in COVERING:
                cover_since = decision.at_s
        else:
            assert decision.rung is None
    for standing, observation in zip(states, observations, strict=True):
        if not any(r.label == "test-card" for o in observations for r in o.readings) and standing.covered:
            assert max(r.score for o in observations if o.at_s <= observation.at_s for r in o.readings) > 0.3


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0.1, 0.3, 0.6]), min_size=1, max_size=12))
def test_deciding_early_is_deciding_at_the_blocks_end(scores):
    """Within one block the level can only rise, so what fired early would have fired at the end as well."""
    machine = bound(GRADED)
    standing, levels = machine.start(), []
    for number, score in enumerate(scores):
        standing, _ = judge(
            machine, standing, Observation(number / 10, seen(0, exposed=score).readings, changed(1))
        )
        levels.append(standing.levels_db)
    for before, after in itertools.pairwise(levels):
        assert all(b <= a + 1e-9 for b, a in zip(before, after, strict=True))


def covered(text):
    machine = bound(text)
    standing = machine.start()
    for n in range(6):
        standing, _ = judge(machine, standing, seen(n / 6, card=True))
    assert standing.covered
    return machine, standing


def test_a_person_goes_on_where_the_policy_allows_it_and_has_a_time_of_grace():
    machine, standing = covered(BASE.replace('release = "benign"', 'release = "person"\ngrace_s = 5'))
    standing, decision = resume(machine, standing, 2.0)
    assert (decision.rung, decision.by) == (None, "person")
    standing, decision = judge(machine, standing, seen(6.9, card=True))
    assert decision is None
    standing, decision = judge(machine, standing, seen(7.1, card=True))
    assert decision.rung == "blur"


@pytest.mark.parametrize("release", ["benign", "never"])
def test_a_person_does_not_go_on_where_the_policy_does_not_allow_it(release):
    machine, standing = covered(BASE.replace('release = "benign"', f'release = "{release}"'))
    assert resume(machine, standing, 2.0) == (standing, None)


def test_where_nothing_releases_it_stays_covered():
    machine, standing = covered(BASE.replace('release = "benign"', 'release = "never"'))
    for n in range(200):
        standing, decision = judge(machine, standing, seen(2 + n / 4))
        assert decision is None or decision.rung == "pause"
    assert standing.covered


def test_blindness_covers_where_the_policy_says_so_and_sight_without_evidence_uncovers():
    machine = bound()
    standing, decision = blind(machine, machine.start(), 4.0)
    assert (decision.rung, decision.by) == ("blur", "blind")
    assert blind(machine, standing, 5.0)[1] is None
    for n in range(40):
        standing, decision = judge(machine, standing, seen(6 + n / 4))
    assert standing.rung is None


def test_blindness_passes_with_notice_where_the_policy_says_so():
    machine = bound(BASE.replace('when_blind = "cover"', 'when_blind = "pass-with-notice"'))
    assert blind(machine, machine.start(), 4.0) == (machine.start(), None)


def test_after_the_end_nothing_more_happens():
    text = BASE + '\n[[rungs]]\nrung = "end"\nbudget = "1 per 100 hours"\nblock_s = 600\nafter_s = 1\n'
    decisions, states = play(bound(text), [seen(n / 4, card=n < 40) for n in range(400)])
    assert decisions[-1].rung == "end"
    assert states[-1].rung == "end"


@pytest.mark.parametrize(("given_", "said"), [
    ({}, "no calibration"),
    ({"exposure": calibration(version="2")}, "was made for"),
    ({"exposure": calibration(fps=2.0)}, "frames a second"),
])  # fmt: skip
def test_a_calibration_that_does_not_fit_is_refused(given_, said):
    with pytest.raises(PolicyError, match=said):
        bind(parse_policy(GRADED), [CARD, EXPOSURE], given_)


def test_levels_begin_at_nothing():
    assert all(level == -math.inf for level in bound().start().levels_db)


KNOWN = Detector("known-media", "known-media", "analytic")
LIVE = bind(packs.policy("public-live"), [KNOWN], {})
MILLION_DB = 61.7  # what the nearest copy weighs among a million entries, looked up as it is


def listed(at_s, picture, db=MILLION_DB):
    readings = (Reading("known-media", "known-media", db),) if db else ()
    return Observation(at_s, readings, changed(picture))


def test_one_scene_is_one_chance_however_often_the_stream_comes_back_to_it():
    cuts = [listed(float(n), n // 3 % 2, 36.4 if n // 3 % 2 else 0.0) for n in range(600)]
    decisions, states = play(LIVE, cuts)
    assert {one.rung for one in decisions} <= {"observe", None}
    assert max(state.levels_db[1] for state in states) < 30.0
    still, _ = play(LIVE, [listed(float(n), 7, 55.0) for n in range(600)])
    assert [one.rung for one in still] == ["observe"]


def test_two_listed_scenes_end_a_stream_at_once_and_one_of_a_million_does_not():
    (one,), _ = play(LIVE, [listed(n / 4, 1) for n in range(40)])
    assert one.rung == "observe"
    decisions, _ = play(LIVE, [listed(0.0, 0, 0.0), listed(0.5, 1), listed(1.0, 2)])
    assert [(one.rung, one.at_s) for one in decisions] == [("observe", 0.5), ("end", 1.0)]


def test_a_scene_seen_better_counts_for_what_it_is_seen_better():
    seen_poorly = [listed(0.0, 0, 0.0), listed(1.5, 1, 20.0), listed(2.0, 1, 20.0)]
    _, states = play(LIVE, [*seen_poorly, listed(3.0, 1, 80.0)])
    assert states[2].levels_db[1] == pytest.approx(11.24, abs=0.05)
    assert states[3].levels_db[1] == pytest.approx(11.24 + 0.97 + 53.0, abs=0.05), "its miss is made good"


def test_a_stream_of_quick_cuts_keeps_the_budget():
    """Eight scenes a block, of which one in twenty matches by chance, as its bound says: as many alarms as promised."""
    policy = BASE.replace('budget = "20 per hour"', 'budget = "180 per hour"')
    machine = bind(parse_policy(policy), [CARD], {})
    blocks = machine.rungs[0].rule.budget.threshold(2.0)
    rng, lengths = random.Random(2), []
    for run in range(60):
        standing, number, decision = machine.start(), 0, None
        while decision is None and number < 400 * blocks:
            hit = (Reading("test-card", "test-card", 13.0),) if rng.random() < 0.05 else ()
            observation = Observation(number / 4, hit, changed(1000 * run + number))
            standing, decision = judge(machine, standing, observation)
            number += 1
        lengths.append(number / 8)
    assert sum(lengths) / len(lengths) >= blocks
