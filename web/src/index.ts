/**
 * @lightship/guard: judges a call's picture on the device, before it is encrypted. It makes no request of its own.
 *
 * const guard = new Guard();
 * const safe = await guard.protect(track, { policy });
 * const sender = connection.addTrack(safe);
 * guard.encrypted(sender, chain);
 */
import { GuardError, TrackEnded, TransformUnsupported } from "./errors";
import { Gate, lumaOfColours } from "./gate";
import { parsePolicy, type Rung } from "./policy";
import type { Codec } from "./sframe";

export * from "./errors";
export { GuardedBadge } from "./badge";
export { parsePolicy, policyDigest } from "./policy";
export { ANSWERS, answerOf, pTrue, randomised } from "./randomised";
export { Packs, rootFingerprint, type Opened, type PackOptions, type Read, type Store } from "./packs";

export interface ProtectOptions {
  /** The policy, as TOML. */
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
    const lacks = missing();
    if (policy.hold_back_s > 0) lacks.push("frames are not held back in calls, so the policy's hold-back is not kept");
    options.onEvent?.({ kind: "coverage", missing: lacks });
    track.addEventListener("ended", () => { options.onEvent?.({ kind: "ended", message: "The camera's track has ended." }); made.stop(); });
    return Object.assign(made.track, { guard: made });
  }

  private listen(id: string, options: ProtectOptions): (message: any) => void {
    const told = (message: any) => {
      if (message.kind === "decision") for (const audio of options.audio ?? []) audio.enabled = message.rung === null || message.rung === "observe";
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
      this.worker.postMessage({ id, kind: "protect", policy: options.policy, lines: options.help ?? [], readable: processor.readable, writable: generator.writable },
        [processor.readable, generator.writable]);
    });
    this.listeners.set(id, told);
    if (failure) throw Object.assign(new GuardError(failure.message), { name: failure.name });
    return {
      track: generator, resume: async () => (await this.ask(id, "resume", "resumed")).allowed === true,
      counts: () => this.ask(id, "counts", "counts"), stop: () => generator.stop(),
    };
  }

  /** Where tracks cannot be taken apart: a video element, drawn through the gate onto a canvas. */
  private async overCanvas(track: MediaStreamTrack, options: ProtectOptions): Promise<Protection> {
    const id = `canvas-${this.next++}`, told = this.listen(id, options), canvas = document.createElement("canvas");
    const gate = new Gate(options.policy, options.help ?? [], told, () => undefined);
    const video = document.createElement("video");
    video.muted = true; video.playsInline = true; video.srcObject = new MediaStream([track]);
    await video.play();
    let running = true;
    const raw = new OffscreenCanvas(1, 1), began = performance.now();
    const step = async () => {
      if (!running) return;
      const width = video.videoWidth, height = video.videoHeight, atS = (performance.now() - began) / 1000;
      if (width && height) {
        // Drawn once, so that what is judged and what leaves is the same picture.
        raw.width = width; raw.height = height;
        const context = raw.getContext("2d", { willReadFrequently: true })!;
        context.drawImage(video, 0, 0);
        const rung = await gate.arrive(atS, async () => lumaOfColours(context.getImageData(0, 0, width, height)));
        if (rung) gate.coverer.draw(raw, width, height, rung !== "blur", canvas);
        else {
          if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
          canvas.getContext("2d")!.drawImage(raw, 0, 0);
        }
        if (rung === "end") { running = false; safe.stop(); return; }
      }
      setTimeout(step, 33);
    };
    const [safe] = canvas.captureStream(30).getVideoTracks();
    canvas.getContext("2d");
    void step();
    return {
      track: safe, resume: async () => gate.watcher.resume((performance.now() - began) / 1000), counts: async () => gate.counts,
      stop: () => { running = false; safe.stop(); },
    };
  }

  /**
   * Encrypt what a sender sends, or decrypt what a receiver gets. Call it before negotiation: frames that pass before
   * keys are here are dropped, never sent in clear.
   */
  encrypted(end: RTCRtpSender | RTCRtpReceiver, keys: ChainKeys[], options: { media: "video" | "audio"; codec?: Codec; onEvent?: (event: GuardEvent) => void }) {
    const Transform = (globalThis as any).RTCRtpScriptTransform;
    if (!Transform) throw new TransformUnsupported("This browser cannot encrypt frames.", "RTCRtpScriptTransform", "Use a current browser; the call is not made.");
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
