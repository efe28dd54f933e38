/** TUF on a device: from a trusted root to a target's bytes. As much of the specification as signed packs use. */
import { PackChanged, PackError, PackExpired, PackRolledBack, PackUnsigned } from "./errors";
import { hexOf, sha256, signedBy, unhex, type Read } from "./log";

export type Role = "root" | "timestamp" | "snapshot" | "targets";
interface Metadata { raw: Uint8Array; signed: any; signatures: { keyid: string; sig: string }[] }
/** The metadata that this device accepted last, as text, and the root that it trusted then. */
export type Kept = Partial<Record<Role | "anchor", string>>;
const MOST = 1_000_000;
const AGAIN = "Fetch the packs again.";

/** The bytes that signatures cover: JSON with sorted keys and nothing between, as securesystemslib writes it. */
function covered(value: unknown): string {
  if (typeof value === "string") return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  if (Array.isArray(value)) return `[${value.map(covered).join(",")}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.keys(value).sort().map((key) => `${covered(key)}:${covered((value as any)[key])}`).join(",")}}`;
  if (typeof value === "boolean" || value === null || Number.isSafeInteger(value)) return String(value);
  throw new PackChanged("The metadata hold a number that no metadata have.", "", AGAIN);
}
export const signedBytes = (signed: unknown): Uint8Array => new TextEncoder().encode(covered(signed));

export function parse(raw: Uint8Array, role: Role): Metadata {
  const refuse = () => new PackChanged(`The ${role} metadata cannot be used.`, role, AGAIN);
  if (raw.length > MOST) throw refuse();
  try {
    const { signed, signatures } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
    if (signed._type === role && /^1\./.test(signed.spec_version) && Number.isSafeInteger(signed.version) && signed.version > 0 &&
        Number.isFinite(Date.parse(signed.expires)) && Array.isArray(signatures)) return { raw, signed, signatures };
  } catch { /* said below */ }
  throw refuse();
}

/** The keys of a role that signed some metadata, each once. */
export async function signersOf(root: any, role: Role, made: Metadata): Promise<any[]> {
  const { keyids } = root.roles[role], message = signedBytes(made.signed), found = new Map<string, any>();
  for (const { keyid, sig } of made.signatures) {
    const key = keyids.includes(keyid) && Object.hasOwn(root.keys, keyid) ? root.keys[keyid] : null;
    if (key?.keytype === "ed25519" && key.scheme === "ed25519" && (await signedBy(unhex(key.keyval.public), unhex(sig), message))) found.set(key.keyval.public, key);
  }
  return [...found.values()];
}

async function verify(root: any, role: Role, made: Metadata): Promise<void> {
  const found = await signersOf(root, role, made), needed = root.roles[role].threshold;
  if (!(needed >= 1) || found.length < needed)
    throw new PackUnsigned(`${found.length} of the ${needed} who must sign ${role} have.`, role, "Do not use it; tell the signers.");
}

async function whole(data: Uint8Array, meta: any, what: string): Promise<void> {
  const wanted = meta.hashes?.sha256;
  if ((meta.length !== undefined && data.length !== meta.length) || (meta.hashes && (!wanted || hexOf(await sha256(data)) !== wanted)))
    throw new PackChanged(`The bytes of ${what} are not those that were signed.`, what, AGAIN);
}

const older = (what: string) => new PackRolledBack(`An older ${what} was offered than this device has seen.`, what, "Fetch the packs again from a place that is up to date.");
async function need(read: Read, path: string): Promise<Uint8Array> {
  const data = await read(path);
  if (!data) throw new PackError("A file is missing.", path, "Fetch the packs again, whole.");
  return data;
}

export interface Refreshed {
  root: Metadata; targets: Metadata; kept: Kept;
  /** Since when the statement of what is newest has been too old, ms since 1970; null while it holds. */
  staleSince: number | null;
}

/**
 * Bring what is trusted up to date.
 *
 * Roots and targets that are too old are refused. Where only what says what is newest is, that is told: whether the
 * pack may be used on is for the caller (docs/adr/0010).
 */
export async function refresh(read: Read, anchor: string, kept: Kept, nowMs: number): Promise<Refreshed> {
  const bytes = (text: string) => new TextEncoder().encode(text), text = (data: Uint8Array) => new TextDecoder().decode(data);
  /** What was kept, where the root that holds now still vouches for it. */
  const before = async (role: Role) => {
    if (kept[role] === undefined) return null;
    const made = parse(bytes(kept[role]!), role);
    return verify(root.signed, role, made).then(() => made, () => null);
  };
  let root = parse(bytes(kept.anchor === anchor && kept.root ? kept.root : anchor), "root");
  await verify(root.signed, "root", root);
  for (;;) {
    const data = await read(`metadata/${root.signed.version + 1}.root.json`);
    if (!data) break;
    const next = parse(data, "root");
    await verify(root.signed, "root", next);
    await verify(next.signed, "root", next);
    if (next.signed.version !== root.signed.version + 1) throw older("root");
    root = next;
  }
  const expired = (made: Metadata) => Date.parse(made.signed.expires) <= nowMs;
  const old = (made: Metadata) =>
    new PackExpired(`The ${made.signed._type} signatures ended on ${made.signed.expires}; this device's clock says ${new Date(nowMs).toISOString()}.`, made.signed._type, "Fetch the packs again, and check the clock.");
  if (expired(root)) throw old(root);

  const lastTime = await before("timestamp");
  let timestamp = parse(await need(read, "metadata/timestamp.json"), "timestamp");
  await verify(root.signed, "timestamp", timestamp);
  const newest = timestamp.signed.meta["snapshot.json"];
  if (lastTime) {
    if (timestamp.signed.version < lastTime.signed.version || newest.version < lastTime.signed.meta["snapshot.json"].version) throw older("timestamp");
    if (timestamp.signed.version === lastTime.signed.version) timestamp = lastTime;
  }
  const snapshotMeta = timestamp.signed.meta["snapshot.json"];
  const snapshotData = await need(read, `metadata/${snapshotMeta.version}.snapshot.json`);
  await whole(snapshotData, snapshotMeta, "snapshot");
  const snapshot = parse(snapshotData, "snapshot"), lastSnapshot = await before("snapshot");
  await verify(root.signed, "snapshot", snapshot);
  if (snapshot.signed.version !== snapshotMeta.version) throw older("snapshot");
  for (const [name, meta] of Object.entries<any>(lastSnapshot?.signed.meta ?? {}))
    if (!(snapshot.signed.meta[name]?.version >= meta.version)) throw older("snapshot");

  const targetsMeta = snapshot.signed.meta["targets.json"];
  const targetsData = await need(read, `metadata/${targetsMeta?.version}.targets.json`);
  await whole(targetsData, targetsMeta, "targets");
  const targets = parse(targetsData, "targets");
  await verify(root.signed, "targets", targets);
  if (targets.signed.version !== targetsMeta.version) throw older("targets");
  if (expired(targets)) throw old(targets);
  const ends = Math.min(...[timestamp, snapshot].map((made) => Date.parse(made.signed.expires)));
  return {
    root, targets, staleSince: ends <= nowMs ? ends : null,
    kept: { anchor, root: text(root.raw), timestamp: text(timestamp.raw), snapshot: text(snapshot.raw), targets: text(targets.raw) },
  };
}

/** A target's bytes, checked. */
export async function target(read: Read, targets: Metadata, name: string): Promise<Uint8Array> {
  const known = targets.signed.targets, meta = Object.hasOwn(known, name) ? known[name] : null;
  if (!meta) throw new PackError(`There is no ${name} among what was signed.`, name, `There are: ${Object.keys(known).join(", ") || "none"}.`);
  if (typeof meta.hashes?.sha256 !== "string") throw new PackChanged(`No digest of ${name} was signed.`, name, AGAIN);
  const data = await need(read, `targets/${meta.hashes.sha256}.${name}`);
  await whole(data, { hashes: meta.hashes, length: meta.length }, name);
  return data;
}
