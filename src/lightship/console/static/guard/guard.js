var M = Object.defineProperty;
var c = (t, e) => M(t, "name", { value: e, configurable: !0 });
import { G as T, L as S, P, T as A, p as G, a as B, b as I, l as R } from "./gate.js";
import { D as ee, F as te, M as ne, N as re, c as se, d as ie, e as ae, f as oe } from "./gate.js";
const E = {
  starting: "Guard is starting",
  on: "Guarded",
  covered: "Picture covered",
  blind: "Guard cannot see",
  off: "Not guarded",
  ended: "Ended"
}, U = globalThis.HTMLElement ?? class {
};
class $ extends U {
  static {
    c(this, "GuardedBadge");
  }
  static observedAttributes = ["state"];
  connectedCallback() {
    this.setAttribute("role", "status"), this.show();
  }
  attributeChangedCallback() {
    this.isConnected && this.show();
  }
  show() {
    this.textContent = E[this.getAttribute("state") ?? "off"] ?? E.off;
  }
}
globalThis.customElements?.define("guarded-badge", $);
const V = ["none", "1", "2 to 4", "5 or more"], W = /* @__PURE__ */ c((t) => t <= 0 ? 0 : t === 1 ? 1 : t < 5 ? 2 : 3, "answerOf");
function O(t, e) {
  if (!(t > 0 && t <= 8) || e < 2) throw new T(`ε = ${t} is outside 0 to 8.`, "statistics", "Choose 1, say.");
  return Math.exp(t) / (Math.exp(t) + e - 1);
}
c(O, "pTrue");
async function K(t, e, n, s, a, r) {
  const o = O(n, e), i = await crypto.subtle.importKey("raw", s, { name: "HMAC", hash: "SHA-256" }, !1, ["sign"]), d = new DataView(await crypto.subtle.sign("HMAC", i, new TextEncoder().encode(`${a}
${r}`)));
  if (Number(d.getBigUint64(0) >> 11n) / 2 ** 53 < o) return t;
  const l = Number(d.getBigUint64(8) % BigInt(e - 1));
  return l + (l >= t ? 1 : 0);
}
c(K, "randomised");
const C = /* @__PURE__ */ c(async (...t) => {
  const e = new Uint8Array(t.reduce((s, a) => s + a.length, 0));
  let n = 0;
  for (const s of t)
    e.set(s, n), n += s.length;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", e));
}, "sha256"), _ = /* @__PURE__ */ c((t) => C(Uint8Array.of(0), t), "leafHash"), y = /* @__PURE__ */ c((t, e) => C(Uint8Array.of(1), t, e), "node"), k = /* @__PURE__ */ c((t, e) => t.length === e.length && t.every((n, s) => n === e[s]), "same");
async function q(t, e, n, s, a) {
  if (!(0 <= e && e < n)) return !1;
  let r = BigInt(e), o = BigInt(n - 1), i = t;
  for (const d of s) {
    if (o === 0n) return !1;
    if (r & 1n || r === o)
      for (i = await y(d, i); r && !(r & 1n); )
        r >>= 1n, o >>= 1n;
    else i = await y(i, d);
    r >>= 1n, o >>= 1n;
  }
  return o === 0n && k(i, a);
}
c(q, "verifyInclusion");
async function D(t, e, n, s, a) {
  if (!(0 <= t && t <= n)) return !1;
  if (t === 0) return !a.length && k(e, await C());
  if (t === n) return !a.length && k(e, s);
  let r = BigInt(t - 1), o = BigInt(n - 1);
  const i = (BigInt(t) & r) === 0n ? [e, ...a] : [...a];
  if (!i.length) return !1;
  for (; r & 1n; )
    r >>= 1n, o >>= 1n;
  let d = i[0], l = i[0];
  for (const h of i.slice(1)) {
    if (o === 0n) return !1;
    if (r & 1n || r === o)
      for (d = await y(h, d), l = await y(h, l); r && !(r & 1n); )
        r >>= 1n, o >>= 1n;
    else l = await y(l, h);
    r >>= 1n, o >>= 1n;
  }
  return o === 0n && k(d, e) && k(l, s);
}
c(D, "verifyConsistency");
const v = /* @__PURE__ */ c((t) => Uint8Array.from(atob(t), (e) => e.charCodeAt(0)), "unbase64");
async function J(t, e) {
  const n = /* @__PURE__ */ c((m) => new P(m, "checkpoint", "Do not use this pack; tell its signers."), "refuse"), [s, a, ...r] = e.trim().split("+"), o = v(r.join("+")), i = t.lastIndexOf(`

`), d = t.slice(0, i + 1), [l, h, f] = d.split(`
`);
  if (i < 0 || o[0] !== 1 || o.length !== 33) throw n("This is no checkpoint, or no log's key.");
  const u = await crypto.subtle.importKey("raw", o.slice(1), "Ed25519", !1, ["verify"]);
  for (const m of t.slice(i + 2).split(`
`)) {
    const [w, b, p] = m.split(" ");
    if (w !== "—" || b !== s || !p) continue;
    const g = v(p);
    if ([...g.slice(0, 4)].map((x) => x.toString(16).padStart(2, "0")).join("") === a && await crypto.subtle.verify("Ed25519", u, g.slice(4), new TextEncoder().encode(d))) {
      if (l !== s || !/^(0|[1-9]\d{0,14})$/.test(h)) throw n("The checkpoint is of another log.");
      return { origin: l, size: Number(h), root: v(f) };
    }
  }
  throw n("The log has not signed this checkpoint.");
}
c(J, "verifyCheckpoint");
async function Q(t, e, n) {
  if (t && !await D(t.size, t.root, e.size, e.root, n))
    throw new S(`The log of ${e.size} entries does not extend the ${t.size} that this device saw.`, e.origin, "Do not use this pack; tell its signers.");
}
c(Q, "extendsLast");
function H() {
  const t = globalThis, e = [];
  return (!t.MediaStreamTrackProcessor || !t.MediaStreamTrackGenerator) && e.push("no MediaStreamTrackProcessor and Generator: pictures take the slower way over a canvas"), t.RTCRtpScriptTransform || e.push("no RTCRtpScriptTransform: calls cannot be end-to-end encrypted here"), e;
}
c(H, "missing");
class X {
  static {
    c(this, "Guard");
  }
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
      this.failed = new T("The guard's worker cannot run.", String(e), "Allow it in the page's worker-src.");
      for (const n of this.listeners.values()) n({ kind: "failed", name: "GuardError", message: this.failed.message });
    };
  }
  /** Return a track that may be sent instead of the camera's. Nothing leaves it that was not judged. */
  async protect(e, n) {
    if (e.readyState !== "live") throw new A("The camera's track has ended.", "", "Open the camera again.");
    const s = G(n.policy);
    if (this.failed) throw this.failed;
    const a = globalThis, o = await (a.MediaStreamTrackProcessor && a.MediaStreamTrackGenerator ? this.direct(e, n) : this.overCanvas(e, n)), i = H();
    return s.hold_back_s > 0 && i.push("frames are not held back in calls, so the policy's hold-back is not kept"), n.onEvent?.({ kind: "coverage", missing: i }), e.addEventListener("ended", () => {
      n.onEvent?.({ kind: "ended", message: "The camera's track has ended." }), o.stop();
    }), Object.assign(o.track, { guard: o });
  }
  listen(e, n) {
    const s = /* @__PURE__ */ c((a) => {
      if (a.kind === "decision") for (const r of n.audio ?? []) r.enabled = a.rung === null || a.rung === "observe";
      a.kind !== "counts" && a.kind !== "resumed" && n.onEvent?.(a);
    }, "told");
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
    const s = globalThis, a = `video-${this.next++}`, r = new s.MediaStreamTrackProcessor({ track: e, maxBufferSize: 2 }), o = new s.MediaStreamTrackGenerator({ kind: "video" }), i = this.listen(a, n), d = await new Promise((l) => {
      this.listeners.set(a, (h) => {
        i(h), h.kind === "started" && l(null), h.kind === "failed" && l(h);
      }), this.worker.postMessage(
        { id: a, kind: "protect", policy: n.policy, lines: n.help ?? [], readable: r.readable, writable: o.writable },
        [r.readable, o.writable]
      );
    });
    if (this.listeners.set(a, i), d) throw Object.assign(new T(d.message), { name: d.name });
    return {
      track: o,
      resume: /* @__PURE__ */ c(async () => (await this.ask(a, "resume", "resumed")).allowed === !0, "resume"),
      counts: /* @__PURE__ */ c(() => this.ask(a, "counts", "counts"), "counts"),
      stop: /* @__PURE__ */ c(() => o.stop(), "stop")
    };
  }
  /** Where tracks cannot be taken apart: a video element, drawn through the gate onto a canvas. */
  async overCanvas(e, n) {
    const s = `canvas-${this.next++}`, a = this.listen(s, n), r = document.createElement("canvas"), o = new B(n.policy, n.help ?? [], a, () => {
    }), i = document.createElement("video");
    i.muted = !0, i.playsInline = !0, i.srcObject = new MediaStream([e]), await i.play();
    let d = !0;
    const l = new OffscreenCanvas(1, 1), h = performance.now(), f = /* @__PURE__ */ c(async () => {
      if (!d) return;
      const m = i.videoWidth, w = i.videoHeight, b = (performance.now() - h) / 1e3;
      if (m && w) {
        l.width = m, l.height = w;
        const p = l.getContext("2d", { willReadFrequently: !0 });
        p.drawImage(i, 0, 0);
        const g = await o.arrive(b, async () => R(p.getImageData(0, 0, m, w)));
        if (g ? o.coverer.draw(l, m, w, g !== "blur", r) : ((r.width !== m || r.height !== w) && (r.width = m, r.height = w), r.getContext("2d").drawImage(l, 0, 0)), g === "end") {
          d = !1, u.stop();
          return;
        }
      }
      setTimeout(f, 33);
    }, "step"), [u] = r.captureStream(30).getVideoTracks();
    return r.getContext("2d"), f(), {
      track: u,
      resume: /* @__PURE__ */ c(async () => o.watcher.resume((performance.now() - h) / 1e3), "resume"),
      counts: /* @__PURE__ */ c(async () => o.counts, "counts"),
      stop: /* @__PURE__ */ c(() => {
        d = !1, u.stop();
      }, "stop")
    };
  }
  /**
   * Encrypt what a sender sends, or decrypt what a receiver gets. Call it before negotiation: frames that pass before
   * keys are here are dropped, never sent in clear.
   */
  encrypted(e, n, s) {
    const a = globalThis.RTCRtpScriptTransform;
    if (!a) throw new I("This browser cannot encrypt frames.", "RTCRtpScriptTransform", "Use a current browser; the call is not made.");
    const r = `frames-${this.next++}`, o = "replaceTrack" in e ? "send" : "receive", i = s.codec ?? (s.media === "video" ? "vp8" : "opus");
    let d = !1;
    const l = [], h = /* @__PURE__ */ c((f) => d ? this.worker.postMessage({ id: r, ...f }) : l.push(f), "post");
    return this.listeners.set(r, (f) => {
      if (f.kind === "ready") {
        d = !0;
        for (const u of l.splice(0)) h(u);
      }
      f.kind === "needs key frame" ? N(e).catch((u) => s.onEvent?.({ kind: "failed", name: u.name, message: u.message })) : s.onEvent?.(f);
    }), e.transform = new a(this.worker, { id: r, direction: o, media: s.media, codec: i }), n.length && h({ kind: "keys", chains: n }), {
      /** New keys: of a sender, from now on; of a receiver, beside those it has. */
      keys: /* @__PURE__ */ c((f) => h({ kind: "keys", chains: f }), "keys"),
      ratchet: /* @__PURE__ */ c(() => h({ kind: "ratchet" }), "ratchet"),
      drop: /* @__PURE__ */ c((f) => h({ kind: "drop", kid: String(f) }), "drop"),
      times: /* @__PURE__ */ c(async () => (await this.ask(r, "times", "times")).times, "times")
    };
  }
  /** End everything. */
  close() {
    this.worker.terminate();
  }
}
async function N(t) {
  const e = t.getParameters();
  await t.setParameters(e, { encodingOptions: e.encodings.map(() => ({ keyFrame: !0 })) });
}
c(N, "keyFrame");
function Y(t) {
  const n = (RTCRtpReceiver.getCapabilities("video")?.codecs ?? []).filter((s) => /\/(VP8|rtx)$/i.test(s.mimeType));
  n.some((s) => /VP8$/i.test(s.mimeType)) && t.setCodecPreferences(n);
}
c(Y, "preferVp8");
export {
  V as ANSWERS,
  ee as DetectorError,
  te as FrameError,
  X as Guard,
  T as GuardError,
  $ as GuardedBadge,
  S as LogForked,
  ne as ModelBlocked,
  re as NoCamera,
  P as PackUnlogged,
  se as PermissionDenied,
  ie as PolicyError,
  A as TrackEnded,
  I as TransformUnsupported,
  W as answerOf,
  ae as cameraError,
  Q as extendsLast,
  _ as leafHash,
  H as missing,
  O as pTrue,
  G as parsePolicy,
  oe as policyDigest,
  Y as preferVp8,
  K as randomised,
  J as verifyCheckpoint,
  D as verifyConsistency,
  q as verifyInclusion
};
