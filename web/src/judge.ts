/** From readings to decisions, pure: the twin of lightship.core.judge. */
import { PolicyError } from "./errors";
import { RUNGS, covers, type Policy, type Rung, type RungRule } from "./policy";
import { BASE_BLOCK_S, BaseBlock, Watch, differ, sessionLevel, thresholdOf, type Hits, type Picture, type Score } from "./watchkeeper";
import { Calibration, Calibrator, analyticEvalue, decibans, sceneShareDb } from "./weight";

export type Evidence = "calibrated" | "analytic" | "camera";
export interface Known { name: string; version: string; evidence: Evidence }
export type By = "evidence" | "person" | "blind" | "benign";
export interface Observation { atS: number; readings: readonly Score[]; picture: Picture }
export interface Decision {
  atS: number; rung: Rung | null; before: Rung | null; by: By; totalDb: number;
  reasons: { detector: string; label: string; weightDb: number }[];
}
interface Scale { calibration: Calibration | null; calibrator: Calibrator | null; blockS: number; scenes: number; group: string }

export class BoundRung {
  constructor(
    readonly rule: RungRule, readonly alarmDb: number, readonly sessionDb: number, readonly extrapolated: boolean,
    private readonly scales: ReadonlyMap<string, Scale>,
  ) {}
  /** Whether each scene is a bet of its own: in the shortest blocks, where all bounds are a scene's (docs/adr/0009). */
  get byScene(): boolean {
    return [...this.scales.values()].every((scale) => scale.calibration === null && scale.scenes === 1);
  }
  /** Within a group e-values are averaged; the groups' weights add. */
  weightDb(best: readonly Score[]): number {
    const scores = new Map<string, number>();
    for (const [name, scale] of this.scales) if (!scale.calibration) scores.set(name, -Infinity);
    for (const [name, , score] of best)
      if (this.scales.has(name)) scores.set(name, Math.max(score, scores.get(name) ?? -Infinity));
    const groups = new Map<string, number[]>();
    for (const [name, score] of scores) {
      const scale = this.scales.get(name)!;
      const e = scale.calibration && scale.calibrator
        ? scale.calibrator.evalue(scale.calibration.pValue(score, scale.blockS)) : analyticEvalue(score, scale.scenes);
      groups.set(scale.group, [...(groups.get(scale.group) ?? []), e]);
    }
    return [...groups.values()].reduce((sum, es) => sum + decibans(es.reduce((a, b) => a + b, 0) / es.length), 0);
  }
}

export interface Bound { policy: Policy; rungs: BoundRung[]; counted: Set<string>; analytic: Set<string> }
export interface Standing {
  watches: Watch[]; levelsDb: number[]; base: BaseBlock | null; rung: Rung | null; sinceS: number; by: By;
  evidenceS: number; graceUntilS: number;
  /** Scenes on which analytic evidence counted in earlier blocks: one scene is one chance, however often it comes back. */
  counted: Hits;
}
const COUNTED = 32;
export type Step = [Standing, Decision | null];
const pair = (detector: string, label: string) => `${detector}\0${label}`;

export const start = (bound: Bound): Standing => ({
  watches: bound.rungs.map(() => new Watch()), levelsDb: bound.rungs.map(() => -Infinity), base: null, rung: null,
  sinceS: 0, by: "benign", evidenceS: -Infinity, graceUntilS: -Infinity,
  counted: [],
});

/** Whether to look more often: evidence in the last five seconds, or a response in force. */
export const rising = (standing: Standing, atS: number): boolean => standing.rung !== null || atS - standing.evidenceS <= 5;

export function bind(policy: Policy, detectors: readonly Known[], calibrations: ReadonlyMap<string, Calibration>): Bound {
  const loaded = new Map(detectors.map((one) => [one.name, one]));
  const evidence = policy.detectors.filter((use) => loaded.has(use.name) && loaded.get(use.name)!.evidence !== "camera");
  for (const use of evidence) {
    const one = loaded.get(use.name)!, calibration = calibrations.get(use.name);
    if (one.evidence !== "calibrated") continue;
    if (!calibration || calibration.detector !== one.name || calibration.detectorVersion !== one.version ||
        calibration.sampleFps < policy.fast_fps)
      throw new PolicyError("The detector has no calibration that fits.", `policy ${policy.name}, detector ${use.name}`, "Name one that fits.");
  }
  const rungs = policy.rungs.map((rule) => {
    const threshold = thresholdOf(rule.mean_time_s, rule.block_s);
    const scales = new Map<string, Scale>();
    let sessionDb = -Infinity, extrapolated = false;
    for (const use of evidence) {
      const calibration = loaded.get(use.name)!.evidence === "calibrated" ? calibrations.get(use.name)! : null;
      let calibrator: Calibrator | null = null;
      if (calibration) {
        calibrator = Calibrator.forRung(threshold, calibration.maxima(rule.block_s).length);
        const session = sessionLevel(calibration, rule.mean_time_s, rule.block_s, policy.detector_kind);
        sessionDb = Math.max(sessionDb, session.levelDb);
        extrapolated ||= session.extrapolated;
      }
      scales.set(use.name, { calibration, calibrator, blockS: rule.block_s, scenes: Math.ceil(rule.block_s / BASE_BLOCK_S), group: use.group || use.name });
    }
    const above = sessionDb + Math.abs(sessionDb) * 2 ** -52; // the next number up: at that level benign streams fired
    return new BoundRung(rule, Number.isNaN(above) ? decibans(threshold) : Math.max(decibans(threshold), above), sessionDb, extrapolated, scales);
  });
  return {
    policy, rungs, counted: new Set(evidence.flatMap((use) => use.labels.map((label) => pair(use.name, label)))),
    analytic: new Set(evidence.filter((use) => loaded.get(use.name)!.evidence === "analytic").map((use) => use.name)),
  };
}

/** Take in one analysed frame. */
export function judge(bound: Bound, standing: Standing, seen: Observation): Step {
  const { atS } = seen;
  if (standing.rung === "end" || atS < standing.graceUntilS) return [standing, null];
  let { watches, base, counted } = standing;
  if (base === null) base = new BaseBlock(atS, seen.picture);
  else if (!base.over(atS, seen.picture)) {
    if (differ(base.latest, seen.picture)) {
      counted = [...counted, ...base.hits].slice(-COUNTED);
      watches = watches.map((watch, i) => (bound.rungs[i].byScene ? watch.closed(atS, standing.levelsDb[i], true) : watch));
      base = base.seen(seen.picture);
    }
  } else {
    counted = [...counted, ...base.hits].slice(-COUNTED);
    watches = watches.map((watch, i) =>
      watch.beganS !== null && atS - watch.beganS >= bound.rungs[i].rule.block_s - 1e-6 ? watch.closed(atS, standing.levelsDb[i]) : watch);
    base = new BaseBlock(atS, seen.picture);
  }
  const readings = seen.readings.filter(([detector, label]) => bound.counted.has(pair(detector, label)));
  const toldDb = Math.max(0, ...readings.filter(([detector]) => bound.analytic.has(detector)).map(([, , score]) => score));
  const beforeDb = toldDb > 0
    ? Math.max(0, ...counted.filter(([one]) => !differ(one, seen.picture)).map(([, db]) => db)) : 0;
  if (toldDb > beforeDb && seen.picture !== null) base = base.hit(seen.picture, toldDb);
  const changed = (byDb: number) =>
    readings.map(([detector, label, score]): Score => [detector, label, score + (bound.analytic.has(detector) ? byDb : 0)]);
  const shared = changed(sceneShareDb(base.pictures)), fresh = changed(-beforeDb);
  watches = watches.map((watch, i) => watch.seen(atS, bound.rungs[i].byScene ? fresh : shared));
  const levelsDb = bound.rungs.map((rung, i) => watches[i].levelDb(rung.weightDb(watches[i].best), bound.policy.detector_kind));
  const suspicious = bound.rungs.length > 0 && bound.rungs[0].weightDb(shared) > 0;
  return climbOrRelease(bound, { ...standing, watches, levelsDb, base, counted, evidenceS: suspicious ? atS : standing.evidenceS }, atS);
}

function climbOrRelease(bound: Bound, standing: Standing, atS: number): Step {
  const aim = target(bound, standing, atS);
  if (aim) return [{ ...standing, rung: aim[1], sinceS: atS, by: "evidence" }, decided(bound, standing, atS, aim[1], "evidence", aim[0])];
  const quietS = atS - Math.max(standing.evidenceS, standing.sinceS);
  if (standing.rung === null || quietS < bound.policy.release_after_s) return [standing, null];
  if (covers(standing.rung) && standing.by !== "blind" && bound.policy.release !== "benign") return [standing, null];
  return released(bound, standing, atS, "benign", 0);
}

function target(bound: Bound, standing: Standing, atS: number): [number, Rung] | null {
  const firing = bound.rungs.map((_, i) => i).filter((i) => standing.levelsDb[i] >= bound.rungs[i].alarmDb);
  if (!firing.length) return null;
  const names = bound.rungs.map((one) => one.rule.rung);
  const now = standing.rung === null ? -1 : names.indexOf(standing.rung);
  const top = firing[firing.length - 1];
  if (standing.by === "blind" && covers(standing.rung) && top >= now) return [top, names[now]];
  if (top <= now) return null;
  const step = names.findIndex((name, i) => covers(name) && i > now);
  if (step < 0 || top < step) return [top, names[top]];
  return covers(standing.rung) && atS - standing.sinceS < bound.rungs[step].rule.after_s ? null : [top, names[step]];
}

function decided(bound: Bound, standing: Standing, atS: number, rung: Rung | null, by: By, index = 0): Decision {
  const reasons = by !== "evidence" ? [] : standing.watches[index].best
    .map((one) => ({ detector: one[0], label: one[1], weightDb: bound.rungs[index].weightDb([one]) }))
    .filter((one) => one.weightDb > 0);
  return { atS, rung, before: standing.rung, by, totalDb: standing.levelsDb[index] ?? -Infinity, reasons };
}

function released(bound: Bound, standing: Standing, atS: number, by: By, graceS: number): Step {
  return [{ ...start(bound), sinceS: atS, by, graceUntilS: atS + graceS }, decided(bound, standing, atS, null, by)];
}

/** Take in a person's wish to go on. */
export function resume(bound: Bound, standing: Standing, atS: number): Step {
  if (!covers(standing.rung) || standing.rung === "end" || bound.policy.release !== "person") return [standing, null];
  return released(bound, standing, atS, "person", bound.policy.grace_s);
}

/** Take in that detection cannot see. */
export function blind(bound: Bound, standing: Standing, atS: number): Step {
  const cover = bound.policy.rungs.find((rule) => covers(rule.rung))?.rung;
  if (covers(standing.rung)) return [{ ...standing, evidenceS: Math.max(standing.evidenceS, atS) }, null];
  if (bound.policy.when_blind !== "cover" || !cover) return [standing, null];
  return [{ ...standing, rung: cover, sinceS: atS, by: "blind", evidenceS: atS }, decided(bound, standing, atS, cover, "blind")];
}
export { RUNGS };
