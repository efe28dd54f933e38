import { F as d, a as q, g as D } from "./gate.js";
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
function w(...t) {
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
  }, [i, s] = n(t), [a, c] = n(e);
  return w(Uint8Array.of(i << 4 | a), s, c);
}
function G(t) {
  if (!t.length) throw new d("header", "A frame without a header.");
  const e = (c, r) => {
    if (c < 8) return [BigInt(c), r];
    const h = r + c - 7;
    if (t.length < h) throw new d("header", "A frame that ends inside its header.");
    let u = 0n;
    for (let o = r; o < h; o++) u = u << 8n | BigInt(t[o]);
    if (u < 8n || t[r] === 0) throw new d("header", "A header whose number is written longer than it need be.");
    return [u, h];
  }, [n, i] = e(t[0] >> 4, 1), [s, a] = e(t[0] & 15, i);
  return { kid: n, counter: s, end: a };
}
const H = (t, e) => p.importKey("raw", t, { name: "HMAC", hash: e }, !1, ["sign"]), E = async (t, e, n) => new Uint8Array(await p.sign("HMAC", await H(t, e), n)), C = (t, e) => E(new Uint8Array(t.hash === "SHA-256" ? 32 : 64), t.hash, e);
async function U(t, e, n, i) {
  let s = new Uint8Array(0), a = new Uint8Array(0);
  for (let c = 1; a.length < i; c++)
    s = await E(e, t.hash, w(s, n, Uint8Array.of(c))), a = w(a, s);
  return a.slice(0, i);
}
class I {
  constructor(e, n, i, s, a, c, r) {
    this.suiteNumber = e, this.kid = n, this.base = i, this.secret = s, this.salt = a, this.aes = c, this.mac = r;
  }
  static async derive(e, n, i) {
    const s = A[e];
    if (!s) throw new d("unknown key", `There is no cipher suite ${e}.`);
    const a = await C(s, i), c = w(k(n, 8), k(e, 2)), r = await U(s, a, w(B("SFrame 1.0 Secret key "), c), s.key), h = await U(s, a, w(B("SFrame 1.0 Secret salt "), c), 12), u = s.key === s.cipher, o = await p.importKey("raw", r.slice(0, s.cipher), u ? "AES-GCM" : "AES-CTR", !1, ["encrypt", "decrypt"]), l = u ? null : await H(r.slice(s.cipher), s.hash);
    return new I(e, n, i.slice(), r, h, o, l);
  }
  nonce(e) {
    const n = this.salt.slice(), i = k(e, 12);
    for (let s = 0; s < 12; s++) n[s] ^= i[s];
    return n;
  }
  async tag(e, n, i) {
    const { tag: s } = A[this.suiteNumber], a = [n.length, i.length, s].map((c) => k(c, 8));
    return new Uint8Array(await p.sign("HMAC", this.mac, w(...a, e, n, i))).slice(0, s);
  }
  ctr(e) {
    return { name: "AES-CTR", counter: w(e, new Uint8Array(4)), length: 32 };
  }
  /** Header, ciphertext and tag. Whoever calls sees to it that no counter comes twice. */
  async seal(e, n, i) {
    const s = $(this.kid, e), a = this.nonce(e), c = w(s, i);
    if (!this.mac) {
      const h = await p.encrypt({ name: "AES-GCM", iv: a, additionalData: c }, this.aes, n);
      return w(s, new Uint8Array(h));
    }
    const r = new Uint8Array(await p.encrypt(this.ctr(a), this.aes, n));
    return w(s, r, await this.tag(a, c, r));
  }
  async open(e, n, i, s) {
    const a = () => new d("changed", "A frame that was changed on its way, or was encrypted with another key."), c = this.nonce(e), r = w(n.subarray(0, i), s), h = n.slice(i);
    if (!this.mac)
      try {
        return new Uint8Array(await p.decrypt({ name: "AES-GCM", iv: c, additionalData: r }, this.aes, h));
      } catch {
        throw a();
      }
    const u = h.length - A[this.suiteNumber].tag;
    if (u < 0) throw a();
    const o = h.slice(0, u), l = await this.tag(c, r, o);
    let g = 0;
    for (let y = 0; y < l.length; y++) g |= l[y] ^ h[u + y];
    if (g) throw a();
    return new Uint8Array(await p.decrypt(this.ctr(c), this.aes, o));
  }
}
function N(t, e) {
  const n = t === "none" ? 0 : t === "opus" ? 1 : e.length && !(e[0] & 1) ? 10 : 3;
  if (e.length < n) throw new d("too short", `A ${t} frame of ${e.length} bytes.`);
  return n;
}
class M {
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
    return w(e.subarray(0, n), await this.key.seal(i, e.subarray(n), e.subarray(0, n)));
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
    const n = N(this.codec, e), i = e.subarray(n), { kid: s, counter: a, end: c } = G(i);
    let r = null, h = this.keys.get(s);
    if (!h) {
      for (const O of this.chains.values()) if (r = await O.at(s)) break;
      if (!r) throw new d("unknown key", "A frame under a key that is not known here.");
      h = await r.key();
    }
    const { newest: u, before: o } = this.seen.get(s) ?? { newest: -1n, before: 0n }, l = u - a;
    if (l >= BigInt(S) || l >= 0n && o >> l & 1n) throw new d("replayed", "A frame that came before.");
    const g = await h.open(a, i, c, e.subarray(0, n));
    r && await this.follow(r);
    const y = a > u ? a : u, x = a > u ? a - u < BigInt(S) ? o << a - u : 0n : o;
    return this.seen.set(s, { newest: y, before: (x | 1n << y - a) & (1n << BigInt(S)) - 1n }), w(e.subarray(0, n), g);
  }
}
const P = 200, Y = "end", b = /* @__PURE__ */ new Map(), m = /* @__PURE__ */ new Map(), T = self, f = (t, e) => T.postMessage({ id: t, ...e });
T.onmessage = async ({ data: t }) => {
  try {
    t.kind === "protect" ? j(t) : t.kind === "resume" ? f(t.id, { kind: "resumed", allowed: b.get(t.id)?.watcher.resume(t.atS ?? _(t.id)) ?? !1 }) : t.kind === "counts" ? f(t.id, { kind: "counts", ...b.get(t.id)?.counts }) : await m.get(t.id)?.take(t);
  } catch (e) {
    f(t.id, { kind: "failed", name: e.name, message: e.message });
  }
};
const K = /* @__PURE__ */ new Map(), _ = (t) => K.get(t) ?? 0;
function j({ id: t, policy: e, lines: n, readable: i, writable: s }) {
  const a = new q(e, n, (r) => f(t, r), () => {
    for (const r of m.values()) r.hold?.(performance.now() + P);
  });
  b.set(t, a);
  const c = new TransformStream({
    async transform(r, h) {
      const u = r.timestamp / 1e6;
      K.set(t, u);
      let o;
      try {
        o = await a.arrive(u, () => D(r));
      } catch (y) {
        throw r.close(), y;
      }
      if (o === null) {
        h.enqueue(r);
        return;
      }
      const l = a.coverer.draw(r, r.displayWidth, r.displayHeight, o !== "blur"), g = new VideoFrame(l, { timestamp: r.timestamp });
      r.close(), h.enqueue(g), o === Y && h.terminate();
    }
  });
  i.pipeThrough(c).pipeTo(s).then(() => f(t, { kind: "ended", message: "The track has ended." }), (r) => f(t, { kind: "ended", message: String(r) })).finally(() => b.delete(t));
}
T.onrtctransform = ({ transformer: t }) => {
  const { id: e, direction: n, media: i, codec: s } = t.options, a = (r) => f(e, { kind: "dropped", direction: n, reason: r instanceof d ? r.kind : String(r) }), c = n === "send" ? z(e, i, s, t, a) : V(e, s, t, a);
  t.readable.pipeThrough(c).pipeTo(t.writable).catch(() => m.delete(e)), f(e, { kind: "ready" });
};
const R = (t) => new M(t.suite, t.base, BigInt(t.generation), t.step ?? 0);
function z(t, e, n, i, s) {
  let a = null, c = null, r = -1 / 0, h = !1;
  const u = [];
  return m.set(t, {
    async take(o) {
      if (o.kind === "keys") c = R(o.chains[0]);
      else if (o.kind === "ratchet" && c) c = await c.next();
      else if (o.kind === "times") {
        f(t, { kind: "times", times: u.splice(0) });
        return;
      }
      const l = await c.key();
      a ? a.use(l) : a = new L(l, n), f(t, { kind: "keyed", kid: String(l.kid) });
    },
    hold(o) {
      r = o, h = e === "video";
    }
  }), new TransformStream({
    async transform(o, l) {
      if (performance.now() < r) {
        s("held while a cover begins");
        return;
      }
      if (h) {
        if (o.type !== "key") {
          i.generateKeyFrame?.().catch(() => {
          }), s("waits for a key frame");
          return;
        }
        h = !1;
      }
      if (!a) {
        s("no key yet");
        return;
      }
      const g = o.getMetadata?.().mimeType;
      if (n === "vp8" && g && g.toLowerCase() !== "video/vp8") {
        s("codec");
        return;
      }
      try {
        const y = performance.now();
        o.data = (await a.encrypt(new Uint8Array(o.data))).buffer, u.length < 5e3 && u.push(performance.now() - y), l.enqueue(o);
      } catch (y) {
        s(y);
      }
    }
  });
}
function V(t, e, n, i) {
  const s = new W(e);
  let a = -1 / 0;
  return m.set(t, {
    async take(c) {
      if (c.kind === "keys") for (const r of c.chains) await s.follow(R(r));
      else c.kind === "drop" && s.drop(BigInt(c.kid));
      f(t, { kind: "keyed" });
    }
  }), new TransformStream({
    async transform(c, r) {
      try {
        c.data = (await s.decrypt(new Uint8Array(c.data))).buffer, r.enqueue(c);
      } catch (h) {
        i(h), performance.now() - a > 500 && (a = performance.now(), n.sendKeyFrameRequest?.().catch(() => {
        }));
      }
    }
  });
}
