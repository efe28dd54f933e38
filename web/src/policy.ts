/** A policy as data: the twin of lightship.core.ladder. Everything in it is closed. */
import { PolicyError } from "./errors";
import { parseToml, type Table, type Value } from "./toml";
import { meanTimeS, type Kind } from "./watchkeeper";

export const LABELS = ["camera-black", "camera-frozen", "exposed", "known-media", "test-card"] as const;
export const RUNGS = ["observe", "blur", "pause", "end"] as const;
export type Rung = (typeof RUNGS)[number];
export const covers = (rung: Rung | null): boolean => rung !== null && rung !== "observe";

export interface DetectorUse { name: string; labels: string[]; calibration: string; required: boolean; group: string; options: Table }
export interface RungRule { rung: Rung; mean_time_s: number; block_s: number; after_s: number }
export interface Policy {
  name: string; version: string; title: string; jurisdiction: string; audience: string; legal_basis: string;
  detectors: DetectorUse[]; rungs: RungRule[]; card_title: string; card_lines: string[]; test: boolean;
  when_blind: "cover" | "pass-with-notice"; blind_after_s: number; hold_back_s: number; slow_fps: number; fast_fps: number;
  release: "benign" | "person" | "never"; release_after_s: number; grace_s: number; detector_kind: Kind;
}

class Reader {
  private readonly rest: Map<string, Value>;
  constructor(table: Table, readonly where: string) { this.rest = new Map(Object.entries(table)); }
  take<T extends Value>(key: string, is: (value: Value) => boolean, fallback?: T): T {
    if (!this.rest.has(key)) {
      if (fallback === undefined) throw new PolicyError(`The key '${key}' is missing.`, this.where, "Add it.", "missing key");
      return fallback;
    }
    const value = this.rest.get(key)!;
    this.rest.delete(key);
    if (!is(value)) throw new PolicyError(`${key} is of the wrong type.`, this.where, "See docs/reference/policy.md.", "wrong type");
    return value as T;
  }
  text(key: string, fallback?: string): string { return this.take(key, (v) => typeof v === "string", fallback); }
  flag(key: string, fallback: boolean): boolean { return this.take(key, (v) => typeof v === "boolean", fallback); }
  number(key: string, fallback: number, least = 0, most = Infinity): number {
    const value = this.take(key, (v) => typeof v === "number", fallback);
    if (!(least <= value && value <= most))
      throw new PolicyError(`${key} = ${value} is outside ${least} to ${most}.`, this.where, "Change it.", "out of range");
    return value;
  }
  words(key: string): string[] {
    const value = this.take<Value[]>(key, Array.isArray);
    if (!value.every((v) => typeof v === "string"))
      throw new PolicyError(`${key} holds something that is not text.`, this.where, "Write a list of texts.", "wrong type");
    return value as string[];
  }
  oneOf<T extends string>(key: string, allowed: readonly T[], fallback?: T): T {
    const value = this.text(key, fallback) as T;
    if (!allowed.includes(value))
      throw new PolicyError(`${key} = '${value}' is not one of ${allowed.join(", ")}.`, this.where, "Choose one.", "not one of");
    return value;
  }
  tables(key: string): Reader[] {
    const values = this.take<Value[]>(key, Array.isArray);
    if (!values.length || !values.every((v) => typeof v === "object" && !Array.isArray(v)))
      throw new PolicyError(`There is no [[${key}]].`, this.where, "Add at least one.", "missing key");
    return values.map((value, i) => new Reader(value as Table, `${this.where}, ${key} ${i + 1}`));
  }
  done(): void {
    if (this.rest.size)
      throw new PolicyError(`Unknown key ${[...this.rest.keys()].sort().join(", ")}.`, this.where, "Remove it.", "unknown key");
  }
}

export function parsePolicy(text: string, where = "policy"): Policy {
  const reader = new Reader(parseToml(text, where), where);
  const detectors = reader.tables("detectors").map(detector);
  const rungs = reader.tables("rungs").map(rung);
  const slow_fps = reader.number("slow_fps", 4, 0.1, 60);
  const policy: Policy = {
    name: reader.text("name"), version: reader.text("version"), title: reader.text("title"),
    jurisdiction: reader.text("jurisdiction"), audience: reader.oneOf("audience", ["child", "adult", "all"]),
    legal_basis: reader.text("legal_basis"), detectors, rungs,
    card_title: reader.text("card_title"), card_lines: reader.words("card_lines"), test: reader.flag("test", false),
    when_blind: reader.oneOf("when_blind", ["cover", "pass-with-notice"], "pass-with-notice"),
    blind_after_s: reader.number("blind_after_s", 2, 0.1), hold_back_s: reader.number("hold_back_s", 0, 0, 30),
    slow_fps, fast_fps: reader.number("fast_fps", Math.max(6, slow_fps), slow_fps, 60),
    release: reader.oneOf("release", ["benign", "person", "never"], "benign"),
    release_after_s: reader.number("release_after_s", 10), grace_s: reader.number("grace_s", 10),
    detector_kind: reader.oneOf("detector_kind", ["cusum", "shiryaev-roberts"], "cusum"),
  };
  reader.done();
  check(policy, where);
  return policy;
}

function detector(reader: Reader): DetectorUse {
  const use = {
    name: reader.text("name"), labels: [...new Set(reader.words("labels"))].sort(), calibration: reader.text("calibration", ""),
    required: reader.flag("required", true), group: reader.text("group", ""),
    options: reader.take<Table>("options", (v) => typeof v === "object" && !Array.isArray(v), {}),
  };
  reader.done();
  const unknown = use.labels.filter((label) => !(LABELS as readonly string[]).includes(label));
  if (unknown.length || !use.labels.length)
    throw new PolicyError(`${unknown.join(", ") || "An empty list"} is outside the closed label set.`, reader.where,
      `The labels are ${LABELS.join(", ")}.`, "outside the label set");
  return use;
}

function rung(reader: Reader): RungRule {
  const rule = {
    rung: reader.oneOf("rung", RUNGS), mean_time_s: meanTimeS(reader.text("budget"), `${reader.where}, budget`),
    block_s: reader.number("block_s", 2, 2, 7200), after_s: reader.number("after_s", 0),
  };
  reader.done();
  return rule;
}

function check(policy: Policy, where: string): void {
  const refuse = (kind: string, what: string, todo: string): never => { throw new PolicyError(what, where, todo, kind); };
  const rises = (values: number[], strictly: boolean) =>
    values.every((value, i) => i === 0 || (strictly ? value > values[i - 1] : value >= values[i - 1]));
  if (!rises(policy.rungs.map((rule) => RUNGS.indexOf(rule.rung)), true))
    refuse("order of rungs", "The rungs are not in order, or one is named twice.", `Order: ${RUNGS.join(", ")}.`);
  if (!rises(policy.rungs.map((rule) => rule.mean_time_s), false))
    refuse("order of budgets", "A graver rung has a larger budget than a lighter one.", "Make it smaller.");
  if (!policy.test && policy.detectors.some((use) => use.labels.includes("test-card")))
    refuse("test card", "Only a policy marked `test = true` may act on the test card.", "Remove the label or mark the policy.");
  if (!policy.legal_basis.trim()) refuse("legal basis", "The legal basis is empty.", "Say on what basis this may be done.");
  if (new Set(policy.detectors.map((use) => use.name)).size < policy.detectors.length)
    refuse("detector twice", "A detector is named twice.", "Name each once.");
}

/** Canonical JSON (RFC 8785). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(",")}}`;
  return JSON.stringify(value);
}

/** The name of a policy: `sha256:` over its canonical JSON. */
export async function policyDigest(policy: Policy): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(policy)));
  return "sha256:" + [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
