/** Exposure: an ONNX model run by the app's own onnxruntime-web, by a model card; the twin of lightship.detect.exposure. */
import { DetectorError, ModelBlocked } from "./errors";
import { hexOf, sha256, type Bytes } from "./log";
import { parseToml, type Table, type Value } from "./toml";
import type { Score } from "./watchkeeper";

export interface Card {
  name: string; sha256: string; width: number; height: number; layout: "NCHW" | "NHWC"; colours: "RGB" | "BGR";
  scale: number; mean: number[]; std: number[]; fit: "stretch" | "letterbox-top-left";
  decoding: "classifier-softmax" | "classifier-sigmoid" | "classifier" | "yolo"; floor: number; labels: string[]; counts: string[];
}
/** What is used of onnxruntime-web. */
export interface Runtime {
  Tensor: new (type: "float32", data: Float32Array, dims: number[]) => unknown;
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  env: { wasm: { numThreads?: number; wasmPaths?: unknown; proxy?: boolean }; logLevel?: string };
}
interface Session { inputNames: readonly string[]; outputNames: readonly string[]; run(feeds: Record<string, unknown>): Promise<Record<string, { data: ArrayLike<number>; dims: readonly number[] }>> }

export function parseCard(text: string, name: string): Card {
  const refuse = (what: string) => new DetectorError(`The model card is refused: ${what}.`, `card ${name}`, "Correct the card.");
  const table = parseToml(text, `card ${name}`), input = (table.input ?? {}) as Table, output = (table.output ?? {}) as Table;
  const take = <T extends Value>(from: Table, key: string, is: (value: Value) => boolean, otherwise?: T): T => {
    const value = from[key] ?? otherwise;
    if (value === undefined || !is(value)) throw refuse(`${key} is missing or of the wrong kind`);
    return value as T;
  };
  const oneOf = (...allowed: string[]) => (value: Value) => allowed.includes(value as string);
  const size = (value: Value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 4096;
  const three = (value: Value) => Array.isArray(value) && value.length === 3 && value.every((one) => Number.isFinite(one));
  const words = (value: Value) => Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string" && one !== "");
  const card = {
    name, sha256: take<string>(table, "sha256", (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value)),
    width: take<number>(input, "width", size), height: take<number>(input, "height", size),
    layout: take(input, "layout", oneOf("NCHW", "NHWC")), colours: take(input, "colours", oneOf("RGB", "BGR")),
    scale: take<number>(input, "scale", (value) => (value as number) > 0), mean: take<number[]>(input, "mean", three), std: take<number[]>(input, "std", three),
    fit: take(input, "fit", oneOf("stretch", "letterbox-top-left")),
    decoding: take(output, "decoding", oneOf("classifier-softmax", "classifier-sigmoid", "classifier", "yolo")),
    floor: take<number>(output, "floor", (value) => (value as number) >= 0 && (value as number) <= 1, 0),
    labels: take<string[]>(output, "labels", words), counts: take<string[]>(output, "counts", words),
  } as Card;
  if (card.std.includes(0) || !card.counts.every((label) => card.labels.includes(label))) throw refuse("std holds a zero, or counts names what labels does not");
  return card;
}

/** The model's input from `(height, width)` RGBA, shrunk as the Python side shrinks it (OpenCV's INTER_LINEAR). */
export function tensorOf(rgba: Uint8ClampedArray, width: number, height: number, card: Card): Float32Array {
  const shrink = card.fit === "stretch" ? null : Math.min(card.width / width, card.height / height);
  const wide = shrink === null ? card.width : Math.max(1, roundEven(width * shrink)), high = shrink === null ? card.height : Math.max(1, roundEven(height * shrink));
  const across = places(width, wide), down = places(height, high), area = card.width * card.height, made = new Float32Array(3 * area);
  for (let y = 0; y < card.height; y++)
    for (let x = 0; x < card.width; x++)
      for (let colour = 0; colour < 3; colour++) {
        let value = 0;
        if (y < high && x < wide) {
          const [left, right, wx] = across[x], [top, bottom, wy] = down[y];
          const line = (row: number) => (rgba[4 * (row * width + left) + colour] * (UNIT - wx) + rgba[4 * (row * width + right) + colour] * wx) >> 4;
          value = ((((UNIT - wy) * line(top)) >> 16) + ((wy * line(bottom)) >> 16) + 2) >> 2; // to the bit as OpenCV rounds
        }
        const place = card.colours === "RGB" ? colour : 2 - colour;
        const out = (value * card.scale - card.mean[place]) / card.std[place];
        made[card.layout === "NCHW" ? place * area + y * card.width + x : 3 * (y * card.width + x) + place] = out;
      }
  return made;
}
/** Weights in parts of it. */
const UNIT = 2048;
/** Halves to the even side, as Python rounds. */
const roundEven = (x: number) => { const near = Math.round(x); return Math.abs(x % 1) === 0.5 && near % 2 ? near - 1 : near; };
const places = (from: number, to: number): [number, number, number][] =>
  Array.from({ length: to }, (_, i) => {
    const at = ((i + 0.5) * from) / to - 0.5, low = Math.floor(at);
    return low < 0 ? [0, 0, 0] : low >= from - 1 ? [from - 1, from - 1, 0] : [low, low + 1, roundEven((at - low) * UNIT)];
  });

/** The largest score of the classes that count; 0 where a model that gives boxes sees none of them. */
export function scoreOf(data: ArrayLike<number>, dims: readonly number[], card: Card): number {
  const values = Array.from(data, Number), where = `card ${card.name}`;
  if (!values.every(Number.isFinite)) throw new DetectorError("The model gives scores that are not numbers.", where, "Check the card's [input], or take another model.");
  let best: number[];
  if (card.decoding === "yolo") {
    const columns = dims.at(-1)!;
    if (values.length !== (4 + card.labels.length) * columns) throw new DetectorError(`The model gives ${values.length / columns} rows, the card's labels ask for ${4 + card.labels.length}.`, where);
    best = card.labels.map((_, i) => {
      const highest = values.slice((4 + i) * columns, (5 + i) * columns).reduce((a, b) => Math.max(a, b), -Infinity);
      return highest >= card.floor ? highest : 0;
    });
  } else {
    if (values.length !== card.labels.length) throw new DetectorError(`The model gives ${values.length} scores, the card has ${card.labels.length} labels.`, where);
    const top = Math.max(...values), sum = values.reduce((all, one) => all + Math.exp(one - top), 0);
    best = values.map((one) => card.decoding === "classifier-softmax" ? Math.exp(one - top) / sum : card.decoding === "classifier-sigmoid" ? 1 / (1 + Math.exp(-one)) : one);
  }
  return Math.max(...card.counts.map((label) => best[card.labels.indexOf(label)]));
}

export class Exposure {
  readonly name = "exposure";
  readonly evidence = "calibrated" as const;
  readonly version: string;
  private constructor(private readonly card: Card, private readonly session: Session, private readonly runtime: Runtime) { this.version = `sha256:${card.sha256}`; }

  /** Load a model whose digest its card names; nothing is fetched but what the runtime's own address brings. */
  static async load(cardText: string, name: string, model: Uint8Array, runtime: Runtime | string): Promise<Exposure> {
    const card = parseCard(cardText, name), found = hexOf(await sha256(model as Bytes));
    if (found !== card.sha256)
      throw new DetectorError(`The model has the digest ${found.slice(0, 12)}…, the card says ${card.sha256.slice(0, 12)}…: it is another model or corrupt.`, `card ${name}`, "Give the model that the card names.");
    let ort: Runtime, session: Session;
    try {
      ort = typeof runtime === "string" ? ((await import(/* @vite-ignore */ runtime)) as Runtime) : runtime;
      ort.env.wasm.numThreads = 1; // two are slower on two busy cores
      session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    } catch (error) {
      throw new ModelBlocked(`The model cannot be run here: ${String(error).split("\n")[0]}`, `card ${name}`,
        "Serve onnxruntime-web's files from the page's own address, and allow 'wasm-unsafe-eval' in script-src.");
    }
    const made = new Exposure(card, session, ort);
    try { await made.look({ data: new Uint8ClampedArray(4 * card.width * card.height).fill(128), width: card.width, height: card.height }); } catch (error) {
      throw error instanceof DetectorError ? error : new DetectorError(`The model does not take what the card describes: ${String(error).split("\n")[0]}`, `card ${name}`, "Correct the card's [input].");
    }
    return made;
  }

  async look({ data, width, height }: { data: Uint8ClampedArray; width: number; height: number }): Promise<Score[]> {
    const { card } = this, dims = card.layout === "NCHW" ? [1, 3, card.height, card.width] : [1, card.height, card.width, 3];
    const output = (await this.session.run({ [this.session.inputNames[0]]: new this.runtime.Tensor("float32", tensorOf(data, width, height, card), dims) }))[this.session.outputNames[0]];
    return [["exposure", "exposed", scoreOf(output.data, output.dims, card)]];
  }
}
