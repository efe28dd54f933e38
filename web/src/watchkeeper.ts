/** Watchkeepers: e-detectors that hold an alarm budget, and blocks: the twin of lightship.core.watchkeeper. */
import { PolicyError } from "./errors";
import { Calibration, Calibrator, decibans, merged, type BenignStream } from "./weight";

export const BASE_BLOCK_S = 2;
const LONGEST_BASE_BLOCK_S = 60;
const CHANGED_BITS = 31;
export type Kind = "cusum" | "shiryaev-roberts";

/** Read a budget such as "1 per 100 hours"; the result is the mean time between false responses, seconds. */
export function meanTimeS(text: string, where = "budget"): number {
  const units: Record<string, number> = { second: 1, minute: 60, hour: 3600, day: 86400, month: 30 * 86400 };
  const words = text.trim().split(/\s+/);
  const number = (word: string) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word ?? "") ? Number(word) : NaN);
  const rest = words.slice(2);
  const events = number(words[0]);
  const period = (rest.length > 1 ? number(rest[0]) : 1) * (units[(rest.at(-1) ?? "").replace(/s$/, "")] ?? NaN);
  const sound = words[1] === "per" && words.length <= 4 && events > 0 && period > 0 && isFinite(events) && isFinite(period);
  if (!sound) throw new PolicyError(`'${text}' is not an alarm budget.`, where, 'Write it like "1 per hour".', "budget");
  return period / events;
}
export const thresholdOf = (meanS: number, blockS: number): number => Math.max(2, meanS / blockS);

export function advance(levelDb: number, weightDb: number, kind: Kind): number {
  if (kind === "cusum") return weightDb + Math.max(0, levelDb);
  return levelDb < 300 ? weightDb + 10 * Math.log10(1 + 10 ** (levelDb / 10)) : weightDb + levelDb;
}

/** A PDQ hash as eight words of 32 bits, or null where the picture is too flat to have one. */
export type Picture = Uint32Array | null;

export function bitsApart(one: Uint32Array, other: Uint32Array): number {
  let bits = 0;
  for (let i = 0; i < 8; i++) for (let rest = (one[i] ^ other[i]) >>> 0; rest; rest &= rest - 1) bits++;
  return bits;
}
export const differ = (one: Picture, other: Picture): boolean =>
  one === null || other === null ? one !== other : bitsApart(one, other) > CHANGED_BITS;

/** Pictures on which analytic evidence counted, with what it came to. */
export type Hits = readonly (readonly [picture: Uint32Array, scoreDb: number])[];

export class BaseBlock {
  constructor(
    readonly beganS: number, readonly picture: Picture, readonly latest: Picture = picture, readonly pictures = 1,
    readonly hits: Hits = [],
  ) {}
  over(atS: number, picture: Picture): boolean {
    const lasted = atS - this.beganS;
    return lasted >= LONGEST_BASE_BLOCK_S || (lasted >= BASE_BLOCK_S && differ(this.picture, picture));
  }
  seen(picture: Picture): BaseBlock {
    return differ(this.latest, picture) ? new BaseBlock(this.beganS, this.picture, picture, this.pictures + 1) : this;
  }
  /** The block after evidence in one of its pictures. */
  hit(picture: Uint32Array, scoreDb: number): BaseBlock {
    const others = this.hits.filter(([one, db]) => db > scoreDb || (db === scoreDb && differ(one, picture)));
    if (others.some(([one]) => !differ(one, picture))) return this;
    return new BaseBlock(this.beganS, this.picture, this.latest, this.pictures, [...others, [picture, scoreDb]]);
  }
}

export type Score = readonly [detector: string, label: string, score: number];

export class Watch {
  constructor(
    readonly beforeDb = -Infinity, readonly beganS: number | null = null, readonly best: readonly Score[] = [],
    /** It is a further scene of a block that has begun before: the e-detector does not begin anew with it. */
    readonly within = false,
  ) {}
  levelDb(weightDb: number, kind: Kind): number {
    return this.within ? this.beforeDb + weightDb : advance(this.beforeDb, weightDb, kind);
  }
  seen(atS: number, scores: readonly Score[]): Watch {
    const best = new Map(this.best.map((one) => [`${one[0]}\0${one[1]}`, one]));
    for (const one of scores) {
      const key = `${one[0]}\0${one[1]}`;
      if (one[2] > (best.get(key)?.[2] ?? -Infinity)) best.set(key, one);
    }
    const sorted = [...best].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
    return new Watch(this.beforeDb, this.beganS ?? atS, sorted, this.within);
  }
  closed(atS: number, levelDb: number, within = false): Watch {
    return new Watch(levelDb, within ? this.beganS : atS, [], within);
  }
}

export function levelsDb(calibration: Calibration, stream: BenignStream, blockS: number, threshold: number, kind: Kind): number[] {
  const rest = calibration.streams.length > 1 ? calibration.without(stream) : calibration;
  const calibrator = Calibrator.forRung(threshold, rest.maxima(blockS).length);
  let level = -Infinity;
  return merged(stream, blockS).map(
    (maximum) => (level = advance(level, decibans(calibrator.evalue(rest.pValue(maximum, blockS))), kind)));
}

/** The exact 95 % upper bound of a Poisson mean after so many events. */
export function poissonUpper(events: number): number {
  let low = 0, high = events + 20 + 10 * Math.sqrt(events + 1);
  for (let i = 0; i < 80; i++) {
    const mean = (low + high) / 2;
    let term = Math.exp(-mean), sum = term;
    for (let k = 1; k <= events; k++) { term *= mean / k; sum += term; }
    if (sum > 0.05) low = mean; else high = mean;
  }
  return high;
}

/** The level that a calibration's own streams allow a rung to fire at. */
export function sessionLevel(calibration: Calibration, meanS: number, blockS: number, kind: Kind) {
  const threshold = thresholdOf(meanS, blockS);
  const peaks = calibration.streams
    .flatMap((stream) => excursionPeaks(levelsDb(calibration, stream, blockS, threshold, kind))).sort((a, b) => b - a);
  const allowed = (calibration.hours * 3600) / meanS;
  let spare = 0;
  while (spare < peaks.length && poissonUpper(spare + 1) <= allowed) spare++;
  return {
    levelDb: spare < peaks.length ? peaks[spare] : -Infinity, hours: calibration.hours,
    extrapolated: poissonUpper(0) > allowed,
  };
}

function excursionPeaks(levels: number[]): number[] {
  const peaks: number[] = [];
  let inside = false;
  for (const level of levels) {
    if (level > 0) {
      if (inside) peaks[peaks.length - 1] = Math.max(peaks[peaks.length - 1], level); else peaks.push(level);
    }
    inside = level > 0;
  }
  return peaks;
}
