/** Signed packs in the browser: from files that the app brings to a pack that may be used, or a named refusal. */
import { Consent } from "./consent";
import { ClockSkewed, ConsentExceeded, GuardError, LogDamaged, LogForked, PackError, PackExpired, PackRolledBack, PackUnlogged } from "./errors";
import { Tiles, checkExtends, cosigned, hexOf, included, noteSignedBy, openCheckpoint, parseKey, parseNote, sha256, type Key, type Read } from "./log";
import { parsePolicy, type Policy } from "./policy";
import { parseToml } from "./toml";
import { parse, refresh, signersOf, target, type Kept } from "./tuf";

export type { Read } from "./log";
const FORMAT = "lightship.pack/1", LEAST_SIGNERS = 2, SKEW_MS = 3600e3;
const ROOMS = ["calibrations", "cards", "controls", "jurisdictions", "lists", "policies", "typologies"];
const PATH = /^[a-z]+(\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){1,3}$/;
/** The detectors of the registry; a pack may name no other. */
export const DETECTORS = ["camera", "exposure", "known-media", "test-card"];

/** Where a device keeps what it has seen. Without it, a forked log could not be told. */
export interface Store { read(): string | null; write(text: string): void }
const inPage: Store = {
  read: () => localStorage.getItem("lightship-packs"),
  write: (text) => localStorage.setItem("lightship-packs", text),
};
interface Seen {
  metadata?: Kept; logs?: Record<string, string>; packs?: Record<string, { version: number; digest: string }>;
  atMs?: number; refused?: Record<string, string>;
}
interface Pack { name: string; version: number; title: string; files: Record<string, string> }

/** A pack that may be used, and all that vouches for it. */
export interface Opened extends Pack {
  digest: string; signedBy: string[]; rootVersion: number; log: string; index: number; size: number; seenBy: string[];
  checkpoint: string;
  /** Since when nobody has said that this pack is the newest, ms since 1970; null while somebody does. Show it. */
  staleSince: number | null;
  /** A policy's text, once the owner's consent covers it, and the lists that are to match with it. */
  policy(name: string, lists?: string[]): string;
}

export interface PackOptions {
  /** Returns a file of the packs by its path (`metadata/…`, `targets/…`, `log/…`), or null. */
  read: Read;
  /** The root that the owner trusts: the text of `1.root.json`. */
  root: string;
  /** What the owner of the device agreed to: the text of `consent.toml`. Without it no policy is given out. */
  consent?: string;
  store?: Store;
  now?: () => number;
}

export class Packs {
  private readonly store: Store;
  constructor(private readonly options: PackOptions) { this.store = options.store ?? inPage; }

  /** Open a pack once everything that vouches for it holds. */
  async open(name: string): Promise<Opened> {
    const run = () => this.checked(name);
    const locks = globalThis.navigator?.locks;
    return locks ? locks.request("lightship-packs", run) : run();
  }

  private seen(): Seen {
    const text = this.store.read();
    if (text === null) return {};
    try { return JSON.parse(text) as Seen; } catch {
      throw new PackError("What this device has seen cannot be read.", "store", "Restore it; without it, a log that was forked could not be told.");
    }
  }

  private async checked(name: string): Promise<Opened> {
    const { read, root: anchor } = this.options, now = (this.options.now ?? Date.now)(), seen = this.seen();
    checkClock(seen.atMs, now, "this device's own last use");
    try {
      const { root, targets, kept, staleSince } = await refresh(read, anchor, seen.metadata ?? {}, now);
      const trust = await trusted(root.signed);
      this.keep({ ...seen, metadata: kept });
      const data = await target(read, targets, `${name}.json`), digest = `sha256:${hexOf(await sha256(data))}`;
      if (staleSince !== null && seen.packs?.[name]?.digest !== digest)
        throw new PackExpired(`What says what is newest ended on ${new Date(staleSince).toISOString()}, and this device has not accepted this pack before.`, name, "Fetch the packs again, and check the clock.");
      const inLog: Read = (path) => read(`log/${path}`);
      const note = new TextDecoder().decode((await inLog("checkpoint")) ?? new Uint8Array(0)), checkpoint = await openCheckpoint(note, trust.log);
      const tiles = new Tiles(inLog, checkpoint.size), before = seen.logs?.[trust.logKey];
      if (before !== undefined) await this.extends(before, note, trust.log, tiles);
      const witnesses = await cosigned(note, trust.witnesses);
      if (witnesses.size < trust.quorum)
        throw new PackUnlogged(`${witnesses.size} of the ${trust.quorum} witnesses that must have seen the log have.`, "log", "Wait until they have, and fetch it again.");
      for (const [witness, atS] of witnesses) checkClock(atS * 1000, now, `the witness ${witness}`);
      let index = -1;
      for (const [what, made] of [["signers", root], ["signatures", targets]] as const) {
        const found = await included(made.raw, checkpoint, tiles);
        if (found === null) throw new PackUnlogged(`The pack's ${what} are not in the log ${trust.log.name}: nobody else can see them.`, name, "Do not use it; tell the signers.");
        index = found;
      }
      const pack = parsePack(data, name), last = seen.packs?.[name]?.version ?? 0;
      if (pack.name !== name || pack.version < last)
        throw new PackRolledBack(`Version ${pack.version} of ${pack.name} was offered; this device has seen version ${last} of ${name}.`, name, "Fetch the packs again.");
      await checkPack(pack);
      this.keep({
        ...this.seen(), logs: { ...seen.logs, [trust.logKey]: note },
        packs: { ...seen.packs, [name]: { version: pack.version, digest } }, atMs: Math.max(now, seen.atMs ?? 0),
      });
      const signers = await signersOf(root.signed, "targets", targets);
      return {
        ...pack, digest, signedBy: signers.map((key) => key["x-lightship-name"]).sort(), rootVersion: root.signed.version,
        log: trust.log.name, index, size: checkpoint.size, seenBy: [...witnesses.keys()].sort(), checkpoint: note, staleSince,
        policy: (which, lists = []) => this.agreed(pack, which, lists),
      };
    } catch (error) {
      if (error instanceof GuardError) throw error;
      throw new PackError(`The pack cannot be read: ${String(error)}.`, name, "Fetch the packs again.");
    }
  }

  /** Compare with the last checkpoint; keep one that contradicts it, as the proof it is. */
  private async extends(before: string, note: string, log: Key, tiles: Tiles): Promise<void> {
    const now = await openCheckpoint(note, log);
    try { await checkExtends(await openCheckpoint(before, log), now, tiles); } catch (error) {
      if (error instanceof LogForked || error instanceof LogDamaged) {
        const kept = this.seen(), proof = `${now.size}-${hexOf(now.root.slice(0, 8))}`;
        this.keep({ ...kept, refused: { ...kept.refused, [proof]: note } });
        throw Object.assign(error, { checkpoint: note });
      }
      throw error;
    }
  }

  private agreed(pack: Pack, which: string, lists: string[]): string {
    const text = pack.files[`policies/${which}.toml`], where = `pack ${pack.name} ${pack.version}`;
    if (!Object.hasOwn(pack.files, `policies/${which}.toml`)) throw new PackError(`The pack holds no policy ${which}.`, where, "Name another.");
    if (this.options.consent === undefined) throw new ConsentExceeded("Nobody has agreed to anything on this device.", where, "Give the owner's consent.");
    const consent = Consent.parse(this.options.consent), unagreed = lists.filter((list) => !consent.lists.includes(list));
    consent.check(parsePolicy(text, which), where);
    if (unagreed.length) throw new ConsentExceeded(`${consent.by} did not agree to the list ${unagreed.join(", ")}.`, where, "Ask the owner of the device.");
    return text;
  }

  /** Checkpoints that were refused because they contradict what was seen: proof, to be shown to others. */
  refused(): string[] { return Object.values(this.seen().refused ?? {}); }

  private keep(seen: Seen): void {
    try { this.store.write(JSON.stringify(seen)); } catch (error) {
      throw new PackError(`What this device has seen cannot be kept: ${String(error)}.`, "store", "Free some space.");
    }
  }
}

function checkClock(atMs: number | undefined, nowMs: number, whose: string): void {
  if (atMs !== undefined && atMs > nowMs + SKEW_MS)
    throw new ClockSkewed(`This device's clock says ${new Date(nowMs).toISOString()}, which is before what ${whose} says: ${new Date(atMs).toISOString()}.`, "clock", "Set the clock: by a wrong one, old signatures look new.");
}

interface Trust { log: Key; logKey: string; witnesses: Key[]; quorum: number }

/** What a root says beyond TUF, refused where fewer than two must sign. */
async function trusted(root: any): Promise<Trust> {
  const { key, witnesses, quorum } = root["x-lightship-log"] ?? {};
  const ids = (...roles: string[]) => roles.flatMap((role) => root.roles[role].keyids as string[]);
  const needed = Math.min(root.roles.root.threshold, root.roles.targets.threshold), online = ids("snapshot", "timestamp");
  const keys = await Promise.all([...new Set<string>(witnesses ?? [])].map((one) => parseKey(one, 4)));
  if (!(needed >= LEAST_SIGNERS) || ids("root", "targets").some((id) => online.includes(id)) || !(0 <= quorum && quorum <= keys.length) ||
      new Set(keys.map((one) => hexOf(one.public))).size < keys.length)
    throw new PackError(`A root must ask for ${LEAST_SIGNERS} signers, none of whom holds the online key, and for no more witnesses than it names.`, "root", "Use another root.");
  return { log: await parseKey(key), logKey: key, witnesses: keys, quorum };
}

/** Read the root that a device is to trust, so that its fingerprint can be compared. */
export async function rootFingerprint(root: string): Promise<string> {
  const made = parse(new TextEncoder().encode(root), "root");
  await trusted(made.signed);
  return hexOf(await sha256(made.raw));
}

const outside = (what: string, where: string) => new PackError(what, where, "Do not use this pack; tell its signers.");

function parsePack(data: Uint8Array, name: string): Pack {
  let value: any;
  try { value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)); } catch { value = null; }
  const fits = value?.format === FORMAT && Object.keys(value).sort().join() === "files,format,name,title,version" &&
    /^[a-z0-9][a-z0-9-]{0,63}$/.test(value.name) && Number.isSafeInteger(value.version) && value.version >= 1 &&
    typeof value.title === "string" && value.files !== null && typeof value.files === "object" && !Array.isArray(value.files);
  if (!fits) throw outside(`This is not a pack of the form ${FORMAT}.`, name);
  for (const [path, text] of Object.entries(value.files))
    if (!PATH.test(path) || !ROOMS.includes(path.split("/")[0]) || typeof text !== "string") throw outside(`A pack has no place for ${path.slice(0, 80)}.`, name);
  return { name: value.name, version: value.version, title: value.title, files: value.files };
}

/** Refuse a pack that holds more than a pack may, or that does not hold together. */
async function checkPack(pack: Pack): Promise<void> {
  for (const [path, text] of Object.entries(pack.files)) {
    const where = `pack ${pack.name} ${pack.version}, ${path}`;
    try { await checkFile(pack, path, text); } catch (error) {
      throw error instanceof PackError ? error : outside(error instanceof GuardError ? error.what : String(error), where);
    }
  }
}

async function checkFile(pack: Pack, path: string, text: string): Promise<void> {
  const must = (holds: boolean, what: string) => { if (!holds) throw outside(what, path); };
  const holds = (file: string) => Object.hasOwn(pack.files, file);
  const [room] = path.split("/"), name = path.slice(room.length + 1), suffix = name.split(".").at(-1)!, stem = name.slice(0, -suffix.length - 1);
  switch (`${room} ${suffix}`) {
    case "policies toml": {
      const policy: Policy = parsePolicy(text, path);
      must(policy.name === stem, `The policy calls itself ${policy.name}.`);
      must(holds(`jurisdictions/${policy.jurisdiction}.toml`), `It names the jurisdiction ${policy.jurisdiction}, which the pack does not hold.`);
      for (const use of policy.detectors) {
        must(DETECTORS.includes(use.name), `It names the detector ${use.name}, which is not in the registry.`);
        must(!use.calibration || holds(`calibrations/${use.calibration}.json`), `It names the calibration ${use.calibration}, which the pack does not hold.`);
        for (const [option, value] of Object.entries(use.options))
          must(option === "card" && holds(`cards/${String(value)}.toml`), `It gives ${use.name} the option ${option}, which no pack may give, or a card that it does not hold.`);
      }
      return;
    }
    case "cards toml": return must(/^[0-9a-f]{64}$/.test(String(parseToml(text, path).sha256)), "The card does not pin its model by a digest.");
    case "lists manifest": {
      const [head, facts] = text.split("\n"), keys = [...new Set((pack.files[`lists/${stem}.keys`] ?? "").split(/\s+/).filter(Boolean))];
      must(head === "lightship list manifest 1" && typeof JSON.parse(facts).digest === "string", "This is not a list's manifest.");
      const note = parseNote(text), signed = await Promise.all(keys.map(async (key) => noteSignedBy(note, await parseKey(key))));
      return must(signed.filter(Boolean).length >= LEAST_SIGNERS, "Fewer than two of the list's own signers vouch for it.");
    }
    case "calibrations json": case "jurisdictions toml": case "controls toml": case "typologies toml": case "lists keys": return;
    case "lists toml": parseToml(text, path); return;
    default: must(false, "A pack has no place for it.");
  }
}
