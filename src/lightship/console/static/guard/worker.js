var $ = Object.defineProperty;
var u = (t, e) => $(t, "name", { value: e, configurable: !0 });
import { F as y, G as L, x as W, J as j } from "./gate.js";
const S = {
  1: { hash: "SHA-256", cipher: 16, key: 48, tag: 10 },
  2: { hash: "SHA-256", cipher: 16, key: 48, tag: 8 },
  3: { hash: "SHA-256", cipher: 16, key: 48, tag: 4 },
  4: { hash: "SHA-256", cipher: 16, key: 16, tag: 16 },
  5: { hash: "SHA-512", cipher: 32, key: 32, tag: 16 },
  6: { hash: "SHA-512", cipher: 32, key: 96, tag: 10 },
  7: { hash: "SHA-512", cipher: 32, key: 96, tag: 8 },
  8: { hash: "SHA-512", cipher: 32, key: 96, tag: 4 }
}, B = 1024, U = 1n << 64n, k = globalThis.crypto.subtle, I = /* @__PURE__ */ u((t) => new TextEncoder().encode(t), "utf8");
function d(...t) {
  const e = new Uint8Array(t.reduce((i, s) => i + s.length, 0));
  let n = 0;
  for (const i of t)
    e.set(i, n), n += i.length;
  return e;
}
u(d, "join");
function m(t, e) {
  const n = new Uint8Array(e);
  let i = BigInt(t);
  for (let s = e - 1; s >= 0; s--)
    n[s] = Number(i & 255n), i >>= 8n;
  return n;
}
u(m, "number");
function P(t, e) {
  if (t < 0n || e < 0n || t >= U || e >= U) throw new y("counter", `Key ${t} or counter ${e} has no header.`);
  const n = /* @__PURE__ */ u((o) => {
    if (o < 8n) return [Number(o), new Uint8Array(0)];
    const c = Math.ceil(o.toString(16).length / 2);
    return [8 | c - 1, m(o, c)];
  }, "written"), [i, s] = n(t), [r, a] = n(e);
  return d(Uint8Array.of(i << 4 | r), s, a);
}
u(P, "buildHeader");
function Y(t) {
  if (!t.length) throw new y("header", "A frame without a header.");
  const e = /* @__PURE__ */ u((a, o) => {
    if (a < 8) return [BigInt(a), o];
    const c = o + a - 7;
    if (t.length < c) throw new y("header", "A frame that ends inside its header.");
    let h = 0n;
    for (let l = o; l < c; l++) h = h << 8n | BigInt(t[l]);
    if (h < 8n || t[o] === 0) throw new y("header", "A header whose number is written longer than it need be.");
    return [h, c];
  }, "read"), [n, i] = e(t[0] >> 4, 1), [s, r] = e(t[0] & 15, i);
  return { kid: n, counter: s, end: r };
}
u(Y, "parseHeader");
const N = /* @__PURE__ */ u((t, e) => k.importKey("raw", t, { name: "HMAC", hash: e }, !1, ["sign"]), "hmacKey"), x = /* @__PURE__ */ u(async (t, e, n) => new Uint8Array(await k.sign("HMAC", await N(t, e), n)), "hmac"), F = /* @__PURE__ */ u((t, e) => x(new Uint8Array(t.hash === "SHA-256" ? 32 : 64), t.hash, e), "extract");
async function T(t, e, n, i) {
  let s = new Uint8Array(0), r = new Uint8Array(0);
  for (let a = 1; r.length < i; a++)
    s = await x(e, t.hash, d(s, n, Uint8Array.of(a))), r = d(r, s);
  return r.slice(0, i);
}
u(T, "expand");
class H {
  static {
    u(this, "FrameKey");
  }
  constructor(e, n, i, s, r, a, o) {
    this.suiteNumber = e, this.kid = n, this.base = i, this.secret = s, this.salt = r, this.aes = a, this.mac = o;
  }
  static async derive(e, n, i) {
    const s = S[e];
    if (!s) throw new y("unknown key", `There is no cipher suite ${e}.`);
    const r = await F(s, i), a = d(m(n, 8), m(e, 2)), o = await T(s, r, d(I("SFrame 1.0 Secret key "), a), s.key), c = await T(s, r, d(I("SFrame 1.0 Secret salt "), a), 12), h = s.key === s.cipher, l = await k.importKey("raw", o.slice(0, s.cipher), h ? "AES-GCM" : "AES-CTR", !1, ["encrypt", "decrypt"]), w = h ? null : await N(o.slice(s.cipher), s.hash);
    return new H(e, n, i.slice(), o, c, l, w);
  }
  nonce(e) {
    const n = this.salt.slice(), i = m(e, 12);
    for (let s = 0; s < 12; s++) n[s] ^= i[s];
    return n;
  }
  async tag(e, n, i) {
    const { tag: s } = S[this.suiteNumber], r = [n.length, i.length, s].map((a) => m(a, 8));
    return new Uint8Array(await k.sign("HMAC", this.mac, d(...r, e, n, i))).slice(0, s);
  }
  ctr(e) {
    return { name: "AES-CTR", counter: d(e, new Uint8Array(4)), length: 32 };
  }
  /** Header, ciphertext and tag. Whoever calls sees to it that no counter comes twice. */
  async seal(e, n, i) {
    const s = P(this.kid, e), r = this.nonce(e), a = d(s, i);
    if (!this.mac) {
      const c = await k.encrypt({ name: "AES-GCM", iv: r, additionalData: a }, this.aes, n);
      return d(s, new Uint8Array(c));
    }
    const o = new Uint8Array(await k.encrypt(this.ctr(r), this.aes, n));
    return d(s, o, await this.tag(r, a, o));
  }
  async open(e, n, i, s) {
    const r = /* @__PURE__ */ u(() => new y("changed", "A frame that was changed on its way, or was encrypted with another key."), "refused"), a = this.nonce(e), o = d(n.subarray(0, i), s), c = n.slice(i);
    if (!this.mac)
      try {
        return new Uint8Array(await k.decrypt({ name: "AES-GCM", iv: a, additionalData: o }, this.aes, c));
      } catch {
        throw r();
      }
    const h = c.length - S[this.suiteNumber].tag;
    if (h < 0) throw r();
    const l = c.slice(0, h), w = await this.tag(a, o, l);
    let g = 0;
    for (let p = 0; p < w.length; p++) g |= w[p] ^ c[h + p];
    if (g) throw r();
    return new Uint8Array(await k.decrypt(this.ctr(a), this.aes, l));
  }
}
function R(t, e) {
  const n = t === "none" ? 0 : t === "opus" ? 1 : e.length && !(e[0] & 1) ? 10 : 3;
  if (e.length < n) throw new y("too short", `A ${t} frame of ${e.length} bytes.`);
  return n;
}
u(R, "clearBytes");
class M {
  static {
    u(this, "Chain");
  }
  constructor(e, n, i = 0n, s = 0, r = 4) {
    this.suite = e, this.base = n, this.generation = i, this.step = s, this.stepBits = r;
  }
  get kid() {
    return this.generation << BigInt(this.stepBits) | BigInt(this.step % (1 << this.stepBits));
  }
  key() {
    return H.derive(this.suite, this.kid, this.base);
  }
  async next() {
    const e = S[this.suite], n = await F(e, this.base), i = await T(e, n, I("SFrame 1.0 Ratchet"), e.hash === "SHA-256" ? 32 : 64);
    return new M(this.suite, i, this.generation, this.step + 1, this.stepBits);
  }
  async at(e) {
    if (e >> BigInt(this.stepBits) !== this.generation) return null;
    const n = 1n << BigInt(this.stepBits);
    let i = this;
    for (let s = ((e - this.kid) % n + n) % n; s > 0n; s--) i = await i.next();
    return i;
  }
}
class _ {
  static {
    u(this, "Sender");
  }
  constructor(e, n = "none", i = 0n) {
    this.key = e, this.codec = n, this.counter = i;
  }
  counter;
  /** Go on with another key, whose counters begin anew. The same key again is refused: its counters would come twice. */
  use(e) {
    if (e.kid === this.key.kid && e.suiteNumber === this.key.suiteNumber && G(e.secret, this.key.secret))
      throw new y("counter", "The same key again: its counters would come twice.");
    this.key = e, this.counter = 0n;
  }
  async encrypt(e) {
    const n = R(this.codec, e), i = this.counter++;
    if (i >= U) throw new y("counter", "No counter is left under this key.");
    return d(e.subarray(0, n), await this.key.seal(i, e.subarray(n), e.subarray(0, n)));
  }
}
const G = /* @__PURE__ */ u((t, e) => t.length === e.length && t.every((n, i) => n === e[i]), "same");
class z {
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
    n && n.suiteNumber === e.suiteNumber && G(n.base, e.base) || (this.keys.set(e.kid, e), this.seen.delete(e.kid));
  }
  async follow(e) {
    this.chains.set(e.generation, e), this.add(await e.key());
  }
  drop(e) {
    this.keys.delete(e), this.seen.delete(e);
    for (const [n, i] of this.chains) i.kid === e && this.chains.delete(n);
  }
  async decrypt(e) {
    const n = R(this.codec, e), i = e.subarray(n), { kid: s, counter: r, end: a } = Y(i);
    let o = null, c = this.keys.get(s);
    if (!c) {
      for (const K of this.chains.values()) if (o = await K.at(s)) break;
      if (!o) throw new y("unknown key", "A frame under a key that is not known here.");
      c = await o.key();
    }
    const { newest: h, before: l } = this.seen.get(s) ?? { newest: -1n, before: 0n }, w = h - r;
    if (w >= BigInt(B) || w >= 0n && l >> w & 1n) throw new y("replayed", "A frame that came before.");
    const g = await c.open(r, i, a, e.subarray(0, n));
    o && await this.follow(o);
    const p = r > h ? r : h, v = r > h ? r - h < BigInt(B) ? l << r - h : 0n : l;
    return this.seen.set(s, { newest: p, before: (v | 1n << p - r) & (1n << BigInt(B)) - 1n }), d(e.subarray(0, n), g);
  }
}
const J = 100, V = "end", b = /* @__PURE__ */ new Map(), A = /* @__PURE__ */ new Map(), E = self, f = /* @__PURE__ */ u((t, e) => E.postMessage({ id: t, ...e }), "tell");
E.onmessage = async ({ data: t }) => {
  try {
    t.kind === "protect" ? await Q(t) : t.kind === "hold" ? q() : t.kind === "unseen" ? b.get(t.id)?.watcher.unseen(C(t.id), Object.assign(new L(t.message), { name: t.name }), "call") : t.kind === "resume" ? f(t.id, { kind: "resumed", allowed: b.get(t.id)?.watcher.resume(t.atS ?? C(t.id)) ?? !1 }) : t.kind === "counts" ? f(t.id, { kind: "counts", ...b.get(t.id)?.counts }) : await A.get(t.id)?.take(t);
  } catch (e) {
    f(t.id, { kind: "failed", name: e.name, message: e.message });
  }
};
const O = /* @__PURE__ */ new Map(), C = /* @__PURE__ */ u((t) => O.get(t) ?? 0, "now");
function q() {
  for (const t of A.values()) t.hold?.(performance.now() + J);
}
u(q, "hold");
async function Q({ id: t, policy: e, brought: n, lines: i, readable: s, writable: r }) {
  const a = await W.open(e, n, i, (c) => f(t, c), q);
  b.set(t, a);
  const o = new TransformStream({
    async transform(c, h) {
      const l = c.timestamp / 1e6;
      O.set(t, l);
      let w;
      try {
        w = await a.arrive(l, j(c));
      } catch (v) {
        throw c.close(), v;
      }
      if (w === null) {
        h.enqueue(c);
        return;
      }
      const g = a.coverer.draw(c, c.displayWidth, c.displayHeight, w !== "blur"), p = new VideoFrame(g, { timestamp: c.timestamp });
      c.close(), h.enqueue(p), w === V && h.terminate();
    }
  });
  s.pipeThrough(o).pipeTo(r).then(() => f(t, { kind: "ended", message: "The track has ended." }), (c) => f(t, { kind: "ended", message: String(c) })).finally(() => b.delete(t));
}
u(Q, "protect");
E.onrtctransform = ({ transformer: t }) => {
  const { id: e, direction: n, media: i, codec: s } = t.options, r = /* @__PURE__ */ u((o) => f(e, { kind: "dropped", direction: n, reason: o instanceof y ? o.kind : String(o) }), "dropped"), a = n === "send" ? X(e, i, s, t, r) : Z(e, s, t, r);
  t.readable.pipeThrough(a).pipeTo(t.writable).catch(() => A.delete(e)), f(e, { kind: "ready" });
};
const D = /* @__PURE__ */ u((t) => new M(t.suite, t.base, BigInt(t.generation), t.step ?? 0), "chainOf");
function X(t, e, n, i, s) {
  let r = null, a = null, o = -1 / 0;
  const c = [];
  return A.set(t, {
    async take(h) {
      if (h.kind === "keys") a = D(h.chains[0]);
      else if (h.kind === "ratchet" && a) a = await a.next();
      else if (h.kind === "times") {
        f(t, { kind: "times", times: c.splice(0) });
        return;
      }
      const l = await a.key();
      r ? r.use(l) : r = new _(l, n), f(t, { kind: "keyed", kid: String(l.kid) });
    },
    hold(h) {
      o = h, e === "video" && setTimeout(() => f(t, { kind: "needs key frame" }), h - performance.now());
    }
  }), new TransformStream({
    async transform(h, l) {
      if (performance.now() < o) {
        s("held while a cover begins");
        return;
      }
      if (!r) {
        s("no key yet");
        return;
      }
      const w = h.getMetadata?.().mimeType;
      if (n === "vp8" && w && w.toLowerCase() !== "video/vp8") {
        s("codec");
        return;
      }
      try {
        const g = performance.now();
        h.data = (await r.encrypt(new Uint8Array(h.data))).buffer, c.length < 5e3 && c.push(performance.now() - g), l.enqueue(h);
      } catch (g) {
        s(g);
      }
    }
  });
}
u(X, "sending");
function Z(t, e, n, i) {
  const s = new z(e);
  let r = -1 / 0;
  return A.set(t, {
    async take(a) {
      if (a.kind === "keys") for (const o of a.chains) await s.follow(D(o));
      else a.kind === "drop" && s.drop(BigInt(a.kid));
      f(t, { kind: "keyed" });
    }
  }), new TransformStream({
    async transform(a, o) {
      try {
        a.data = (await s.decrypt(new Uint8Array(a.data))).buffer, o.enqueue(a);
      } catch (c) {
        i(c), performance.now() - r > 500 && (r = performance.now(), n.sendKeyFrameRequest?.().catch(() => {
        }));
      }
    }
  });
}
u(Z, "receiving");
