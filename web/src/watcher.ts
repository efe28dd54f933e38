/** One stream: frames arrive, due ones are looked at before they leave, and each leaves through the gate. */
import { DetectorError, GuardError } from "./errors";
import { bind, blind, judge, resume, rising, start, type Bound, type Decision, type Evidence, type Known, type Standing, type Step } from "./judge";
import { pdq } from "./pdq";
import { covers, parsePolicy, type Policy, type Rung } from "./policy";
import { findCard } from "./testcard";
import type { Score } from "./watchkeeper";

const QUALITY_FLOOR = 50;
export interface Luma { pixels: Uint8Array | Uint8ClampedArray; width: number; height: number; stride: number }
export interface Sensor extends Known { read(luma: Luma): Score[] }
export interface Absence { detector: string; reason: string }

/** The detectors that this browser has. Models are plug-ins: the app hands them in. */
export const BUILT_IN: Record<string, Sensor> = {
  "test-card": {
    name: "test-card", version: "aruco-6x6/23+mirrored", evidence: "analytic" as Evidence,
    read: ({ pixels, width, height, stride }) => {
      const weight = findCard(pixels, width, height, stride);
      return weight === null ? [] : [["test-card", "test-card", weight]];
    },
  },
};

export class Watcher {
  readonly policy: Policy;
  readonly absent: Absence[] = [];
  private readonly sensors: Sensor[] = [];
  private readonly bound: Bound;
  private standing: Standing;
  private looked = false;
  private failure: GuardError | null = null;
  private lastS = -Infinity;

  constructor(policyText: string, private readonly told: (decision: Decision) => void, private readonly wentBlind: (error: GuardError) => void) {
    this.policy = parsePolicy(policyText);
    for (const use of this.policy.detectors) {
      const sensor = BUILT_IN[use.name];
      if (sensor) this.sensors.push(sensor);
      else if (use.required) throw new DetectorError(`The policy requires the detector ${use.name}, which this browser has not.`, `policy ${this.policy.name}`, "Use a policy whose detectors are here.");
      else this.absent.push({ detector: use.name, reason: "not in the browser's build" });
    }
    if (!this.sensors.some((sensor) => sensor.evidence !== "camera"))
      throw new DetectorError("No detector that gives evidence is here, so there is nothing to watch with.", `policy ${this.policy.name}`);
    this.bound = bind(this.policy, this.sensors, new Map());
    this.standing = start(this.bound);
  }

  /** What covers pictures now; a picture never looked at is covered where the policy covers what is unseen. */
  get rung(): Rung | null {
    if (covers(this.standing.rung)) return this.standing.rung;
    return !this.looked && this.policy.when_blind === "cover" ? "blur" : null;
  }
  get ended(): boolean { return this.standing.rung === "end"; }

  due(atS: number): boolean {
    const fps = rising(this.standing, atS) ? this.policy.fast_fps : this.policy.slow_fps;
    if (atS >= this.lastS && atS - this.lastS < 1 / fps - 1e-3) return false;
    this.lastS = atS;
    return true;
  }

  look(atS: number, luma: Luma): void {
    try {
      const readings = this.sensors.flatMap((sensor) => sensor.read(luma));
      const { hash, quality } = pdq(luma.pixels, luma.width, luma.height, luma.stride);
      this.take(judge(this.bound, this.standing, { atS, readings, picture: quality < QUALITY_FLOOR ? null : hash }));
      this.looked = true;
      this.failure = null;
    } catch (error) { this.unseen(atS, error); }
  }

  /** Detection could not see this picture: the policy decides what is shown. */
  unseen(atS: number, error: unknown): void {
    if (!this.failure) this.wentBlind((this.failure = new DetectorError(`Detection failed: ${String(error)}`)));
    this.take(blind(this.bound, this.standing, atS));
  }

  /** As the person: go on. Returns whether the policy allows it now. */
  resume(atS: number): boolean { return this.take(resume(this.bound, this.standing, atS)); }

  private take([standing, decision]: Step): boolean {
    this.standing = standing;
    if (decision) this.told(decision);
    return decision !== null;
  }
}
