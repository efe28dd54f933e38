import { F as d, a as D, g as K } from "./gate.js";
const A = {
  1: { hash: "SHA-256", cipher: 16, key: 48, tag: 10 },
  2: { hash: "SHA-256", cipher: 16, key: 48, tag: 8 },
  3: { hash: "SHA-256", cipher: 16, key: 48, tag: 4 },
  4: { hash: "SHA-256", cipher: 16, key: 16, tag: 16 },
  5: { hash: "SHA-512", cipher: 32, key: 32, tag: 16 },
  6: { hash: "SHA-512", cipher: 32, key: 96, tag: 10 },
  7: { hash: "SHA-512", cipher: 32, key: 96, tag: 8 },
  8: { hash: "SHA-512", cipher: 32, key: 96, tag: 4 }
}, S = 1024, v = 1n << 64n, p = globalThis.crypto.subtle, B = (t) => new TextEncoder().encode(t);
function l(...t) {
  const e = new Uint8Array(t.reduce((i, s) => i + s.length, 0));
  let n = 0;
  for (const i of t)
    e.set(i, n), n += i.length;
  return e;
}
function k(t, e) {
  const n = new Uint8Array(e);
  let i = BigInt(t);
  for (let s = e - 1; s >= 0; s--)
    n[s] = Number(i & 255n), i >>= 8n;
  return n;
}
function $(t, e) {
  if (t < 0n || e < 0n || t >= v || e >= v) throw new d("counter", `Key ${t} or counter ${e} has no header.`);
  const n = (r) => {
    if (r < 8n) return [Number(r), new Uint8Array(0)];
    const h = Math.ceil(r.toString(16).length / 2);
    return [8 | h - 1, k(r, h)];
  }, [i, s] = n(t), [a, o] = n(e);
  return l(Uint8Array.of(i << 4 | a), s, o);
}
function G(t) {
  if (!t.length) throw new d("header", "A frame without a header.");
  const e = (o, r) => {
    if (o < 8) return [BigInt(o), r];
    const h = r + o - 7;
    if (t.length < h) throw new d("header", "A frame that ends inside its header.");
    let c = 0n;
    for (let u = r; u < h; u++) c = c << 8n | BigInt(t[u]);
    if (c < 8n || t[r] === 0) throw new d("header", "A header whose number is written longer than it need be.");
    return [c, h];
  }, [n, i] = e(t[0] >> 4, 1), [s, a] = e(t[0] & 15, i);
  return { kid: n, counter: s, end: a };
}
const M = (t, e) => p.importKey("raw", t, { name: "HMAC", hash: e }, !1, ["sign"]), E = async (t, e, n) => new Uint8Array(await p.sign("HMAC", await M(t, e), n)), C = (t, e) => E(new Uint8Array(t.hash === "SHA-256" ? 32 : 64), t.hash, e);
async function U(t, e, n, i) {
  let s = new Uint8Array(0), a = new Uint8Array(0);
  for (let o = 1; a.length < i; o++)
    s = await E(e, t.hash, l(s, n, Uint8Array.of(o))), a = l(a, s);
  return a.slice(0, i);
}
class I {
  constructor(e, n, i, s, a, o, r) {
    this.suiteNumber = e, this.kid = n, this.base = i, this.secret = s, this.salt = a, this.aes = o, this.mac = r;
  }
  static async derive(e, n, i) {
    const s = A[e];
    if (!s) throw new d("unknown key", `There is no cipher suite ${e}.`);
    const a = await C(s, i), o = l(k(n, 8), k(e, 2)), r = await U(s, a, l(B("SFrame 1.0 Secret key "), o), s.key), h = await U(s, a, l(B("SFrame 1.0 Secret salt "), o), 12), c = s.key === s.cipher, u = await p.importKey("raw", r.slice(0, s.cipher), c ? "AES-GCM" : "AES-CTR", !1, ["encrypt", "decrypt"]), w = c ? null : await M(r.slice(s.cipher), s.hash);
    return new I(e, n, i.slice(), r, h, u, w);
  }
  nonce(e) {
    const n = this.salt.slice(), i = k(e, 12);
    for (let s = 0; s < 12; s++) n[s] ^= i[s];
    return n;
  }
  async tag(e, n, i) {
    const { tag: s } = A[this.suiteNumber], a = [n.length, i.length, s].map((o) => k(o, 8));
    return new Uint8Array(await p.sign("HMAC", this.mac, l(...a, e, n, i))).slice(0, s);
  }
  ctr(e) {
    return { name: "AES-CTR", counter: l(e, new Uint8Array(4)), length: 32 };
  }
  /** Header, ciphertext and tag. Whoever calls sees to it that no counter comes twice. */
  async seal(e, n, i) {
    const s = $(this.kid, e), a = this.nonce(e), o = l(s, i);
    if (!this.mac) {
      const h = await p.encrypt({ name: "AES-GCM", iv: a, additionalData: o }, this.aes, n);
      return l(s, new Uint8Array(h));
    }
    const r = new Uint8Array(await p.encrypt(this.ctr(a), this.aes, n));
    return l(s, r, await this.tag(a, o, r));
  }
  async open(e, n, i, s) {
    const a = () => new d("changed", "A frame that was changed on its way, or was encrypted with another key."), o = this.nonce(e), r = l(n.subarray(0, i), s), h = n.slice(i);
    if (!this.mac)
      try {
        return new Uint8Array(await p.decrypt({ name: "AES-GCM", iv: o, additionalData: r }, this.aes, h));
      } catch {
        throw a();
      }
    const c = h.length - A[this.suiteNumber].tag;
    if (c < 0) throw a();
    const u = h.slice(0, c), w = await this.tag(o, r, u);
    let f = 0;
    for (let g = 0; g < w.length; g++) f |= w[g] ^ h[c + g];
    if (f) throw a();
    return new Uint8Array(await p.decrypt(this.ctr(o), this.aes, u));
  }
}
function N(t, e) {
  const n = t === "none" ? 0 : t === "opus" ? 1 : e.length && !(e[0] & 1) ? 10 : 3;
  if (e.length < n) throw new d("too short", `A ${t} frame of ${e.length} bytes.`);
  return n;
}
class T {
  constructor(e, n, i = 0n, s = 0, a = 4) {
    this.suite = e, this.base = n, this.generation = i, this.step = s, this.stepBits = a;
  }
  get kid() {
    return this.generation << BigInt(this.stepBits) | BigInt(this.step % (1 << this.stepBits));
  }
  key() {
    return I.derive(this.suite, this.kid, this.base);
  }
  async next() {
    const e = A[this.suite], n = await C(e, this.base), i = await U(e, n, B("SFrame 1.0 Ratchet"), e.hash === "SHA-256" ? 32 : 64);
    return new T(this.suite, i, this.generation, this.step + 1, this.stepBits);
  }
  async at(e) {
    if (e >> BigInt(this.stepBits) !== this.generation) return null;
    const n = 1n << BigInt(this.stepBits);
    let i = this;
    for (let s = ((e - this.kid) % n + n) % n; s > 0n; s--) i = await i.next();
    return i;
  }
}
class L {
  constructor(e, n = "none", i = 0n) {
    this.key = e, this.codec = n, this.counter = i;
  }
  counter;
  /** Go on with another key, whose counters begin anew. The same key again is refused: its counters would come twice. */
  use(e) {
    if (e.kid === this.key.kid && e.suiteNumber === this.key.suiteNumber && F(e.secret, this.key.secret))
      throw new d("counter", "The same key again: its counters would come twice.");
    this.key = e, this.counter = 0n;
  }
  async encrypt(e) {
    const n = N(this.codec, e), i = this.counter++;
    if (i >= v) throw new d("counter", "No counter is left under this key.");
    return l(e.subarray(0, n), await this.key.seal(i, e.subarray(n), e.subarray(0, n)));
  }
}
const F = (t, e) => t.length === e.length && t.every((n, i) => n === e[i]);
class W {
  constructor(e = "none") {
    this.codec = e;
  }
  keys = /* @__PURE__ */ new Map();
  chains = /* @__PURE__ */ new Map();
  seen = /* @__PURE__ */ new Map();
  add(e) {
    const n = this.keys.get(e.kid);
    n && n.suiteNumber === e.suiteNumber && F(n.base, e.base) || (this.keys.set(e.kid, e), this.seen.delete(e.kid));
  }
  async follow(e) {
    this.chains.set(e.generation, e), this.add(await e.key());
  }
  drop(e) {
    this.keys.delete(e), this.seen.delete(e);
    for (const [n, i] of this.chains) i.kid === e && this.chains.delete(n);
  }
  async decrypt(e) {
    const n = N(this.codec, e), i = e.subarray(n), { kid: s, counter: a, end: o } = G(i);
    let r = null, h = this.keys.get(s);
    if (!h) {
      for (const q of this.chains.values()) if (r = await q.at(s)) break;
      if (!r) throw new d("unknown key", "A frame under a key that is not known here.");
      h = await r.key();
    }
    const { newest: c, before: u } = this.seen.get(s) ?? { newest: -1n, before: 0n }, w = c - a;
    if (w >= BigInt(S) || w >= 0n && u >> w & 1n) throw new d("replayed", "A frame that came before.");
    const f = await h.open(a, i, o, e.subarray(0, n));
    r && await this.follow(r);
    const g = a > c ? a : c, O = a > c ? a - c < BigInt(S) ? u << a - c : 0n : u;
    return this.seen.set(s, { newest: g, before: (O | 1n << g - a) & (1n << BigInt(S)) - 1n }), l(e.subarray(0, n), f);
  }
}
const P = 100, Y = "end", b = /* @__PURE__ */ new Map(), m = /* @__PURE__ */ new Map(), H = self, y = (t, e) => H.postMessage({ id: t, ...e });
H.onmessage = async ({ data: t }) => {
  try {
    t.kind === "protect" ? j(t) : t.kind === "resume" ? y(t.id, { kind: "resumed", allowed: b.get(t.id)?.watcher.resume(t.atS ?? _(t.id)) ?? !1 }) : t.kind === "counts" ? y(t.id, { kind: "counts", ...b.get(t.id)?.counts }) : await m.get(t.id)?.take(t);
  } catch (e) {
    y(t.id, { kind: "failed", name: e.name, message: e.message });
  }
};
const R = /* @__PURE__ */ new Map(), _ = (t) => R.get(t) ?? 0;
function j({ id: t, policy: e, lines: n, readable: i, writable: s }) {
  const a = new D(e, n, (r) => y(t, r), () => {
    for (const r of m.values()) r.hold?.(performance.now() + P);
  });
  b.set(t, a);
  const o = new TransformStream({
    async transform(r, h) {
      const c = r.timestamp / 1e6;
      R.set(t, c);
      let u;
      try {
        u = await a.arrive(c, () => K(r));
      } catch (g) {
        throw r.close(), g;
      }
      if (u === null) {
        h.enqueue(r);
        return;
      }
      const w = a.coverer.draw(r, r.displayWidth, r.displayHeight, u !== "blur"), f = new VideoFrame(w, { timestamp: r.timestamp });
      r.close(), h.enqueue(f), u === Y && h.terminate();
    }
  });
  i.pipeThrough(o).pipeTo(s).then(() => y(t, { kind: "ended", message: "The track has ended." }), (r) => y(t, { kind: "ended", message: String(r) })).finally(() => b.delete(t));
}
H.onrtctransform = ({ transformer: t }) => {
  const { id: e, direction: n, media: i, codec: s } = t.options, a = (r) => y(e, { kind: "dropped", direction: n, reason: r instanceof d ? r.kind : String(r) }), o = n === "send" ? z(e, i, s, t, a) : V(e, s, t, a);
  t.readable.pipeThrough(o).pipeTo(t.writable).catch(() => m.delete(e)), y(e, { kind: "ready" });
};
const x = (t) => new T(t.suite, t.base, BigInt(t.generation), t.step ?? 0);
function z(t, e, n, i, s) {
  let a = null, o = null, r = -1 / 0;
  const h = [];
  return m.set(t, {
    async take(c) {
      if (c.kind === "keys") o = x(c.chains[0]);
      else if (c.kind === "ratchet" && o) o = await o.next();
      else if (c.kind === "times") {
        y(t, { kind: "times", times: h.splice(0) });
        return;
      }
      const u = await o.key();
      a ? a.use(u) : a = new L(u, n), y(t, { kind: "keyed", kid: String(u.kid) });
    },
    hold(c) {
      r = c, e === "video" && setTimeout(() => y(t, { kind: "needs key frame" }), c - performance.now());
    }
  }), new TransformStream({
    async transform(c, u) {
      if (performance.now() < r) {
        s("held while a cover begins");
        return;
      }
      if (!a) {
        s("no key yet");
        return;
      }
      const w = c.getMetadata?.().mimeType;
      if (n === "vp8" && w && w.toLowerCase() !== "video/vp8") {
        s("codec");
        return;
      }
      try {
        const f = performance.now();
        c.data = (await a.encrypt(new Uint8Array(c.data))).buffer, h.length < 5e3 && h.push(performance.now() - f), u.enqueue(c);
      } catch (f) {
        s(f);
      }
    }
  });
}
function V(t, e, n, i) {
  const s = new W(e);
  let a = -1 / 0;
  return m.set(t, {
    async take(o) {
      if (o.kind === "keys") for (const r of o.chains) await s.follow(x(r));
      else o.kind === "drop" && s.drop(BigInt(o.kid));
      y(t, { kind: "keyed" });
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
