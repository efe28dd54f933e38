var K = Object.defineProperty;
var u = (t, e) => K(t, "name", { value: e, configurable: !0 });
import { F as y, j as $, s as G } from "./gate.js";
const b = {
  1: { hash: "SHA-256", cipher: 16, key: 48, tag: 10 },
  2: { hash: "SHA-256", cipher: 16, key: 48, tag: 8 },
  3: { hash: "SHA-256", cipher: 16, key: 48, tag: 4 },
  4: { hash: "SHA-256", cipher: 16, key: 16, tag: 16 },
  5: { hash: "SHA-512", cipher: 32, key: 32, tag: 16 },
  6: { hash: "SHA-512", cipher: 32, key: 96, tag: 10 },
  7: { hash: "SHA-512", cipher: 32, key: 96, tag: 8 },
  8: { hash: "SHA-512", cipher: 32, key: 96, tag: 4 }
}, v = 1024, B = 1n << 64n, k = globalThis.crypto.subtle, U = /* @__PURE__ */ u((t) => new TextEncoder().encode(t), "utf8");
function w(...t) {
  const e = new Uint8Array(t.reduce((i, s) => i + s.length, 0));
  let n = 0;
  for (const i of t)
    e.set(i, n), n += i.length;
  return e;
}
u(w, "join");
function m(t, e) {
  const n = new Uint8Array(e);
  let i = BigInt(t);
  for (let s = e - 1; s >= 0; s--)
    n[s] = Number(i & 255n), i >>= 8n;
  return n;
}
u(m, "number");
function L(t, e) {
  if (t < 0n || e < 0n || t >= B || e >= B) throw new y("counter", `Key ${t} or counter ${e} has no header.`);
  const n = /* @__PURE__ */ u((r) => {
    if (r < 8n) return [Number(r), new Uint8Array(0)];
    const h = Math.ceil(r.toString(16).length / 2);
    return [8 | h - 1, m(r, h)];
  }, "written"), [i, s] = n(t), [a, o] = n(e);
  return w(Uint8Array.of(i << 4 | a), s, o);
}
u(L, "buildHeader");
function W(t) {
  if (!t.length) throw new y("header", "A frame without a header.");
  const e = /* @__PURE__ */ u((o, r) => {
    if (o < 8) return [BigInt(o), r];
    const h = r + o - 7;
    if (t.length < h) throw new y("header", "A frame that ends inside its header.");
    let c = 0n;
    for (let l = r; l < h; l++) c = c << 8n | BigInt(t[l]);
    if (c < 8n || t[r] === 0) throw new y("header", "A header whose number is written longer than it need be.");
    return [c, h];
  }, "read"), [n, i] = e(t[0] >> 4, 1), [s, a] = e(t[0] & 15, i);
  return { kid: n, counter: s, end: a };
}
u(W, "parseHeader");
const E = /* @__PURE__ */ u((t, e) => k.importKey("raw", t, { name: "HMAC", hash: e }, !1, ["sign"]), "hmacKey"), C = /* @__PURE__ */ u(async (t, e, n) => new Uint8Array(await k.sign("HMAC", await E(t, e), n)), "hmac"), N = /* @__PURE__ */ u((t, e) => C(new Uint8Array(t.hash === "SHA-256" ? 32 : 64), t.hash, e), "extract");
async function I(t, e, n, i) {
  let s = new Uint8Array(0), a = new Uint8Array(0);
  for (let o = 1; a.length < i; o++)
    s = await C(e, t.hash, w(s, n, Uint8Array.of(o))), a = w(a, s);
  return a.slice(0, i);
}
u(I, "expand");
class T {
  static {
    u(this, "FrameKey");
  }
  constructor(e, n, i, s, a, o, r) {
    this.suiteNumber = e, this.kid = n, this.base = i, this.secret = s, this.salt = a, this.aes = o, this.mac = r;
  }
  static async derive(e, n, i) {
    const s = b[e];
    if (!s) throw new y("unknown key", `There is no cipher suite ${e}.`);
    const a = await N(s, i), o = w(m(n, 8), m(e, 2)), r = await I(s, a, w(U("SFrame 1.0 Secret key "), o), s.key), h = await I(s, a, w(U("SFrame 1.0 Secret salt "), o), 12), c = s.key === s.cipher, l = await k.importKey("raw", r.slice(0, s.cipher), c ? "AES-GCM" : "AES-CTR", !1, ["encrypt", "decrypt"]), d = c ? null : await E(r.slice(s.cipher), s.hash);
    return new T(e, n, i.slice(), r, h, l, d);
  }
  nonce(e) {
    const n = this.salt.slice(), i = m(e, 12);
    for (let s = 0; s < 12; s++) n[s] ^= i[s];
    return n;
  }
  async tag(e, n, i) {
    const { tag: s } = b[this.suiteNumber], a = [n.length, i.length, s].map((o) => m(o, 8));
    return new Uint8Array(await k.sign("HMAC", this.mac, w(...a, e, n, i))).slice(0, s);
  }
  ctr(e) {
    return { name: "AES-CTR", counter: w(e, new Uint8Array(4)), length: 32 };
  }
  /** Header, ciphertext and tag. Whoever calls sees to it that no counter comes twice. */
  async seal(e, n, i) {
    const s = L(this.kid, e), a = this.nonce(e), o = w(s, i);
    if (!this.mac) {
      const h = await k.encrypt({ name: "AES-GCM", iv: a, additionalData: o }, this.aes, n);
      return w(s, new Uint8Array(h));
    }
    const r = new Uint8Array(await k.encrypt(this.ctr(a), this.aes, n));
    return w(s, r, await this.tag(a, o, r));
  }
  async open(e, n, i, s) {
    const a = /* @__PURE__ */ u(() => new y("changed", "A frame that was changed on its way, or was encrypted with another key."), "refused"), o = this.nonce(e), r = w(n.subarray(0, i), s), h = n.slice(i);
    if (!this.mac)
      try {
        return new Uint8Array(await k.decrypt({ name: "AES-GCM", iv: o, additionalData: r }, this.aes, h));
      } catch {
        throw a();
      }
    const c = h.length - b[this.suiteNumber].tag;
    if (c < 0) throw a();
    const l = h.slice(0, c), d = await this.tag(o, r, l);
    let g = 0;
    for (let p = 0; p < d.length; p++) g |= d[p] ^ h[c + p];
    if (g) throw a();
    return new Uint8Array(await k.decrypt(this.ctr(o), this.aes, l));
  }
}
function F(t, e) {
  const n = t === "none" ? 0 : t === "opus" ? 1 : e.length && !(e[0] & 1) ? 10 : 3;
  if (e.length < n) throw new y("too short", `A ${t} frame of ${e.length} bytes.`);
  return n;
}
u(F, "clearBytes");
class H {
  static {
    u(this, "Chain");
  }
  constructor(e, n, i = 0n, s = 0, a = 4) {
    this.suite = e, this.base = n, this.generation = i, this.step = s, this.stepBits = a;
  }
  get kid() {
    return this.generation << BigInt(this.stepBits) | BigInt(this.step % (1 << this.stepBits));
  }
  key() {
    return T.derive(this.suite, this.kid, this.base);
  }
  async next() {
    const e = b[this.suite], n = await N(e, this.base), i = await I(e, n, U("SFrame 1.0 Ratchet"), e.hash === "SHA-256" ? 32 : 64);
    return new H(this.suite, i, this.generation, this.step + 1, this.stepBits);
  }
  async at(e) {
    if (e >> BigInt(this.stepBits) !== this.generation) return null;
    const n = 1n << BigInt(this.stepBits);
    let i = this;
    for (let s = ((e - this.kid) % n + n) % n; s > 0n; s--) i = await i.next();
    return i;
  }
}
class j {
  static {
    u(this, "Sender");
  }
  constructor(e, n = "none", i = 0n) {
    this.key = e, this.codec = n, this.counter = i;
  }
  counter;
  /** Go on with another key, whose counters begin anew. The same key again is refused: its counters would come twice. */
  use(e) {
    if (e.kid === this.key.kid && e.suiteNumber === this.key.suiteNumber && R(e.secret, this.key.secret))
      throw new y("counter", "The same key again: its counters would come twice.");
    this.key = e, this.counter = 0n;
  }
  async encrypt(e) {
    const n = F(this.codec, e), i = this.counter++;
    if (i >= B) throw new y("counter", "No counter is left under this key.");
    return w(e.subarray(0, n), await this.key.seal(i, e.subarray(n), e.subarray(0, n)));
  }
}
const R = /* @__PURE__ */ u((t, e) => t.length === e.length && t.every((n, i) => n === e[i]), "same");
class P {
  static {
    u(this, "Receiver");
  }
  constructor(e = "none") {
    this.codec = e;
  }
  keys = /* @__PURE__ */ new Map();
  chains = /* @__PURE__ */ new Map();
  seen = /* @__PURE__ */ new Map();
  add(e) {
    const n = this.keys.get(e.kid);
    n && n.suiteNumber === e.suiteNumber && R(n.base, e.base) || (this.keys.set(e.kid, e), this.seen.delete(e.kid));
  }
  async follow(e) {
    this.chains.set(e.generation, e), this.add(await e.key());
  }
  drop(e) {
    this.keys.delete(e), this.seen.delete(e);
    for (const [n, i] of this.chains) i.kid === e && this.chains.delete(n);
  }
  async decrypt(e) {
    const n = F(this.codec, e), i = e.subarray(n), { kid: s, counter: a, end: o } = W(i);
    let r = null, h = this.keys.get(s);
    if (!h) {
      for (const D of this.chains.values()) if (r = await D.at(s)) break;
      if (!r) throw new y("unknown key", "A frame under a key that is not known here.");
      h = await r.key();
    }
    const { newest: c, before: l } = this.seen.get(s) ?? { newest: -1n, before: 0n }, d = c - a;
    if (d >= BigInt(v) || d >= 0n && l >> d & 1n) throw new y("replayed", "A frame that came before.");
    const g = await h.open(a, i, o, e.subarray(0, n));
    r && await this.follow(r);
    const p = a > c ? a : c, q = a > c ? a - c < BigInt(v) ? l << a - c : 0n : l;
    return this.seen.set(s, { newest: p, before: (q | 1n << p - a) & (1n << BigInt(v)) - 1n }), w(e.subarray(0, n), g);
  }
}
const Y = 100, _ = "end", S = /* @__PURE__ */ new Map(), A = /* @__PURE__ */ new Map(), M = self, f = /* @__PURE__ */ u((t, e) => M.postMessage({ id: t, ...e }), "tell");
M.onmessage = async ({ data: t }) => {
  try {
    t.kind === "protect" ? V(t) : t.kind === "resume" ? f(t.id, { kind: "resumed", allowed: S.get(t.id)?.watcher.resume(t.atS ?? z(t.id)) ?? !1 }) : t.kind === "counts" ? f(t.id, { kind: "counts", ...S.get(t.id)?.counts }) : await A.get(t.id)?.take(t);
  } catch (e) {
    f(t.id, { kind: "failed", name: e.name, message: e.message });
  }
};
const x = /* @__PURE__ */ new Map(), z = /* @__PURE__ */ u((t) => x.get(t) ?? 0, "now");
function V({ id: t, policy: e, lines: n, readable: i, writable: s }) {
  const a = new $(e, n, (r) => f(t, r), () => {
    for (const r of A.values()) r.hold?.(performance.now() + Y);
  });
  S.set(t, a);
  const o = new TransformStream({
    async transform(r, h) {
      const c = r.timestamp / 1e6;
      x.set(t, c);
      let l;
      try {
        l = await a.arrive(c, () => G(r));
      } catch (p) {
        throw r.close(), p;
      }
      if (l === null) {
        h.enqueue(r);
        return;
      }
      const d = a.coverer.draw(r, r.displayWidth, r.displayHeight, l !== "blur"), g = new VideoFrame(d, { timestamp: r.timestamp });
      r.close(), h.enqueue(g), l === _ && h.terminate();
    }
  });
  i.pipeThrough(o).pipeTo(s).then(() => f(t, { kind: "ended", message: "The track has ended." }), (r) => f(t, { kind: "ended", message: String(r) })).finally(() => S.delete(t));
}
u(V, "protect");
M.onrtctransform = ({ transformer: t }) => {
  const { id: e, direction: n, media: i, codec: s } = t.options, a = /* @__PURE__ */ u((r) => f(e, { kind: "dropped", direction: n, reason: r instanceof y ? r.kind : String(r) }), "dropped"), o = n === "send" ? J(e, i, s, t, a) : Q(e, s, t, a);
  t.readable.pipeThrough(o).pipeTo(t.writable).catch(() => A.delete(e)), f(e, { kind: "ready" });
};
const O = /* @__PURE__ */ u((t) => new H(t.suite, t.base, BigInt(t.generation), t.step ?? 0), "chainOf");
function J(t, e, n, i, s) {
  let a = null, o = null, r = -1 / 0;
  const h = [];
  return A.set(t, {
    async take(c) {
      if (c.kind === "keys") o = O(c.chains[0]);
      else if (c.kind === "ratchet" && o) o = await o.next();
      else if (c.kind === "times") {
        f(t, { kind: "times", times: h.splice(0) });
        return;
      }
      const l = await o.key();
      a ? a.use(l) : a = new j(l, n), f(t, { kind: "keyed", kid: String(l.kid) });
    },
    hold(c) {
      r = c, e === "video" && setTimeout(() => f(t, { kind: "needs key frame" }), c - performance.now());
    }
  }), new TransformStream({
    async transform(c, l) {
      if (performance.now() < r) {
        s("held while a cover begins");
        return;
      }
      if (!a) {
        s("no key yet");
        return;
      }
      const d = c.getMetadata?.().mimeType;
      if (n === "vp8" && d && d.toLowerCase() !== "video/vp8") {
        s("codec");
        return;
      }
      try {
        const g = performance.now();
        c.data = (await a.encrypt(new Uint8Array(c.data))).buffer, h.length < 5e3 && h.push(performance.now() - g), l.enqueue(c);
      } catch (g) {
        s(g);
      }
    }
  });
}
u(J, "sending");
function Q(t, e, n, i) {
  const s = new P(e);
  let a = -1 / 0;
  return A.set(t, {
    async take(o) {
      if (o.kind === "keys") for (const r of o.chains) await s.follow(O(r));
      else o.kind === "drop" && s.drop(BigInt(o.kid));
      f(t, { kind: "keyed" });
    }
  }), new TransformStream({
    async transform(o, r) {
      try {
        o.data = (await s.decrypt(new Uint8Array(o.data))).buffer, r.enqueue(o);
      } catch (h) {
        i(h), performance.now() - a > 500 && (a = performance.now(), n.sendKeyFrameRequest?.().catch(() => {
        }));
      }
    }
  });
}
u(Q, "receiving");
