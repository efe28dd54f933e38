/** Known media in the browser: PDQ against lists that the app brings; the twin of the plain part of lightship.detect. */
import { DetectorError } from "./errors";
import { hexOf, sha256, type Bytes } from "./log";
import { pdq } from "./pdq";
import type { Score } from "./watchkeeper";

const NEAR_BITS = 31, QUALITY_FLOOR = 50, LOW_QUALITY = 70, LOW_QUALITY_DB = 20, ONE_LIST_DB = 80, TWO_LISTS_DB = 90;
const HEAD = "lightship list 1\npdq ";

/** The measured chance of a benign scene to match (`calibrations/pdq-chance.json`). */
export interface Chance { entries: number; bits: number[]; qualities: number[]; scenes: number[]; matched: number[][]; pairs: number[][] }

export function weightDb(chance: Chance, distance: number, quality: number, entries: number, lists: number): number {
  const level = chance.bits.findIndex((bits) => bits >= distance), kind = chance.qualities.filter((least) => least <= quality).length - 1;
  if (quality < QUALITY_FLOOR || level < 0 || kind < 0) return 0;
  const share = Math.max(1, entries) / chance.entries, among = chance.scenes[kind] + 1, bound = (chance.matched[kind][level] + 1) / among;
  const p = share >= 1 ? Math.min(1, bound * share) : Math.min(bound, ((chance.pairs[kind][level] + 1) / among) * share);
  return Math.min(quality < LOW_QUALITY ? LOW_QUALITY_DB : lists < 2 ? ONE_LIST_DB : TWO_LISTS_DB, -10 * Math.log10(p));
}

/** A list: PDQ hashes and their owners' references. Its file is what its digest is of (lightship.core.entries). */
export class KnownList {
  private constructor(readonly name: string, readonly digest: string, readonly words: Uint32Array, private readonly reference: (row: number) => string) {}
  get size(): number { return this.words.length / 8; }

  static async read(name: string, file: Uint8Array): Promise<KnownList> {
    const refuse = (what: string) => new DetectorError(`The list cannot be used: ${what}.`, `list ${name}`, "Ask for it again.");
    const first = new TextDecoder().decode(file.subarray(0, 64)), count = /^(\d{1,9})\n/.exec(first.slice(HEAD.length));
    if (!first.startsWith(HEAD) || !count) throw refuse("it is no list of PDQ hashes");
    const n = Number(count[1]), start = HEAD.length + count[0].length, values = start, ends = values + 33 * n, block = ends + 8 * n;
    if (file.length < block) throw refuse("it is cut short");
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength), end = (row: number) => (row < 0 ? 0 : Number(view.getBigInt64(ends + 8 * row, true)));
    // Behind the references: the ends and texts of videos, and a 32-bit second for each entry.
    const more = block + end(n - 1), least = more + 12 * n;
    if (file.length < least || (n > 0 && file.length !== least + Number(view.getBigInt64(more + 8 * (n - 1), true)))) throw refuse("it is cut short, or holds more than PDQ hashes");
    const words = Uint32Array.from({ length: 8 * n }, (_, i) => view.getUint32(values + 4 * i));
    const digest = `sha256:${hexOf(await sha256(file as Bytes))}`;
    return new KnownList(name, digest, words, (row) => new TextDecoder().decode(file.subarray(block + end(row - 1), block + end(row))));
  }

  nearest(hash: Uint32Array): { reference: string; distance: number } | null {
    let best = NEAR_BITS + 1, row = -1;
    for (let at = 0; at < this.words.length; at += 8) {
      let distance = 0;
      for (let word = 0; word < 8 && distance < best; word++) distance += bits(this.words[at + word] ^ hash[word]);
      if (distance < best) { best = distance; row = at / 8; }
    }
    return row < 0 ? null : { reference: this.reference(row), distance: best };
  }
}

function bits(x: number): number {
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

export interface Match { list: string; reference: string; distance: number; weightDb: number }

export class KnownMedia {
  readonly name = "known-media";
  readonly evidence = "analytic" as const;
  readonly version: string;
  private readonly entries: number;
  constructor(private readonly lists: readonly KnownList[], private readonly chance: Chance) {
    this.version = lists.map((list) => list.digest.slice(7, 19)).join("+");
    this.entries = lists.reduce((sum, list) => sum + list.size, 0);
  }

  /** The nearest match of a picture as it is, else of its mirror image; each has half of the chance. */
  match(pixels: Uint8Array | Uint8ClampedArray, width: number, height: number, stride: number, hashed: ReturnType<typeof pdq>): Match | null {
    if (hashed.quality < QUALITY_FLOOR) return null;
    const here = this.search(hashed.hash, hashed.quality);
    if (here) return here;
    const flipped = new Uint8Array(width * height);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) flipped[y * width + x] = pixels[y * stride + width - 1 - x];
    return this.search(pdq(flipped, width, height).hash, hashed.quality);
  }
  read(luma: { pixels: Uint8Array | Uint8ClampedArray; width: number; height: number; stride: number }, hashed: ReturnType<typeof pdq>): Score[] {
    const found = this.match(luma.pixels, luma.width, luma.height, luma.stride, hashed);
    return found ? [["known-media", "known-media", found.weightDb]] : [];
  }
  private search(hash: Uint32Array, quality: number): Match | null {
    const hits = this.lists.flatMap((list) => { const hit = list.nearest(hash); return hit ? [{ list: list.name, ...hit }] : []; }).sort((a, b) => a.distance - b.distance);
    return hits.length ? { ...hits[0], weightDb: weightDb(this.chance, hits[0].distance, quality, 2 * this.entries, hits.length) } : null;
  }
}
