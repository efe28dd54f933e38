import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FrameError, PolicyError } from "../src/errors";
import { bind, blind, judge, resume, start, type Known } from "../src/judge";
import { fromHex, pdq, toHex } from "../src/pdq";
import { parsePolicy, policyDigest } from "../src/policy";
import { answerOf, pTrue, randomised } from "../src/randomised";
import { Chain, FrameKey, Receiver, Sender, SUITES, buildHeader, clearBytes, parseHeader } from "../src/sframe";
import { BaseBlock, Watch, advance, levelsDb, meanTimeS, sessionLevel, thresholdOf } from "../src/watchkeeper";
import { Calibration, Calibrator, analyticEvalue, decibans, merged, sceneShareDb, smoothEvalue } from "../src/weight";

const root = new URL("../../", import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(new URL(path, root), "utf8"));
const vectors = (name: string) => read(`tests/vectors/${name}.json`);
const real = (x: any): number => (typeof x === "string" ? Number(x) : x);
const near = (found: number, wanted: any) => {
  const want = real(wanted);
  if (!Number.isFinite(want)) expect(found).toBe(want);
  else expect(Math.abs(found - want)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(want)));
};
const unhex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const refusal = async (run: () => unknown) => {
  try { await run(); } catch (error) { return (error as FrameError).kind; }
  return "none";
};

describe("weights and watchkeepers", () => {
  const w = vectors("weights"), small = Calibration.fromJson(w.calibration);
  test("weights", () => {
    for (const [p, e] of w.smooth_evalue) near(smoothEvalue(p), e);
    for (const one of w.calibrator) for (const [p, e] of one.e) near(new Calibrator(one.alarm_alpha, one.finest_alpha).evalue(p), e);
    for (const [e, db] of w.decibans) near(decibans(e), db);
    for (const [db, scenes, e] of w.analytic_evalue) near(analyticEvalue(db, scenes), e);
    for (const [j, db] of w.scene_share_db) near(sceneShareDb(j), db);
  });
  test("budgets and levels", () => {
    for (const one of w.budgets) {
      near(meanTimeS(one.text), one.mean_time_s);
      for (const [block, threshold] of one.thresholds) near(thresholdOf(meanTimeS(one.text), block), threshold);
    }
    for (const { kind, steps } of w.advance) {
      let level = -Infinity;
      for (const [weight, after] of steps) near((level = advance(level, weight, kind)), after);
    }
  });
  test("blocks and watches", () => {
    for (const rows of w.base_blocks) {
      let block: BaseBlock | null = null;
      for (const [at, picture, over, pictures] of rows) {
        const hash = picture && fromHex(picture);
        block ??= new BaseBlock(0, fromHex(rows.find((r: any) => r[1])[1]));
        expect(block.over(at, hash)).toBe(over);
        block = over ? new BaseBlock(at, hash) : block.seen(hash);
        if (over) expect(block.pictures).toBe(pictures);
      }
    }
    let watch = new Watch();
    w.watch[0].forEach((row: any, i: number) => {
      watch = row.scores ? watch.seen(i * 0.5, row.scores) : watch.closed(i * 0.5, 3.5);
      near(watch.beforeDb, row.before_db);
      expect(watch.beganS).toBe(row.began_s);
      expect(watch.best).toEqual(row.best);
    });
  });
  test("calibrations and session levels", () => {
    for (const [score, block, p] of w.p_value) near(small.pValue(score, block), p);
    for (const [block, rows] of w.merged) expect(small.streams.map((s) => merged(s, block))).toEqual(rows);
    for (const [kind, block, threshold, levels] of w.levels_db)
      levelsDb(small, small.streams[1], block, threshold, kind).forEach((level, i) => near(level, levels[i]));
    for (const one of w.session_level) {
      const found = sessionLevel(small, meanTimeS(one.budget), one.block_s, one.kind);
      near(found.levelDb, one.level_db);
      expect(found.extrapolated).toBe(one.extrapolated);
    }
  });
});

describe("policies and the ladder", () => {
  const p = vectors("policies"), l = vectors("ladder");
  const calibration = Calibration.fromJson(read(l.calibration));
  const policies = new Map<string, any>(p.accepted.map((one: any) => [one.json.name + one.json.rungs[1]?.mean_time_s, one]));
  test.each<any[]>(p.accepted.map((one: any) => [one.json.name, one]))("%s is read", async (_, one: any) => {
    const policy = parsePolicy(one.toml);
    expect(policy).toEqual(one.json);
    expect(await policyDigest(policy)).toBe(one.digest);
  });
  test.each<any[]>(p.refused.map((one: any) => [one.kind, one.toml]))("refused: %s", (kind: any, toml: any) => {
    let found: unknown;
    try { parsePolicy(toml); } catch (error) { found = error; }
    expect(found).toBeInstanceOf(PolicyError);
    expect((found as PolicyError).kind).toBe(kind);
  });
  const bound = (name: string) => {
    const one = [...policies.values()].find((x: any) => x.json.name === name && l.bound.find((b: any) => b.policy === name).digest === x.digest);
    const policy = parsePolicy(one.toml);
    const known: Known[] = policy.detectors.map((use) => ({
      name: use.name, version: use.name === "exposure" ? calibration.detectorVersion : "1", evidence: l.evidence[use.name] }));
    return bind(policy, known, new Map([["exposure", calibration]]));
  };
  test.each<any[]>(l.bound.map((one: any) => [one.policy, one]))("%s is bound", (name: any, one: any) => {
    bound(name).rungs.forEach((rung, i) => {
      near(rung.alarmDb, one.rungs[i].alarm_db);
      near(rung.sessionDb, one.rungs[i].session_db);
      expect(rung.extrapolated).toBe(one.rungs[i].extrapolated);
    });
  });
  test.each<any[]>(l.played.map((one: any) => [one.policy, one.plot, one]))("%s: %s", (name: any, _plot: any, one: any) => {
    const b = bound(name);
    let standing = start(b);
    for (const [atS, seed, readings, levels, wanted] of one.frames) {
      const step = readings === "blind" ? blind(b, standing, atS) : readings === "resume" ? resume(b, standing, atS)
        : judge(b, standing, { atS, readings, picture: seed === null ? null : fromHex(one.pictures[seed]) });
      standing = step[0];
      standing.levelsDb.forEach((level, i) => near(level, levels[i]));
      const decision = step[1];
      expect(decision?.rung).toEqual(wanted?.rung);
      expect(decision?.by).toEqual(wanted?.by);
      if (decision) {
        expect(decision.before).toEqual(wanted.before);
        near(decision.totalDb, wanted.total_db);
        expect(decision.reasons.map((r) => [r.detector, r.label])).toEqual(wanted.reasons.map((r: any) => r.slice(0, 2)));
        decision.reasons.forEach((r, i) => near(r.weightDb, wanted.reasons[i][2]));
      }
    }
    expect([standing.rung, standing.by, standing.sinceS]).toEqual(one.ends);
  });
});

test("PDQ, to the bit", () => {
  for (const one of vectors("pdq").pictures) {
    const found = pdq(Uint8Array.from(Buffer.from(one.luma, "base64")), one.width, one.height);
    expect([one.hash === null ? null : toHex(found.hash), found.quality]).toEqual([one.hash, one.quality]);
  }
});

describe("SFrame", () => {
  const r = vectors("rfc9605"), f = vectors("frames");
  test("RFC 9605: headers", () => {
    for (const one of r.header) {
      // Beyond 2^53 JSON.parse rounds, so the bytes are read and written back.
      const found = parseHeader(unhex(one.encoded));
      expect(hex(buildHeader(found.kid, found.counter))).toBe(one.encoded);
      if (one.kid < 2 ** 53 && one.ctr < 2 ** 53) expect([found.kid, found.counter]).toEqual([BigInt(one.kid), BigInt(one.ctr)]);
    }
    for (const data of f.headers_refused) expect(() => parseHeader(unhex(data))).toThrow(FrameError);
  });
  test("RFC 9605: end to end", async () => {
    for (const one of r.sframe) {
      const key = await FrameKey.derive(one.cipher_suite, BigInt(one.kid), unhex(one.base_key));
      const sealed = await key.seal(BigInt(one.ctr), unhex(one.pt), unhex(one.metadata));
      expect(hex(sealed)).toBe(one.ct);
      expect(hex(await key.open(BigInt(one.ctr), sealed, parseHeader(sealed).end, unhex(one.metadata)))).toBe(one.pt);
    }
  });
  test("frames of codecs", async () => {
    for (const one of f.protected) {
      const key = await FrameKey.derive(one.suite, BigInt(one.kid), unhex(f.base_key));
      expect(hex(await new Sender(key, one.codec, BigInt(one.counter)).encrypt(unhex(one.frame)))).toBe(one.protected);
    }
    for (const [codec, frame] of f.too_short) expect(() => clearBytes(codec, unhex(frame))).toThrow(FrameError);
  });
  test("ratchets", async () => {
    for (const one of f.chains) {
      let chain = new Chain(one.suite, unhex(f.base_key), BigInt(one.generation));
      for (const [kid, base, key, salt] of one.steps) {
        const made = await chain.key();
        expect([chain.kid, hex(chain.base), hex(made.secret), hex(made.salt)]).toEqual([BigInt(kid), base, key, salt]);
        chain = await chain.next();
      }
    }
  });
  test("what a receiver makes of frames", async () => {
    for (const one of f.received) {
      const receiver = new Receiver();
      await receiver.follow(new Chain(one.suite, unhex(f.base_key), BigInt(one.generation)));
      for (const row of one.frames) {
        if (row.refused) expect(await refusal(() => receiver.decrypt(unhex(row.frame)))).toBe(row.refused);
        else expect(hex(await receiver.decrypt(unhex(row.frame)))).toBe(row.plain);
      }
    }
  });
  test("garbage never passes, and is a named error", async () => {
    const receiver = new Receiver("vp8");
    await receiver.follow(new Chain(4, unhex(f.base_key)));
    for (let i = 0; i < 2000; i++) {
      const junk = crypto.getRandomValues(new Uint8Array(i % 60));
      expect(await refusal(() => receiver.decrypt(junk))).toMatch(/header|too short|unknown key|changed/);
    }
  });
  test("no counter twice", async () => {
    const key = await FrameKey.derive(4, 1n, new Uint8Array(16));
    const sender = new Sender(key);
    const sealed = await Promise.all(Array.from({ length: 50 }, () => sender.encrypt(new Uint8Array(4))));
    expect(new Set(sealed.map((one) => parseHeader(one).counter)).size).toBe(50);
    expect(() => sender.use(key)).toThrow(FrameError);
    expect(Object.keys(SUITES)).toHaveLength(8);
  });
});

test("randomised response", async () => {
  const v = vectors("randomised");
  for (const [count, answer] of v.answer_of) expect(answerOf(count)).toBe(answer);
  for (const [epsilon, k, p] of v.p_true) near(pTrue(epsilon, k), p);
  for (const one of v.shared)
    for (const [day, answer] of one.days)
      expect(await randomised(one.true, one.answers, one.epsilon, unhex(v.secret), one.question, day)).toBe(answer);
});
