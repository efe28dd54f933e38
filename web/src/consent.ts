/** What the owner of a device agreed to: no pack may do more there, whoever signed it. The twin of lightship.core.consent. */
import { ConsentExceeded, PackError } from "./errors";
import { LABELS, RUNGS, type Policy, type Rung } from "./policy";
import { parseToml, type Table } from "./toml";
import { meanTimeS } from "./watchkeeper";

export class Consent {
  private constructor(
    readonly by: string, readonly at: string, readonly labels: string[], readonly detectors: string[], readonly lists: string[],
    readonly rungs: ReadonlyMap<Rung, { meanS: number; words: string }>, readonly whenBlind: string[], readonly release: string[],
  ) {}

  static parse(text: string): Consent {
    const refuse = (what: string) => new PackError(`The consent is refused: ${what}.`, "consent", "See docs/reference/packs.md.");
    let table: Table;
    try { table = parseToml(text, "consent"); } catch (error) { throw refuse(String(error)); }
    const words = (key: string, allowed?: readonly string[]): string[] => {
      const value = table[key];
      if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) throw refuse(`${key} is no list of words`);
      const unknown = (value as string[]).filter((one) => allowed && !allowed.includes(one));
      if (unknown.length) throw refuse(`${unknown.join(", ")} is not one of ${allowed!.join(", ")}`);
      return value as string[];
    };
    const unknown = Object.keys(table).filter((key) => !["by", "at", "labels", "detectors", "lists", "rungs", "when_blind", "release"].includes(key));
    if (unknown.length) throw refuse(`unknown key ${unknown.join(", ")}`);
    const { by, at, rungs } = table;
    if (typeof by !== "string" || !by.trim() || typeof at !== "string" || typeof rungs !== "object" || Array.isArray(rungs)) throw refuse("it does not say who agreed to what, and when");
    const budgets = Object.entries(rungs).map(([rung, budget]) => {
      if (!(RUNGS as readonly string[]).includes(rung) || typeof budget !== "string") throw refuse(`${rung} is no response with a budget`);
      return [rung as Rung, { meanS: meanTimeS(budget, "consent"), words: budget }] as const;
    });
    return new Consent(by, at, words("labels", LABELS), words("detectors"), "lists" in table ? words("lists") : [], new Map(budgets),
      words("when_blind", ["cover", "pass-with-notice"]), words("release", ["benign", "person", "never"]));
  }

  /** What a policy would do beyond what was agreed to, in words. */
  exceeded(policy: Policy): string[] {
    const labels = [...new Set(policy.detectors.flatMap((use) => use.labels))].filter((label) => !this.labels.includes(label)).sort();
    const detectors = policy.detectors.map((use) => use.name).filter((name) => !this.detectors.includes(name)).sort();
    const rungs = policy.rungs.flatMap(({ rung, mean_time_s }) => {
      const agreed = this.rungs.get(rung);
      if (!agreed) return [`it could ${rung}, and nobody agreed to that`];
      return mean_time_s < agreed.meanS * (1 - 1e-9) ? [`it could ${rung} by mistake every ${mean_time_s} s, and ${agreed.words} was agreed to`] : [];
    });
    return [
      ...labels.map((label) => `it would act on “${label}”`), ...detectors.map((name) => `it would look with the detector “${name}”`), ...rungs,
      ...(this.whenBlind.includes(policy.when_blind) ? [] : [`it would ${policy.when_blind} while it cannot see`]),
      ...(this.release.includes(policy.release) ? [] : [`a cover would end by “${policy.release}” alone`]),
    ];
  }
  check(policy: Policy, where: string): void {
    const found = this.exceeded(policy);
    if (found.length)
      throw new ConsentExceeded(`The policy ${policy.name} goes beyond what ${this.by} agreed to on ${this.at}: ${found.join("; ")}.`, where, "Ask the owner of the device; only a new consent changes this.");
  }
}
