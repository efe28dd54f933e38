/** Randomised response: a count that a person may share without saying what happened. Off unless asked for, never sent. */
import { GuardError } from "./errors";
export const ANSWERS = ["none", "1", "2 to 4", "5 or more"] as const;
export const answerOf = (count: number): number => (count <= 0 ? 0 : count === 1 ? 1 : count < 5 ? 2 : 3);

export function pTrue(epsilon: number, answers: number): number {
  if (!(epsilon > 0 && epsilon <= 8) || answers < 2) throw new GuardError(`ε = ${epsilon} is outside 0 to 8.`, "statistics", "Choose 1, say.");
  return Math.exp(epsilon) / (Math.exp(epsilon) + answers - 1);
}

/** The answer to share in place of the true one; the draw is fixed by the device's secret, the question and the day. */
export async function randomised(truth: number, answers: number, epsilon: number, secret: Uint8Array<ArrayBuffer>, question: string, day: string): Promise<number> {
  const keep = pTrue(epsilon, answers);
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const drawn = new DataView(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${question}\n${day}`)));
  if (Number(drawn.getBigUint64(0) >> 11n) / 2 ** 53 < keep) return truth;
  const other = Number(drawn.getBigUint64(8) % BigInt(answers - 1));
  return other + (other >= truth ? 1 : 0);
}
