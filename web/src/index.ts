/**
 * @lightship/guard: judges a call's picture on the device, before it is encrypted. It makes no request of its own.
 *
 * const guard = new Guard();
 * const safe = await guard.protect(track, { policy });
 * const sender = connection.addTrack(safe);
 * guard.encrypted(sender, chain);
 */
import { GuardError, TrackEnded, TransformUnsupported } from "./errors";
import type { Equipment } from "./equipment";
import { Gate, lumaOfColours } from "./gate";
import { covers, parsePolicy, type Rung } from "./policy";
import type { Codec } from "./sframe";

export * from "./errors";
export { GuardedBadge } from "./badge";
export { parsePolicy, policyDigest } from "./policy";
export type { Equipment } from "./equipment";
export { ANSWERS, answerOf, pTrue, randomised } from "./randomised";
export { Packs, rootFingerprint, type Opened, type PackOptions, type Read, type Store } from "./packs";

export interface ProtectOptions extends Equipment {
  /** The policy, as TOML: of a signed pack, `opened.policy(name)`. */
  policy: string;
  /** Help lines for the still card. */
  help?: string[];
  /** Tracks that fall silent while the picture is covered. */
  audio?: MediaStreamTrack[];
  /** Told what the guard does: show help, the badge, what is absent. */
  onEvent?: (event: GuardEvent) => void;
}
export interface GuardEvent { kind: string; rung?: Rung | null; [more: string]: unknown }
/** One sender's keys: the secret both ends share, and a generation no other sender uses. */
export interface ChainKeys { suite: number; base: Uint8Array; generation: number; step?: number }
export interface Protection {
  /** Its name among the worker's streams. */
  id: string;
  track: MediaStreamTrack;
  /** As the person: go on; true if the policy allows it now. */
  resume(): Promise<boolean>;
  counts(): Promise<Record<string, number>>;
  stop(): void;
}

/** What this browser lacks, in words; empty where everything is there. */
export function missing(): string[] {
  const has = globalThis as any, lacks: string[] = [];
  if (!has.MediaStreamTrackProcessor || !has.MediaStreamTrackGenerator)
    lacks.push("no MediaStreamTrackProcessor and Generator: pictures take the slower way over a canvas");
  if (!has.RTCRtpScriptTransform) lacks.push("no RTCRtpScriptTransform: calls cannot be end-to-end encrypted here");
  return lacks;
}

export class Guard {
  private readonly worker: Worker;
  private readonly listeners = new Map<string, (message: any) => void>();
  private failed: GuardError | null = null;
  /** Why what is sent cannot be encrypted here; each stream's policy decides what is shown then. */
  private inClear: GuardError | null = null;
  private readonly streams = new Map<string, (error: GuardError) => void>();
  private next = 0;

  /** @param worker where worker.js is; beside this file unless named. */
  constructor(worker: string | URL = new URL(/* @vite-ignore */ "./worker.js", import.meta.url)) {
    this.worker = new Worker(worker, { type: "module", name: "lightship-guard" });
    this.worker.onmessage = ({ data }) => this.listeners.get(data.id)?.(data);
    this.worker.onerror = () => {
      this.failed = new GuardError("The guard's worker cannot run.", String(worker), "Allow it in the page's worker-src.");
      for (const told of this.listeners.values()) told({ kind: "failed", name: "GuardError", message: this.failed.message });
    };
  }

  /** Return a track that may be sent instead of the camera's. Nothing leaves it that was not judged. */
  async protect(track: MediaStreamTrack, options: ProtectOptions): Promise<MediaStreamTrack & { guard: Protection }> {
    if (track.readyState !== "live") throw new TrackEnded("The camera's track has ended.", "", "Open the camera again.");
    const policy = parsePolicy(options.policy);
    if (this.failed) throw this.failed;
    const has = globalThis as any;
    const direct = has.MediaStreamTrackProcessor && has.MediaStreamTrackGenerator;
    const made = await (direct ? this.direct(track, options) : this.overCanvas(track, options));
    if (this.inClear) this.streams.get(made.id)?.(this.inClear);
    const lacks = missing();
    if (policy.hold_back_s > 0) lacks.push("frames are not held back in calls, so the policy's hold-back is not kept");
    options.onEvent?.({ kind: "coverage", missing: lacks });
    track.addEventListener("ended", () => { this.listeners.get(made.id)?.({ kind: "ended", message: "The camera's track has ended." }); made.stop(); });
    return Object.assign(made.track, { guard: made });
  }

  /** Hear a stream: sound is let through only while its picture is, and the app hears of everything. */
  private listen(id: string, options: ProtectOptions): (message: any) => void {
    const silenced = new Map<MediaStreamTrack, boolean>();
    const silence = () => { for (const audio of options.audio ?? []) if (!silenced.has(audio)) { silenced.set(audio, audio.enabled); audio.enabled = false; } };
    const told = (message: any) => {
      if (message.kind === "failed" || message.kind === "ended" || (message.kind === "decision" && covers(message.rung))) silence();
      // As it was before: who was muted by hand stays so.
      else if (message.kind === "decision") { for (const [audio, was] of silenced) audio.enabled = was; silenced.clear(); }
      if (message.kind !== "counts" && message.kind !== "resumed") options.onEvent?.(message);
    };
    this.listeners.set(id, told);
    return told;
  }

  private ask(id: string, kind: string, answer: string, more: object = {}): Promise<any> {
    const before = this.listeners.get(id);
    return new Promise((resolve) => {
      this.listeners.set(id, (message) => {
        if (message.kind === answer || message.kind === "failed") { this.listeners.set(id, before ?? (() => undefined)); resolve(message); }
        if (message.kind !== answer) before?.(message);
      });
      this.worker.postMessage({ id, kind, ...more });
    });
  }

  private async direct(track: MediaStreamTrack, options: ProtectOptions): Promise<Protection> {
    const has = globalThis as any, id = `video-${this.next++}`;
    const processor = new has.MediaStreamTrackProcessor({ track, maxBufferSize: 2 });
    const generator = new has.MediaStreamTrackGenerator({ kind: "video" });
    const told = this.listen(id, options);
    const failure = await new Promise<any>((resolve) => {
      this.listeners.set(id, (message) => {
        told(message);
        if (message.kind === "started") resolve(null);
        if (message.kind === "failed") resolve(message);
      });
      this.worker.postMessage({ id, kind: "protect", policy: options.policy, brought: broughtIn(options), lines: options.help ?? [], readable: processor.readable, writable: generator.writable },
        [processor.readable, generator.writable]);
    });
    this.listeners.set(id, told);
    if (failure) { generator.stop(); throw Object.assign(new GuardError(failure.message), { name: failure.name }); }
    this.streams.set(id, ({ name, message }) => this.worker.postMessage({ id, kind: "unseen", name, message }));
    return {
      id, track: generator, resume: async () => (await this.ask(id, "resume", "resumed")).allowed === true,
      counts: () => this.ask(id, "counts", "counts"), stop: () => generator.stop(),
    };
  }

  /** Where tracks cannot be taken apart: a video element, drawn through the gate onto a canvas. */
  private async overCanvas(track: MediaStreamTrack, options: ProtectOptions): Promise<Protection> {
    const id = `canvas-${this.next++}`, told = this.listen(id, options), canvas = document.createElement("canvas");
    const gate = await Gate.open(options.policy, broughtIn(options), options.help ?? [], told, () => this.worker.postMessage({ kind: "hold" }));
    const video = document.createElement("video");
    video.muted = true; video.playsInline = true; video.srcObject = new MediaStream([track]);
    if (!canvas.captureStream) throw new GuardError("This browser can neither take a track apart nor make one of a canvas.", "captureStream", "Use a current browser; nothing is sent.");
    await video.play().catch((error) => { throw new TrackEnded(`The camera's picture cannot be played: ${String(error)}.`, "", "Open the camera again."); });
    let running = true;
    const raw = new OffscreenCanvas(1, 1), began = performance.now(), now = () => (performance.now() - began) / 1000;
    const shown = canvas.getContext("2d")!, [safe] = canvas.captureStream(30).getVideoTracks();
    const stop = () => { running = false; safe.stop(); };
    const picture = async (width: number, height: number) => {
      // Drawn once, so that what is judged and what leaves is the same picture.
      raw.width = width; raw.height = height;
      const context = raw.getContext("2d", { willReadFrequently: true })!;
      context.drawImage(video, 0, 0);
      const pixels = async () => context.getImageData(0, 0, width, height);
      const rung = await gate.arrive(now(), { pixels, luma: async () => lumaOfColours(await pixels()) });
      if (rung) gate.coverer.draw(raw, width, height, rung !== "blur", canvas);
      else {
        if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
        shown.drawImage(raw, 0, 0);
      }
      if (rung === "end") stop();
    };
    const step = async () => {
      try { if (video.videoWidth && video.videoHeight) await picture(video.videoWidth, video.videoHeight); }
      catch (error) { stop(); told({ kind: "failed", name: "GuardError", message: `Pictures cannot be drawn: ${String(error)}. Nothing more is sent.` }); }
      if (running) setTimeout(step, 33);
    };
    void step();
    this.streams.set(id, (error) => gate.watcher.unseen(now(), error, "call"));
    return { id, track: safe, resume: async () => gate.watcher.resume(now()), counts: async () => gate.counts, stop };
  }

  /**
   * Encrypt what a sender sends, or decrypt what a receiver gets. Call it before negotiation: frames that pass before
   * keys are here are dropped, never sent in clear. Where it cannot be done it throws, and the guarded pictures are
   * covered or the app is told, as each policy's `when_blind` says, whatever the app does then.
   */
  encrypted(end: RTCRtpSender | RTCRtpReceiver, keys: ChainKeys[], options: { media: "video" | "audio"; codec?: Codec; onEvent?: (event: GuardEvent) => void }) {
    const Transform = (globalThis as any).RTCRtpScriptTransform;
    if (!Transform) {
      this.inClear = new TransformUnsupported("This browser cannot encrypt frames.", "RTCRtpScriptTransform", "Use a current browser; the call is not made.");
      for (const unseen of this.streams.values()) unseen(this.inClear);
      throw this.inClear;
    }
    const id = `frames-${this.next++}`, direction = "replaceTrack" in end ? "send" : "receive";
    const codec = options.codec ?? (options.media === "video" ? "vp8" : "opus");
    let ready = false;
    const waiting: object[] = [];
    const post = (message: object) => (ready ? this.worker.postMessage({ id, ...message }) : waiting.push(message));
    this.listeners.set(id, (message) => {
      if (message.kind === "ready") { ready = true; for (const one of waiting.splice(0)) post(one); }
      if (message.kind === "needs key frame") void keyFrame(end as RTCRtpSender).catch((error) => options.onEvent?.({ kind: "failed", name: error.name, message: error.message }));
      else options.onEvent?.(message);
    });
    (end as any).transform = new Transform(this.worker, { id, direction, media: options.media, codec });
    if (keys.length) post({ kind: "keys", chains: keys });
    return {
      /** New keys: of a sender, from now on; of a receiver, beside those it has. */
      keys: (chains: ChainKeys[]) => post({ kind: "keys", chains }),
      ratchet: () => post({ kind: "ratchet" }),
      drop: (kid: bigint) => post({ kind: "drop", kid: String(kid) }),
      times: async (): Promise<number[]> => (await this.ask(id, "times", "times")).times,
    };
  }

  /** End everything. */
  close(): void { this.worker.terminate(); }
}

const broughtIn = ({ files, runtime, models, lists }: Equipment): Equipment =>
  ({ files, runtime: runtime && new URL(runtime, document.baseURI).href, models, lists });

/** Chromium's transformer.generateKeyFrame() brings none after negotiation; this does. */
async function keyFrame(sender: RTCRtpSender): Promise<void> {
  const parameters = sender.getParameters();
  await (sender as any).setParameters(parameters, { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) });
}

/** Ask for VP8, whose first bytes the encrypted frames leave in clear. Call it before negotiation. */
export function preferVp8(transceiver: RTCRtpTransceiver): void {
  const all = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const wanted = all.filter((codec) => /\/(VP8|rtx)$/i.test(codec.mimeType));
  if (wanted.some((codec) => /VP8$/i.test(codec.mimeType))) transceiver.setCodecPreferences(wanted);
}
