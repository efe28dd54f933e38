import { mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

const shipped = new URL("../../src/lightship/console/static/guard/", import.meta.url);
const read = (folder: string | URL) =>
  Object.fromEntries(readdirSync(folder).sort().map((name) => [name, readFileSync(typeof folder === "string" ? join(folder, name) : new URL(name, folder), "utf8")]));

test("what lightship call serves is a fresh build, and small", async () => {
  const outDir = mkdtempSync(join(tmpdir(), "guard-"));
  await build({ logLevel: "silent", build: { outDir } });
  expect(read(outDir)).toEqual(read(shipped));
  const packed = Object.values(read(shipped)).reduce((sum, text) => sum + gzipSync(text).length, 0);
  expect(packed).toBeLessThanOrEqual(40_000);
});
