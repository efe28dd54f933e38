/** What is absent, denied, broken or hostile: each has a named error or a visible state, and no picture leaves unjudged. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as errors from "../src/errors";
import { Chain, Sender } from "../src/sframe";
import { Watcher } from "../src/watcher";
import { parsePolicy } from "../src/policy";
import { TEST_CARD, equip } from "../src/equipment";

const TEST = readFileSync(new URL("../../packs/policies/test.toml", import.meta.url), "utf8").replace(/hold_back_s = .*/, "hold_back_s = 0");
const COVER = TEST.replace(/when_blind = .*/, 'when_blind = "cover"'), PASS = TEST.replace(/when_blind = .*/, 'when_blind = "pass-with-notice"');
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

class Canvas {
  constructor(public width: number, public height: number) {}
  getContext() {
    return { drawImage() {}, fillRect() {}, fillText() {}, measureText: () => ({ width: 1 }), getImageData: (_x: number, _y: number, w: number, h: number) => ({ data: new Uint8ClampedArray(4 * w * h), width: w, height: h }) };
  }
}
const SIZE = 240;
const ROWS = ["00000000", "01001100", "01001010", "00011110", "00110010", "01100110", "01100110", "00000000"];
const card = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
  const x = i % SIZE, y = Math.floor(i / SIZE), column = Math.floor((x - 40) / 20), row = Math.floor((y - 40) / 20);
  return column >= 0 && column < 8 && row >= 0 && row < 8 ? (ROWS[row][column] === "1" ? 240 : 15) : 245;
});
const benign = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => 128 + 60 * Math.sin((i % SIZE) / 17) * Math.cos(i / SIZE / 23));
class Frame {
  closed = false;
  readonly visibleRect = { width: SIZE, height: SIZE };
  readonly displayWidth = SIZE;
  readonly displayHeight = SIZE;
  readonly format = "I420";
  readonly timestamp: number;
  constructor(readonly picture: any, { timestamp }: { timestamp: number }) { this.timestamp = timestamp; }
  allocationSize() { return SIZE * SIZE; }
  async copyTo(all: Uint8Array) {
    if (this.picture === "broken") throw new Error("no memory");
    all.set(this.picture);
    return [{ offset: 0, stride: SIZE }];
  }
  close() { this.closed = true; }
}

/** The worker, its messages and how to talk to it. */
async function worker() {
  const told: any[] = [];
  vi.resetModules();
  vi.stubGlobal("self", { postMessage: (message: any) => told.push(message) });
  vi.stubGlobal("OffscreenCanvas", Canvas);
  vi.stubGlobal("VideoFrame", Frame);
  await import("../src/worker");
  const scope = globalThis.self as any;
  const of = (kind: string) => told.filter((message) => message.kind === kind);
  return { told, of, scope, say: (data: object) => scope.onmessage({ data }) };
}
/** Send pictures through the worker's gate; returns the frames that left. */
async function through(policy: string, pictures: [number, any][], brought = {}) {
  const made = await worker(), left: Frame[] = [], frames = pictures.map(([atS, picture]) => new Frame(picture, { timestamp: atS * 1e6 }));
  const readable = new ReadableStream({ start(c) { for (const frame of frames) c.enqueue(frame); c.close(); } });
  const writable = new WritableStream({ write(frame) { left.push(frame); } });
  await made.say({ id: "v", kind: "protect", policy, brought, lines: [], readable, writable });
  for (let i = 0; i < 50 && !made.of("ended").length && !made.of("failed").length; i++) await settled();
  return { ...made, left, frames, raw: left.map((frame) => frames.includes(frame)) };
}
afterEach(() => { vi.unstubAllGlobals(); });

describe("pictures", () => {
  test("benign ones leave as they came; from the card on only covers leave, and the frames are freed", async () => {
    const run = await through(PASS, [[0, benign], [0.1, benign], [0.5, card], [0.6, card], [1, card]]);
    expect(run.raw).toEqual([true, true, false, false, false]);
    expect(run.frames.map((frame) => frame.closed)).toEqual([false, false, true, true, true]);
    expect(run.of("decision")[0]).toMatchObject({ rung: "blur", before: null });
  });
  test("where detection fails the policy decides: cover, or a notice", async () => {
    const covered = await through(COVER, [[0, "broken"], [0.1, benign], [0.4, "broken"]]);
    expect(covered.raw).toEqual([false, false, false]);
    const passed = await through(PASS, [[0, "broken"], [0.1, benign]]);
    expect(passed.raw).toEqual([true, true]);
    for (const run of [covered, passed]) expect(run.of("blind")).toHaveLength(1);
  });
  test("a clock that jumps back gets its frames looked at again", async () => {
    const run = await through(PASS, [[100, benign], [2, card], [2.1, card]]);
    expect(run.raw).toEqual([true, false, false]);
  });
  test("a policy whose detectors are not here sends nothing and is named", async () => {
    const required = TEST.replace('name = "test-card"', 'name = "exposure"').replace('labels = ["test-card"]', 'labels = ["exposed"]');
    const run = await through(required, [[0, benign]]);
    expect([run.left.length, run.of("failed")[0].name]).toEqual([0, "DetectorError"]);
    const wrong = await through("name = ", [[0, benign]]);
    expect([wrong.left.length, wrong.of("failed")[0].name]).toEqual([0, "PolicyError"]);
  });
  test("an unencrypted call is what the policy makes of it", async () => {
    const made = await worker(), left: boolean[] = [];
    let feed: any;
    const readable = new ReadableStream({ start(c) { feed = c; } });
    await made.say({ id: "v", kind: "protect", policy: COVER, lines: [], readable, writable: new WritableStream({ write(frame: Frame) { left.push(frame.picture === benign); } }) });
    feed.enqueue(new Frame(benign, { timestamp: 0 }));
    await settled();
    await made.say({ id: "v", kind: "unseen", name: "TransformUnsupported", message: "cannot encrypt" });
    for (const at of [1, 20, 60]) feed.enqueue(new Frame(benign, { timestamp: at * 1e6 }));
    await settled();
    expect(left).toEqual([true, false, false, false]);
    expect(made.of("blind")[0].name).toBe("TransformUnsupported");
  });
});

describe("encoded frames", () => {
  const encoded = (data: Uint8Array, mimeType = "video/VP8") => ({ data: data.slice().buffer, getMetadata: () => ({ mimeType }) });
  async function end(direction: "send" | "receive", frames: any[], base: Uint8Array | null, codec = "vp8") {
    const made = await worker(), out: any[] = [];
    let feed: any;
    const readable = new ReadableStream({ start(c) { feed = c; } });
    made.scope.onrtctransform({ transformer: { options: { id: "e", direction, media: "video", codec }, readable, writable: new WritableStream({ write(frame) { out.push(frame); } }) } });
    if (base) await made.say({ id: "e", kind: "keys", chains: [{ suite: 4, base, generation: 1 }] });
    for (const frame of frames) feed.enqueue(frame);
    await settled();
    return { out, reasons: made.of("dropped").map((one) => one.reason), made, feed };
  }
  const base = new Uint8Array(16).fill(5), frame = Uint8Array.from({ length: 40 }, (_, i) => i);
  const sealed = async (key = base, first = 0n) => new Sender(await new Chain(4, key, 1n).key(), "vp8", first);

  test("before the keys, and of another codec, nothing leaves", async () => {
    expect((await end("send", [encoded(frame)], null)).reasons).toEqual(["no key yet"]);
    const other = await end("send", [encoded(frame, "video/H264"), encoded(frame.slice(0, 4))], base);
    expect([other.out.length, other.reasons]).toEqual([0, ["codec", "too short"]]);
  });
  test("what leaves is not what came, and is dropped while a cover begins", async () => {
    const run = await end("send", [encoded(frame)], base);
    expect(run.out).toHaveLength(1);
    expect(new Uint8Array(run.out[0].data).slice(10, 40)).not.toEqual(frame.slice(10));
    await run.made.say({ kind: "hold" });
    run.feed.enqueue(encoded(frame));
    await settled();
    expect(run.out).toHaveLength(1);
    expect(run.made.of("dropped")[0].reason).toBe("held while a cover begins");
  });
  test("replayed, changed, foreign and garbage frames are dropped by name", async () => {
    const sender = await sealed(), good = await sender.encrypt(frame), changed = await sender.encrypt(frame);
    const foreign = await (await sealed(new Uint8Array(16), 50n)).encrypt(frame);
    changed[20] ^= 1;
    const garbage = crypto.getRandomValues(new Uint8Array(60)), stub = new Uint8Array(2);
    const run = await end("receive", [good, good, changed, foreign, garbage, stub].map((data) => encoded(data)), base);
    expect(run.out).toHaveLength(1);
    expect(new Uint8Array(run.out[0].data)).toEqual(frame);
    expect(run.reasons.slice(0, 3)).toEqual(["replayed", "changed", "changed"]);
    expect(run.reasons[3]).toMatch(/unknown key|header|changed|too short/);
    expect(run.reasons[4]).toBe("too short");
  });
  test("audio leaves its first byte in clear, and no more", async () => {
    const run = await end("send", [encoded(frame, "audio/opus")], base, "opus");
    const out = new Uint8Array(run.out[0].data);
    expect(out[0]).toBe(frame[0]);
    expect(out.length).toBeGreaterThan(frame.length);
  });
});

describe("the page's side", () => {
  class FakeWorker {
    static made: FakeWorker[] = [];
    posted: any[] = [];
    onmessage: any; onerror: any;
    constructor() { FakeWorker.made.push(this); }
    postMessage(message: any) { this.posted.push(message); if (message.kind === "protect") queueMicrotask(() => this.say({ id: message.id, kind: "started", absent: [] })); }
    say(data: any) { this.onmessage({ data }); }
    terminate() {}
  }
  const track = () => Object.assign(new EventTarget(), { readyState: "live", kind: "video", enabled: true, stop() {} }) as any;
  let guard: any, lib: any, last: FakeWorker;
  beforeEach(async () => {
    vi.stubGlobal("Worker", FakeWorker);
    vi.stubGlobal("MediaStreamTrackProcessor", class { readable = {}; });
    vi.stubGlobal("MediaStreamTrackGenerator", class extends EventTarget { writable = {}; stopped = false; stop() { this.stopped = true; } });
    vi.resetModules();
    lib = await import("../src/index");
    guard = new lib.Guard("/worker.js");
    last = FakeWorker.made.at(-1)!;
  });
  test("no camera and no permission have their names", () => {
    expect(errors.cameraError(new DOMException("", "NotAllowedError")).name).toBe("PermissionDenied");
    expect(errors.cameraError(new DOMException("", "NotFoundError")).name).toBe("NoCamera");
    expect(errors.cameraError("?").name).toBe("NoCamera");
  });
  test("an ended track is refused, and one that ends stops what is sent", async () => {
    await expect(guard.protect(Object.assign(track(), { readyState: "ended" }), { policy: TEST })).rejects.toMatchObject({ name: "TrackEnded" });
    const camera = track(), audio = track(), events: any[] = [];
    const safe = await guard.protect(camera, { policy: TEST, audio: [audio], onEvent: (event: any) => events.push(event.kind) });
    camera.dispatchEvent(new Event("ended"));
    expect([safe.stopped, audio.enabled, events.at(-1)]).toEqual([true, false, "ended"]);
  });
  test("a worker that content security forbids refuses the call, before and after", async () => {
    const camera = track(), audio = track(), events: any[] = [];
    await guard.protect(camera, { policy: TEST, audio: [audio], onEvent: (event: any) => events.push(event) });
    last.onerror(new Event("error"));
    expect([audio.enabled, events.at(-1).kind, events.at(-1).name]).toEqual([false, "failed", "GuardError"]);
    await expect(guard.protect(track(), { policy: TEST })).rejects.toMatchObject({ name: "GuardError" });
  });
  test("a refusal in the worker keeps its name", async () => {
    last.postMessage = function (message: any) { queueMicrotask(() => this.say({ id: message.id, kind: "failed", name: "ModelBlocked", message: "wasm" })); };
    await expect(guard.protect(track(), { policy: TEST })).rejects.toMatchObject({ name: "ModelBlocked" });
  });
  test("sound falls silent with the picture, and whoever was muted by hand stays so", async () => {
    const speaking = track(), muted = Object.assign(track(), { enabled: false });
    await guard.protect(track(), { policy: TEST, audio: [speaking, muted] });
    const { id } = last.posted[0], decide = (rung: string | null) => last.say({ id, kind: "decision", rung });
    const heard = () => [speaking.enabled, muted.enabled];
    decide("observe");
    expect(heard()).toEqual([true, false]);
    decide("blur"); decide("pause");
    expect(heard()).toEqual([false, false]);
    decide(null);
    expect(heard()).toEqual([true, false]);
  });
  test("where frames cannot be encrypted: a named error, and streams protected before and after are told", async () => {
    await guard.protect(track(), { policy: COVER });
    expect(() => guard.encrypted({ replaceTrack() {} }, [], { media: "video" })).toThrow(expect.objectContaining({ name: "TransformUnsupported" }));
    await guard.protect(track(), { policy: COVER });
    expect(last.posted.filter((one) => one.kind === "unseen").map((one) => one.name)).toEqual(["TransformUnsupported", "TransformUnsupported"]);
    expect(lib.missing().join()).toContain("RTCRtpScriptTransform");
  });
  test("where neither way to take a track apart is there, nothing is sent", async () => {
    vi.stubGlobal("MediaStreamTrackGenerator", undefined);
    vi.stubGlobal("OffscreenCanvas", Canvas);
    vi.stubGlobal("MediaStream", class {});
    vi.stubGlobal("document", { baseURI: "http://x/", createElement: () => ({ play: () => Promise.resolve() }) });
    await expect(guard.protect(track(), { policy: TEST })).rejects.toMatchObject({ name: "GuardError" });
    expect(lib.missing().join()).toContain("canvas");
  });
});

describe("models look beside the stream", () => {
  const luma = { pixels: benign, width: SIZE, height: SIZE, stride: SIZE }, pixels = { data: new Uint8ClampedArray(4), width: 1, height: 1 };
  const watcher = (policy: string, look: () => Promise<any>) => {
    const decisions: any[] = [], blinds: string[] = [];
    const model = { name: "known-media", version: "1", evidence: "analytic" as const, look };
    const made = new Watcher(parsePolicy(policy), { sensors: [TEST_CARD], models: [model], calibrations: new Map(), absent: [] }, (d) => decisions.push(d), (e) => blinds.push(e.message));
    return { made, decisions, blinds };
  };
  test("until the model has spoken a picture is covered where the policy covers what is unseen", async () => {
    for (const [policy, first] of [[COVER, "blur"], [PASS, null]] as const) {
      const { made } = watcher(policy, async () => []);
      made.look(0, luma);
      expect(made.rung).toBe(first);
      expect(made.free).toBe(true);
      await made.ponder(0, pixels);
      expect(made.rung).toBeNull();
    }
  });
  test("what it says counts; one that fails, or falls behind, is said and the policy decides", async () => {
    const sees = watcher(PASS, async () => [["known-media", "known-media", 80]]);
    sees.made.look(0, luma);
    await sees.made.ponder(0, pixels);
    expect(sees.made.rung).toBe("blur");
    const fails = watcher(COVER, () => Promise.reject(new Error("out of memory")));
    fails.made.look(0, luma);
    await fails.made.ponder(0, pixels);
    expect([fails.made.rung, fails.blinds.length]).toEqual(["blur", 1]);
    const slow = watcher(COVER, () => new Promise(() => undefined));
    slow.made.look(0, luma);
    void slow.made.ponder(0, pixels);
    for (const atS of [1, 2, 3]) slow.made.look(atS, luma);
    expect(slow.made.free).toBe(false);
    expect(slow.decisions[0]).toMatchObject({ rung: "blur", by: "blind" });
    expect(slow.blinds[0]).toContain("behind");
  });
  test("what the app brought must load; what it did not is named", async () => {
    const child = parsePolicy(readFileSync(new URL("../../packs/policies/child-device.toml", import.meta.url), "utf8"));
    await expect(equip(child)).rejects.toThrow(/nothing to watch with.*exposure.*known-media/);
    await expect(equip(child, { models: { "nudenet-320n": new Uint8Array(1) }, runtime: "x", files: { "cards/nudenet-320n.toml": "", "calibrations/exposure-nudenet-320n.json": "{}" } })).rejects.toThrow(errors.GuardError);
    await expect(equip(child, { lists: { one: new Uint8Array(1) }, files: { "calibrations/pdq-chance.json": "{}" } })).rejects.toThrow(errors.DetectorError);
  });
});
