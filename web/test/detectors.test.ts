import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { equip } from "../src/equipment";
import { DetectorError, ModelBlocked } from "../src/errors";
import { Exposure, parseCard, scoreOf, tensorOf } from "../src/exposure";
import { KnownList, KnownMedia, weightDb } from "../src/known";
import { pdq } from "../src/pdq";
import { parsePolicy } from "../src/policy";

const v = JSON.parse(readFileSync(new URL("../../tests/vectors/detectors.json", import.meta.url), "utf8"));
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

describe("known media", () => {
  const lists = () => Promise.all(v.lists.map(([name, , file]: string[]) => KnownList.read(name, bytes(file))));
  test("lists are those that the other side names by the same digest", async () => {
    for (const [name, digest, file] of v.lists) expect((await KnownList.read(name, bytes(file))).digest).toBe(digest);
  });
  test("the same pictures match, at the same distance, with the same weight", async () => {
    const known = new KnownMedia(await lists(), v.chance);
    for (const look of v.looks) {
      const luma = bytes(look.luma), hashed = pdq(luma, v.width, v.height), found = known.match(luma, v.width, v.height, v.width, hashed);
      if (look.weight_db === null) { expect(found).toBeNull(); continue; }
      expect(Math.abs(found!.weightDb - look.weight_db)).toBeLessThan(1e-9);
      expect(look.detail).toContain(`list ${found!.list}, entry ${found!.reference}, distance ${found!.distance}`);
      expect(known.read({ pixels: luma, width: v.width, height: v.height, stride: v.width }, hashed)).toEqual([["known-media", "known-media", found!.weightDb]]);
    }
  });
  test("a list that is cut short, padded or of something else is refused", async () => {
    const whole = bytes(v.lists[0][2]);
    for (const wrong of [whole.slice(0, -1), Uint8Array.from([...whole, 0]), whole.slice(0, 40), new Uint8Array(0), new TextEncoder().encode("lightship list 1\nmd5 1\n")])
      await expect(KnownList.read("one", wrong)).rejects.toThrow(DetectorError);
  });
  test("a list counts only where the pack's manifest names this very version", async () => {
    const [name, digest, file] = v.lists[0], test = parsePolicy(readFileSync(new URL("../../packs/policies/test.toml", import.meta.url), "utf8"));
    const files = (said: string) => ({ "calibrations/pdq-chance.json": JSON.stringify(v.chance), [`lists/${name}.manifest`]: `lightship list manifest 1\n${JSON.stringify({ digest: said })}\n\n` });
    const made = await equip(test, { lists: { [name]: bytes(file) }, files: files(digest) });
    expect([made.sensors.map((one) => one.name), made.absent.map((one) => one.detector)]).toEqual([["test-card", "known-media"], ["camera"]]);
    await expect(equip(test, { lists: { [name]: bytes(file) }, files: files("sha256:0") })).rejects.toThrow(/none that the pack vouches for/);
  });
  test("what is too flat, or not measured, weighs nothing", () => {
    expect(weightDb(v.chance, 0, 49, 10, 1)).toBe(0);
    expect(weightDb(v.chance, 32, 90, 10, 1)).toBe(0);
    expect(weightDb(v.chance, 0, 60, 1, 2)).toBe(20);
  });
});

describe("a model by its card", () => {
  const rgba = (rgb: Uint8Array, n: number) => Uint8ClampedArray.from({ length: 4 * n }, (_, i) => (i % 4 === 3 ? 255 : rgb[3 * (i >> 2) + (i % 4)]));
  test("cards that do not hold together are refused", () => {
    const card = v.models[0].card as string;
    expect(parseCard(card, "tiny")).toMatchObject({ width: 8, labels: ["red", "green"], floor: 0 });
    for (const [old, now] of [["width = 8", "width = 0"], ['"NCHW"', '"CHWN"'], ['counts = ["red"]', 'counts = ["blue"]'], ["std = [1.0, 1.0, 1.0]", "std = [0.0, 1.0, 1.0]"], [/sha256 = ".*"/, 'sha256 = "x"'], ["[output]", "[outputs]"]])
      expect(() => parseCard(card.replace(old, now as string), "tiny")).toThrow(DetectorError);
  });
  test("another model than the card's is refused before it is loaded", async () => {
    const model = bytes(v.models[0].model);
    model[5] ^= 1;
    await expect(Exposure.load(v.models[0].card, "tiny", model, {} as any)).rejects.toThrow(/another model/);
  });
  test("a runtime that may not load is a named error", async () => {
    const blocked = { env: { wasm: {} }, InferenceSession: { create: () => Promise.reject(new Error("wasm code generation disallowed by embedder")) } } as any;
    await expect(Exposure.load(v.models[0].card, "tiny", bytes(v.models[0].model), blocked)).rejects.toThrow(ModelBlocked);
    await expect(Exposure.load(v.models[0].card, "tiny", bytes(v.models[0].model), "./nowhere.mjs")).rejects.toThrow(ModelBlocked);
  });
  test("scores that are no numbers, or too many, are refused", () => {
    const card = parseCard(v.models[0].card, "tiny");
    expect(() => scoreOf([NaN, 1], [1, 2], card)).toThrow(DetectorError);
    expect(() => scoreOf([0, 1, 2], [1, 3], card)).toThrow(DetectorError);
    expect(tensorOf(new Uint8ClampedArray(4), 1, 1, card)).toHaveLength(192);
  });
  // 140 MB, so it is not in every checkout's node_modules.
  test.skipIf(!existsSync(new URL("../node_modules/onnxruntime-web", import.meta.url)))("onnxruntime-web scores as the Python side does", async () => {
    const ort = (await import("onnxruntime-web")) as any;
    for (const one of v.models) {
      const model = await Exposure.load(one.card, "tiny", bytes(one.model), ort);
      for (const [width, height, frame, score] of one.looks)
        expect((await model.look({ data: rgba(bytes(frame), width * height), width, height }))[0][2]).toBeCloseTo(score, 4);
    }
  });
});
