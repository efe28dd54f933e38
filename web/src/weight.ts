/** Weight of evidence in decibans, p-to-e calibrators, calibrations: the twin of lightship.core.weight. */
import { PolicyError } from "./errors";

export const decibans = (e: number): number => (e > 0 ? 10 * Math.log10(e) : -Infinity);

/** The mixture of κ·p^(κ-1) over κ in [0, 1]. */
export function smoothEvalue(p: number): number {
  if (p >= 1 - 1e-4) return 0.5 + (1 - p) / 6;
  const log = Math.log(p);
  return (1 - p + p * log) / (p * log * log);
}

export class Calibrator {
  constructor(readonly alarmAlpha: number, readonly finestAlpha: number) {}
  static forRung(threshold: number, blocks: number): Calibrator {
    const finest = 1 / (blocks + 1);
    return new Calibrator(Math.max(1 / (4 * threshold), finest), finest);
  }
  evalue(p: number): number {
    let e = 0.5 * smoothEvalue(p);
    for (const alpha of [this.alarmAlpha, this.finestAlpha]) if (p <= alpha * (1 + 1e-12)) e += 0.25 / alpha;
    return e;
  }
}

const MISS = 0.8; // what a block without a hit multiplies evidence by

export function analyticEvalue(weightDb: number, scenes: number): number {
  return weightDb <= 0 ? MISS : MISS + (1 - MISS) / (scenes * Math.pow(10, -weightDb / 10));
}

/** What the n-th distinct picture of one base block may count: the shares sum to 1. */
export const sceneShareDb = (picture: number): number => decibans(6 / (Math.PI * picture) ** 2);

export interface BenignStream { name: string; digest: string; maxima: number[]; lengths_s: number[] }

/** The maxima of longer blocks; an unfinished last one is left out unless it is the only one. */
export function merged(stream: BenignStream, blockS: number): number[] {
  const found: number[] = [];
  let lasted = 0, highest = -Infinity;
  stream.maxima.forEach((maximum, i) => {
    highest = Math.max(highest, maximum);
    lasted += stream.lengths_s[i];
    if (lasted >= blockS - 1e-6) { found.push(highest); lasted = 0; highest = -Infinity; }
  });
  if (!found.length && stream.maxima.length) found.push(highest);
  return found;
}

export class Calibration {
  private readonly sorted = new Map<number, Float64Array>();
  constructor(
    readonly detector: string, readonly detectorVersion: string, readonly sampleFps: number,
    readonly streams: readonly BenignStream[],
  ) {}
  static fromJson(value: any): Calibration {
    const sound = value?.format === "lightship.calibration/1" && Array.isArray(value.streams) &&
      value.streams.every((s: any) => s.maxima?.length === s.lengths_s?.length &&
        [...s.maxima, ...s.lengths_s].every(Number.isFinite) && s.lengths_s.every((l: number) => l > 0)) &&
      value.streams.some((s: any) => s.maxima.length);
    if (!sound) throw new PolicyError("The calibration cannot be read.", "calibration", "Make it again.");
    return new Calibration(value.detector, value.detector_version, value.sample_fps, value.streams);
  }
  get hours(): number {
    return this.streams.reduce((sum, s) => sum + s.lengths_s.reduce((a, b) => a + b, 0), 0) / 3600;
  }
  maxima(blockS: number): Float64Array {
    let found = this.sorted.get(blockS);
    if (!found) {
      found = Float64Array.from(this.streams.flatMap((s) => merged(s, blockS))).sort();
      this.sorted.set(blockS, found);
    }
    return found;
  }
  pValue(score: number, blockS: number): number {
    const all = this.maxima(blockS);
    let low = 0, high = all.length;
    while (low < high) { const middle = (low + high) >> 1; if (all[middle] < score) low = middle + 1; else high = middle; }
    return (1 + all.length - low) / (all.length + 1);
  }
  without(stream: BenignStream): Calibration {
    return new Calibration(this.detector, this.detectorVersion, this.sampleFps, this.streams.filter((s) => s !== stream));
  }
}
