"""From readings to decisions: the pure machine that climbs a policy's ladder.

``bind`` joins a policy with the calibrations of its detectors and says what each rung needs.
``judge``, ``resume`` and ``blind`` are steps ``(state, event) -> (state, decision or None)``: no clock, no I/O, so that
the same footage always gives the same decisions, on any device, and an outsider can replay them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lightship.core.errors import PolicyError
from lightship.core.ladder import COVERING, Policy, RungRule
from lightship.core.ports import Detector
from lightship.core.values import Decision, Reading, Rung, Signal
from lightship.core.watchkeeper import (
    BASE_BLOCK_S,
    BaseBlock,
    PictureHash,
    Watch,
    differ,
    session_level,
)
from lightship.core.weight import Calibration, Calibrator, analytic_evalue, decibans, scene_share_db


@dataclass(frozen=True, slots=True)
class Scale:
    """Weighs one detector's running maximum for one rung.

    Parameters
    ----------
    calibration
        For a calibrated detector; None for an analytic one.
    calibrator
        The p-to-e calibrator of the rung and calibration.
    block_s
        The rung's block length, seconds.
    scenes
        The most scenes that a block can hold: one in each of its base blocks.
    group
        Detectors of one group share their evidence.
    """

    calibration: Calibration | None
    calibrator: Calibrator | None
    block_s: float
    scenes: int
    group: str

    def evalue(self, score: float) -> float:
        """Return the e-value of a block whose running maximum is ``score``."""
        if self.calibration is None or self.calibrator is None:
            return analytic_evalue(score, self.scenes)
        return self.calibrator.evalue(self.calibration.p_value(score, self.block_s))


@dataclass(frozen=True, slots=True)
class BoundRung:
    """A rung with the level at which it fires.

    Parameters
    ----------
    rule
        What the policy says.
    alarm_db
        The level that fires it: the larger of the e-detector's and the session's.
    session_db
        What the calibrations' own streams ask for.
    extrapolated
        The budget is longer than the benign hours seen can show.
    scales
        How each detector is weighed, by name.
    """

    rule: RungRule
    alarm_db: float
    session_db: float
    extrapolated: bool
    scales: Mapping[str, Scale]

    @property
    def by_scene(self) -> bool:
        """Whether each scene is a bet of its own: in the shortest blocks, where all bounds are a scene's.

        A scene's e-value has mean at most 1 whatever came before it, so within a block they multiply, and only the
        blocks' beginnings, one in two seconds at most, are beginnings of the e-detector. Longer blocks take their
        largest score, and share their bet among the pictures.
        """
        return all(scale.calibration is None and scale.scenes == 1 for scale in self.scales.values())

    def weight_db(self, best: Iterable[tuple[str, str, float]]) -> float:
        """Return the weight of a block from each detector's running maximum.

        Within a group e-values are averaged (any dependence); the groups' weights add (independence).
        """
        scores = {detector: -math.inf for detector, scale in self.scales.items() if scale.calibration is None}
        for detector, _, score in best:
            if detector in self.scales:
                scores[detector] = max(score, scores.get(detector, -math.inf))
        groups: dict[str, list[float]] = {}
        for detector, score in scores.items():
            scale = self.scales[detector]
            groups.setdefault(scale.group, []).append(scale.evalue(score))
        return math.fsum(decibans(math.fsum(values) / len(values)) for values in groups.values())


@dataclass(frozen=True)
class Bound:
    """A policy joined with its calibrations: ready to judge.

    Parameters
    ----------
    policy
        The policy.
    rungs
        Its rungs with their levels, lightest first.
    counted
        The ``(detector, label)`` pairs that count as evidence.
    analytic
        The detectors whose readings carry their own bound on chance.
    """

    policy: Policy
    rungs: tuple[BoundRung, ...]
    counted: frozenset[tuple[str, str]]
    analytic: frozenset[str]

    def start(self) -> Standing:
        """Return the state before the first frame."""
        return Standing(
            watches=tuple(Watch() for _ in self.rungs), levels_db=tuple(-math.inf for _ in self.rungs)
        )


def bind(policy: Policy, detectors: Iterable[Detector], calibrations: Mapping[str, Calibration]) -> Bound:
    """Join a policy with its loaded detectors and their calibrations.

    Parameters
    ----------
    calibrations
        By detector name.

    Raises
    ------
    PolicyError
        If a calibrated detector has no calibration, or one that was made for another version, label or a slower rate.
    """
    loaded = {detector.name: detector for detector in detectors}
    evidence = [
        use for use in policy.detectors if use.name in loaded and loaded[use.name].evidence != "camera"
    ]
    for use in evidence:
        if loaded[use.name].evidence == "calibrated":
            _check_calibration(policy, loaded[use.name], calibrations.get(use.name))
    rungs = []
    for rule in policy.rungs:
        threshold = rule.budget.threshold(rule.block_s)
        scenes = math.ceil(rule.block_s / BASE_BLOCK_S)
        scales: dict[str, Scale] = {}
        session_db, extrapolated = -math.inf, False
        for use in evidence:
            calibration = calibrations.get(use.name) if loaded[use.name].evidence == "calibrated" else None
            calibrator = None
            if calibration is not None:
                calibrator = Calibrator.for_rung(threshold, len(calibration.maxima(rule.block_s)))
                session = session_level(calibration, rule.budget, rule.block_s, policy.detector_kind)
                session_db = max(session_db, session.level_db)
                extrapolated = extrapolated or session.extrapolated
            scales[use.name] = Scale(calibration, calibrator, rule.block_s, scenes, use.group or use.name)
        alarm_db = max(decibans(threshold), math.nextafter(session_db, math.inf))
        rungs.append(BoundRung(rule, alarm_db, session_db, extrapolated, scales))
    counted = frozenset((use.name, label) for use in evidence for label in use.labels)
    analytic = frozenset(use.name for use in evidence if loaded[use.name].evidence == "analytic")
    return Bound(policy, tuple(rungs), counted, analytic)


def _check_calibration(policy: Policy, detector: Detector, calibration: Calibration | None) -> None:
    where = f"policy {policy.name}, detector {detector.name}"
    todo = "Make one with `lightship calibrate`, or name one that fits in the policy."
    if calibration is None:
        raise PolicyError("A calibrated detector has no calibration.", where, todo)
    if (calibration.detector, calibration.detector_version) != (detector.name, detector.version):
        raise PolicyError(
            f"The calibration was made for {calibration.detector} {calibration.detector_version}, "
            f"but {detector.version} is loaded.",
            where,
            todo,
        )
    if calibration.sample_fps < policy.fast_fps:
        raise PolicyError(
            f"The calibration saw {calibration.sample_fps:g} frames a second, the policy may look at "
            f"{policy.fast_fps:g}.",
            where,
            "Lower fast_fps, or calibrate at the faster rate.",
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """What all detectors said of one analysed frame.

    Parameters
    ----------
    at_s
        Stream seconds.
    readings
        Every detector's readings.
    picture
        The frame's PDQ hash, or None where it is too flat to have one.
    """

    at_s: float
    readings: tuple[Reading, ...]
    picture: PictureHash | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stream stands on the ladder.

    Parameters
    ----------
    watches
        One watchkeeper a rung, lightest first.
    levels_db
        Their levels now.
    base
        The base block the stream is in.
    counted
        The latest pictures on which analytic evidence counted in earlier base blocks, with the most that it came to.
        One scene is one chance, however often the stream comes back to it.
    rung, since_s, by
        The response in force, since when, and what put it there.
    evidence_s
        When evidence was last seen, stream seconds.
    grace_until_s
        Until when a person's resume keeps evidence from counting.
    """

    watches: tuple[Watch, ...]
    levels_db: tuple[float, ...]
    base: BaseBlock | None = None
    counted: tuple[tuple[PictureHash, float], ...] = ()
    rung: Rung | None = None
    since_s: float = 0.0
    by: Literal["evidence", "person", "blind", "benign"] = "benign"
    evidence_s: float = -math.inf
    grace_until_s: float = -math.inf

    @property
    def covered(self) -> bool:
        """Whether the picture must not leave as it is."""
        return self.rung in COVERING

    def rising(self, at_s: float) -> bool:
        """Whether to look more often: evidence in the last five seconds, or a response in force."""
        return self.rung is not None or at_s - self.evidence_s <= 5.0


Step = tuple[Standing, Decision | None]


def judge(bound: Bound, standing: Standing, observation: Observation) -> Step:
    """Take in one analysed frame."""
    at_s = observation.at_s
    if standing.rung == "end" or at_s < standing.grace_until_s:
        return standing, None
    watches, base, counted = _into_blocks(bound, standing, observation)
    readings = [one for one in observation.readings if (one.detector, one.label) in bound.counted]
    told_db = max((one.score for one in readings if one.detector in bound.analytic), default=0.0)
    before_db = _counted_db(counted, observation.picture) if told_db > 0.0 else 0.0
    if told_db > before_db and observation.picture is not None:
        base = base.hit(observation.picture, told_db)
    shared = _scores(bound, readings, scene_share_db(base.pictures))
    fresh = _scores(bound, readings, -before_db)
    watches = tuple(
        watch.seen(at_s, fresh if rung.by_scene else shared)
        for rung, watch in zip(bound.rungs, watches, strict=True)
    )
    kind = bound.policy.detector_kind
    levels_db = tuple(
        watch.level_db(rung.weight_db(watch.best), kind)
        for rung, watch in zip(bound.rungs, watches, strict=True)
    )
    suspicious = bool(bound.rungs) and bound.rungs[0].weight_db(shared) > 0.0
    standing = replace(
        standing,
        watches=watches,
        levels_db=levels_db,
        base=base,
        counted=counted,
        evidence_s=at_s if suspicious else standing.evidence_s,
    )
    return _climb_or_release(bound, standing, observation)


_COUNTED = 32


def _scores(bound: Bound, readings: Iterable[Reading], change_db: float) -> list[tuple[str, str, float]]:
    """Return the scores, those of analytic detectors changed."""
    return [
        (one.detector, one.label, one.score + change_db * (one.detector in bound.analytic))
        for one in readings
    ]


def _counted_db(counted: Iterable[tuple[PictureHash, float]], picture: PictureHash | None) -> float:
    """Return what analytic evidence in this scene came to in earlier blocks."""
    return max((db for one, db in counted if not differ(one, picture)), default=0.0)


def _into_blocks(
    bound: Bound, standing: Standing, observation: Observation
) -> tuple[tuple[Watch, ...], BaseBlock, tuple[tuple[PictureHash, float], ...]]:
    """Close the blocks that this frame is the first one after."""
    at_s = observation.at_s
    base = standing.base
    if base is None:
        return standing.watches, BaseBlock.begun(at_s, observation.picture), standing.counted
    counted = (*standing.counted, *base.hits)[-_COUNTED:]
    if not base.over(at_s, observation.picture):
        if not differ(base.latest, observation.picture):
            return standing.watches, base, standing.counted
        watches = tuple(
            watch.closed(at_s, level_db, within=True) if rung.by_scene else watch
            for rung, watch, level_db in zip(bound.rungs, standing.watches, standing.levels_db, strict=True)
        )
        return watches, base.seen(observation.picture), counted
    watches = tuple(
        watch.closed(at_s, level_db)
        if watch.began_s is not None and at_s - watch.began_s >= rung.rule.block_s - 1e-6
        else watch
        for rung, watch, level_db in zip(bound.rungs, standing.watches, standing.levels_db, strict=True)
    )
    return watches, BaseBlock.begun(at_s, observation.picture), counted


def _climb_or_release(bound: Bound, standing: Standing, observation: Observation) -> Step:
    at_s = observation.at_s
    target = _target(bound, standing, at_s)
    if target is not None:
        index, rung = target
        decision = _decision(bound, standing, at_s, rung, "evidence", index)
        return replace(standing, rung=rung, since_s=at_s, by="evidence"), decision
    quiet_s = at_s - max(standing.evidence_s, standing.since_s)
    if standing.rung is None or quiet_s < bound.policy.release_after_s:
        return standing, None
    asks_a_person = standing.rung in COVERING and standing.by != "blind" and bound.policy.release != "benign"
    if asks_a_person:
        return standing, None
    return _released(bound, standing, at_s, "benign", grace_s=0.0)


def _target(bound: Bound, standing: Standing, at_s: float) -> tuple[int, Rung] | None:
    """Return the next rung to climb to, and the index of the rung whose evidence asks for it.

    A rung's evidence also carries the rungs below it. Covering rungs are climbed one at a time, each after its time.
    """
    firing = [
        index
        for index, (rung, level_db) in enumerate(zip(bound.rungs, standing.levels_db, strict=True))
        if level_db >= rung.alarm_db
    ]
    if not firing:
        return None
    names = [rung.rule.rung for rung in bound.rungs]
    now = names.index(standing.rung) if standing.rung in names else -1
    covering = [index for index, name in enumerate(names) if name in COVERING]
    top = firing[-1]
    if standing.by == "blind" and standing.covered and top >= now:
        return top, names[now]  # what was covered for want of sight is now covered for what is seen
    if top <= now:
        return None
    above = [index for index in covering if index > now]
    if above and top >= above[0]:
        step = above[0]
        waits = standing.covered and at_s - standing.since_s < bound.rungs[step].rule.after_s
        return None if waits else (top, names[step])
    return top, names[top]


def _decision(
    bound: Bound,
    standing: Standing,
    at_s: float,
    rung: Rung | None,
    by: Literal["evidence", "person", "blind", "benign"],
    index: int = 0,
) -> Decision:
    reasons: tuple[Signal, ...] = ()
    if by == "evidence":
        judged = bound.rungs[index]
        reasons = tuple(
            Signal(at_s, detector, label, judged.weight_db([(detector, label, score)]))
            for detector, label, score in standing.watches[index].best
        )
        reasons = tuple(signal for signal in reasons if signal.weight_db > 0.0)
    level_db = standing.levels_db[index] if standing.levels_db else -math.inf
    return Decision(at_s, rung, standing.rung, by, level_db, bound.policy.digest, reasons)


def _released(
    bound: Bound, standing: Standing, at_s: float, by: Literal["person", "benign"], *, grace_s: float
) -> Step:
    decision = _decision(bound, standing, at_s, None, by)
    return replace(bound.start(), since_s=at_s, by=by, grace_until_s=at_s + grace_s), decision


def resume(bound: Bound, standing: Standing, at_s: float) -> Step:
    """Take in a person's wish to go on. Nothing happens where nothing is covered or the policy does not allow it."""
    if not standing.covered or standing.rung == "end" or bound.policy.release != "person":
        return standing, None
    return _released(bound, standing, at_s, "person", grace_s=bound.policy.grace_s)


def blind(bound: Bound, standing: Standing, at_s: float) -> Step:
    """Take in that detection cannot see: where the policy says ``cover``, the lightest cover is put in force."""
    cover = bound.policy.lightest_cover
    if bound.policy.when_blind != "cover" or cover is None or standing.covered:
        return replace(
            standing, evidence_s=max(standing.evidence_s, at_s)
        ) if standing.covered else standing, None
    decision = _decision(bound, standing, at_s, cover, "blind")
    return replace(standing, rung=cover, since_s=at_s, by="blind", evidence_s=at_s), decision
