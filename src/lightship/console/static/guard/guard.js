import { G as v, L as x, P as M, T as S, p as P, a as A, b as G, l as B } from "./gate.js";
import { D as Y, F as Z, M as z, N as ee, c as te, d as ne, e as re, f as se } from "./gate.js";
const C = {
  starting: "Guard is starting",
  on: "Guarded",
  covered: "Picture covered",
  blind: "Guard cannot see",
  off: "Not guarded",
  ended: "Ended"
}, I = globalThis.HTMLElement ?? class {
};
class R extends I {
  static observedAttributes = ["state"];
  connectedCallback() {
    this.setAttribute("role", "status"), this.show();
  }
  attributeChangedCallback() {
    this.isConnected && this.show();
  }
  show() {
    this.textContent = C[this.getAttribute("state") ?? "off"] ?? C.off;
  }
}
globalThis.customElements?.define("guarded-badge", R);
const j = ["none", "1", "2 to 4", "5 or more"], F = (t) => t <= 0 ? 0 : t === 1 ? 1 : t < 5 ? 2 : 3;
function U(t, e) {
  if (!(t > 0 && t <= 8) || e < 2) throw new v(`ε = ${t} is outside 0 to 8.`, "statistics", "Choose 1, say.");
  return Math.exp(t) / (Math.exp(t) + e - 1);
}
async function L(t, e, n, s, a, r) {
  const o = U(n, e), i = await crypto.subtle.importKey("raw", s, { name: "HMAC", hash: "SHA-256" }, !1, ["sign"]), c = new DataView(await crypto.subtle.sign("HMAC", i, new TextEncoder().encode(`${a}
${r}`)));
  if (Number(c.getBigUint64(0) >> 11n) / 2 ** 53 < o) return t;
  const d = Number(c.getBigUint64(8) % BigInt(e - 1));
  return d + (d >= t ? 1 : 0);
}
const T = async (...t) => {
  const e = new Uint8Array(t.reduce((s, a) => s + a.length, 0));
  let n = 0;
  for (const s of t)
    e.set(s, n), n += s.length;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", e));
}, V = (t) => T(Uint8Array.of(0), t), k = (t, e) => T(Uint8Array.of(1), t, e), p = (t, e) => t.length === e.length && t.every((n, s) => n === e[s]);
async function W(t, e, n, s, a) {
  if (!(0 <= e && e < n)) return !1;
  let r = BigInt(e), o = BigInt(n - 1), i = t;
  for (const c of s) {
    if (o === 0n) return !1;
    if (r & 1n || r === o)
      for (i = await k(c, i); r && !(r & 1n); )
        r >>= 1n, o >>= 1n;
    else i = await k(i, c);
    r >>= 1n, o >>= 1n;
  }
  return o === 0n && p(i, a);
}
async function $(t, e, n, s, a) {
  if (!(0 <= t && t <= n)) return !1;
  if (t === 0) return !a.length && p(e, await T());
  if (t === n) return !a.length && p(e, s);
  let r = BigInt(t - 1), o = BigInt(n - 1);
  const i = (BigInt(t) & r) === 0n ? [e, ...a] : [...a];
  if (!i.length) return !1;
  for (; r & 1n; )
    r >>= 1n, o >>= 1n;
  let c = i[0], d = i[0];
  for (const l of i.slice(1)) {
    if (o === 0n) return !1;
    if (r & 1n || r === o)
      for (c = await k(l, c), d = await k(l, d); r && !(r & 1n); )
        r >>= 1n, o >>= 1n;
    else d = await k(d, l);
    r >>= 1n, o >>= 1n;
  }
  return o === 0n && p(c, e) && p(d, s);
}
const b = (t) => Uint8Array.from(atob(t), (e) => e.charCodeAt(0));
async function K(t, e) {
  const n = (u) => new M(u, "checkpoint", "Do not use this pack; tell its signers."), [s, a, ...r] = e.trim().split("+"), o = b(r.join("+")), i = t.lastIndexOf(`

`), c = t.slice(0, i + 1), [d, l, h] = c.split(`
`);
  if (i < 0 || o[0] !== 1 || o.length !== 33) throw n("This is no checkpoint, or no log's key.");
  const f = await crypto.subtle.importKey("raw", o.slice(1), "Ed25519", !1, ["verify"]);
  for (const u of t.slice(i + 2).split(`
`)) {
    const [m, y, g] = u.split(" ");
    if (m !== "—" || y !== s || !g) continue;
    const w = b(g);
    if ([...w.slice(0, 4)].map((E) => E.toString(16).padStart(2, "0")).join("") === a && await crypto.subtle.verify("Ed25519", f, w.slice(4), new TextEncoder().encode(c))) {
      if (d !== s || !/^(0|[1-9]\d{0,14})$/.test(l)) throw n("The checkpoint is of another log.");
      return { origin: d, size: Number(l), root: b(h) };
    }
  }
  throw n("The log has not signed this checkpoint.");
}
async function _(t, e, n) {
  if (t && !await $(t.size, t.root, e.size, e.root, n))
    throw new x(`The log of ${e.size} entries does not extend the ${t.size} that this device saw.`, e.origin, "Do not use this pack; tell its signers.");
}
function O() {
  const t = globalThis, e = [];
  return (!t.MediaStreamTrackProcessor || !t.MediaStreamTrackGenerator) && e.push("no MediaStreamTrackProcessor and Generator: pictures take the slower way over a canvas"), t.RTCRtpScriptTransform || e.push("no RTCRtpScriptTransform: calls cannot be end-to-end encrypted here"), e;
}
class q {
  worker;
  listeners = /* @__PURE__ */ new Map();
  failed = null;
  next = 0;
  /** @param worker where worker.js is; beside this file unless named. */
  constructor(e = new URL(
    /* @vite-ignore */
    "./worker.js",
    import.meta.url
  )) {
    this.worker = new Worker(e, { type: "module", name: "lightship-guard" }), this.worker.onmessage = ({ data: n }) => this.listeners.get(n.id)?.(n), this.worker.onerror = () => {
      this.failed = new v("The guard's worker cannot run.", String(e), "Allow it in the page's worker-src.");
      for (const n of this.listeners.values()) n({ kind: "failed", name: "GuardError", message: this.failed.message });
    };
  }
  /** Return a track that may be sent instead of the camera's. Nothing leaves it that was not judged. */
  async protect(e, n) {
    if (e.readyState !== "live") throw new S("The camera's track has ended.", "", "Open the camera again.");
    const s = P(n.policy);
    if (this.failed) throw this.failed;
    const a = globalThis, o = await (a.MediaStreamTrackProcessor && a.MediaStreamTrackGenerator ? this.direct(e, n) : this.overCanvas(e, n)), i = O();
    return s.hold_back_s > 0 && i.push("frames are not held back in calls, so the policy's hold-back is not kept"), n.onEvent?.({ kind: "coverage", missing: i }), e.addEventListener("ended", () => {
      n.onEvent?.({ kind: "ended", message: "The camera's track has ended." }), o.stop();
    }), Object.assign(o.track, { guard: o });
  }
  listen(e, n) {
    const s = (a) => {
      if (a.kind === "decision") for (const r of n.audio ?? []) r.enabled = a.rung === null || a.rung === "observe";
      a.kind !== "counts" && a.kind !== "resumed" && n.onEvent?.(a);
    };
    return this.listeners.set(e, s), s;
  }
  ask(e, n, s, a = {}) {
    const r = this.listeners.get(e);
    return new Promise((o) => {
      this.listeners.set(e, (i) => {
        (i.kind === s || i.kind === "failed") && (this.listeners.set(e, r ?? (() => {
        })), o(i)), i.kind !== s && r?.(i);
      }), this.worker.postMessage({ id: e, kind: n, ...a });
    });
  }
  async direct(e, n) {
    const s = globalThis, a = `video-${this.next++}`, r = new s.MediaStreamTrackProcessor({ track: e, maxBufferSize: 2 }), o = new s.MediaStreamTrackGenerator({ kind: "video" }), i = this.listen(a, n), c = await new Promise((d) => {
      this.listeners.set(a, (l) => {
        i(l), l.kind === "started" && d(null), l.kind === "failed" && d(l);
      }), this.worker.postMessage(
        { id: a, kind: "protect", policy: n.policy, lines: n.help ?? [], readable: r.readable, writable: o.writable },
        [r.readable, o.writable]
      );
    });
    if (this.listeners.set(a, i), c) throw Object.assign(new v(c.message), { name: c.name });
    return {
      track: o,
      resume: async () => (await this.ask(a, "resume", "resumed")).allowed === !0,
      counts: () => this.ask(a, "counts", "counts"),
      stop: () => o.stop()
    };
  }
  /** Where tracks cannot be taken apart: a video element, drawn through the gate onto a canvas. */
  async overCanvas(e, n) {
    const s = `canvas-${this.next++}`, a = this.listen(s, n), r = document.createElement("canvas"), o = new A(n.policy, n.help ?? [], a, () => {
    }), i = document.createElement("video");
    i.muted = !0, i.playsInline = !0, i.srcObject = new MediaStream([e]), await i.play();
    let c = !0;
    const d = new OffscreenCanvas(1, 1), l = performance.now(), h = async () => {
      if (!c) return;
      const u = i.videoWidth, m = i.videoHeight, y = (performance.now() - l) / 1e3;
      if (u && m) {
        d.width = u, d.height = m;
        const g = d.getContext("2d", { willReadFrequently: !0 });
        g.drawImage(i, 0, 0);
        const w = await o.arrive(y, async () => B(g.getImageData(0, 0, u, m)));
        if (w ? o.coverer.draw(d, u, m, w !== "blur", r) : ((r.width !== u || r.height !== m) && (r.width = u, r.height = m), r.getContext("2d").drawImage(d, 0, 0)), w === "end") {
          c = !1, f.stop();
          return;
        }
      }
      setTimeout(h, 33);
    }, [f] = r.captureStream(30).getVideoTracks();
    return r.getContext("2d"), h(), {
      track: f,
      resume: async () => o.watcher.resume((performance.now() - l) / 1e3),
      counts: async () => o.counts,
      stop: () => {
        c = !1, f.stop();
      }
    };
  }
  /**
   * Encrypt what a sender sends, or decrypt what a receiver gets. Call it before negotiation: frames that pass before
   * keys are here are dropped, never sent in clear.
   */
  encrypted(e, n, s) {
    const a = globalThis.RTCRtpScriptTransform;
    if (!a) throw new G("This browser cannot encrypt frames.", "RTCRtpScriptTransform", "Use a current browser; the call is not made.");
    const r = `frames-${this.next++}`, o = "replaceTrack" in e ? "send" : "receive", i = s.codec ?? (s.media === "video" ? "vp8" : "opus");
    let c = !1;
    const d = [], l = (h) => c ? this.worker.postMessage({ id: r, ...h }) : d.push(h);
    return this.listeners.set(r, (h) => {
      if (h.kind === "ready") {
        c = !0;
        for (const f of d.splice(0)) l(f);
      }
      h.kind === "needs key frame" ? D(e).catch((f) => s.onEvent?.({ kind: "failed", name: f.name, message: f.message })) : s.onEvent?.(h);
    }), e.transform = new a(this.worker, { id: r, direction: o, media: s.media, codec: i }), n.length && l({ kind: "keys", chains: n }), {
      /** New keys: of a sender, from now on; of a receiver, beside those it has. */
      keys: (h) => l({ kind: "keys", chains: h }),
      ratchet: () => l({ kind: "ratchet" }),
      drop: (h) => l({ kind: "drop", kid: String(h) }),
      times: async () => (await this.ask(r, "times", "times")).times
    };
  }
  /** End everything. */
  close() {
    this.worker.terminate();
  }
}
async function D(t) {
  const e = t.getParameters();
  await t.setParameters(e, { encodingOptions: e.encodings.map(() => ({ keyFrame: !0 })) });
}
function J(t) {
  const n = (RTCRtpReceiver.getCapabilities("video")?.codecs ?? []).filter((s) => /\/(VP8|rtx)$/i.test(s.mimeType));
  n.some((s) => /VP8$/i.test(s.mimeType)) && t.setCodecPreferences(n);
}
export {
  j as ANSWERS,
  Y as DetectorError,
  Z as FrameError,
  q as Guard,
  v as GuardError,
  R as GuardedBadge,
  x as LogForked,
  z as ModelBlocked,
  ee as NoCamera,
  M as PackUnlogged,
  te as PermissionDenied,
  ne as PolicyError,
  S as TrackEnded,
  G as TransformUnsupported,
  F as answerOf,
  re as cameraError,
  _ as extendsLast,
  V as leafHash,
  O as missing,
  U as pTrue,
  P as parsePolicy,
  se as policyDigest,
  J as preferVp8,
  L as randomised,
  K as verifyCheckpoint,
  $ as verifyConsistency,
  W as verifyInclusion
};
