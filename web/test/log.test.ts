import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LogForked, PackUnlogged } from "../src/errors";
import { extendsLast, leafHash, verifyCheckpoint, verifyConsistency, verifyInclusion } from "../src/log";

const packs = JSON.parse(readFileSync(new URL("../../tests/vectors/packs.json", import.meta.url), "utf8"));
const blobs = new Map<string, Uint8Array>(packs.blobs.map(([name, data]: string[]) => [name, Uint8Array.from(Buffer.from(data, "base64"))]));
const key = JSON.parse(packs.root).signed["x-lightship-log"].key;
const fileOf = (name: string, path: string) => blobs.get(packs.cases.find((one: any) => one.name === name).files[path])!;
const checkpointOf = (name: string) => verifyCheckpoint(new TextDecoder().decode(fileOf(name, "log/checkpoint")), key);
const hash = (...parts: Uint8Array[]) => { const h = createHash("sha256"); for (const part of parts) h.update(part); return Uint8Array.from(h.digest()); };
const leavesOf = (name: string, size: number) =>
  Array.from({ length: size }, (_, i) => fileOf(name, `log/tile/0/000.p/${size}`).slice(32 * i, 32 * i + 32));

test("a log grows: what it held stays, and what is in it is proved", async () => {
  const first = await checkpointOf("first"), second = await checkpointOf("second");
  expect([first.size, second.size]).toEqual([2, 3]);
  const [a, b, c] = leavesOf("second", 3), ab = hash(Uint8Array.of(1), a, b);
  expect(await verifyConsistency(2, first.root, 3, second.root, [c])).toBe(true);
  expect(await verifyInclusion(c, 2, 3, [ab], second.root)).toBe(true);
  expect(await verifyInclusion(c, 1, 3, [ab], second.root)).toBe(false);
  expect(await verifyInclusion(a, 0, 3, [b, c], second.root)).toBe(true);
  expect(Buffer.from(await leafHash(new Uint8Array(0))).toString("hex").slice(0, 16)).toBe("6e340b9cffb37a98");
  await extendsLast(first, second, [c]);
});

test("a forked view is refused, and so is another's checkpoint", async () => {
  const second = await checkpointOf("second"), forked = await checkpointOf("forked");
  const leaves = leavesOf("forked", forked.size);
  await expect(extendsLast(second, forked, [leaves[2], leaves[3], hash(Uint8Array.of(1), leaves[0], leaves[1])])).rejects.toThrow(LogForked);
  await expect(checkpointOf("checkpoint by another")).rejects.toThrow(PackUnlogged);
});
