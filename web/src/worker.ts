/** The guard's worker: pictures are judged and covered here, and encoded frames encrypted, decrypted or dropped. */
import { FrameError, GuardError } from "./errors";
import { Gate, looked, type Report } from "./gate";
import { Chain, Receiver, Sender, type Codec } from "./sframe";

/** After a cover begins, frames of before may still be inside the encoder for so long; they are dropped. */
const IN_ENCODER_MS = 100;
const POLICY_END = "end";
interface EncodedEnd { take(message: any): Promise<void> | void; hold?(untilMs: number): void }
const gates = new Map<string, Gate>();
const ends = new Map<string, EncodedEnd>();
const scope = self as unknown as { postMessage(message: unknown): void; onmessage: ((event: MessageEvent) => void) | null; onrtctransform: ((event: any) => void) | null };
const tell = (id: string, report: Report | Record<string, unknown>) => scope.postMessage({ id, ...report });

scope.onmessage = async ({ data }: MessageEvent) => {
  try {
    if (data.kind === "protect") await protect(data);
    else if (data.kind === "hold") hold();
    else if (data.kind === "unseen") gates.get(data.id)?.watcher.unseen(now(data.id), Object.assign(new GuardError(data.message), { name: data.name }), "call");
    else if (data.kind === "resume") tell(data.id, { kind: "resumed", allowed: gates.get(data.id)?.watcher.resume(data.atS ?? now(data.id)) ?? false });
    else if (data.kind === "counts") tell(data.id, { kind: "counts", ...gates.get(data.id)?.counts });
    else await ends.get(data.id)?.take(data);
  } catch (error) { tell(data.id, { kind: "failed", name: (error as Error).name, message: (error as Error).message }); }
};

const clocks = new Map<string, number>();
const now = (id: string) => clocks.get(id) ?? 0;

/** A cover begins: what may still be inside an encoder is not let out. */
function hold(): void { for (const end of ends.values()) end.hold?.(performance.now() + IN_ENCODER_MS); }

async function protect({ id, policy, brought, lines, readable, writable }: any): Promise<void> {
  const gate = await Gate.open(policy, brought, lines, (report) => tell(id, report), hold);
  gates.set(id, gate);
  const through = new TransformStream<VideoFrame, VideoFrame>({
    async transform(frame, controller) {
      const atS = frame.timestamp / 1e6;
      clocks.set(id, atS);
      let rung: string | null;
      try { rung = await gate.arrive(atS, looked(frame)); } catch (error) { frame.close(); throw error; }
      if (rung === null) { controller.enqueue(frame); return; }
      const canvas = gate.coverer.draw(frame, frame.displayWidth, frame.displayHeight, rung !== "blur") as OffscreenCanvas;
      const covered = new VideoFrame(canvas, { timestamp: frame.timestamp });
      frame.close();
      controller.enqueue(covered);
      if (rung === POLICY_END) controller.terminate();
    },
  });
  (readable as ReadableStream<VideoFrame>).pipeThrough(through).pipeTo(writable)
    .then(() => tell(id, { kind: "ended", message: "The track has ended." }), (error) => tell(id, { kind: "ended", message: String(error) }))
    .finally(() => gates.delete(id));
}

scope.onrtctransform = ({ transformer }: any) => {
  const { id, direction, media, codec } = transformer.options;
  const dropped = (error: unknown) => tell(id, { kind: "dropped", direction, reason: error instanceof FrameError ? error.kind : String(error) });
  const through = direction === "send" ? sending(id, media, codec, transformer, dropped) : receiving(id, codec, transformer, dropped);
  transformer.readable.pipeThrough(through).pipeTo(transformer.writable).catch(() => ends.delete(id));
  tell(id, { kind: "ready" });
};

const chainOf = (made: any) => new Chain(made.suite, made.base, BigInt(made.generation), made.step ?? 0);

function sending(id: string, media: string, codec: Codec, transformer: any, dropped: (error: unknown) => void): TransformStream {
  let sender: Sender | null = null, chain: Chain | null = null, heldUntil = -Infinity;
  const times: number[] = [];
  ends.set(id, {
    async take(data) {
      if (data.kind === "keys") chain = chainOf(data.chains[0]);
      else if (data.kind === "ratchet" && chain) chain = await chain.next();
      else if (data.kind === "times") { tell(id, { kind: "times", times: times.splice(0) }); return; }
      const key = await chain!.key();
      if (sender) sender.use(key); else sender = new Sender(key, codec);
      tell(id, { kind: "keyed", kid: String(key.kid) });
    },
    hold(untilMs) {
      heldUntil = untilMs;
      // What was dropped leaves a hole, after which the other end can decode nothing but a key frame.
      if (media === "video") setTimeout(() => tell(id, { kind: "needs key frame" }), untilMs - performance.now());
    },
  });
  return new TransformStream({
    async transform(frame: any, controller) {
      if (performance.now() < heldUntil) { dropped("held while a cover begins"); return; }
      if (!sender) { dropped("no key yet"); return; }
      const mime = frame.getMetadata?.().mimeType;
      if (codec === "vp8" && mime && mime.toLowerCase() !== "video/vp8") { dropped("codec"); return; }
      try {
        const began = performance.now();
        frame.data = (await sender.encrypt(new Uint8Array(frame.data))).buffer;
        if (times.length < 5000) times.push(performance.now() - began);
        controller.enqueue(frame);
      } catch (error) { dropped(error); }
    },
  });
}

function receiving(id: string, codec: Codec, transformer: any, dropped: (error: unknown) => void): TransformStream {
  const receiver = new Receiver(codec);
  let asked = -Infinity;
  ends.set(id, {
    async take(data) {
      if (data.kind === "keys") for (const made of data.chains) await receiver.follow(chainOf(made));
      else if (data.kind === "drop") receiver.drop(BigInt(data.kid));
      tell(id, { kind: "keyed" });
    },
  });
  return new TransformStream({
    async transform(frame: any, controller) {
      try {
        frame.data = (await receiver.decrypt(new Uint8Array(frame.data))).buffer;
        controller.enqueue(frame);
      } catch (error) {
        dropped(error);
        if (performance.now() - asked > 500) { asked = performance.now(); transformer.sendKeyFrameRequest?.().catch(() => undefined); }
      }
    },
  });
}
