/** What a policy's detectors need beyond this library, as the app brings it; nothing is fetched. */
import { DetectorError } from "./errors";
import { Exposure } from "./exposure";
import type { Known } from "./judge";
import { KnownList, KnownMedia, type Chance } from "./known";
import type { pdq } from "./pdq";
import type { DetectorUse, Policy } from "./policy";
import { findCard } from "./testcard";
import type { Score } from "./watchkeeper";
import { Calibration } from "./weight";

export interface Luma { pixels: Uint8Array | Uint8ClampedArray; width: number; height: number; stride: number }
export interface Pixels { data: Uint8ClampedArray; width: number; height: number }
export type Hashed = ReturnType<typeof pdq>;
/** Looks at a picture before it leaves. */
export interface Sensor extends Known { read(luma: Luma, hashed: Hashed): Score[] }
/** Looks beside the stream, at the latest picture: too slow to wait for. */
export interface Model extends Known { look(picture: Pixels): Promise<Score[]> }
export interface Absence { detector: string; reason: string }

export interface Equipment {
  /** Files of a signed pack (`Opened.files`): model cards, calibrations, the lists' manifests. */
  files?: Record<string, string>;
  /** Where onnxruntime-web's module is, on the page's own address. */
  runtime?: string;
  /** Models by the name of their card. */
  models?: Record<string, Uint8Array>;
  /** Lists of known media by the name that the pack gives them. */
  lists?: Record<string, Uint8Array>;
}
export interface Detectors { sensors: Sensor[]; models: Model[]; calibrations: Map<string, Calibration>; absent: Absence[] }

export const TEST_CARD: Sensor = {
  name: "test-card", version: "aruco-6x6/23+mirrored", evidence: "analytic",
  read: ({ pixels, width, height, stride }) => {
    const weight = findCard(pixels, width, height, stride);
    return weight === null ? [] : [["test-card", "test-card", weight]];
  },
};

/** Load a policy's detectors. What it requires, or what the app brought, must load; the rest is named as absent. */
export async function equip(policy: Policy, brought: Equipment = {}): Promise<Detectors> {
  const made: Detectors = { sensors: [], models: [], calibrations: new Map(), absent: [] };
  for (const use of policy.detectors) {
    try { await load(use, brought, made); } catch (error) {
      if (use.required || !(error instanceof Missing)) throw error instanceof Missing ? new DetectorError(`The policy requires the detector ${use.name}: ${error.message}.`, `policy ${policy.name}`, "Bring it, or use a policy whose detectors are here.") : error;
      made.absent.push({ detector: use.name, reason: error.message });
    }
  }
  if (!made.sensors.length && !made.models.length)
    throw new DetectorError("No detector that gives evidence is here, so there is nothing to watch with.", `policy ${policy.name}`, made.absent.map((one) => `${one.detector}: ${one.reason}.`).join(" "));
  return made;
}

class Missing extends Error {}

async function load(use: DetectorUse, { files = {}, runtime, models = {}, lists = {} }: Equipment, made: Detectors): Promise<void> {
  const file = (path: string) => { if (!Object.hasOwn(files, path)) throw new Missing(`the app brought no ${path}`); return files[path]; };
  switch (use.name) {
    case "test-card": made.sensors.push(TEST_CARD); return;
    case "known-media": {
      if (!Object.keys(lists).length) throw new Missing("the app brought no list");
      const chance = JSON.parse(file("calibrations/pdq-chance.json")) as Chance;
      const read = await Promise.all(Object.entries(lists).map(async ([name, data]) => {
        const list = await KnownList.read(name, data), manifest = files[`lists/${name}.manifest`];
        if (!manifest || JSON.parse(manifest.split("\n")[1]).digest !== list.digest)
          throw new DetectorError("The list is none that the pack vouches for, or another version of it.", `list ${name}`, "Refresh the list and the packs.");
        return list;
      }));
      made.sensors.push(new KnownMedia(read, chance));
      return;
    }
    case "exposure": {
      const card = String(use.options.card ?? ""), model = Object.hasOwn(models, card) ? models[card] : null;
      if (!model || !runtime) throw new Missing("the app brought no model, or no onnxruntime-web to run it");
      const text = file(`cards/${card}.toml`), calibration = Calibration.fromJson(JSON.parse(file(`calibrations/${use.calibration}.json`)));
      made.models.push(await Exposure.load(text, card, model, runtime));
      made.calibrations.set(use.name, calibration);
      return;
    }
    default: throw new Missing("not in the browser's build");
  }
}
