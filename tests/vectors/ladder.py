"""What each shipped policy decides over made-up readings, frame by frame."""

import math
import random

from lightship import packs
from lightship.core.judge import Observation, bind, blind, judge, resume
from lightship.core.values import Reading
from tests.vectors import number
from tests.vectors.weights import hash_of, hexed

CALIBRATION = "exposure-nudenet-320n"
EVIDENCE = {"test-card": "analytic", "known-media": "analytic", "exposure": "calibrated", "camera": "camera"}
PLOTS = ("benign", "burst", "event", "creeping", "blind", "asked")

LENGTHS_S = {"creeping": 45.0, "event": 75.0}


class Detector:
    takes = "luma"

    def __init__(self, use, version):
        self.name, self.labels, self.evidence, self.version = (
            use.name,
            use.labels,
            EVIDENCE[use.name],
            version,
        )

    def read(self, frames):
        return [() for _ in frames]


def bound_of(name):
    policy = packs.policy(name)
    calibration = packs.calibration(CALIBRATION)
    detectors = [
        Detector(use, calibration.detector_version if use.name == "exposure" else "1")
        for use in policy.detectors
    ]
    return bind(policy, detectors, {"exposure": calibration})


def made():
    names = sorted(path.stem for path in (packs.root() / "policies").glob("*.toml"))
    return {
        "calibration": f"packs/calibrations/{CALIBRATION}.json",
        "evidence": EVIDENCE,
        "bound": [_bound(name) for name in names],
        "played": [_played(name, plot) for name in names for plot in PLOTS],
    }


def _bound(name):
    bound = bound_of(name)
    return {
        "policy": name,
        "digest": bound.policy.digest,
        "rungs": [
            {"rung": one.rule.rung, "alarm_db": one.alarm_db, "session_db": number(one.session_db), "extrapolated": one.extrapolated}
            for one in bound.rungs
        ],
    }  # fmt: skip


def _score(use, label, plot, at_s, draw):
    """A made-up reading, or None where an analytic detector sees nothing."""
    hot = {
        "benign": False,
        "burst": 8 <= at_s < 9,
        "event": at_s >= 6,
        "creeping": False,
        "blind": 20 <= at_s < 22,
        "asked": 5 <= at_s < 12,
    }[plot]
    if use == "exposure":
        return round(
            0.95 + draw.random() / 50
            if hot
            else 0.5 * draw.random()
            if plot == "creeping"
            else 0.2 * draw.random(),
            4,
        )
    if use == "camera":
        return 1.0 if plot == "creeping" and 3 <= at_s < 4 and label == "camera-frozen" else None
    if plot == "creeping":
        return round(draw.uniform(0, 14), 2) if draw.random() < 0.3 else None
    return round(draw.uniform(55, 80), 2) if hot else None  # fmt: skip


def _played(name, plot):
    bound = bound_of(name)
    draw = random.Random(f"{name} {plot}")
    standing, rows = bound.start(), []
    at_s, seed = 0.0, 0
    while at_s < (LENGTHS_S.get(plot, 25.0)):
        at_s = round(at_s + draw.choice((0.25, 0.25, 0.5, 1.0)), 2)
        if draw.random() < 0.08:
            seed += 1
        picture = None if draw.random() < 0.03 else hash_of(seed)
        readings = [
            (use.name, label, score)
            for use in bound.policy.detectors
            for label in sorted(use.labels)
            if (score := _score(use.name, label, plot, at_s, draw)) is not None
        ]
        act = (
            "blind"
            if plot == "blind" and 10 <= at_s < 12
            else "resume"
            if plot == "asked" and 9 <= at_s < 10
            else "frame"
        )
        if act == "blind":
            standing, decision = blind(bound, standing, at_s)
        elif act == "resume":
            standing, decision = resume(bound, standing, at_s)
        else:
            observation = Observation(at_s, tuple(Reading(*one) for one in readings), picture)
            standing, decision = judge(bound, standing, observation)
        row = [
            at_s,
            seed if picture else None,
            readings if act == "frame" else act,
            [number(round(level, 10)) if level > -math.inf else "-Infinity" for level in standing.levels_db],
        ]
        if decision is not None:
            row.append(
                {
                    "rung": decision.rung,
                    "before": decision.before,
                    "by": decision.by,
                    "total_db": number(decision.total_db),
                    "reasons": [[one.detector, one.label, one.weight_db] for one in decision.reasons],
                }
            )
        rows.append(row)
    return {"policy": name, "plot": plot, "pictures": [hexed(hash_of(one)) for one in range(seed + 1)], "frames": rows,
            "ends": [standing.rung, standing.by, standing.since_s]}  # fmt: skip
