/** One stream: frames arrive, due ones are looked at before they leave, and each leaves through the gate. */
import type { Detectors, Luma, Pixels } from "./equipment";
import { DetectorError, GuardError } from "./errors";
import { bind, blind, judge, resume, rising, start, type Bound, type Decision, type Standing, type Step } from "./judge";
import { pdq } from "./pdq";
import { covers, type Policy, type Rung } from "./policy";
import type { Picture } from "./watchkeeper";

const QUALITY_FLOOR = 50;
/** What may be in the way of sight: a detector that looks here, one that looks beside, or the call itself. */
type Where = "here" | "beside" | "call";

export class Watcher {
  private readonly bound: Bound;
  private standing: Standing;
  private readonly blindness = new Set<Where>();
  private readonly unlooked = new Set<Where>();
  private lastS = -Infinity;
  private judgedS = -Infinity;
  private pendingS: number | null = null;
  private picture: Picture = null;

  constructor(readonly policy: Policy, private readonly detectors: Detectors, private readonly told: (decision: Decision) => void, private readonly wentBlind: (error: GuardError) => void) {
    this.bound = bind(policy, [...detectors.sensors, ...detectors.models], detectors.calibrations);
    this.standing = start(this.bound);
    this.unlooked.add("here");
    if (detectors.models.length) this.unlooked.add("beside");
  }

  /** What covers pictures now; a picture never looked at is covered where the policy covers what is unseen. */
  get rung(): Rung | null {
    if (covers(this.standing.rung)) return this.standing.rung;
    return this.unlooked.size && this.policy.when_blind === "cover" ? "blur" : null;
  }
  get ended(): boolean { return this.standing.rung === "end"; }
  /** Whether a model waits for a picture. */
  get free(): boolean { return this.detectors.models.length > 0 && this.pendingS === null; }

  due(atS: number): boolean {
    const fps = rising(this.standing, atS) ? this.policy.fast_fps : this.policy.slow_fps;
    if (atS >= this.lastS && atS - this.lastS < 1 / fps - 1e-3) return false;
    this.lastS = atS;
    return true;
  }

  look(atS: number, luma: Luma): void {
    try {
      const hashed = pdq(luma.pixels, luma.width, luma.height, luma.stride);
      const readings = this.detectors.sensors.flatMap((sensor) => sensor.read(luma, hashed));
      this.picture = hashed.quality < QUALITY_FLOOR ? null : hashed.hash;
      this.take(judge(this.bound, this.standing, { atS, readings, picture: this.picture }));
      this.saw(atS, "here");
    } catch (error) { this.unseen(atS, error); }
    if (this.pendingS !== null && atS - this.pendingS > this.policy.blind_after_s)
      this.unseen(atS, `it is ${(atS - this.pendingS).toFixed(1)} s behind`, "beside");
    if (this.blindness.has("call")) this.take(blind(this.bound, this.standing, atS));
  }

  /** Show models a picture that was just looked at here; what they say counts when they have said it. */
  async ponder(atS: number, pixels: Pixels): Promise<void> {
    const picture = this.picture;
    this.pendingS = atS;
    try {
      const found = await Promise.all(this.detectors.models.map((model) => model.look(pixels)));
      this.pendingS = null;
      this.take(judge(this.bound, this.standing, { atS: Math.max(atS, this.judgedS), readings: found.flat(), picture }));
      this.saw(atS, "beside");
    } catch (error) {
      this.pendingS = null;
      this.unseen(Math.max(atS, this.judgedS), error, "beside");
    }
  }

  /** Detection could not see this picture: the policy decides what is shown. */
  unseen(atS: number, error: unknown, where: Where = "here"): void {
    if (!this.blindness.has(where)) this.wentBlind(error instanceof GuardError ? error : new DetectorError(`Detection failed: ${String(error)}`));
    this.blindness.add(where);
    this.take(blind(this.bound, this.standing, atS));
  }

  /** As the person: go on. Returns whether the policy allows it now. */
  resume(atS: number): boolean { return this.take(resume(this.bound, this.standing, atS)); }

  private saw(atS: number, where: Where): void {
    this.judgedS = Math.max(this.judgedS, atS);
    this.unlooked.delete(where);
    this.blindness.delete(where);
  }

  private take([standing, decision]: Step): boolean {
    this.standing = standing;
    if (decision) this.told(decision);
    return decision !== null;
  }
}
