/** A pack's log, checked on the device: RFC 6962 proofs and C2SP checkpoints; twins of lightship.core.merkle and notes. */
import { LogForked, PackUnlogged } from "./errors";
type Bytes = Uint8Array<ArrayBuffer>;
const sha256 = async (...parts: Uint8Array[]): Promise<Bytes> => {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
};
export const leafHash = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry);
const node = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);
const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);

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

export interface Checkpoint { origin: string; size: number; root: Bytes }
const unbase64 = (text: string): Bytes => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Read a checkpoint that the log's key (name+hash+base64) has signed. */
export async function verifyCheckpoint(note: string, logKey: string): Promise<Checkpoint> {
  const refuse = (what: string) => new PackUnlogged(what, "checkpoint", "Do not use this pack; tell its signers.");
  const [name, id, ...rest] = logKey.trim().split("+"), material = unbase64(rest.join("+"));
  const split = note.lastIndexOf("\n\n"), text = note.slice(0, split + 1), [origin, size, root] = text.split("\n");
  if (split < 0 || material[0] !== 1 || material.length !== 33) throw refuse("This is no checkpoint, or no log's key.");
  const key = await crypto.subtle.importKey("raw", material.slice(1), "Ed25519", false, ["verify"]);
  for (const line of note.slice(split + 2).split("\n")) {
    const [dash, who, signature] = line.split(" ");
    if (dash !== "—" || who !== name || !signature) continue;
    const bytes = unbase64(signature);
    const mine = [...bytes.slice(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join("") === id;
    if (mine && await crypto.subtle.verify("Ed25519", key, bytes.slice(4), new TextEncoder().encode(text))) {
      if (origin !== name || !/^(0|[1-9]\d{0,14})$/.test(size)) throw refuse("The checkpoint is of another log.");
      return { origin, size: Number(size), root: unbase64(root) };
    }
  }
  throw refuse("The log has not signed this checkpoint.");
}

/** Refuse a checkpoint that does not extend the last one this device saw: somebody was shown another log. */
export async function extendsLast(last: Checkpoint | null, now: Checkpoint, proof: Uint8Array[]): Promise<void> {
  if (last && !(await verifyConsistency(last.size, last.root, now.size, now.root, proof)))
    throw new LogForked(`The log of ${now.size} entries does not extend the ${last.size} that this device saw.`, now.origin, "Do not use this pack; tell its signers.");
}
