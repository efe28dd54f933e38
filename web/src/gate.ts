/** The gate of one video stream: what leaves in place of each frame. */
import { Coverer } from "./cover";
import { equip, type Detectors, type Equipment, type Luma, type Pixels } from "./equipment";
import type { GuardError } from "./errors";
import type { Decision } from "./judge";
import { covers, parsePolicy, type Policy, type Rung } from "./policy";
import { Watcher } from "./watcher";

export interface Report { kind: "decision" | "blind" | "started" | "counts"; [more: string]: unknown }
/** A frame as detectors ask for it. */
export interface Looked { luma(): Promise<Luma>; pixels(): Promise<Pixels> }

export class Gate {
  readonly watcher: Watcher;
  readonly coverer: Coverer;
  readonly counts = { in: 0, covered: 0, looked: 0, lookMs: 0 };
  /** Open a gate once the policy's detectors are loaded. */
  static async open(policy: string, brought: Equipment, lines: string[], report: (report: Report) => void, coverBegins: () => void): Promise<Gate> {
    const parsed = parsePolicy(policy);
    return new Gate(parsed, await equip(parsed, brought), lines, report, coverBegins);
  }
  constructor(policy: Policy, detectors: Detectors, lines: string[], private readonly report: (report: Report) => void, private readonly coverBegins: () => void) {
    this.watcher = new Watcher(policy, detectors, (decision) => this.decided(decision),
      (error: GuardError) => report({ kind: "blind", name: error.name, message: error.message, whenBlind: policy.when_blind }));
    this.coverer = new Coverer(policy.card_title, [...policy.card_lines, ...lines]);
    report({ kind: "started", policy: policy.name, absent: detectors.absent });
  }
  get rung(): Rung | null { return this.watcher.rung; }

  private decided(decision: Decision): void {
    if (covers(decision.rung) && !covers(decision.before)) this.coverBegins();
    this.report({ kind: "decision", ...decision, at: Date.now(), mayResume: this.watcher.policy.release === "person" });
  }

  /** Look at a frame if one is due; it is judged before it leaves. */
  async arrive(atS: number, frame: Looked): Promise<Rung | null> {
    this.counts.in++;
    if (this.watcher.due(atS)) {
      const began = performance.now();
      try {
        this.watcher.look(atS, await frame.luma());
        if (this.watcher.free) void this.watcher.ponder(atS, await frame.pixels());
      } catch (error) { this.watcher.unseen(atS, error); }
      this.counts.looked++;
      this.counts.lookMs += performance.now() - began;
    }
    const rung = this.watcher.rung;
    if (rung) this.counts.covered++;
    return rung;
  }
}

/** A frame in a worker: its brightness is its first plane where it has one, otherwise worked out from its colours. */
export function looked(frame: VideoFrame): Looked {
  const { width, height } = frame.visibleRect!;
  const pixels = async () => {
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.drawImage(frame, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  };
  return {
    pixels,
    luma: async () => {
      if (frame.format !== "I420" && frame.format !== "NV12" && frame.format !== "I420A") return lumaOfColours(await pixels());
      const all = new Uint8Array(frame.allocationSize());
      const [plane] = await frame.copyTo(all);
      return { pixels: all.subarray(plane.offset), width, height, stride: plane.stride };
    },
  };
}

export function lumaOfColours({ data, width, height }: Pixels): Luma {
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (77 * data[4 * i] + 150 * data[4 * i + 1] + 29 * data[4 * i + 2]) >> 8;
  return { pixels, width, height, stride: width };
}
