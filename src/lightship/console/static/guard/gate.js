var Ut = Object.defineProperty;
var c = (s, t) => Ut(s, "name", { value: t, configurable: !0 });
class k extends Error {
  static {
    c(this, "GuardError");
  }
  constructor(t, e = "", n = "") {
    super([t, e && `(${e})`, n].filter(Boolean).join(" ")), this.what = t, this.where = e, this.todo = n, this.name = new.target.name;
  }
}
class v extends k {
  static {
    c(this, "PolicyError");
  }
  constructor(t, e = "", n = "", r = "policy") {
    super(t, e, n), this.kind = r;
  }
}
class _ extends k {
  static {
    c(this, "DetectorError");
  }
}
class Lt extends k {
  static {
    c(this, "NoCamera");
  }
}
class Ft extends k {
  static {
    c(this, "PermissionDenied");
  }
}
class tn extends k {
  static {
    c(this, "TrackEnded");
  }
}
class Rt extends k {
  static {
    c(this, "ModelBlocked");
  }
}
class en extends k {
  static {
    c(this, "TransformUnsupported");
  }
}
class zt extends k {
  static {
    c(this, "LogForked");
  }
}
class D extends k {
  static {
    c(this, "PackError");
  }
}
class nn extends D {
  static {
    c(this, "PackUnsigned");
  }
}
class sn extends D {
  static {
    c(this, "PackChanged");
  }
}
class rn extends D {
  static {
    c(this, "PackExpired");
  }
}
class qt extends D {
  static {
    c(this, "PackRolledBack");
  }
}
class Ht extends D {
  static {
    c(this, "PackUnlogged");
  }
}
class Q extends D {
  static {
    c(this, "LogDamaged");
  }
}
class on extends D {
  static {
    c(this, "ClockSkewed");
  }
}
class an extends D {
  static {
    c(this, "ConsentExceeded");
  }
}
class cn extends k {
  static {
    c(this, "FrameError");
  }
  constructor(t, e) {
    super(e, "SFrame"), this.kind = t;
  }
}
function ln(s) {
  const t = s instanceof Error ? s.name : "";
  return t === "NotAllowedError" || t === "SecurityError" ? new Ft("The camera may not be used.", "", "Allow it in the address bar, then try again.") : new Lt("There is no camera that can be used.", "", "Connect one, or close the app that has it.");
}
c(ln, "cameraError");
const Wt = 16, Gt = 8;
function Kt(s, t) {
  const e = Math.max(s, t), n = Math.min(Wt, Math.floor(e / Gt));
  return [Math.max(1, Math.round(n * s / e)), Math.max(1, Math.round(n * t / e))];
}
c(Kt, "grid");
const ut = /* @__PURE__ */ c((s) => s.getContext("2d"), "contextOf");
class Jt {
  static {
    c(this, "Coverer");
  }
  constructor(t, e) {
    this.title = t, this.lines = e;
  }
  full = new OffscreenCanvas(1, 1);
  small = new OffscreenCanvas(1, 1);
  /** Draw what leaves in place of a picture: at most 16 blocks a side are left of it, or a card. */
  draw(t, e, n, r, i = this.full) {
    (i.width !== e || i.height !== n) && (i.width = e, i.height = n);
    const o = ut(i);
    if (r)
      return this.card(o, e, n), i;
    const [a, l] = Kt(e, n);
    this.small.width = a, this.small.height = l;
    const h = ut(this.small);
    return h.imageSmoothingQuality = "high", h.drawImage(t, 0, 0, a, l), o.imageSmoothingQuality = "low", o.drawImage(this.small, 0, 0, a, l, 0, 0, e, n), i;
  }
  card(t, e, n) {
    t.fillStyle = "#18202c", t.fillRect(0, 0, e, n);
    const r = Math.min(e, n) / 14;
    for (let i = Math.max(e, n) / 18; i >= 6; i *= 0.9) {
      const o = this.rows(t, i, e - 2 * r), a = o.reduce((h, d) => h + d.high, 0);
      if (a > n - 2 * r) continue;
      let l = (n - a) / 2;
      for (const h of o)
        t.font = h.font, t.fillStyle = h.title ? "#ffffff" : "#ced8e4", t.fillText(h.text, r, l + h.size), l += h.high;
      return;
    }
  }
  rows(t, e, n) {
    const r = [], i = /* @__PURE__ */ c((o, a, l) => {
      const h = `${l ? 700 : 400} ${a}px system-ui, sans-serif`;
      t.font = h;
      let d = "";
      for (const g of [...o.split(" "), ""]) {
        const u = d ? `${d} ${g}` : g;
        if (g && t.measureText(u).width <= n) {
          d = u;
          continue;
        }
        d && r.push({ text: d, font: h, size: a, high: a * 1.35, title: l }), d = g;
      }
    }, "add");
    i(this.title, e, !0);
    for (const o of this.lines) i(o, e * 0.6, !1);
    return r;
  }
}
const T = 32, $ = 256, Vt = "Keep both checkpoints, use nothing of it, and tell the signers and the witnesses.", E = /* @__PURE__ */ c(async (...s) => {
  const t = new Uint8Array(s.reduce((n, r) => n + r.length, 0));
  let e = 0;
  for (const n of s)
    t.set(n, e), e += n.length;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", t));
}, "sha256"), Mt = /* @__PURE__ */ c((s) => E(Uint8Array.of(0), s), "leafHash"), C = /* @__PURE__ */ c((s, t) => E(Uint8Array.of(1), s, t), "node"), O = /* @__PURE__ */ c((s, t) => s.length === t.length && s.every((e, n) => e === t[n]), "same"), W = /* @__PURE__ */ c((s) => [...s].map((t) => t.toString(16).padStart(2, "0")).join(""), "hexOf"), hn = /* @__PURE__ */ c((s) => Uint8Array.from(s.match(/[0-9a-f]{2}/g) ?? [], (t) => parseInt(t, 16)), "unhex"), st = /* @__PURE__ */ c((s) => new TextEncoder().encode(s), "utf8");
function rt(s) {
  try {
    const t = atob(s);
    return btoa(t) === s ? Uint8Array.from(t, (e) => e.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}
c(rt, "unbase64");
async function vt(s, t, e) {
  const n = await crypto.subtle.importKey("raw", s, "Ed25519", !1, ["verify"]).catch((r) => {
    if (r.name === "NotSupportedError") throw U("This browser cannot verify Ed25519 signatures.", "Use a current browser.");
    return null;
  });
  return n !== null && t.length === 64 && crypto.subtle.verify("Ed25519", n, t, e);
}
c(vt, "signedBy");
const U = /* @__PURE__ */ c((s, t = "Do not use this pack; tell its signers.") => new Ht(s, "log", t), "refuse");
async function un(s, t = 1) {
  const [e, n, ...r] = s.trim().split("+"), i = rt(r.join("+"));
  if (!e || /\s/.test(e) || !i || i[0] !== t || i.length !== 1 + T || W((await E(st(`${e}
`), i)).slice(0, 4)) !== n)
    throw U(`This is no key, or does not fit its own hash: ${s.slice(0, 80)}.`);
  return { name: e, id: n, public: i.slice(1) };
}
c(un, "parseKey");
function $t(s) {
  const t = s.lastIndexOf(`

`), e = s.slice(t + 2).split(`
`), n = /* @__PURE__ */ c(() => U("This is not a signed note."), "malformed");
  if (t < 0 || e.pop() !== "" || !e.length || e.length > 100 || /[\0-\t\v-\x1f]/.test(s)) throw n();
  const r = e.map((i) => {
    const [o, a, l, ...h] = i.split(" "), d = rt(l ?? "");
    if (o !== "—" || !a || !d || d.length <= 4 || h.length) throw n();
    return { name: a, id: W(d.slice(0, 4)), signature: d.slice(4) };
  });
  return { text: s.slice(0, t + 1), signatures: r };
}
c($t, "parseNote");
async function Qt(s, t) {
  const e = s.signatures.filter((r) => r.name === t.name && r.id === t.id), n = await Promise.all(e.map((r) => vt(t.public, r.signature, st(s.text))));
  return e.length > 0 && n.every(Boolean);
}
c(Qt, "noteSignedBy");
async function fn(s, t) {
  const e = $t(s), [n, r, i] = e.text.split(`
`), o = rt(i ?? "");
  if (!await Qt(e, t)) throw U("The log has not signed this checkpoint.");
  if (!n || !/^(0|[1-9]\d{0,14})$/.test(r ?? "") || o?.length !== T) throw U("This signed note is not a checkpoint.");
  return { origin: n, size: Number(r), root: o };
}
c(fn, "openCheckpoint");
async function dn(s, t) {
  const e = $t(s), n = /* @__PURE__ */ new Map();
  for (const r of t)
    for (const { name: i, id: o, signature: a } of e.signatures) {
      if (i !== r.name || o !== r.id || a.length !== 72) continue;
      const l = Number(new DataView(a.buffer, a.byteOffset).getBigUint64(0));
      await vt(r.public, a.slice(8), st(`cosignature/v1
time ${l}
${e.text}`)) && n.set(i, l);
    }
  return n;
}
c(dn, "cosigned");
async function Yt(s, t, e, n, r) {
  if (!(0 <= t && t < e)) return !1;
  let i = BigInt(t), o = BigInt(e - 1), a = s;
  for (const l of n) {
    if (o === 0n) return !1;
    if (i & 1n || i === o)
      for (a = await C(l, a); i && !(i & 1n); )
        i >>= 1n, o >>= 1n;
    else a = await C(a, l);
    i >>= 1n, o >>= 1n;
  }
  return o === 0n && O(a, r);
}
c(Yt, "verifyInclusion");
async function Xt(s, t, e, n, r) {
  if (!(0 <= s && s <= e)) return !1;
  if (s === 0) return !r.length && O(t, await E());
  if (s === e) return !r.length && O(t, n);
  let i = BigInt(s - 1), o = BigInt(e - 1);
  const a = (BigInt(s) & i) === 0n ? [t, ...r] : [...r];
  if (!a.length) return !1;
  for (; i & 1n; )
    i >>= 1n, o >>= 1n;
  let l = a[0], h = a[0];
  for (const d of a.slice(1)) {
    if (o === 0n) return !1;
    if (i & 1n || i === o)
      for (l = await C(d, l), h = await C(d, h); i && !(i & 1n); )
        i >>= 1n, o >>= 1n;
    else h = await C(h, d);
    i >>= 1n, o >>= 1n;
  }
  return o === 0n && O(l, t) && O(h, n);
}
c(Xt, "verifyConsistency");
function ft(s, t, e) {
  const n = String(t), i = n.padStart(Math.ceil(n.length / 3) * 3, "0").match(/.../g).map((o, a, l) => a < l.length - 1 ? `x${o}` : o);
  return `tile/${s}/${i.join("/")}${e === $ ? "" : `.p/${e}`}`;
}
c(ft, "tilePath");
const K = /* @__PURE__ */ c((s) => {
  let t = 1;
  for (; t * 2 < s; ) t *= 2;
  return t;
}, "half");
class gn {
  static {
    c(this, "Tiles");
  }
  constructor(t, e) {
    this.read = t, this.size = e;
  }
  kept = /* @__PURE__ */ new Map();
  async tile(t, e) {
    const n = `${t}/${e}`, r = this.kept.get(n);
    if (r) return r;
    const i = Math.max(0, Math.min($, Math.floor(this.size / $ ** t) - e * $)), o = ft(t, e, i), a = await this.read(o) ?? (i < $ ? await this.read(ft(t, e, $)) : null);
    if (!a) throw new Q("A file of the log is missing.", o, "Copy it again.");
    if (a.length < i * T) throw new Q("A tile of the log is cut short.", o, "Copy it again.");
    const l = a.subarray(0, i * T);
    return this.kept.set(n, l), l;
  }
  /** The root of some entries that start where a subtree of their number may. */
  async subtree(t, e) {
    const n = e - t;
    if (n === 0) return E();
    let r = 0, i = 1;
    for (; i * $ <= n; )
      i *= $, r++;
    if (n === i) {
      const a = t / i, l = await this.tile(r, Math.floor(a / $)), h = a % $ * T;
      return l.subarray(h, h + T);
    }
    const o = t + K(n);
    return C(await this.subtree(t, o), await this.subtree(o, e));
  }
  root() {
    return this.subtree(0, this.size);
  }
  /** Where an entry is, the newest of its kind; null where it is not. */
  async find(t) {
    const e = await Mt(t);
    for (let n = Math.ceil(this.size / $) - 1; n >= 0; n--) {
      const r = await this.tile(0, n);
      for (let i = r.length / T - 1; i >= 0; i--)
        if (O(r.subarray(i * T, (i + 1) * T), e)) return n * $ + i;
    }
    return null;
  }
  async inclusionProof(t, e = 0, n = this.size) {
    if (n - e <= 1) return [];
    const r = e + K(n - e);
    return t < r ? [...await this.inclusionProof(t, e, r), await this.subtree(r, n)] : [...await this.inclusionProof(t, r, n), await this.subtree(e, r)];
  }
  async consistencyProof(t, e = 0, n = this.size, r = !0) {
    if (t === n || t === 0) return r ? [] : [await this.subtree(e, n)];
    const i = e + K(n - e);
    return t <= i ? [...await this.consistencyProof(t, e, i, r), await this.subtree(i, n)] : [...await this.consistencyProof(t, i, n, !1), await this.subtree(e, i)];
  }
}
const Y = /* @__PURE__ */ c(({ size: s, origin: t }) => new Q(`The tiles do not give the root that the checkpoint of ${s} entries signed.`, t, "Copy the log again."), "damaged");
async function mn(s, t, e) {
  const n = await e.find(s);
  if (n === null) {
    if (!O(await e.root(), t.root)) throw Y(t);
    return null;
  }
  const r = await e.inclusionProof(n);
  if (!await Yt(await Mt(s), n, t.size, r, t.root)) throw Y(t);
  return n;
}
c(mn, "included");
async function wn(s, t, e) {
  const n = /* @__PURE__ */ c((i) => new zt(i, t.origin, Vt), "forked");
  if (t.origin !== s.origin) throw n(`The log ${t.origin} was shown in place of ${s.origin}.`);
  if (t.size === s.size && !O(t.root, s.root)) throw n(`Two logs of ${t.size} entries contradict each other.`);
  if (t.size < s.size)
    throw new qt(`The log has ${t.size} entries, and this device has seen ${s.size}.`, t.origin, "Copy it again from a place that is up to date.");
  const r = s.size === t.size || s.size === 0 ? [] : await e.consistencyProof(s.size);
  if (!await Xt(s.size, s.root, t.size, t.root, r))
    throw O(await e.root(), t.root) ? n(`The log of ${t.size} entries does not extend the ${s.size} that this device saw.`) : Y(t);
}
c(wn, "checkExtends");
function _t(s, t) {
  let e = 0;
  const n = /* @__PURE__ */ c((m) => {
    throw new v(`The policy is not TOML: ${m} (line ${s.slice(0, e).split(`
`).length}).`, t, "Correct the line.", "not toml");
  }, "fail"), r = /* @__PURE__ */ c((m) => {
    m.lastIndex = e, e += m.exec(s)?.[0].length ?? 0;
  }, "blanks"), i = /* @__PURE__ */ c(() => r(/[ \t]*/y), "space"), o = /* @__PURE__ */ c(() => r(/(?:[ \t\r\n]|#[^\n]*)*/y), "empty"), a = /* @__PURE__ */ c((m) => {
    m.lastIndex = e;
    const f = m.exec(s)?.[0];
    return f !== void 0 && (e += f.length), f;
  }, "take"), l = /* @__PURE__ */ c(() => {
    const m = a(/[A-Za-z0-9_-]+/y);
    return m !== void 0 ? m : s[e] === '"' || s[e] === "'" ? g() : n("a key is missing");
  }, "key"), h = /* @__PURE__ */ c(() => {
    const m = [l()];
    for (i(); s[e] === "."; i())
      e++, i(), m.push(l());
    return m;
  }, "path"), d = /* @__PURE__ */ c((m, f, w) => {
    const p = f.at(-1);
    for (const b of f.slice(0, -1)) {
      Object.hasOwn(m, b) || (m[b] = {});
      const A = m[b];
      (typeof A != "object" || Array.isArray(A)) && n(`${b} is no table`), m = A;
    }
    Object.hasOwn(m, p) && n(`${p} is given twice`), Object.defineProperty(m, p, { value: w, enumerable: !0, writable: !0, configurable: !0 });
  }, "put"), g = /* @__PURE__ */ c(() => {
    if (s.startsWith('"""', e) || s.startsWith("'''", e)) return n("text of several lines is not used here");
    const m = a(/"(?:[^"\\\n]|\\.)*"/y);
    if (m !== void 0) {
      const p = m.replace(/\\U([0-9a-fA-F]{8})/g, (b, A) => String.fromCodePoint(parseInt(A, 16)));
      try {
        return JSON.parse(p);
      } catch {
        return n("the text has an unknown escape");
      }
    }
    const f = a(/'[^'\n]*'/y);
    if (f !== void 0) return f.slice(1, -1);
    if (a(/\[/y)) {
      const p = [];
      for (o(); s[e] !== "]"; o())
        if (p.push(g()), o(), !a(/,/y) && s[e] !== "]") return n("a list does not end");
      return e++, p;
    }
    if (a(/\{/y)) {
      const p = {};
      for (i(); s[e] !== "}"; i()) {
        const b = h();
        if (i(), !a(/=/y)) return n("= is missing");
        if (i(), d(p, b, g()), i(), !a(/,/y) && s[e] !== "}") return n("a table does not end");
      }
      return e++, p;
    }
    const w = a(/[^\s,\]}#]+/y) ?? "";
    return w === "true" || w === "false" ? w === "true" : /^[+-]?(0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d+)?$/.test(w) ? Number(w.replaceAll("_", "")) : /^[+-]?inf$/.test(w) ? w.startsWith("-") ? -1 / 0 : 1 / 0 : n(`'${w}' is no value`);
  }, "value"), u = {};
  let y = u;
  for (o(); e < s.length; o()) {
    const m = a(/\[\[/y), f = m ? void 0 : a(/\[/y);
    if (m || f) {
      i();
      const w = h();
      i(), a(m ? /\]\]/y : /\]/y) || n("a heading does not end");
      let p = u;
      w.forEach((b, A) => {
        const R = A === w.length - 1;
        if (R && m) {
          Object.hasOwn(p, b) || (p[b] = []);
          const P = p[b];
          if (!Array.isArray(P)) return n(`${b} is no list`);
          p = {}, P.push(p);
          return;
        }
        R && Object.hasOwn(p, b) && n(`${b} is given twice`), Object.hasOwn(p, b) || (p[b] = {});
        const B = p[b];
        p = Array.isArray(B) ? B.at(-1) : B, typeof p != "object" && n(`${b} is no table`);
      }), y = p;
    } else {
      const w = h();
      i(), a(/=/y) || n("= is missing"), i(), d(y, w, g());
    }
    i(), a(/#[^\n]*/y), e < s.length && !a(/\r?\n/y) && n("something follows the value");
  }
  return u;
}
c(_t, "parseToml");
function Zt(s, t) {
  const e = /* @__PURE__ */ c((u) => new _(`The model card is refused: ${u}.`, `card ${t}`, "Correct the card."), "refuse"), n = _t(s, `card ${t}`), r = n.input ?? {}, i = n.output ?? {}, o = /* @__PURE__ */ c((u, y, m, f) => {
    const w = u[y] ?? f;
    if (w === void 0 || !m(w)) throw e(`${y} is missing or of the wrong kind`);
    return w;
  }, "take"), a = /* @__PURE__ */ c((...u) => (y) => u.includes(y), "oneOf"), l = /* @__PURE__ */ c((u) => Number.isInteger(u) && u >= 1 && u <= 4096, "size"), h = /* @__PURE__ */ c((u) => Array.isArray(u) && u.length === 3 && u.every((y) => Number.isFinite(y)), "three"), d = /* @__PURE__ */ c((u) => Array.isArray(u) && u.length > 0 && u.every((y) => typeof y == "string" && y !== ""), "words"), g = {
    name: t,
    sha256: o(n, "sha256", (u) => typeof u == "string" && /^[0-9a-f]{64}$/.test(u)),
    width: o(r, "width", l),
    height: o(r, "height", l),
    layout: o(r, "layout", a("NCHW", "NHWC")),
    colours: o(r, "colours", a("RGB", "BGR")),
    scale: o(r, "scale", (u) => u > 0),
    mean: o(r, "mean", h),
    std: o(r, "std", h),
    fit: o(r, "fit", a("stretch", "letterbox-top-left")),
    decoding: o(i, "decoding", a("classifier-softmax", "classifier-sigmoid", "classifier", "yolo")),
    floor: o(i, "floor", (u) => u >= 0 && u <= 1, 0),
    labels: o(i, "labels", d),
    counts: o(i, "counts", d)
  };
  if (g.std.includes(0) || !g.counts.every((u) => g.labels.includes(u))) throw e("std holds a zero, or counts names what labels does not");
  return g;
}
c(Zt, "parseCard");
function te(s, t, e, n) {
  const r = n.fit === "stretch" ? null : Math.min(n.width / t, n.height / e), i = r === null ? n.width : Math.max(1, Z(t * r)), o = r === null ? n.height : Math.max(1, Z(e * r)), a = dt(t, i), l = dt(e, o), h = n.width * n.height, d = new Float32Array(3 * h);
  for (let g = 0; g < n.height; g++)
    for (let u = 0; u < n.width; u++)
      for (let y = 0; y < 3; y++) {
        let m = 0;
        if (g < o && u < i) {
          const [p, b, A] = a[u], [R, B, P] = l[g], lt = /* @__PURE__ */ c((ht) => s[4 * (ht * t + p) + y] * (X - A) + s[4 * (ht * t + b) + y] * A >> 4, "line");
          m = ((X - P) * lt(R) >> 16) + (P * lt(B) >> 16) + 2 >> 2;
        }
        const f = n.colours === "RGB" ? y : 2 - y, w = (m * n.scale - n.mean[f]) / n.std[f];
        d[n.layout === "NCHW" ? f * h + g * n.width + u : 3 * (g * n.width + u) + f] = w;
      }
  return d;
}
c(te, "tensorOf");
const X = 2048, Z = /* @__PURE__ */ c((s) => {
  const t = Math.round(s);
  return Math.abs(s % 1) === 0.5 && t % 2 ? t - 1 : t;
}, "roundEven"), dt = /* @__PURE__ */ c((s, t) => Array.from({ length: t }, (e, n) => {
  const r = (n + 0.5) * s / t - 0.5, i = Math.floor(r);
  return i < 0 ? [0, 0, 0] : i >= s - 1 ? [s - 1, s - 1, 0] : [i, i + 1, Z((r - i) * X)];
}), "places");
function ee(s, t, e) {
  const n = Array.from(s, Number), r = `card ${e.name}`;
  if (!n.every(Number.isFinite)) throw new _("The model gives scores that are not numbers.", r, "Check the card's [input], or take another model.");
  let i;
  if (e.decoding === "yolo") {
    const o = t.at(-1);
    if (n.length !== (4 + e.labels.length) * o) throw new _(`The model gives ${n.length / o} rows, the card's labels ask for ${4 + e.labels.length}.`, r);
    i = e.labels.map((a, l) => {
      const h = n.slice((4 + l) * o, (5 + l) * o).reduce((d, g) => Math.max(d, g), -1 / 0);
      return h >= e.floor ? h : 0;
    });
  } else {
    if (n.length !== e.labels.length) throw new _(`The model gives ${n.length} scores, the card has ${e.labels.length} labels.`, r);
    const o = Math.max(...n), a = n.reduce((l, h) => l + Math.exp(h - o), 0);
    i = n.map((l) => e.decoding === "classifier-softmax" ? Math.exp(l - o) / a : e.decoding === "classifier-sigmoid" ? 1 / (1 + Math.exp(-l)) : l);
  }
  return Math.max(...e.counts.map((o) => i[e.labels.indexOf(o)]));
}
c(ee, "scoreOf");
class it {
  static {
    c(this, "Exposure");
  }
  constructor(t, e, n) {
    this.card = t, this.session = e, this.runtime = n, this.version = `sha256:${t.sha256}`;
  }
  name = "exposure";
  evidence = "calibrated";
  version;
  /** Load a model whose digest its card names; nothing is fetched but what the runtime's own address brings. */
  static async load(t, e, n, r) {
    const i = Zt(t, e), o = W(await E(n));
    if (o !== i.sha256)
      throw new _(`The model has the digest ${o.slice(0, 12)}…, the card says ${i.sha256.slice(0, 12)}…: it is another model or corrupt.`, `card ${e}`, "Give the model that the card names.");
    let a, l;
    try {
      a = typeof r == "string" ? await import(
        /* @vite-ignore */
        r
      ) : r, a.env.wasm.numThreads = 1, l = await a.InferenceSession.create(n, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    } catch (d) {
      throw new Rt(
        `The model cannot be run here: ${String(d).split(`
`)[0]}`,
        `card ${e}`,
        "Serve onnxruntime-web's files from the page's own address, and allow 'wasm-unsafe-eval' in script-src."
      );
    }
    const h = new it(i, l, a);
    try {
      await h.look({ data: new Uint8ClampedArray(4 * i.width * i.height).fill(128), width: i.width, height: i.height });
    } catch (d) {
      throw d instanceof _ ? d : new _(`The model does not take what the card describes: ${String(d).split(`
`)[0]}`, `card ${e}`, "Correct the card's [input].");
    }
    return h;
  }
  async look({ data: t, width: e, height: n }) {
    const { card: r } = this, i = r.layout === "NCHW" ? [1, 3, r.height, r.width] : [1, r.height, r.width, 3], o = (await this.session.run({ [this.session.inputNames[0]]: new this.runtime.Tensor("float32", te(t, e, n, r), i) }))[this.session.outputNames[0]];
    return [["exposure", "exposed", ee(o.data, o.dims, r)]];
  }
}
const x = 64, I = 16, ne = 5, z = /* @__PURE__ */ new Map();
function gt(s) {
  const t = z.get(s);
  if (t) return t;
  const e = Math.ceil(s / 128), n = Math.floor((e + 2) / 2), r = /* @__PURE__ */ c((o) => [Math.max(0, o - (e - n)), Math.min(s, o + n)], "box"), i = [];
  for (let o = 0; o < x; o++) {
    const [a, l] = r(Math.floor((o + 0.5) * s / x)), h = r(a)[0], d = r(l - 1)[1], g = new Float64Array(d - h);
    for (let u = a; u < l; u++) {
      const [y, m] = r(u);
      for (let f = y; f < m; f++) g[f - h] += 1 / ((l - a) * (m - y));
    }
    i.push({ first: h, weights: Float32Array.from(g) });
  }
  return z.size > 8 && z.clear(), z.set(s, i), i;
}
c(gt, "operator");
const mt = Float64Array.from({ length: I * x }, (s, t) => Math.sqrt(2 / x) * Math.cos(Math.PI / (2 * x) * (Math.floor(t / x) + 1) * (2 * (t % x) + 1)));
function kt(s, t, e, n = t) {
  const r = new Uint32Array(8);
  if (Math.min(t, e) < ne) return { hash: r, quality: 0 };
  const i = gt(e), o = gt(t), a = new Float64Array(x * x), l = new Float64Array(t);
  for (let h = 0; h < x; h++) {
    l.fill(0);
    const { first: d, weights: g } = i[h];
    for (let u = 0; u < g.length; u++) {
      const y = g[u], m = (d + u) * n;
      for (let f = 0; f < t; f++) l[f] += y * s[m + f];
    }
    for (let u = 0; u < x; u++) {
      const y = o[u];
      let m = 0;
      for (let f = 0; f < y.weights.length; f++) m += y.weights[f] * l[y.first + f];
      a[h * x + u] = m;
    }
  }
  return { hash: se(a, r), quality: re(a) };
}
c(kt, "pdq");
function se(s, t) {
  const e = new Float64Array(I * x), n = new Float64Array(I * I);
  for (let i = 0; i < I; i++)
    for (let o = 0; o < x; o++) {
      const a = mt[i * x + o];
      for (let l = 0; l < x; l++) e[i * x + l] += a * s[o * x + l];
    }
  for (let i = 0; i < I; i++)
    for (let o = 0; o < I; o++) {
      let a = 0;
      for (let l = 0; l < x; l++) a += e[i * x + l] * mt[o * x + l];
      n[i * I + o] = a;
    }
  const r = Float64Array.from(n).sort()[127];
  for (let i = 0; i < 256; i++)
    n[i] > r && (t[7 - (i >> 5)] |= 1 << (i & 31));
  return t;
}
c(se, "hashOf");
function re(s) {
  let t = 0;
  for (let e = 0; e < x; e++)
    for (let n = 0; n < x; n++) {
      const r = s[e * x + n];
      n + 1 < x && (t += Math.trunc(Math.abs(s[e * x + n + 1] - r) * 100 / 255)), e + 1 < x && (t += Math.trunc(Math.abs(s[(e + 1) * x + n] - r) * 100 / 255));
    }
  return Math.min(100, Math.floor(t / 90));
}
c(re, "qualityOf");
const ie = 31, At = 50, oe = 70, ae = 20, ce = 80, le = 90, J = `lightship list 1
pdq `;
function he(s, t, e, n, r) {
  const i = s.bits.findIndex((g) => g >= t), o = s.qualities.filter((g) => g <= e).length - 1;
  if (e < At || i < 0 || o < 0) return 0;
  const a = Math.max(1, n) / s.entries, l = s.scenes[o] + 1, h = (s.matched[o][i] + 1) / l, d = a >= 1 ? Math.min(1, h * a) : Math.min(h, (s.pairs[o][i] + 1) / l * a);
  return Math.min(e < oe ? ae : r < 2 ? ce : le, -10 * Math.log10(d));
}
c(he, "weightDb");
class ot {
  static {
    c(this, "KnownList");
  }
  constructor(t, e, n, r) {
    this.name = t, this.digest = e, this.words = n, this.reference = r;
  }
  get size() {
    return this.words.length / 8;
  }
  static async read(t, e) {
    const n = /* @__PURE__ */ c((p) => new _(`The list cannot be used: ${p}.`, `list ${t}`, "Ask for it again."), "refuse"), r = new TextDecoder().decode(e.subarray(0, 64)), i = /^(\d{1,9})\n/.exec(r.slice(J.length));
    if (!r.startsWith(J) || !i) throw n("it is no list of PDQ hashes");
    const o = Number(i[1]), a = J.length + i[0].length, l = a, h = l + 33 * o, d = h + 8 * o;
    if (e.length < d) throw n("it is cut short");
    const g = new DataView(e.buffer, e.byteOffset, e.byteLength), u = /* @__PURE__ */ c((p) => p < 0 ? 0 : Number(g.getBigInt64(h + 8 * p, !0)), "end"), y = d + u(o - 1), m = y + 12 * o;
    if (e.length < m || o > 0 && e.length !== m + Number(g.getBigInt64(y + 8 * (o - 1), !0))) throw n("it is cut short, or holds more than PDQ hashes");
    const f = Uint32Array.from({ length: 8 * o }, (p, b) => g.getUint32(l + 4 * b)), w = `sha256:${W(await E(e))}`;
    return new ot(t, w, f, (p) => new TextDecoder().decode(e.subarray(d + u(p - 1), d + u(p))));
  }
  nearest(t) {
    let e = ie + 1, n = -1;
    for (let r = 0; r < this.words.length; r += 8) {
      let i = 0;
      for (let o = 0; o < 8 && i < e; o++) i += ue(this.words[r + o] ^ t[o]);
      i < e && (e = i, n = r / 8);
    }
    return n < 0 ? null : { reference: this.reference(n), distance: e };
  }
}
function ue(s) {
  return s -= s >>> 1 & 1431655765, s = (s & 858993459) + (s >>> 2 & 858993459), Math.imul(s + (s >>> 4) & 252645135, 16843009) >>> 24;
}
c(ue, "bits");
class fe {
  static {
    c(this, "KnownMedia");
  }
  constructor(t, e) {
    this.lists = t, this.chance = e, this.version = t.map((n) => n.digest.slice(7, 19)).join("+"), this.entries = t.reduce((n, r) => n + r.size, 0);
  }
  name = "known-media";
  evidence = "analytic";
  version;
  entries;
  /** The nearest match of a picture as it is, else of its mirror image; each has half of the chance. */
  match(t, e, n, r, i) {
    if (i.quality < At) return null;
    const o = this.search(i.hash, i.quality);
    if (o) return o;
    const a = new Uint8Array(e * n);
    for (let l = 0; l < n; l++)
      for (let h = 0; h < e; h++) a[l * e + h] = t[l * r + e - 1 - h];
    return this.search(kt(a, e, n).hash, i.quality);
  }
  read(t, e) {
    const n = this.match(t.pixels, t.width, t.height, t.stride, e);
    return n ? [["known-media", "known-media", n.weightDb]] : [];
  }
  search(t, e) {
    const n = this.lists.flatMap((r) => {
      const i = r.nearest(t);
      return i ? [{ list: r.name, ...i }] : [];
    }).sort((r, i) => r.distance - i.distance);
    return n.length ? { ...n[0], weightDb: he(this.chance, n[0].distance, e, 2 * this.entries, n.length) } : null;
  }
}
const M = 8, de = 26, ge = 100, me = 360, we = 20, wt = ["100110", "100101", "001111", "011001", "110011", "110011"], St = /* @__PURE__ */ new Set();
for (let s of [wt, wt.map((t) => [...t].reverse().join(""))])
  for (let t = 0; t < 4; t++)
    St.add(s.join("")), s = s.map((e, n) => s.map((r) => r[5 - n]).join(""));
const Tt = /* @__PURE__ */ c((s) => -10 * Math.log10(s * 8 / 2 ** 36), "boundDb"), pe = Math.round(Tt(ge) * 10) / 10;
function ye(s, t, e, n = t) {
  if (Math.min(t, e) < 16) return null;
  const { pixels: r, w: i, h: o } = be(s, t, e, n), a = xe(r, i, o);
  let l = 0, h = !1;
  for (const d of [Math.max(5, o >> 5), Math.max(12, o >> 3)])
    for (const g of ve(Me(r, a, i, o, d), i, o))
      l++, h ||= ke(a, i, o, g);
  return h ? Math.min(pe, Tt(l)) : null;
}
c(ye, "findCard");
function be(s, t, e, n) {
  const r = Math.max(1, Math.floor(e / me)), i = Math.floor(t / r), o = Math.floor(e / r), a = new Uint8Array(i * o);
  for (let l = 0; l < o; l++)
    for (let h = 0; h < i; h++) {
      let d = 0;
      for (let g = 0; g < r; g++) for (let u = 0; u < r; u++) d += s[(l * r + g) * n + h * r + u];
      a[l * i + h] = d / (r * r);
    }
  return { pixels: a, w: i, h: o };
}
c(be, "shrunk");
function xe(s, t, e) {
  const n = new Uint32Array((t + 1) * (e + 1));
  for (let r = 0; r < e; r++) {
    let i = 0;
    for (let o = 0; o < t; o++)
      i += s[r * t + o], n[(r + 1) * (t + 1) + o + 1] = n[r * (t + 1) + o + 1] + i;
  }
  return n;
}
c(xe, "integral");
function Ot(s, t, e, n, r, i, o) {
  n = Math.max(0, n), r = Math.max(0, r), i = Math.min(t, i), o = Math.min(e, o);
  const a = t + 1;
  return (s[o * a + i] - s[r * a + i] - s[o * a + n] + s[r * a + n]) / Math.max(1, (i - n) * (o - r));
}
c(Ot, "mean");
function Me(s, t, e, n, r) {
  const i = new Uint8Array(e * n);
  for (let o = 0; o < n; o++)
    for (let a = 0; a < e; a++)
      s[o * e + a] + 7 < Ot(t, e, n, a - r, o - r, a + r + 1, o + r + 1) && (i[o * e + a] = 1);
  return i;
}
c(Me, "dark");
function* ve(s, t, e) {
  const n = new Int32Array(t * e);
  for (let r = 0; r < s.length; r++) {
    if (s[r] !== 1) continue;
    let i = 0, o = 0, a = t, l = 0, h = e, d = 0;
    n[i++] = r, s[r] = 2;
    const g = /* @__PURE__ */ new Map();
    for (; i; ) {
      const f = n[--i], w = f % t, p = (f - w) / t;
      o++, a = Math.min(a, w), l = Math.max(l, w), h = Math.min(h, p), d = Math.max(d, p);
      const b = g.get(p);
      b ? (w < b[0] && (b[0] = w), w > b[1] && (b[1] = w)) : g.set(p, [w, w]), w > 0 && s[f - 1] === 1 && (s[f - 1] = 2, n[i++] = f - 1), w + 1 < t && s[f + 1] === 1 && (s[f + 1] = 2, n[i++] = f + 1), p > 0 && s[f - t] === 1 && (s[f - t] = 2, n[i++] = f - t), p + 1 < e && s[f + t] === 1 && (s[f + t] = 2, n[i++] = f + t);
    }
    if (Math.min(l - a, d - h) < we || o < 60) continue;
    const u = [];
    for (const [f, [w, p]] of g) u.push([w, f], [w, f + 1], [p + 1, f], [p + 1, f + 1]);
    const y = $e(u), m = _e(y);
    m && tt(m) > 0.85 * tt(y) && (yield m);
  }
}
c(ve, "quads");
function $e(s) {
  s.sort((n, r) => n[0] - r[0] || n[1] - r[1]);
  const t = /* @__PURE__ */ c((n, r, i) => (r[0] - n[0]) * (i[1] - n[1]) - (r[1] - n[1]) * (i[0] - n[0]), "turn"), e = /* @__PURE__ */ c((n) => {
    const r = [];
    for (const i of n) {
      for (; r.length > 1 && t(r[r.length - 2], r[r.length - 1], i) <= 0; ) r.pop();
      r.push(i);
    }
    return r.pop(), r;
  }, "half");
  return [...e(s), ...e([...s].reverse())];
}
c($e, "convexHull");
function _e(s) {
  if (s.length < 4) return null;
  const t = /* @__PURE__ */ c((a) => s.reduce((l, h) => Math.hypot(h[0] - a[0], h[1] - a[1]) > Math.hypot(l[0] - a[0], l[1] - a[1]) ? h : l), "far"), e = t(s[0]), n = t(e), r = /* @__PURE__ */ c((a) => (n[0] - e[0]) * (a[1] - e[1]) - (n[1] - e[1]) * (a[0] - e[0]), "side"), i = s.reduce((a, l) => r(l) > r(a) ? l : a), o = s.reduce((a, l) => r(l) < r(a) ? l : a);
  return r(i) > 0 && r(o) < 0 ? [e, i, n, o] : null;
}
c(_e, "fourCorners");
function tt(s) {
  let t = 0;
  return s.forEach((e, n) => {
    const r = s[(n + 1) % s.length];
    t += e[0] * r[1] - r[0] * e[1];
  }), Math.abs(t) / 2;
}
c(tt, "area");
function ke(s, t, e, n) {
  const r = Ae(n), i = Math.max(0, Math.floor(Math.sqrt(tt(n)) / M / 4)), o = Array.from({ length: M * M }, (h, d) => {
    const [g, u] = r((d % M + 0.5) / M, (Math.floor(d / M) + 0.5) / M).map(Math.floor);
    return Ot(s, t, e, g - i, u - i, g + i + 1, u + i + 1);
  }), a = (Math.min(...o) + Math.max(...o)) / 2;
  if (Math.max(...o) - Math.min(...o) < 30) return !1;
  const l = /* @__PURE__ */ c((h) => h < M || h >= M * (M - 1) || h % M === 0 || h % M === M - 1, "rim");
  return o.filter((h, d) => l(d) && h < a).length < de ? !1 : St.has(o.filter((h, d) => !l(d)).map((h) => h < a ? "0" : "1").join(""));
}
c(ke, "reads");
function Ae([s, t, e, n]) {
  const r = s[0] - t[0] + e[0] - n[0], i = s[1] - t[1] + e[1] - n[1], o = t[0] - e[0], a = n[0] - e[0], l = t[1] - e[1], h = n[1] - e[1], d = o * h - a * l, g = (r * h - a * i) / d, u = (o * i - r * l) / d;
  return (y, m) => {
    const f = g * y + u * m + 1;
    return [
      ((t[0] - s[0] + g * t[0]) * y + (n[0] - s[0] + u * n[0]) * m + s[0]) / f,
      ((t[1] - s[1] + g * t[1]) * y + (n[1] - s[1] + u * n[1]) * m + s[1]) / f
    ];
  };
}
c(Ae, "homography");
const L = /* @__PURE__ */ c((s) => s > 0 ? 10 * Math.log10(s) : -1 / 0, "decibans");
function Se(s) {
  if (s >= 1 - 1e-4) return 0.5 + (1 - s) / 6;
  const t = Math.log(s);
  return (1 - s + s * t) / (s * t * t);
}
c(Se, "smoothEvalue");
class G {
  static {
    c(this, "Calibrator");
  }
  constructor(t, e) {
    this.alarmAlpha = t, this.finestAlpha = e;
  }
  static forRung(t, e) {
    const n = 1 / (e + 1);
    return new G(Math.max(1 / (4 * t), n), n);
  }
  evalue(t) {
    let e = 0.5 * Se(t);
    for (const n of [this.alarmAlpha, this.finestAlpha]) t <= n * (1 + 1e-12) && (e += 0.25 / n);
    return e;
  }
}
const V = 0.8;
function Te(s, t) {
  return s <= 0 ? V : V + (1 - V) / (t * Math.pow(10, -s / 10));
}
c(Te, "analyticEvalue");
const Oe = /* @__PURE__ */ c((s) => L(6 / (Math.PI * s) ** 2), "sceneShareDb");
function It(s, t) {
  const e = [];
  let n = 0, r = -1 / 0;
  return s.maxima.forEach((i, o) => {
    r = Math.max(r, i), n += s.lengths_s[o], n >= t - 1e-6 && (e.push(r), n = 0, r = -1 / 0);
  }), !e.length && s.maxima.length && e.push(r), e;
}
c(It, "merged");
class q {
  static {
    c(this, "Calibration");
  }
  constructor(t, e, n, r) {
    this.detector = t, this.detectorVersion = e, this.sampleFps = n, this.streams = r;
  }
  sorted = /* @__PURE__ */ new Map();
  static fromJson(t) {
    if (!(t?.format === "lightship.calibration/1" && Array.isArray(t.streams) && t.streams.every((n) => n.maxima?.length === n.lengths_s?.length && [...n.maxima, ...n.lengths_s].every(Number.isFinite) && n.lengths_s.every((r) => r > 0)) && t.streams.some((n) => n.maxima.length))) throw new v("The calibration cannot be read.", "calibration", "Make it again.");
    return new q(t.detector, t.detector_version, t.sample_fps, t.streams);
  }
  get hours() {
    return this.streams.reduce((t, e) => t + e.lengths_s.reduce((n, r) => n + r, 0), 0) / 3600;
  }
  maxima(t) {
    let e = this.sorted.get(t);
    return e || (e = Float64Array.from(this.streams.flatMap((n) => It(n, t))).sort(), this.sorted.set(t, e)), e;
  }
  pValue(t, e) {
    const n = this.maxima(e);
    let r = 0, i = n.length;
    for (; r < i; ) {
      const o = r + i >> 1;
      n[o] < t ? r = o + 1 : i = o;
    }
    return (1 + n.length - r) / (n.length + 1);
  }
  without(t) {
    return new q(this.detector, this.detectorVersion, this.sampleFps, this.streams.filter((e) => e !== t));
  }
}
const Ie = {
  name: "test-card",
  version: "aruco-6x6/23+mirrored",
  evidence: "analytic",
  read: /* @__PURE__ */ c(({ pixels: s, width: t, height: e, stride: n }) => {
    const r = ye(s, t, e, n);
    return r === null ? [] : [["test-card", "test-card", r]];
  }, "read")
};
async function De(s, t = {}) {
  const e = { sensors: [], models: [], calibrations: /* @__PURE__ */ new Map(), absent: [] };
  for (const n of s.detectors)
    try {
      await Ee(n, t, e);
    } catch (r) {
      if (n.required || !(r instanceof j)) throw r instanceof j ? new _(`The policy requires the detector ${n.name}: ${r.message}.`, `policy ${s.name}`, "Bring it, or use a policy whose detectors are here.") : r;
      e.absent.push({ detector: n.name, reason: r.message });
    }
  if (!e.sensors.length && !e.models.length)
    throw new _("No detector that gives evidence is here, so there is nothing to watch with.", `policy ${s.name}`, e.absent.map((n) => `${n.detector}: ${n.reason}.`).join(" "));
  return e;
}
c(De, "equip");
class j extends Error {
  static {
    c(this, "Missing");
  }
}
async function Ee(s, { files: t = {}, runtime: e, models: n = {}, lists: r = {} }, i) {
  const o = /* @__PURE__ */ c((a) => {
    if (!Object.hasOwn(t, a)) throw new j(`the app brought no ${a}`);
    return t[a];
  }, "file");
  switch (s.name) {
    case "test-card":
      i.sensors.push(Ie);
      return;
    case "known-media": {
      if (!Object.keys(r).length) throw new j("the app brought no list");
      const a = JSON.parse(o("calibrations/pdq-chance.json")), l = await Promise.all(Object.entries(r).map(async ([h, d]) => {
        const g = await ot.read(h, d), u = t[`lists/${h}.manifest`];
        if (!u || JSON.parse(u.split(`
`)[1]).digest !== g.digest)
          throw new _("The list is none that the pack vouches for, or another version of it.", `list ${h}`, "Refresh the list and the packs.");
        return g;
      }));
      i.sensors.push(new fe(l, a));
      return;
    }
    case "exposure": {
      const a = String(s.options.card ?? ""), l = Object.hasOwn(n, a) ? n[a] : null;
      if (!l || !e) throw new j("the app brought no model, or no onnxruntime-web to run it");
      const h = o(`cards/${a}.toml`), d = q.fromJson(JSON.parse(o(`calibrations/${s.calibration}.json`)));
      i.models.push(await it.load(h, a, l, e)), i.calibrations.set(s.name, d);
      return;
    }
    default:
      throw new j("not in the browser's build");
  }
}
c(Ee, "load");
const Dt = 2, je = 60, Ne = 31;
function Ce(s, t = "budget") {
  const e = { second: 1, minute: 60, hour: 3600, day: 86400, month: 2592e3 }, n = s.trim().split(/\s+/), r = /* @__PURE__ */ c((h) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(h ?? "") ? Number(h) : NaN, "number"), i = n.slice(2), o = r(n[0]), a = (i.length > 1 ? r(i[0]) : 1) * (e[(i.at(-1) ?? "").replace(/s$/, "")] ?? NaN);
  if (!(n[1] === "per" && n.length <= 4 && o > 0 && a > 0 && isFinite(o) && isFinite(a))) throw new v(`'${s}' is not an alarm budget.`, t, 'Write it like "1 per hour".', "budget");
  return a / o;
}
c(Ce, "meanTimeS");
const Et = /* @__PURE__ */ c((s, t) => Math.max(2, s / t), "thresholdOf");
function jt(s, t, e) {
  return e === "cusum" ? t + Math.max(0, s) : s < 300 ? t + 10 * Math.log10(1 + 10 ** (s / 10)) : t + s;
}
c(jt, "advance");
function Be(s, t) {
  let e = 0;
  for (let n = 0; n < 8; n++) for (let r = (s[n] ^ t[n]) >>> 0; r; r &= r - 1) e++;
  return e;
}
c(Be, "bitsApart");
const N = /* @__PURE__ */ c((s, t) => s === null || t === null ? s !== t : Be(s, t) > Ne, "differ");
class F {
  static {
    c(this, "BaseBlock");
  }
  constructor(t, e, n = e, r = 1, i = []) {
    this.beganS = t, this.picture = e, this.latest = n, this.pictures = r, this.hits = i;
  }
  over(t, e) {
    const n = t - this.beganS;
    return n >= je || n >= Dt && N(this.picture, e);
  }
  seen(t) {
    return N(this.latest, t) ? new F(this.beganS, this.picture, t, this.pictures + 1) : this;
  }
  /** The block after evidence in one of its pictures. */
  hit(t, e) {
    const n = this.hits.filter(([r, i]) => i > e || i === e && N(r, t));
    return n.some(([r]) => !N(r, t)) ? this : new F(this.beganS, this.picture, this.latest, this.pictures, [...n, [t, e]]);
  }
}
class H {
  static {
    c(this, "Watch");
  }
  constructor(t = -1 / 0, e = null, n = [], r = !1) {
    this.beforeDb = t, this.beganS = e, this.best = n, this.within = r;
  }
  levelDb(t, e) {
    return this.within ? this.beforeDb + t : jt(this.beforeDb, t, e);
  }
  seen(t, e) {
    const n = new Map(this.best.map((i) => [`${i[0]}\0${i[1]}`, i]));
    for (const i of e) {
      const o = `${i[0]}\0${i[1]}`;
      i[2] > (n.get(o)?.[2] ?? -1 / 0) && n.set(o, i);
    }
    const r = [...n].sort(([i], [o]) => i < o ? -1 : 1).map(([, i]) => i);
    return new H(this.beforeDb, this.beganS ?? t, r, this.within);
  }
  closed(t, e, n = !1) {
    return new H(e, n ? this.beganS : t, [], n);
  }
}
function Pe(s, t, e, n, r) {
  const i = s.streams.length > 1 ? s.without(t) : s, o = G.forRung(n, i.maxima(e).length);
  let a = -1 / 0;
  return It(t, e).map(
    (l) => a = jt(a, L(o.evalue(i.pValue(l, e))), r)
  );
}
c(Pe, "levelsDb");
function pt(s) {
  let t = 0, e = s + 20 + 10 * Math.sqrt(s + 1);
  for (let n = 0; n < 80; n++) {
    const r = (t + e) / 2;
    let i = Math.exp(-r), o = i;
    for (let a = 1; a <= s; a++)
      i *= r / a, o += i;
    o > 0.05 ? t = r : e = r;
  }
  return e;
}
c(pt, "poissonUpper");
function Ue(s, t, e, n) {
  const r = Et(t, e), i = s.streams.flatMap((l) => Le(Pe(s, l, e, r, n))).sort((l, h) => h - l), o = s.hours * 3600 / t;
  let a = 0;
  for (; a < i.length && pt(a + 1) <= o; ) a++;
  return {
    levelDb: a < i.length ? i[a] : -1 / 0,
    hours: s.hours,
    extrapolated: pt(0) > o
  };
}
c(Ue, "sessionLevel");
function Le(s) {
  const t = [];
  let e = !1;
  for (const n of s)
    n > 0 && (e ? t[t.length - 1] = Math.max(t[t.length - 1], n) : t.push(n)), e = n > 0;
  return t;
}
c(Le, "excursionPeaks");
const yt = ["camera-black", "camera-frozen", "exposed", "known-media", "test-card"], et = ["observe", "blur", "pause", "end"], S = /* @__PURE__ */ c((s) => s !== null && s !== "observe", "covers");
class at {
  static {
    c(this, "Reader");
  }
  constructor(t, e) {
    this.where = e, this.rest = new Map(Object.entries(t));
  }
  rest;
  take(t, e, n) {
    if (!this.rest.has(t)) {
      if (n === void 0) throw new v(`The key '${t}' is missing.`, this.where, "Add it.", "missing key");
      return n;
    }
    const r = this.rest.get(t);
    if (this.rest.delete(t), !e(r)) throw new v(`${t} is of the wrong type.`, this.where, "See docs/reference/policy.md.", "wrong type");
    return r;
  }
  text(t, e) {
    return this.take(t, (n) => typeof n == "string", e);
  }
  flag(t, e) {
    return this.take(t, (n) => typeof n == "boolean", e);
  }
  number(t, e, n = 0, r = 1 / 0) {
    const i = this.take(t, (o) => typeof o == "number", e);
    if (!(n <= i && i <= r))
      throw new v(`${t} = ${i} is outside ${n} to ${r}.`, this.where, "Change it.", "out of range");
    return i;
  }
  words(t) {
    const e = this.take(t, Array.isArray);
    if (!e.every((n) => typeof n == "string"))
      throw new v(`${t} holds something that is not text.`, this.where, "Write a list of texts.", "wrong type");
    return e;
  }
  oneOf(t, e, n) {
    const r = this.text(t, n);
    if (!e.includes(r))
      throw new v(`${t} = '${r}' is not one of ${e.join(", ")}.`, this.where, "Choose one.", "not one of");
    return r;
  }
  tables(t) {
    const e = this.take(t, Array.isArray);
    if (!e.length || !e.every((n) => typeof n == "object" && !Array.isArray(n)))
      throw new v(`There is no [[${t}]].`, this.where, "Add at least one.", "missing key");
    return e.map((n, r) => new at(n, `${this.where}, ${t} ${r + 1}`));
  }
  done() {
    if (this.rest.size)
      throw new v(`Unknown key ${[...this.rest.keys()].sort().join(", ")}.`, this.where, "Remove it.", "unknown key");
  }
}
function Fe(s, t = "policy") {
  const e = new at(_t(s, t), t), n = e.tables("detectors").map(Re), r = e.tables("rungs").map(ze), i = e.number("slow_fps", 4, 0.1, 60), o = {
    name: e.text("name"),
    version: e.text("version"),
    title: e.text("title"),
    jurisdiction: e.text("jurisdiction"),
    audience: e.oneOf("audience", ["child", "adult", "all"]),
    legal_basis: e.text("legal_basis"),
    detectors: n,
    rungs: r,
    card_title: e.text("card_title"),
    card_lines: e.words("card_lines"),
    test: e.flag("test", !1),
    when_blind: e.oneOf("when_blind", ["cover", "pass-with-notice"], "pass-with-notice"),
    blind_after_s: e.number("blind_after_s", 2, 0.1),
    hold_back_s: e.number("hold_back_s", 0, 0, 30),
    slow_fps: i,
    fast_fps: e.number("fast_fps", Math.max(6, i), i, 60),
    release: e.oneOf("release", ["benign", "person", "never"], "benign"),
    release_after_s: e.number("release_after_s", 10),
    grace_s: e.number("grace_s", 10),
    detector_kind: e.oneOf("detector_kind", ["cusum", "shiryaev-roberts"], "cusum")
  };
  return e.done(), qe(o, t), o;
}
c(Fe, "parsePolicy");
function Re(s) {
  const t = {
    name: s.text("name"),
    labels: [...new Set(s.words("labels"))].sort(),
    calibration: s.text("calibration", ""),
    required: s.flag("required", !0),
    group: s.text("group", ""),
    options: s.take("options", (n) => typeof n == "object" && !Array.isArray(n), {})
  };
  s.done();
  const e = t.labels.filter((n) => !yt.includes(n));
  if (e.length || !t.labels.length)
    throw new v(
      `${e.join(", ") || "An empty list"} is outside the closed label set.`,
      s.where,
      `The labels are ${yt.join(", ")}.`,
      "outside the label set"
    );
  return t;
}
c(Re, "detector");
function ze(s) {
  const t = {
    rung: s.oneOf("rung", et),
    mean_time_s: Ce(s.text("budget"), `${s.where}, budget`),
    block_s: s.number("block_s", 2, 2, 7200),
    after_s: s.number("after_s", 0)
  };
  return s.done(), t;
}
c(ze, "rung");
function qe(s, t) {
  const e = /* @__PURE__ */ c((r, i, o) => {
    throw new v(i, t, o, r);
  }, "refuse"), n = /* @__PURE__ */ c((r, i) => r.every((o, a) => a === 0 || (i ? o > r[a - 1] : o >= r[a - 1])), "rises");
  n(s.rungs.map((r) => et.indexOf(r.rung)), !0) || e("order of rungs", "The rungs are not in order, or one is named twice.", `Order: ${et.join(", ")}.`), n(s.rungs.map((r) => r.mean_time_s), !1) || e("order of budgets", "A graver rung has a larger budget than a lighter one.", "Make it smaller."), !s.test && s.detectors.some((r) => r.labels.includes("test-card")) && e("test card", "Only a policy marked `test = true` may act on the test card.", "Remove the label or mark the policy."), s.legal_basis.trim() || e("legal basis", "The legal basis is empty.", "Say on what basis this may be done."), new Set(s.detectors.map((r) => r.name)).size < s.detectors.length && e("detector twice", "A detector is named twice.", "Name each once.");
}
c(qe, "check");
function nt(s) {
  return Array.isArray(s) ? `[${s.map(nt).join(",")}]` : s !== null && typeof s == "object" ? `{${Object.entries(s).sort(([t], [e]) => t < e ? -1 : 1).map(([t, e]) => `${JSON.stringify(t)}:${nt(e)}`).join(",")}}` : JSON.stringify(s);
}
c(nt, "canonical");
async function pn(s) {
  const t = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(nt(s)));
  return "sha256:" + [...new Uint8Array(t)].map((e) => e.toString(16).padStart(2, "0")).join("");
}
c(pn, "policyDigest");
class He {
  static {
    c(this, "BoundRung");
  }
  constructor(t, e, n, r, i) {
    this.rule = t, this.alarmDb = e, this.sessionDb = n, this.extrapolated = r, this.scales = i;
  }
  /** Whether each scene is a bet of its own: in the shortest blocks, where all bounds are a scene's (docs/adr/0009). */
  get byScene() {
    return [...this.scales.values()].every((t) => t.calibration === null && t.scenes === 1);
  }
  /** Within a group e-values are averaged; the groups' weights add. */
  weightDb(t) {
    const e = /* @__PURE__ */ new Map();
    for (const [r, i] of this.scales) i.calibration || e.set(r, -1 / 0);
    for (const [r, , i] of t)
      this.scales.has(r) && e.set(r, Math.max(i, e.get(r) ?? -1 / 0));
    const n = /* @__PURE__ */ new Map();
    for (const [r, i] of e) {
      const o = this.scales.get(r), a = o.calibration && o.calibrator ? o.calibrator.evalue(o.calibration.pValue(i, o.blockS)) : Te(i, o.scenes);
      n.set(o.group, [...n.get(o.group) ?? [], a]);
    }
    return [...n.values()].reduce((r, i) => r + L(i.reduce((o, a) => o + a, 0) / i.length), 0);
  }
}
const Nt = /* @__PURE__ */ c((s, t) => `${s}\0${t}`, "pair"), Ct = /* @__PURE__ */ c((s) => ({
  watches: s.rungs.map(() => new H()),
  levelsDb: s.rungs.map(() => -1 / 0),
  base: null,
  rung: null,
  sinceS: 0,
  by: "benign",
  evidenceS: -1 / 0,
  graceUntilS: -1 / 0,
  counted: []
}), "start"), We = /* @__PURE__ */ c((s, t) => s.rung !== null || t - s.evidenceS <= 5, "rising");
function Ge(s, t, e) {
  const n = new Map(t.map((o) => [o.name, o])), r = s.detectors.filter((o) => n.has(o.name) && n.get(o.name).evidence !== "camera");
  for (const o of r) {
    const a = n.get(o.name), l = e.get(o.name);
    if (a.evidence === "calibrated" && (!l || l.detector !== a.name || l.detectorVersion !== a.version || l.sampleFps < s.fast_fps))
      throw new v("The detector has no calibration that fits.", `policy ${s.name}, detector ${o.name}`, "Name one that fits.");
  }
  const i = s.rungs.map((o) => {
    const a = Et(o.mean_time_s, o.block_s), l = /* @__PURE__ */ new Map();
    let h = -1 / 0, d = !1;
    for (const u of r) {
      const y = n.get(u.name).evidence === "calibrated" ? e.get(u.name) : null;
      let m = null;
      if (y) {
        m = G.forRung(a, y.maxima(o.block_s).length);
        const f = Ue(y, o.mean_time_s, o.block_s, s.detector_kind);
        h = Math.max(h, f.levelDb), d ||= f.extrapolated;
      }
      l.set(u.name, { calibration: y, calibrator: m, blockS: o.block_s, scenes: Math.ceil(o.block_s / Dt), group: u.group || u.name });
    }
    const g = h + Math.abs(h) * 2 ** -52;
    return new He(o, Number.isNaN(g) ? L(a) : Math.max(L(a), g), h, d, l);
  });
  return {
    policy: s,
    rungs: i,
    counted: new Set(r.flatMap((o) => o.labels.map((a) => Nt(o.name, a)))),
    analytic: new Set(r.filter((o) => n.get(o.name).evidence === "analytic").map((o) => o.name))
  };
}
c(Ge, "bind");
function bt(s, t, e) {
  const { atS: n } = e;
  if (t.rung === "end" || n < t.graceUntilS) return [t, null];
  let { watches: r, base: i, counted: o } = t;
  i === null ? i = new F(n, e.picture) : i.over(n, e.picture) ? (o = [...o, ...i.hits].slice(-32), r = r.map((f, w) => f.beganS !== null && n - f.beganS >= s.rungs[w].rule.block_s - 1e-6 ? f.closed(n, t.levelsDb[w]) : f), i = new F(n, e.picture)) : N(i.latest, e.picture) && (o = [...o, ...i.hits].slice(-32), r = r.map((f, w) => s.rungs[w].byScene ? f.closed(n, t.levelsDb[w], !0) : f), i = i.seen(e.picture));
  const a = e.readings.filter(([f, w]) => s.counted.has(Nt(f, w))), l = Math.max(0, ...a.filter(([f]) => s.analytic.has(f)).map(([, , f]) => f)), h = l > 0 ? Math.max(0, ...o.filter(([f]) => !N(f, e.picture)).map(([, f]) => f)) : 0;
  l > h && e.picture !== null && (i = i.hit(e.picture, l));
  const d = /* @__PURE__ */ c((f) => a.map(([w, p, b]) => [w, p, b + (s.analytic.has(w) ? f : 0)]), "changed"), g = d(Oe(i.pictures)), u = d(-h);
  r = r.map((f, w) => f.seen(n, s.rungs[w].byScene ? u : g));
  const y = s.rungs.map((f, w) => r[w].levelDb(f.weightDb(r[w].best), s.policy.detector_kind)), m = s.rungs.length > 0 && s.rungs[0].weightDb(g) > 0;
  return Ke(s, { ...t, watches: r, levelsDb: y, base: i, counted: o, evidenceS: m ? n : t.evidenceS }, n);
}
c(bt, "judge");
function Ke(s, t, e) {
  const n = Je(s, t, e);
  if (n) return [{ ...t, rung: n[1], sinceS: e, by: "evidence" }, ct(s, t, e, n[1], "evidence", n[0])];
  const r = e - Math.max(t.evidenceS, t.sinceS);
  return t.rung === null || r < s.policy.release_after_s ? [t, null] : S(t.rung) && t.by !== "blind" && s.policy.release !== "benign" ? [t, null] : Bt(s, t, e, "benign", 0);
}
c(Ke, "climbOrRelease");
function Je(s, t, e) {
  const n = s.rungs.map((l, h) => h).filter((l) => t.levelsDb[l] >= s.rungs[l].alarmDb);
  if (!n.length) return null;
  const r = s.rungs.map((l) => l.rule.rung), i = t.rung === null ? -1 : r.indexOf(t.rung), o = n[n.length - 1];
  if (t.by === "blind" && S(t.rung) && o >= i) return [o, r[i]];
  if (o <= i) return null;
  const a = r.findIndex((l, h) => S(l) && h > i);
  return a < 0 || o < a ? [o, r[o]] : S(t.rung) && e - t.sinceS < s.rungs[a].rule.after_s ? null : [o, r[a]];
}
c(Je, "target");
function ct(s, t, e, n, r, i = 0) {
  const o = r !== "evidence" ? [] : t.watches[i].best.map((a) => ({ detector: a[0], label: a[1], weightDb: s.rungs[i].weightDb([a]) })).filter((a) => a.weightDb > 0);
  return { atS: e, rung: n, before: t.rung, by: r, totalDb: t.levelsDb[i] ?? -1 / 0, reasons: o };
}
c(ct, "decided");
function Bt(s, t, e, n, r) {
  return [{ ...Ct(s), sinceS: e, by: n, graceUntilS: e + r }, ct(s, t, e, null, n)];
}
c(Bt, "released");
function Ve(s, t, e) {
  return !S(t.rung) || t.rung === "end" || s.policy.release !== "person" ? [t, null] : Bt(s, t, e, "person", s.policy.grace_s);
}
c(Ve, "resume");
function xt(s, t, e) {
  const n = s.policy.rungs.find((r) => S(r.rung))?.rung;
  return S(t.rung) ? [{ ...t, evidenceS: Math.max(t.evidenceS, e) }, null] : s.policy.when_blind !== "cover" || !n ? [t, null] : [{ ...t, rung: n, sinceS: e, by: "blind", evidenceS: e }, ct(s, t, e, n, "blind")];
}
c(xt, "blind");
const Qe = 50;
class Ye {
  static {
    c(this, "Watcher");
  }
  constructor(t, e, n, r) {
    this.policy = t, this.detectors = e, this.told = n, this.wentBlind = r, this.bound = Ge(t, [...e.sensors, ...e.models], e.calibrations), this.standing = Ct(this.bound), this.unlooked.add("here"), e.models.length && this.unlooked.add("beside");
  }
  bound;
  standing;
  blindness = /* @__PURE__ */ new Set();
  unlooked = /* @__PURE__ */ new Set();
  lastS = -1 / 0;
  judgedS = -1 / 0;
  pendingS = null;
  picture = null;
  /** What covers pictures now; a picture never looked at is covered where the policy covers what is unseen. */
  get rung() {
    return S(this.standing.rung) ? this.standing.rung : this.unlooked.size && this.policy.when_blind === "cover" ? "blur" : null;
  }
  get ended() {
    return this.standing.rung === "end";
  }
  /** Whether a model waits for a picture. */
  get free() {
    return this.detectors.models.length > 0 && this.pendingS === null;
  }
  due(t) {
    const e = We(this.standing, t) ? this.policy.fast_fps : this.policy.slow_fps;
    return t >= this.lastS && t - this.lastS < 1 / e - 1e-3 ? !1 : (this.lastS = t, !0);
  }
  look(t, e) {
    try {
      const n = kt(e.pixels, e.width, e.height, e.stride), r = this.detectors.sensors.flatMap((i) => i.read(e, n));
      this.picture = n.quality < Qe ? null : n.hash, this.take(bt(this.bound, this.standing, { atS: t, readings: r, picture: this.picture })), this.saw(t, "here");
    } catch (n) {
      this.unseen(t, n);
    }
    this.pendingS !== null && t - this.pendingS > this.policy.blind_after_s && this.unseen(t, `it is ${(t - this.pendingS).toFixed(1)} s behind`, "beside"), this.blindness.has("call") && this.take(xt(this.bound, this.standing, t));
  }
  /** Show models a picture that was just looked at here; what they say counts when they have said it. */
  async ponder(t, e) {
    const n = this.picture;
    this.pendingS = t;
    try {
      const r = await Promise.all(this.detectors.models.map((i) => i.look(e)));
      this.pendingS = null, this.take(bt(this.bound, this.standing, { atS: Math.max(t, this.judgedS), readings: r.flat(), picture: n })), this.saw(t, "beside");
    } catch (r) {
      this.pendingS = null, this.unseen(Math.max(t, this.judgedS), r, "beside");
    }
  }
  /** Detection could not see this picture: the policy decides what is shown. */
  unseen(t, e, n = "here") {
    this.blindness.has(n) || this.wentBlind(e instanceof k ? e : new _(`Detection failed: ${String(e)}`)), this.blindness.add(n), this.take(xt(this.bound, this.standing, t));
  }
  /** As the person: go on. Returns whether the policy allows it now. */
  resume(t) {
    return this.take(Ve(this.bound, this.standing, t));
  }
  saw(t, e) {
    this.judgedS = Math.max(this.judgedS, t), this.unlooked.delete(e), this.blindness.delete(e);
  }
  take([t, e]) {
    return this.standing = t, e && this.told(e), e !== null;
  }
}
class Pt {
  static {
    c(this, "Gate");
  }
  constructor(t, e, n, r, i) {
    this.report = r, this.coverBegins = i, this.watcher = new Ye(
      t,
      e,
      (o) => this.decided(o),
      (o) => r({ kind: "blind", name: o.name, message: o.message, whenBlind: t.when_blind })
    ), this.coverer = new Jt(t.card_title, [...t.card_lines, ...n]), r({ kind: "started", policy: t.name, absent: e.absent });
  }
  watcher;
  coverer;
  counts = { in: 0, covered: 0, looked: 0, lookMs: 0 };
  /** Open a gate once the policy's detectors are loaded. */
  static async open(t, e, n, r, i) {
    const o = Fe(t);
    return new Pt(o, await De(o, e), n, r, i);
  }
  get rung() {
    return this.watcher.rung;
  }
  decided(t) {
    S(t.rung) && !S(t.before) && this.coverBegins(), this.report({ kind: "decision", ...t, at: Date.now(), mayResume: this.watcher.policy.release === "person" });
  }
  /** Look at a frame if one is due; it is judged before it leaves. */
  async arrive(t, e) {
    if (this.counts.in++, this.watcher.due(t)) {
      const r = performance.now();
      try {
        this.watcher.look(t, await e.luma()), this.watcher.free && this.watcher.ponder(t, await e.pixels());
      } catch (i) {
        this.watcher.unseen(t, i);
      }
      this.counts.looked++, this.counts.lookMs += performance.now() - r;
    }
    const n = this.watcher.rung;
    return n && this.counts.covered++, n;
  }
}
function yn(s) {
  const { width: t, height: e } = s.visibleRect, n = /* @__PURE__ */ c(async () => {
    const r = new OffscreenCanvas(t, e).getContext("2d", { willReadFrequently: !0 });
    return r.drawImage(s, 0, 0, t, e), r.getImageData(0, 0, t, e);
  }, "pixels");
  return {
    pixels: n,
    luma: /* @__PURE__ */ c(async () => {
      if (s.format !== "I420" && s.format !== "NV12" && s.format !== "I420A") return Xe(await n());
      const r = new Uint8Array(s.allocationSize()), [i] = await s.copyTo(r);
      return { pixels: r.subarray(i.offset), width: t, height: e, stride: i.stride };
    }, "luma")
  };
}
c(yn, "looked");
function Xe({ data: s, width: t, height: e }) {
  const n = new Uint8Array(t * e);
  for (let r = 0; r < n.length; r++) n[r] = 77 * s[4 * r] + 150 * s[4 * r + 1] + 29 * s[4 * r + 2] >> 8;
  return { pixels: n, width: t, height: e, stride: t };
}
c(Xe, "lumaOfColours");
export {
  Xe as A,
  Ft as B,
  an as C,
  _ as D,
  v as E,
  cn as F,
  k as G,
  ln as H,
  pn as I,
  yn as J,
  yt as L,
  Rt as M,
  Lt as N,
  D as P,
  et as R,
  gn as T,
  sn as a,
  nn as b,
  qt as c,
  rn as d,
  E as e,
  dn as f,
  Ht as g,
  W as h,
  mn as i,
  wn as j,
  zt as k,
  Q as l,
  Ce as m,
  Fe as n,
  fn as o,
  _t as p,
  on as q,
  un as r,
  vt as s,
  $t as t,
  hn as u,
  Qt as v,
  tn as w,
  Pt as x,
  en as y,
  S as z
};
