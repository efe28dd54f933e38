import { F as f, a as q, g as D } from "./gate.js";
const b = {
  1: { hash: "SHA-256", cipher: 16, key: 48, tag: 10 },
  2: { hash: "SHA-256", cipher: 16, key: 48, tag: 8 },
  3: { hash: "SHA-256", cipher: 16, key: 48, tag: 4 },
  4: { hash: "SHA-256", cipher: 16, key: 16, tag: 16 },
  5: { hash: "SHA-512", cipher: 32, key: 32, tag: 16 },
  6: { hash: "SHA-512", cipher: 32, key: 96, tag: 10 },
  7: { hash: "SHA-512", cipher: 32, key: 96, tag: 8 },
  8: { hash: "SHA-512", cipher: 32, key: 96, tag: 4 }
}, v = 1024, B = 1n << 64n, p = globalThis.crypto.subtle, U = (t) => new TextEncoder().encode(t);
function w(...t) {
  const e = new Uint8Array(t.reduce((i, s) => i + s.length, 0));
  let n = 0;
  for (const i of t)
    e.set(i, n), n += i.length;
  return e;
}
function m(t, e) {
  const n = new Uint8Array(e);
  let i = BigInt(t);
  for (let s = e - 1; s >= 0; s--)
    n[s] = Number(i & 255n), i >>= 8n;
  return n;
}
function $(t, e) {
  if (t < 0n || e < 0n || t >= B || e >= B) throw new f("counter", `Key ${t} or counter ${e} has no header.`);
  const n = (r) => {
    if (r < 8n) return [Number(r), new Uint8Array(0)];
    const c = Math.ceil(r.toString(16).length / 2);
    return [8 | c - 1, m(r, c)];
  }, [i, s] = n(t), [a, o] = n(e);
  return w(Uint8Array.of(i << 4 | a), s, o);
}
function G(t) {
  if (!t.length) throw new f("header", "A frame without a header.");
  const e = (o, r) => {
    if (o < 8) return [BigInt(o), r];
    const c = r + o - 7;
    if (t.length < c) throw new f("header", "A frame that ends inside its header.");
    let h = 0n;
    for (let l = r; l < c; l++) h = h << 8n | BigInt(t[l]);
    if (h < 8n || t[r] === 0) throw new f("header", "A header whose number is written longer than it need be.");
    return [h, c];
  }, [n, i] = e(t[0] >> 4, 1), [s, a] = e(t[0] & 15, i);
  return { kid: n, counter: s, end: a };
}
const E = (t, e) => p.importKey("raw", t, { name: "HMAC", hash: e }, !1, ["sign"]), C = async (t, e, n) => new Uint8Array(await p.sign("HMAC", await E(t, e), n)), N = (t, e) => C(new Uint8Array(t.hash === "SHA-256" ? 32 : 64), t.hash, e);
async function I(t, e, n, i) {
  let s = new Uint8Array(0), a = new Uint8Array(0);
  for (let o = 1; a.length < i; o++)
    s = await C(e, t.hash, w(s, n, Uint8Array.of(o))), a = w(a, s);
  return a.slice(0, i);
}
class T {
  constructor(e, n, i, s, a, o, r) {
    this.suiteNumber = e, this.kid = n, this.base = i, this.secret = s, this.salt = a, this.aes = o, this.mac = r;
  }
  static async derive(e, n, i) {
    const s = b[e];
    if (!s) throw new f("unknown key", `There is no cipher suite ${e}.`);
    const a = await N(s, i), o = w(m(n, 8), m(e, 2)), r = await I(s, a, w(U("SFrame 1.0 Secret key "), o), s.key), c = await I(s, a, w(U("SFrame 1.0 Secret salt "), o), 12), h = s.key === s.cipher, l = await p.importKey("raw", r.slice(0, s.cipher), h ? "AES-GCM" : "AES-CTR", !1, ["encrypt", "decrypt"]), u = h ? null : await E(r.slice(s.cipher), s.hash);
    return new T(e, n, i.slice(), r, c, l, u);
  }
  nonce(e) {
    const n = this.salt.slice(), i = m(e, 12);
    for (let s = 0; s < 12; s++) n[s] ^= i[s];
    return n;
  }
  async tag(e, n, i) {
    const { tag: s } = b[this.suiteNumber], a = [n.length, i.length, s].map((o) => m(o, 8));
    return new Uint8Array(await p.sign("HMAC", this.mac, w(...a, e, n, i))).slice(0, s);
  }
  ctr(e) {
    return { name: "AES-CTR", counter: w(e, new Uint8Array(4)), length: 32 };
  }
  /** Header, ciphertext and tag. Whoever calls sees to it that no counter comes twice. */
  async seal(e, n, i) {
    const s = $(this.kid, e), a = this.nonce(e), o = w(s, i);
    if (!this.mac) {
      const c = await p.encrypt({ name: "AES-GCM", iv: a, additionalData: o }, this.aes, n);
      return w(s, new Uint8Array(c));
    }
    const r = new Uint8Array(await p.encrypt(this.ctr(a), this.aes, n));
    return w(s, r, await this.tag(a, o, r));
  }
  async open(e, n, i, s) {
    const a = () => new f("changed", "A frame that was changed on its way, or was encrypted with another key."), o = this.nonce(e), r = w(n.subarray(0, i), s), c = n.slice(i);
    if (!this.mac)
      try {
        return new Uint8Array(await p.decrypt({ name: "AES-GCM", iv: o, additionalData: r }, this.aes, c));
      } catch {
        throw a();
      }
    const h = c.length - b[this.suiteNumber].tag;
    if (h < 0) throw a();
    const l = c.slice(0, h), u = await this.tag(o, r, l);
    let y = 0;
    for (let d = 0; d < u.length; d++) y |= u[d] ^ c[h + d];
    if (y) throw a();
    return new Uint8Array(await p.decrypt(this.ctr(o), this.aes, l));
  }
}
function F(t, e) {
  const n = t === "none" ? 0 : t === "opus" ? 1 : e.length && !(e[0] & 1) ? 10 : 3;
  if (e.length < n) throw new f("too short", `A ${t} frame of ${e.length} bytes.`);
  return n;
}
class H {
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
class L {
  constructor(e, n = "none", i = 0n) {
    this.key = e, this.codec = n, this.counter = i;
  }
  counter;
  /** Go on with another key, whose counters begin anew. The same key again is refused: its counters would come twice. */
  use(e) {
    if (e.kid === this.key.kid && e.suiteNumber === this.key.suiteNumber && K(e.secret, this.key.secret))
      throw new f("counter", "The same key again: its counters would come twice.");
    this.key = e, this.counter = 0n;
  }
  async encrypt(e) {
    const n = F(this.codec, e), i = this.counter++;
    if (i >= B) throw new f("counter", "No counter is left under this key.");
    return w(e.subarray(0, n), await this.key.seal(i, e.subarray(n), e.subarray(0, n)));
  }
}
const K = (t, e) => t.length === e.length && t.every((n, i) => n === e[i]);
class W {
  constructor(e = "none") {
    this.codec = e;
  }
  keys = /* @__PURE__ */ new Map();
  chains = /* @__PURE__ */ new Map();
  seen = /* @__PURE__ */ new Map();
  add(e) {
    const n = this.keys.get(e.kid);
    n && n.suiteNumber === e.suiteNumber && K(n.base, e.base) || (this.keys.set(e.kid, e), this.seen.delete(e.kid));
  }
  async follow(e) {
    this.chains.set(e.generation, e), this.add(await e.key());
  }
  drop(e) {
    this.keys.delete(e), this.seen.delete(e);
    for (const [n, i] of this.chains) i.kid === e && this.chains.delete(n);
  }
  async decrypt(e) {
    const n = F(this.codec, e), i = e.subarray(n), { kid: s, counter: a, end: o } = G(i);
    let r = null, c = this.keys.get(s);
    if (!c) {
      for (const O of this.chains.values()) if (r = await O.at(s)) break;
      if (!r) throw new f("unknown key", "A frame under a key that is not known here.");
      c = await r.key();
    }
    const { newest: h, before: l } = this.seen.get(s) ?? { newest: -1n, before: 0n }, u = h - a;
    if (u >= BigInt(v) || u >= 0n && l >> u & 1n) throw new f("replayed", "A frame that came before.");
    const y = await c.open(a, i, o, e.subarray(0, n));
    r && await this.follow(r);
    const d = a > h ? a : h, k = a > h ? a - h < BigInt(v) ? l << a - h : 0n : l;
    return this.seen.set(s, { newest: d, before: (k | 1n << d - a) & (1n << BigInt(v)) - 1n }), w(e.subarray(0, n), y);
  }
}
const P = 100, Y = "end", S = /* @__PURE__ */ new Map(), A = /* @__PURE__ */ new Map(), M = self, g = (t, e) => M.postMessage({ id: t, ...e });
M.onmessage = async ({ data: t }) => {
  try {
    t.kind === "protect" ? j(t) : t.kind === "resume" ? g(t.id, { kind: "resumed", allowed: S.get(t.id)?.watcher.resume(t.atS ?? _(t.id)) ?? !1 }) : t.kind === "counts" ? g(t.id, { kind: "counts", ...S.get(t.id)?.counts }) : await A.get(t.id)?.take(t);
  } catch (e) {
    g(t.id, { kind: "failed", name: e.name, message: e.message });
  }
};
const R = /* @__PURE__ */ new Map(), _ = (t) => R.get(t) ?? 0;
function j({ id: t, policy: e, lines: n, readable: i, writable: s }) {
  const a = new q(e, n, (r) => g(t, r), () => {
    for (const r of A.values()) r.hold?.(performance.now() + P);
  });
  S.set(t, a);
  const o = new TransformStream({
    async transform(r, c) {
      const h = r.timestamp / 1e6;
      R.set(t, h);
      let l;
      try {
        l = await a.arrive(h, () => D(r));
      } catch (d) {
        throw r.close(), d;
      }
      if (l === null) {
        c.enqueue(r);
        return;
      }
      const u = a.coverer.draw(r, r.displayWidth, r.displayHeight, l !== "blur"), y = new VideoFrame(u, { timestamp: r.timestamp });
      r.close(), c.enqueue(y), l === Y && c.terminate();
    }
  });
  i.pipeThrough(o).pipeTo(s).then(() => g(t, { kind: "ended", message: "The track has ended." }), (r) => g(t, { kind: "ended", message: String(r) })).finally(() => S.delete(t));
}
M.onrtctransform = ({ transformer: t }) => {
  const { id: e, direction: n, media: i, codec: s } = t.options, a = (r) => g(e, { kind: "dropped", direction: n, reason: r instanceof f ? r.kind : String(r) }), o = n === "send" ? z(e, i, s, t, a) : V(e, s, t, a);
  t.readable.pipeThrough(o).pipeTo(t.writable).catch(() => A.delete(e)), g(e, { kind: "ready" });
};
const x = (t) => new H(t.suite, t.base, BigInt(t.generation), t.step ?? 0);
function z(t, e, n, i, s) {
  let a = null, o = null, r = -1 / 0, c = !1;
  const h = [], l = () => i.generateKeyFrame?.().catch(() => {
  });
  return A.set(t, {
    async take(u) {
      if (u.kind === "keys") o = x(u.chains[0]);
      else if (u.kind === "ratchet" && o) o = await o.next();
      else if (u.kind === "times") {
        g(t, { kind: "times", times: h.splice(0) });
        return;
      }
      const y = await o.key();
      a ? a.use(y) : a = new L(y, n), g(t, { kind: "keyed", kid: String(y.kid) });
    },
    hold(u) {
      r = u, c = e === "video", setTimeout(() => l(), u - performance.now());
    }
  }), new TransformStream({
    async transform(u, y) {
      if (performance.now() < r) {
        s("held while a cover begins");
        return;
      }
      if (c) {
        if (u.type !== "key") {
          l(), s("waits for a key frame");
          return;
        }
        c = !1;
      }
      if (!a) {
        s("no key yet");
        return;
      }
      const d = u.getMetadata?.().mimeType;
      if (n === "vp8" && d && d.toLowerCase() !== "video/vp8") {
        s("codec");
        return;
      }
      try {
        const k = performance.now();
        u.data = (await a.encrypt(new Uint8Array(u.data))).buffer, h.length < 5e3 && h.push(performance.now() - k), y.enqueue(u);
      } catch (k) {
        s(k);
      }
    }
  });
}
function V(t, e, n, i) {
  const s = new W(e);
  let a = -1 / 0;
  return A.set(t, {
    async take(o) {
      if (o.kind === "keys") for (const r of o.chains) await s.follow(x(r));
      else o.kind === "drop" && s.drop(BigInt(o.kid));
      g(t, { kind: "keyed" });
    }
  }), new TransformStream({
    async transform(o, r) {
      try {
        o.data = (await s.decrypt(new Uint8Array(o.data))).buffer, r.enqueue(o);
      } catch (c) {
        i(c), performance.now() - a > 500 && (a = performance.now(), n.sendKeyFrameRequest?.().catch(() => {
        }));
      }
    }
  });
}
