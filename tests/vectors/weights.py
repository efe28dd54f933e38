"""Weights, calibrators, watchkeepers, blocks, budgets; and randomised response."""

import math
import random

from lightship.core.ladder import RUNGS
from lightship.core.randomised import (
    ANSWERS,
    answer_of,
    estimate,
    in_words,
    p_true,
    randomised,
    standard_error,
)
from lightship.core.watchkeeper import BaseBlock, Budget, Watch, advance, levels_db, session_level
from lightship.core.weight import (
    BenignStream,
    Calibration,
    Calibrator,
    analytic_evalue,
    decibans,
    scene_share_db,
    smooth_evalue,
)
from tests.vectors import number

SMALL = Calibration(
    "exposure",
    "toy",
    "exposed",
    6.0,
    tuple(
        BenignStream(
            f"stream {s}",
            "made",
            tuple(round((s * 7919 + b * 104729) % 1000 / 1000, 3) for b in range(60)),
            tuple(2.0 + (b % 5) / 2 for b in range(60)),
        )
        for s in range(4)
    ),
    "2026-11-24",
    "made",
)


def made():
    draw = random.Random(7)
    ps = [1.0, 0.99995, 0.9999, 0.5, 0.1, 0.01, 1e-3, 1 / 241, 1 / 721, 1e-6, 1e-12]
    calibrators = [
        Calibrator.for_rung(*one) for one in ((2.0, 10), (1800.0, 240), (60.0, 5000), (3600.0, 720))
    ]
    return {
        "smooth_evalue": [[p, smooth_evalue(p)] for p in ps],
        "calibrator": [
            {"alarm_alpha": one.alarm_alpha, "finest_alpha": one.finest_alpha, "e": [[p, one.evalue(p)] for p in ps]}
            for one in calibrators
        ],
        "decibans": [[e, number(decibans(e))] for e in (0.0, 0.5, 1.0, 10.0, 1234.5, 1e60)],
        "analytic_evalue": [
            [weight, scenes, analytic_evalue(weight, scenes)]
            for weight in (-5.0, 0.0, 0.1, 12.5, 79.3, 120.0)
            for scenes in (1, 30, 600)
        ],
        "scene_share_db": [[j, scene_share_db(j)] for j in (1, 2, 3, 10, 100)],
        "budgets": [
            {"text": text, "mean_time_s": Budget.parse(text).mean_time_s, "words": str(Budget.parse(text)),
             "thresholds": [[block, Budget.parse(text).threshold(block)] for block in (2.0, 60.0, 1200.0)]}
            for text in ("1 per hour", "20 per hour", "1 per 100 hours", "0.5 per day", "3 per 2 months", "1 per second")
        ],
        "advance": [
            {"kind": kind, "steps": _steps(kind, draw)} for kind in ("cusum", "shiryaev-roberts") for _ in range(3)
        ],
        "base_blocks": [_blocks(draw, changes) for changes in (0.0, 0.1, 0.9)],
        "watch": [_watch(draw)],
        "calibration": SMALL.to_json(),
        "p_value": [
            [score, block, SMALL.p_value(score, block)] for score in (-1.0, 0.0, 0.25, 0.5, 0.999, 1.0) for block in (2.0, 6.0, 60.0)
        ],
        "merged": [[block, [list(stream.merged(block)) for stream in SMALL.streams]] for block in (2.0, 5.0, 60.0, 1e6)],
        "levels_db": [
            [kind, block, threshold, levels_db(SMALL, SMALL.streams[1], block, threshold, kind)]
            for kind in ("cusum", "shiryaev-roberts") for block, threshold in ((2.0, 30.0), (10.0, 100.0))
        ],
        "session_level": [
            {"budget": text, "block_s": block, "kind": kind, **_session(text, block, kind)}
            for text in ("20 per hour", "1 per hour", "1 per 100 hours") for block in (2.0, 20.0)
            for kind in ("cusum", "shiryaev-roberts")
        ],
    }  # fmt: skip


def _session(text, block, kind):
    found = session_level(SMALL, Budget.parse(text), block, kind)
    return {"level_db": number(found.level_db), "hours": found.hours, "extrapolated": found.extrapolated}


def _steps(kind, draw):
    level, steps = -math.inf, []
    for _ in range(25):
        weight = draw.choice((-0.46, -3.01, draw.uniform(-3, 30), 400.0 if draw.random() < 0.05 else 1.0))
        level = advance(level, weight, kind)
        steps.append([weight, level])
    return steps


def hash_of(seed: int) -> tuple[int, int, int, int]:
    draw = random.Random(seed)
    return tuple(draw.getrandbits(64) for _ in range(4))


def hexed(picture):
    return None if picture is None else "".join(f"{word:016x}" for word in picture)


def _blocks(draw, changes):
    at_s, seed, rows = 0.0, 1, []
    block = BaseBlock.begun(0.0, hash_of(1))
    for _ in range(60):
        at_s += draw.choice((0.25, 0.5, 3.0))
        if draw.random() < changes:
            seed += 1
        picture = None if draw.random() < 0.05 else _near(hash_of(seed), draw.choice((0, 5, 31)))
        over = block.over(at_s, picture)
        block = BaseBlock.begun(at_s, picture) if over else block.seen(picture)
        rows.append([at_s, hexed(picture), over, block.pictures])
    return rows


def _near(picture, bits):
    first, *rest = picture
    return first ^ ((1 << bits) - 1), *rest


def _watch(draw):
    watch, rows = Watch(), []
    for number_ in range(12):
        scores = [
            (draw.choice(("a", "b")), "label", round(draw.uniform(-5, 5), 3))
            for _ in range(draw.randrange(3))
        ]
        watch = watch.seen(number_ * 0.5, scores) if number_ % 5 < 4 else watch.closed(number_ * 0.5, 3.5)
        rows.append(
            {"scores": scores if number_ % 5 < 4 else None, "before_db": number(watch.before_db), "began_s": watch.began_s,
             "best": [list(one) for one in watch.best]}
        )  # fmt: skip
    return rows


def randomised_made():
    secret = bytes(range(32))
    days = [f"2026-11-{day:02d}" for day in range(1, 29)]
    return {
        "answers": list(ANSWERS),
        "answer_of": [[count, answer_of(count)] for count in (0, 1, 2, 4, 5, 100)],
        "secret": secret.hex(),
        "p_true": [[epsilon, k, p_true(epsilon, k)] for epsilon in (0.1, 1 / 3, 1.0, 8.0) for k in (2, 4)],
        "shared": [
            {
                "true": true,
                "answers": 4,
                "epsilon": epsilon,
                "question": question,
                "days": [[day, randomised(true, 4, epsilon, secret, question, day)] for day in days],
            }
            for true in range(4)
            for epsilon in (1 / 3, 2.0)
            for question in RUNGS[1:3]
        ],
        "estimate": [
            {"shared": shared, "epsilon": epsilon, "estimate": estimate(shared, epsilon),
             "standard_error": standard_error(sum(shared), epsilon, len(shared))}
            for shared in ([4000, 6000], [10, 20, 30, 40]) for epsilon in (0.5, 1.0986122886681098)
        ],
        "words": [[epsilon, 4, in_words(epsilon, 4)] for epsilon in (1 / 3, 1.0)],
    }  # fmt: skip
