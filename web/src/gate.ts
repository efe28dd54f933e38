/** The gate of one video stream: what leaves in place of each frame. */
import { Coverer } from "./cover";
import { GuardError } from "./errors";
import type { Decision } from "./judge";
import { covers, type Rung } from "./policy";
import { Watcher, type Luma } from "./watcher";

export interface Report { kind: "decision" | "blind" | "started" | "counts"; [more: string]: unknown }

export class Gate {
  readonly watcher: Watcher;
  readonly coverer: Coverer;
  readonly counts = { in: 0, covered: 0, looked: 0, lookMs: 0 };
  constructor(policy: string, lines: string[], private readonly report: (report: Report) => void, private readonly coverBegins: () => void) {
    this.watcher = new Watcher(policy, (decision) => this.decided(decision),
      (error: GuardError) => report({ kind: "blind", name: error.name, message: error.message, whenBlind: this.watcher.policy.when_blind }));
    this.coverer = new Coverer(this.watcher.policy.card_title, [...this.watcher.policy.card_lines, ...lines]);
    report({ kind: "started", policy: this.watcher.policy.name, absent: this.watcher.absent });
  }
  get rung(): Rung | null { return this.watcher.rung; }

  private decided(decision: Decision): void {
    if (covers(decision.rung) && !covers(decision.before)) this.coverBegins();
    this.report({ kind: "decision", ...decision, at: Date.now(), mayResume: this.watcher.policy.release === "person" });
  }

  /** Look at a frame if one is due; it is judged before it leaves. */
  async arrive(atS: number, luma: () => Promise<Luma>): Promise<Rung | null> {
    this.counts.in++;
    if (this.watcher.due(atS)) {
      const began = performance.now();
      try { this.watcher.look(atS, await luma()); } catch (error) { this.watcher.unseen(atS, error); }
      this.counts.looked++;
      this.counts.lookMs += performance.now() - began;
    }
    const rung = this.watcher.rung;
    if (rung) this.counts.covered++;
    return rung;
  }
}

/** A frame's brightness: its first plane where it has one, otherwise worked out from its colours. */
export async function lumaOf(frame: VideoFrame): Promise<Luma> {
  const { width, height } = frame.visibleRect!;
  if (frame.format === "I420" || frame.format === "NV12" || frame.format === "I420A") {
    const all = new Uint8Array(frame.allocationSize());
    const [plane] = await frame.copyTo(all);
    return { pixels: all.subarray(plane.offset), width, height, stride: plane.stride };
  }
  const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(frame, 0, 0);
  return lumaOfColours(context.getImageData(0, 0, width, height));
}

export function lumaOfColours({ data, width, height }: ImageData): Luma {
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (77 * data[4 * i] + 150 * data[4 * i + 1] + 29 * data[4 * i + 2]) >> 8;
  return { pixels, width, height, stride: width };
}
