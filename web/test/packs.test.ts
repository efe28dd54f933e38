import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as errors from "../src/errors";
import { Tiles, hexOf, leafHash, openCheckpoint, parseKey, sha256, tilePath, verifyConsistency, verifyInclusion } from "../src/log";
import { Packs, rootFingerprint, type Store } from "../src/packs";
import { parse, signedBytes } from "../src/tuf";

const packs = JSON.parse(readFileSync(new URL("../../tests/vectors/packs.json", import.meta.url), "utf8"));
const blobs = new Map<string, Uint8Array>(packs.blobs.map(([name, data]: string[]) => [name, Uint8Array.from(Buffer.from(data, "base64"))]));
const cases = new Map<string, any>(packs.cases.map((one: any) => [one.name, one]));
const fileOf = (name: string, path: string) => blobs.get(cases.get(name).files[path]) ?? null;
const readOf = (name: string) => async (path: string) => fileOf(name, path);
const memory = (): Store & { text: string | null } => ({ text: null, read() { return this.text; }, write(text) { this.text = text; } });
const CONSENT = `by = "a tester"\nat = "2026-11-24"\nlabels = ["test-card", "camera-black", "camera-frozen", "known-media"]
detectors = ["test-card", "camera", "known-media"]\nlists = []\nwhen_blind = ["cover", "pass-with-notice"]\nrelease = ["benign"]
[rungs]\nobserve = "100 per hour"\nblur = "1 per hour"\npause = "1 per 10 hours"\nend = "1 per 10 hours"\n`;
const device = (name: string, store: Store, clockS = 0, consent = CONSENT) =>
  new Packs({ read: readOf(name), root: packs.root, consent, store, now: () => Date.parse(packs.now) + 1000 * clockS });

test("what signatures cover, to the bit", async () => {
  for (const [path, digest] of packs.signed_bytes_sha256) {
    const made = JSON.parse(new TextDecoder().decode(fileOf("first", path)!));
    expect(hexOf(await sha256(signedBytes(made.signed)))).toBe(digest);
  }
  expect(() => signedBytes({ version: 1.5 })).toThrow(errors.PackChanged);
});

test.each<any[]>(packs.cases.map((one: any) => [one.name, one]))("a device is given: %s", async (name, one) => {
  const store = memory();
  for (const before of one.before) await device(before, store).open("device");
  const opening = device(name, store, one.clock_s).open("device");
  if (one.expect !== "accepted") {
    const error = await opening.then(() => null, (found) => found);
    expect(error?.name).toBe(one.expect);
    expect(error).toBeInstanceOf(errors.GuardError);
    return;
  }
  const found = await opening;
  expect({ pack: found.name, version: found.version, digest: found.digest, signed_by: found.signedBy, root: found.rootVersion, log: found.log, index: found.index, size: found.size, seen_by: found.seenBy })
    .toEqual({ pack: one.pack, version: one.version, digest: one.digest, signed_by: one.signed_by, root: one.root, log: one.log, index: one.index, size: one.size, seen_by: one.seen_by });
  expect(found.staleSince === null).toBe(one.stale_since === null);
});

test("a forked view is recorded, and the pack of before opens on", async () => {
  const store = memory(), forked = device("forked", store);
  await device("second", store).open("device");
  await expect(forked.open("device")).rejects.toThrow(errors.LogForked);
  expect(forked.refused()).toEqual([new TextDecoder().decode(fileOf("forked", "log/checkpoint")!)]);
  expect((await device("second", store).open("device")).version).toBe(2);
});

test("the owner's consent is the last word", async () => {
  const within = await device("first", memory()).open("device");
  expect(within.policy("test")).toContain('name = "test"');
  expect(() => within.policy("child-device")).toThrow(errors.PackError);
  expect(() => within.policy("test", ["hotline"])).toThrow(errors.ConsentExceeded);
  const beyond = await device("second", memory()).open("device"); // it asks for two blurs an hour
  expect(() => beyond.policy("test")).toThrow(/blur by mistake every 1800 s, and 1 per hour/);
  const silent = await device("first", memory(), 0, undefined as any).open("device");
  const nobody = new Packs({ read: readOf("first"), root: packs.root, store: memory(), now: () => Date.parse(packs.now) });
  expect(silent.policy("test")).toBeTruthy();
  await expect(nobody.open("device").then((pack) => pack.policy("test"))).rejects.toThrow(errors.ConsentExceeded);
  for (const wrong of ["", "by = 1", CONSENT + "more = 1\n", CONSENT.replace('"test-card",', '"faces",')]) {
    const opened = await device("first", memory(), 0, wrong).open("device");
    expect(() => opened.policy("test")).toThrow(errors.PackError);
  }
});

test("what was seen, damaged, is no fresh start", async () => {
  await expect(device("first", { read: () => "{", write: () => undefined }).open("device")).rejects.toThrow(errors.PackError);
  await expect(device("first", { read: () => null, write: () => { throw new Error("full"); } }).open("device")).rejects.toThrow(errors.PackError);
});

test("every file cut short or changed is refused by name, never used", async () => {
  let refused = 0;
  for (const path of Object.keys(cases.get("first").files)) {
    if (path.includes("entries") || path.startsWith("metadata/1.root")) continue; // not read: leaves suffice, and the root is the device's own
    for (const bend of [(d: Uint8Array) => d.slice(0, -3), (d: Uint8Array) => Uint8Array.from(d, (b, i) => (i === d.length >> 1 ? b ^ 1 : b)), () => new Uint8Array(0)]) {
      const read = async (asked: string) => { const data = fileOf("first", asked); return data && asked === path ? bend(data) : data; };
      const error = await new Packs({ read, root: packs.root, store: memory(), now: () => Date.parse(packs.now) }).open("device").then(() => null, (found) => found);
      expect([path, error]).toEqual([path, expect.any(errors.GuardError)]);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(12);
});

test("a root names two signers and a log, or nobody trusts it", async () => {
  expect(await rootFingerprint(packs.root)).toMatch(/^[0-9a-f]{64}$/);
  const weaker = JSON.parse(packs.root);
  weaker.signed.roles.targets.threshold = 1;
  await expect(rootFingerprint(JSON.stringify(weaker))).rejects.toThrow(errors.PackError);
  expect(() => parse(new TextEncoder().encode("{}"), "root")).toThrow(errors.PackChanged);
});

test("a log grows: what it held stays, and what is in it is proved, at every size", async () => {
  const leaves: Uint8Array[] = [], tiles = new Map<string, Uint8Array>();
  for (let i = 0; i < 600; i++) leaves.push(await leafHash(Uint8Array.of(i >> 8, i & 255)));
  const flat = (from: number, to: number) => Uint8Array.from(leaves.slice(from, to).flatMap((leaf) => [...leaf]));
  const root = async (from: number, to: number): Promise<Uint8Array> => {
    if (to - from === 1) return leaves[from];
    let half = 1;
    while (half * 2 < to - from) half *= 2;
    return sha256(Uint8Array.of(1), await root(from, from + half), await root(from + half, to));
  };
  for (const size of [1, 2, 3, 7, 255, 256, 257, 511, 512, 600]) {
    for (let number = 0; number * 256 < size; number++)
      tiles.set(tilePath(0, number, Math.min(256, size - number * 256)), flat(number * 256, Math.min(size, (number + 1) * 256)));
    const full = Math.floor(size / 256);
    if (full) tiles.set(tilePath(1, 0, full), Uint8Array.from([...(await root(0, 256)), ...(full > 1 ? await root(256, 512) : [])]));
    const log = new Tiles(async (path) => tiles.get(path) ?? null, size), whole = await root(0, size);
    expect(hexOf(await log.root())).toBe(hexOf(whole));
    for (const index of [0, size >> 1, size - 1]) {
      expect(await log.find(Uint8Array.of(index >> 8, index & 255))).toBe(index);
      const proof = await log.inclusionProof(index);
      expect(await verifyInclusion(leaves[index], index, size, proof, whole)).toBe(true);
      expect(await verifyInclusion(leaves[index], index + 1, size, proof, whole)).toBe(false);
    }
    for (const old of [1, 2, 3, size >> 1, size - 1].filter((n) => n > 0 && n < size)) {
      const proof = await log.consistencyProof(old);
      expect(await verifyConsistency(old, await root(0, old), size, whole, proof)).toBe(true);
      expect(await verifyConsistency(old, await root(0, old), size, leaves[0], proof)).toBe(size === 1);
    }
  }
  expect([tilePath(0, 1234067, 256), tilePath(1, 5, 3)]).toEqual(["tile/0/x001/x234/067", "tile/1/005.p/3"]);
});

test("another's checkpoint, and keys that do not fit themselves", async () => {
  const log = JSON.parse(packs.root).signed["x-lightship-log"].key as string, note = new TextDecoder().decode(fileOf("first", "log/checkpoint")!);
  expect((await openCheckpoint(note, await parseKey(log))).size).toBe(2);
  for (const wrong of [note.replace("\n2\n", "\n3\n"), note.slice(0, -2), "x", note.replace("log.example.org", "other.example.org")])
    await expect(parseKey(log).then((key) => openCheckpoint(wrong, key))).rejects.toThrow(errors.PackUnlogged);
  await expect(parseKey(log.replace("947b", "947c"))).rejects.toThrow(errors.PackUnlogged);
});
