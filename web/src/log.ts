/** A pack's log, checked on the device: C2SP notes, checkpoints and tiles, RFC 6962 proofs; twins of lightship.core's. */
import { LogDamaged, LogForked, PackRolledBack, PackUnlogged } from "./errors";

export type Bytes = Uint8Array<ArrayBuffer>;
/** Returns a file by its path; null where there is none. The app brings it: this library asks for nothing itself. */
export type Read = (path: string) => Promise<Uint8Array | null>;
const HASH_BYTES = 32, WIDTH = 256;
const TELL = "Keep both checkpoints, use nothing of it, and tell the signers and the witnesses.";

export const sha256 = async (...parts: Uint8Array[]): Promise<Bytes> => {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
};
export const leafHash = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry);
const node = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);
export const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);
export const hexOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (text: string): Bytes => Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (two) => parseInt(two, 16));
const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

/** Decode base64, refusing every spelling but the one that encoding would give. */
function unbase64(text: string): Bytes | null {
  try {
    const plain = atob(text);
    return btoa(plain) === text ? Uint8Array.from(plain, (c) => c.charCodeAt(0)) : null;
  } catch { return null; }
}

/** Whether an Ed25519 signature holds; browsers that cannot tell are refused by name, not passed. */
export async function signedBy(key: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const made = await crypto.subtle.importKey("raw", key as Bytes, "Ed25519", false, ["verify"]).catch((error: Error) => {
    if (error.name === "NotSupportedError") throw refuse("This browser cannot verify Ed25519 signatures.", "Use a current browser.");
    return null;
  });
  return made !== null && signature.length === 64 && crypto.subtle.verify("Ed25519", made, signature as Bytes, message as Bytes);
}

const refuse = (what: string, todo = "Do not use this pack; tell its signers.") => new PackUnlogged(what, "log", todo);

export interface Key { name: string; id: string; public: Bytes }

/** Read `name+hash+base64(kind || key)`; kind 1 signs notes, kind 4 is a witness. */
export async function parseKey(text: string, kind: 1 | 4 = 1): Promise<Key> {
  const [name, id, ...rest] = text.trim().split("+"), raw = unbase64(rest.join("+"));
  if (!name || /\s/.test(name) || !raw || raw[0] !== kind || raw.length !== 1 + HASH_BYTES ||
      hexOf((await sha256(utf8(`${name}\n`), raw)).slice(0, 4)) !== id)
    throw refuse(`This is no key, or does not fit its own hash: ${text.slice(0, 80)}.`);
  return { name, id, public: raw.slice(1) };
}

export interface Note { text: string; signatures: { name: string; id: string; signature: Bytes }[] }

/** Take a note apart; nothing is verified. */
export function parseNote(note: string): Note {
  const split = note.lastIndexOf("\n\n"), lines = note.slice(split + 2).split("\n");
  const malformed = () => refuse("This is not a signed note.");
  // eslint-disable-next-line no-control-regex
  if (split < 0 || lines.pop() !== "" || !lines.length || lines.length > 100 || /[\0-\t\v-\x1f]/.test(note)) throw malformed();
  const signatures = lines.map((line) => {
    const [dash, name, encoded, ...more] = line.split(" "), raw = unbase64(encoded ?? "");
    if (dash !== "—" || !name || !raw || raw.length <= 4 || more.length) throw malformed();
    return { name, id: hexOf(raw.slice(0, 4)), signature: raw.slice(4) };
  });
  return { text: note.slice(0, split + 1), signatures };
}

/** Whether a key signed a note, and none of its signatures is wrong. */
export async function noteSignedBy(note: Note, key: Key): Promise<boolean> {
  const mine = note.signatures.filter((one) => one.name === key.name && one.id === key.id);
  const holds = await Promise.all(mine.map((one) => signedBy(key.public, one.signature, utf8(note.text))));
  return mine.length > 0 && holds.every(Boolean);
}

export interface Checkpoint { origin: string; size: number; root: Bytes }

/** Read a checkpoint that the log's key has signed. */
export async function openCheckpoint(text: string, log: Key): Promise<Checkpoint> {
  const note = parseNote(text), [origin, size, encoded] = note.text.split("\n"), root = unbase64(encoded ?? "");
  if (!(await noteSignedBy(note, log))) throw refuse("The log has not signed this checkpoint.");
  if (!origin || !/^(0|[1-9]\d{0,14})$/.test(size ?? "") || root?.length !== HASH_BYTES) throw refuse("This signed note is not a checkpoint.");
  return { origin, size: Number(size), root };
}

/** Which witnesses cosigned a checkpoint, and when, in seconds since 1970. */
export async function cosigned(text: string, witnesses: Key[]): Promise<Map<string, number>> {
  const note = parseNote(text), found = new Map<string, number>();
  for (const key of witnesses)
    for (const { name, id, signature } of note.signatures) {
      if (name !== key.name || id !== key.id || signature.length !== 72) continue;
      const atS = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
      if (await signedBy(key.public, signature.slice(8), utf8(`cosignature/v1\ntime ${atS}\n${note.text}`))) found.set(name, atS);
    }
  return found;
}

export async function verifyInclusion(leaf: Uint8Array, index: number, size: number, proof: Uint8Array[], root: Uint8Array): Promise<boolean> {
  if (!(0 <= index && index < size)) return false;
  let fn = BigInt(index), sn = BigInt(size - 1), r = leaf;
  for (const p of proof) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      r = await node(p, r);
      while (fn && !(fn & 1n)) { fn >>= 1n; sn >>= 1n; }
    } else r = await node(r, p);
    fn >>= 1n; sn >>= 1n;
  }
  return sn === 0n && same(r, root);
}

export async function verifyConsistency(oldSize: number, oldRoot: Uint8Array, newSize: number, newRoot: Uint8Array, proof: Uint8Array[]): Promise<boolean> {
  if (!(0 <= oldSize && oldSize <= newSize)) return false;
  if (oldSize === 0) return !proof.length && same(oldRoot, await sha256());
  if (oldSize === newSize) return !proof.length && same(oldRoot, newRoot);
  let fn = BigInt(oldSize - 1), sn = BigInt(newSize - 1);
  const path = (BigInt(oldSize) & (fn)) === 0n ? [oldRoot, ...proof] : [...proof];
  if (!path.length) return false;
  while (fn & 1n) { fn >>= 1n; sn >>= 1n; }
  let fr = path[0], sr = path[0];
  for (const c of path.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      fr = await node(c, fr); sr = await node(c, sr);
      while (fn && !(fn & 1n)) { fn >>= 1n; sn >>= 1n; }
    } else sr = await node(sr, c);
    fn >>= 1n; sn >>= 1n;
  }
  return sn === 0n && same(fr, oldRoot) && same(sr, newRoot);
}

/** Where a tile lies: `tilePath(0, 1234067, 256)` is `tile/0/x001/x234/067`. */
export function tilePath(level: number, number: number, width: number): string {
  const digits = String(number), padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/.../g)!.map((group, i, all) => (i < all.length - 1 ? `x${group}` : group));
  return `tile/${level}/${groups.join("/")}${width === WIDTH ? "" : `.p/${width}`}`;
}

/** The largest power of two below a number. */
const half = (n: number) => { let k = 1; while (k * 2 < n) k *= 2; return k; };

/** A log of a certain size, read from its tiles. What they say counts only as far as it fits a signed checkpoint. */
export class Tiles {
  private readonly kept = new Map<string, Uint8Array>();
  constructor(private readonly read: Read, readonly size: number) {}

  private async tile(level: number, number: number): Promise<Uint8Array> {
    const name = `${level}/${number}`, known = this.kept.get(name);
    if (known) return known;
    const width = Math.max(0, Math.min(WIDTH, Math.floor(this.size / WIDTH ** level) - number * WIDTH));
    const path = tilePath(level, number, width);
    // Logs may drop a partial tile once the full one is there.
    const data = (await this.read(path)) ?? (width < WIDTH ? await this.read(tilePath(level, number, WIDTH)) : null);
    if (!data) throw new LogDamaged("A file of the log is missing.", path, "Copy it again.");
    if (data.length < width * HASH_BYTES) throw new LogDamaged("A tile of the log is cut short.", path, "Copy it again.");
    const found = data.subarray(0, width * HASH_BYTES);
    this.kept.set(name, found);
    return found;
  }

  /** The root of some entries that start where a subtree of their number may. */
  async subtree(first: number, end: number): Promise<Uint8Array> {
    const count = end - first;
    if (count === 0) return sha256();
    let level = 0, span = 1;
    while (span * WIDTH <= count) { span *= WIDTH; level++; }
    if (count === span) {
      const at = first / span, tile = await this.tile(level, Math.floor(at / WIDTH)), place = (at % WIDTH) * HASH_BYTES;
      return tile.subarray(place, place + HASH_BYTES);
    }
    const middle = first + half(count);
    return node(await this.subtree(first, middle), await this.subtree(middle, end));
  }
  root(): Promise<Uint8Array> { return this.subtree(0, this.size); }

  /** Where an entry is, the newest of its kind; null where it is not. */
  async find(entry: Uint8Array): Promise<number | null> {
    const leaf = await leafHash(entry);
    for (let number = Math.ceil(this.size / WIDTH) - 1; number >= 0; number--) {
      const tile = await this.tile(0, number);
      for (let place = tile.length / HASH_BYTES - 1; place >= 0; place--)
        if (same(tile.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES), leaf)) return number * WIDTH + place;
    }
    return null;
  }

  async inclusionProof(index: number, first = 0, end = this.size): Promise<Uint8Array[]> {
    if (end - first <= 1) return [];
    const middle = first + half(end - first);
    return index < middle
      ? [...(await this.inclusionProof(index, first, middle)), await this.subtree(middle, end)]
      : [...(await this.inclusionProof(index, middle, end)), await this.subtree(first, middle)];
  }

  async consistencyProof(old: number, first = 0, end = this.size, whole = true): Promise<Uint8Array[]> {
    if (old === end || old === 0) return whole ? [] : [await this.subtree(first, end)];
    const middle = first + half(end - first);
    return old <= middle
      ? [...(await this.consistencyProof(old, first, middle, whole)), await this.subtree(middle, end)]
      : [...(await this.consistencyProof(old, middle, end, false)), await this.subtree(first, middle)];
  }
}

const damaged = ({ size, origin }: Checkpoint) =>
  new LogDamaged(`The tiles do not give the root that the checkpoint of ${size} entries signed.`, origin, "Copy the log again.");

/** Where an entry is in the log of a checkpoint, with its proof checked; null where it is not. */
export async function included(entry: Uint8Array, checkpoint: Checkpoint, tiles: Tiles): Promise<number | null> {
  const index = await tiles.find(entry);
  if (index === null) {
    if (!same(await tiles.root(), checkpoint.root)) throw damaged(checkpoint);
    return null;
  }
  const proof = await tiles.inclusionProof(index);
  if (!(await verifyInclusion(await leafHash(entry), index, checkpoint.size, proof, checkpoint.root))) throw damaged(checkpoint);
  return index;
}

/** Refuse a checkpoint that does not extend the last one this device saw: somebody was shown another log. */
export async function checkExtends(old: Checkpoint, now: Checkpoint, tiles: Tiles): Promise<void> {
  const forked = (what: string) => new LogForked(what, now.origin, TELL);
  if (now.origin !== old.origin) throw forked(`The log ${now.origin} was shown in place of ${old.origin}.`);
  if (now.size === old.size && !same(now.root, old.root)) throw forked(`Two logs of ${now.size} entries contradict each other.`);
  if (now.size < old.size)
    throw new PackRolledBack(`The log has ${now.size} entries, and this device has seen ${old.size}.`, now.origin, "Copy it again from a place that is up to date.");
  const proof = old.size === now.size || old.size === 0 ? [] : await tiles.consistencyProof(old.size);
  if (await verifyConsistency(old.size, old.root, now.size, now.root, proof)) return;
  if (!same(await tiles.root(), now.root)) throw damaged(now);
  throw forked(`The log of ${now.size} entries does not extend the ${old.size} that this device saw.`);
}
