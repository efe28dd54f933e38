var ye = Object.defineProperty;
var c = (s, e) => ye(s, "name", { value: e, configurable: !0 });
import { G as I, p as K, R as ke, m as be, C as de, P as v, L as $e, a as R, b as Q, c as V, d as fe, e as G, f as ve, g as ue, h as X, i as Te, T as Se, j as je, k as xe, l as Oe } from "./gate.js";
import { D as ht, F as lt, M as dt, N as ft, n as ut, o as wt, q as gt, r as pt } from "./gate.js";
const oe = {
  starting: "Guard is starting",
  on: "Guarded",
  covered: "Picture covered",
  blind: "Guard cannot see",
  off: "Not guarded",
  ended: "Ended"
}, Ae = globalThis.HTMLElement ?? class {
};
class Ee extends Ae {
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
    this.textContent = oe[this.getAttribute("state") ?? "off"] ?? oe.off;
  }
}
globalThis.customElements?.define("guarded-badge", Ee);
const et = ["none", "1", "2 to 4", "5 or more"], tt = /* @__PURE__ */ c((s) => s <= 0 ? 0 : s === 1 ? 1 : s < 5 ? 2 : 3, "answerOf");
function Me(s, e) {
  if (!(s > 0 && s <= 8) || e < 2) throw new I(`ε = ${s} is outside 0 to 8.`, "statistics", "Choose 1, say.");
  return Math.exp(s) / (Math.exp(s) + e - 1);
}
c(Me, "pTrue");
async function st(s, e, t, n, a, i) {
  const r = Me(t, e), o = await crypto.subtle.importKey("raw", n, { name: "HMAC", hash: "SHA-256" }, !1, ["sign"]), l = new DataView(await crypto.subtle.sign("HMAC", o, new TextEncoder().encode(`${a}
${i}`)));
  if (Number(l.getBigUint64(0) >> 11n) / 2 ** 53 < r) return s;
  const d = Number(l.getBigUint64(8) % BigInt(e - 1));
  return d + (d >= s ? 1 : 0);
}
c(st, "randomised");
class ee {
  static {
    c(this, "Consent");
  }
  constructor(e, t, n, a, i, r, o, l) {
    this.by = e, this.at = t, this.labels = n, this.detectors = a, this.lists = i, this.rungs = r, this.whenBlind = o, this.release = l;
  }
  static parse(e) {
    const t = /* @__PURE__ */ c((h) => new v(`The consent is refused: ${h}.`, "consent", "See docs/reference/packs.md."), "refuse");
    let n;
    try {
      n = K(e, "consent");
    } catch (h) {
      throw t(String(h));
    }
    const a = /* @__PURE__ */ c((h, f) => {
      const w = n[h];
      if (!Array.isArray(w) || !w.every((g) => typeof g == "string")) throw t(`${h} is no list of words`);
      const p = w.filter((g) => f && !f.includes(g));
      if (p.length) throw t(`${p.join(", ")} is not one of ${f.join(", ")}`);
      return w;
    }, "words"), i = Object.keys(n).filter((h) => !["by", "at", "labels", "detectors", "lists", "rungs", "when_blind", "release"].includes(h));
    if (i.length) throw t(`unknown key ${i.join(", ")}`);
    const { by: r, at: o, rungs: l } = n;
    if (typeof r != "string" || !r.trim() || typeof o != "string" || typeof l != "object" || Array.isArray(l)) throw t("it does not say who agreed to what, and when");
    const d = Object.entries(l).map(([h, f]) => {
      if (!ke.includes(h) || typeof f != "string") throw t(`${h} is no response with a budget`);
      return [h, { meanS: be(f, "consent"), words: f }];
    });
    return new ee(
      r,
      o,
      a("labels", $e),
      a("detectors"),
      "lists" in n ? a("lists") : [],
      new Map(d),
      a("when_blind", ["cover", "pass-with-notice"]),
      a("release", ["benign", "person", "never"])
    );
  }
  /** What a policy would do beyond what was agreed to, in words. */
  exceeded(e) {
    const t = [...new Set(e.detectors.flatMap((i) => i.labels))].filter((i) => !this.labels.includes(i)).sort(), n = e.detectors.map((i) => i.name).filter((i) => !this.detectors.includes(i)).sort(), a = e.rungs.flatMap(({ rung: i, mean_time_s: r }) => {
      const o = this.rungs.get(i);
      return o ? r < o.meanS * (1 - 1e-9) ? [`it could ${i} by mistake every ${r} s, and ${o.words} was agreed to`] : [] : [`it could ${i}, and nobody agreed to that`];
    });
    return [
      ...t.map((i) => `it would act on “${i}”`),
      ...n.map((i) => `it would look with the detector “${i}”`),
      ...a,
      ...this.whenBlind.includes(e.when_blind) ? [] : [`it would ${e.when_blind} while it cannot see`],
      ...this.release.includes(e.release) ? [] : [`a cover would end by “${e.release}” alone`]
    ];
  }
  check(e, t) {
    const n = this.exceeded(e);
    if (n.length)
      throw new de(`The policy ${e.name} goes beyond what ${this.by} agreed to on ${this.at}: ${n.join("; ")}.`, t, "Ask the owner of the device; only a new consent changes this.");
  }
}
const j = 32, k = 256, Pe = "Keep both checkpoints, use nothing of it, and tell the signers and the witnesses.", O = /* @__PURE__ */ c(async (...s) => {
  const e = new Uint8Array(s.reduce((n, a) => n + a.length, 0));
  let t = 0;
  for (const n of s)
    e.set(n, t), t += n.length;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", e));
}, "sha256"), we = /* @__PURE__ */ c((s) => O(Uint8Array.of(0), s), "leafHash"), z = /* @__PURE__ */ c((s, e) => O(Uint8Array.of(1), s, e), "node"), x = /* @__PURE__ */ c((s, e) => s.length === e.length && s.every((t, n) => t === e[n]), "same"), C = /* @__PURE__ */ c((s) => [...s].map((e) => e.toString(16).padStart(2, "0")).join(""), "hexOf"), re = /* @__PURE__ */ c((s) => Uint8Array.from(s.match(/[0-9a-f]{2}/g) ?? [], (e) => parseInt(e, 16)), "unhex"), te = /* @__PURE__ */ c((s) => new TextEncoder().encode(s), "utf8");
function se(s) {
  try {
    const e = atob(s);
    return btoa(e) === s ? Uint8Array.from(e, (t) => t.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}
c(se, "unbase64");
async function ne(s, e, t) {
  const n = await crypto.subtle.importKey("raw", s, "Ed25519", !1, ["verify"]).catch((a) => {
    if (a.name === "NotSupportedError") throw B("This browser cannot verify Ed25519 signatures.", "Use a current browser.");
    return null;
  });
  return n !== null && e.length === 64 && crypto.subtle.verify("Ed25519", n, e, t);
}
c(ne, "signedBy");
const B = /* @__PURE__ */ c((s, e = "Do not use this pack; tell its signers.") => new V(s, "log", e), "refuse");
async function q(s, e = 1) {
  const [t, n, ...a] = s.trim().split("+"), i = se(a.join("+"));
  if (!t || /\s/.test(t) || !i || i[0] !== e || i.length !== 1 + j || C((await O(te(`${t}
`), i)).slice(0, 4)) !== n)
    throw B(`This is no key, or does not fit its own hash: ${s.slice(0, 80)}.`);
  return { name: t, id: n, public: i.slice(1) };
}
c(q, "parseKey");
function ie(s) {
  const e = s.lastIndexOf(`

`), t = s.slice(e + 2).split(`
`), n = /* @__PURE__ */ c(() => B("This is not a signed note."), "malformed");
  if (e < 0 || t.pop() !== "" || !t.length || t.length > 100 || /[\0-\t\v-\x1f]/.test(s)) throw n();
  const a = t.map((i) => {
    const [r, o, l, ...d] = i.split(" "), h = se(l ?? "");
    if (r !== "—" || !o || !h || h.length <= 4 || d.length) throw n();
    return { name: o, id: C(h.slice(0, 4)), signature: h.slice(4) };
  });
  return { text: s.slice(0, e + 1), signatures: a };
}
c(ie, "parseNote");
async function ge(s, e) {
  const t = s.signatures.filter((a) => a.name === e.name && a.id === e.id), n = await Promise.all(t.map((a) => ne(e.public, a.signature, te(s.text))));
  return t.length > 0 && n.every(Boolean);
}
c(ge, "noteSignedBy");
async function _(s, e) {
  const t = ie(s), [n, a, i] = t.text.split(`
`), r = se(i ?? "");
  if (!await ge(t, e)) throw B("The log has not signed this checkpoint.");
  if (!n || !/^(0|[1-9]\d{0,14})$/.test(a ?? "") || r?.length !== j) throw B("This signed note is not a checkpoint.");
  return { origin: n, size: Number(a), root: r };
}
c(_, "openCheckpoint");
async function Ce(s, e) {
  const t = ie(s), n = /* @__PURE__ */ new Map();
  for (const a of e)
    for (const { name: i, id: r, signature: o } of t.signatures) {
      if (i !== a.name || r !== a.id || o.length !== 72) continue;
      const l = Number(new DataView(o.buffer, o.byteOffset).getBigUint64(0));
      await ne(a.public, o.slice(8), te(`cosignature/v1
time ${l}
${t.text}`)) && n.set(i, l);
    }
  return n;
}
c(Ce, "cosigned");
async function ze(s, e, t, n, a) {
  if (!(0 <= e && e < t)) return !1;
  let i = BigInt(e), r = BigInt(t - 1), o = s;
  for (const l of n) {
    if (r === 0n) return !1;
    if (i & 1n || i === r)
      for (o = await z(l, o); i && !(i & 1n); )
        i >>= 1n, r >>= 1n;
    else o = await z(o, l);
    i >>= 1n, r >>= 1n;
  }
  return r === 0n && x(o, a);
}
c(ze, "verifyInclusion");
async function De(s, e, t, n, a) {
  if (!(0 <= s && s <= t)) return !1;
  if (s === 0) return !a.length && x(e, await O());
  if (s === t) return !a.length && x(e, n);
  let i = BigInt(s - 1), r = BigInt(t - 1);
  const o = (BigInt(s) & i) === 0n ? [e, ...a] : [...a];
  if (!o.length) return !1;
  for (; i & 1n; )
    i >>= 1n, r >>= 1n;
  let l = o[0], d = o[0];
  for (const h of o.slice(1)) {
    if (r === 0n) return !1;
    if (i & 1n || i === r)
      for (l = await z(h, l), d = await z(h, d); i && !(i & 1n); )
        i >>= 1n, r >>= 1n;
    else d = await z(d, h);
    i >>= 1n, r >>= 1n;
  }
  return r === 0n && x(l, e) && x(d, n);
}
c(De, "verifyConsistency");
function ce(s, e, t) {
  const n = String(e), i = n.padStart(Math.ceil(n.length / 3) * 3, "0").match(/.../g).map((r, o, l) => o < l.length - 1 ? `x${r}` : r);
  return `tile/${s}/${i.join("/")}${t === k ? "" : `.p/${t}`}`;
}
c(ce, "tilePath");
const W = /* @__PURE__ */ c((s) => {
  let e = 1;
  for (; e * 2 < s; ) e *= 2;
  return e;
}, "half");
class Ie {
  static {
    c(this, "Tiles");
  }
  constructor(e, t) {
    this.read = e, this.size = t;
  }
  kept = /* @__PURE__ */ new Map();
  async tile(e, t) {
    const n = `${e}/${t}`, a = this.kept.get(n);
    if (a) return a;
    const i = Math.max(0, Math.min(k, Math.floor(this.size / k ** e) - t * k)), r = ce(e, t, i), o = await this.read(r) ?? (i < k ? await this.read(ce(e, t, k)) : null);
    if (!o) throw new R("A file of the log is missing.", r, "Copy it again.");
    if (o.length < i * j) throw new R("A tile of the log is cut short.", r, "Copy it again.");
    const l = o.subarray(0, i * j);
    return this.kept.set(n, l), l;
  }
  /** The root of some entries that start where a subtree of their number may. */
  async subtree(e, t) {
    const n = t - e;
    if (n === 0) return O();
    let a = 0, i = 1;
    for (; i * k <= n; )
      i *= k, a++;
    if (n === i) {
      const o = e / i, l = await this.tile(a, Math.floor(o / k)), d = o % k * j;
      return l.subarray(d, d + j);
    }
    const r = e + W(n);
    return z(await this.subtree(e, r), await this.subtree(r, t));
  }
  root() {
    return this.subtree(0, this.size);
  }
  /** Where an entry is, the newest of its kind; null where it is not. */
  async find(e) {
    const t = await we(e);
    for (let n = Math.ceil(this.size / k) - 1; n >= 0; n--) {
      const a = await this.tile(0, n);
      for (let i = a.length / j - 1; i >= 0; i--)
        if (x(a.subarray(i * j, (i + 1) * j), t)) return n * k + i;
    }
    return null;
  }
  async inclusionProof(e, t = 0, n = this.size) {
    if (n - t <= 1) return [];
    const a = t + W(n - t);
    return e < a ? [...await this.inclusionProof(e, t, a), await this.subtree(a, n)] : [...await this.inclusionProof(e, a, n), await this.subtree(t, a)];
  }
  async consistencyProof(e, t = 0, n = this.size, a = !0) {
    if (e === n || e === 0) return a ? [] : [await this.subtree(t, n)];
    const i = t + W(n - t);
    return e <= i ? [...await this.consistencyProof(e, t, i, a), await this.subtree(i, n)] : [...await this.consistencyProof(e, i, n, !1), await this.subtree(t, i)];
  }
}
const J = /* @__PURE__ */ c(({ size: s, origin: e }) => new R(`The tiles do not give the root that the checkpoint of ${s} entries signed.`, e, "Copy the log again."), "damaged");
async function Be(s, e, t) {
  const n = await t.find(s);
  if (n === null) {
    if (!x(await t.root(), e.root)) throw J(e);
    return null;
  }
  const a = await t.inclusionProof(n);
  if (!await ze(await we(s), n, e.size, a, e.root)) throw J(e);
  return n;
}
c(Be, "included");
async function Ne(s, e, t) {
  const n = /* @__PURE__ */ c((i) => new fe(i, e.origin, Pe), "forked");
  if (e.origin !== s.origin) throw n(`The log ${e.origin} was shown in place of ${s.origin}.`);
  if (e.size === s.size && !x(e.root, s.root)) throw n(`Two logs of ${e.size} entries contradict each other.`);
  if (e.size < s.size)
    throw new Q(`The log has ${e.size} entries, and this device has seen ${s.size}.`, e.origin, "Copy it again from a place that is up to date.");
  const a = s.size === e.size || s.size === 0 ? [] : await t.consistencyProof(s.size);
  if (!await De(s.size, s.root, e.size, e.root, a))
    throw x(await t.root(), e.root) ? n(`The log of ${e.size} entries does not extend the ${s.size} that this device saw.`) : J(e);
}
c(Ne, "checkExtends");
const Fe = 1e6, L = "Fetch the packs again.";
function N(s) {
  if (typeof s == "string") return `"${s.replace(/[\\"]/g, "\\$&")}"`;
  if (Array.isArray(s)) return `[${s.map(N).join(",")}]`;
  if (s !== null && typeof s == "object")
    return `{${Object.keys(s).sort().map((e) => `${N(e)}:${N(s[e])}`).join(",")}}`;
  if (typeof s == "boolean" || s === null || Number.isSafeInteger(s)) return String(s);
  throw new G("The metadata hold a number that no metadata have.", "", L);
}
c(N, "covered");
const Re = /* @__PURE__ */ c((s) => new TextEncoder().encode(N(s)), "signedBytes");
function P(s, e) {
  const t = /* @__PURE__ */ c(() => new G(`The ${e} metadata cannot be used.`, e, L), "refuse");
  if (s.length > Fe) throw t();
  try {
    const { signed: n, signatures: a } = JSON.parse(new TextDecoder("utf-8", { fatal: !0 }).decode(s));
    if (n._type === e && /^1\./.test(n.spec_version) && Number.isSafeInteger(n.version) && n.version > 0 && Number.isFinite(Date.parse(n.expires)) && Array.isArray(a)) return { raw: s, signed: n, signatures: a };
  } catch {
  }
  throw t();
}
c(P, "parse");
async function pe(s, e, t) {
  const { keyids: n } = s.roles[e], a = Re(t.signed), i = /* @__PURE__ */ new Map();
  for (const { keyid: r, sig: o } of t.signatures) {
    const l = n.includes(r) && Object.hasOwn(s.keys, r) ? s.keys[r] : null;
    l?.keytype === "ed25519" && l.scheme === "ed25519" && await ne(re(l.keyval.public), re(o), a) && i.set(l.keyval.public, l);
  }
  return [...i.values()];
}
c(pe, "signersOf");
async function M(s, e, t) {
  const n = await pe(s, e, t), a = s.roles[e].threshold;
  if (!(a >= 1) || n.length < a)
    throw new ve(`${n.length} of the ${a} who must sign ${e} have.`, e, "Do not use it; tell the signers.");
}
c(M, "verify");
async function Z(s, e, t) {
  const n = e.hashes?.sha256;
  if (e.length !== void 0 && s.length !== e.length || e.hashes && (!n || C(await O(s)) !== n))
    throw new G(`The bytes of ${t} are not those that were signed.`, t, L);
}
c(Z, "whole");
const D = /* @__PURE__ */ c((s) => new Q(`An older ${s} was offered than this device has seen.`, s, "Fetch the packs again from a place that is up to date."), "older");
async function F(s, e) {
  const t = await s(e);
  if (!t) throw new v("A file is missing.", e, "Fetch the packs again, whole.");
  return t;
}
c(F, "need");
async function Ue(s, e, t, n) {
  const a = /* @__PURE__ */ c((u) => new TextEncoder().encode(u), "bytes"), i = /* @__PURE__ */ c((u) => new TextDecoder().decode(u), "text"), r = /* @__PURE__ */ c(async (u) => {
    if (t[u] === void 0) return null;
    const y = P(a(t[u]), u);
    return M(o.signed, u, y).then(() => y, () => null);
  }, "before");
  let o = P(a(t.anchor === e && t.root ? t.root : e), "root");
  for (await M(o.signed, "root", o); ; ) {
    const u = await s(`metadata/${o.signed.version + 1}.root.json`);
    if (!u) break;
    const y = P(u, "root");
    if (await M(o.signed, "root", y), await M(y.signed, "root", y), y.signed.version !== o.signed.version + 1) throw D("root");
    o = y;
  }
  const l = /* @__PURE__ */ c((u) => Date.parse(u.signed.expires) <= n, "expired"), d = /* @__PURE__ */ c((u) => new ue(`The ${u.signed._type} signatures ended on ${u.signed.expires}; this device's clock says ${new Date(n).toISOString()}.`, u.signed._type, "Fetch the packs again, and check the clock."), "old");
  if (l(o)) throw d(o);
  const h = await r("timestamp");
  let f = P(await F(s, "metadata/timestamp.json"), "timestamp");
  await M(o.signed, "timestamp", f);
  const w = f.signed.meta["snapshot.json"];
  if (h) {
    if (f.signed.version < h.signed.version || w.version < h.signed.meta["snapshot.json"].version) throw D("timestamp");
    f.signed.version === h.signed.version && (f = h);
  }
  const p = f.signed.meta["snapshot.json"], g = await F(s, `metadata/${p.version}.snapshot.json`);
  await Z(g, p, "snapshot");
  const m = P(g, "snapshot"), A = await r("snapshot");
  if (await M(o.signed, "snapshot", m), m.signed.version !== p.version) throw D("snapshot");
  for (const [u, y] of Object.entries(A?.signed.meta ?? {}))
    if (!(m.signed.meta[u]?.version >= y.version)) throw D("snapshot");
  const $ = m.signed.meta["targets.json"], E = await F(s, `metadata/${$?.version}.targets.json`);
  await Z(E, $, "targets");
  const T = P(E, "targets");
  if (await M(o.signed, "targets", T), T.signed.version !== $.version) throw D("targets");
  if (l(T)) throw d(T);
  const b = Math.min(...[f, m].map((u) => Date.parse(u.signed.expires)));
  return {
    root: o,
    targets: T,
    staleSince: b <= n ? b : null,
    kept: { anchor: e, root: i(o.raw), timestamp: i(f.raw), snapshot: i(m.raw), targets: i(T.raw) }
  };
}
c(Ue, "refresh");
async function Ge(s, e, t) {
  const n = e.signed.targets, a = Object.hasOwn(n, t) ? n[t] : null;
  if (!a) throw new v(`There is no ${t} among what was signed.`, t, `There are: ${Object.keys(n).join(", ") || "none"}.`);
  if (typeof a.hashes?.sha256 != "string") throw new G(`No digest of ${t} was signed.`, t, L);
  const i = await F(s, `targets/${a.hashes.sha256}.${t}`);
  return await Z(i, { hashes: a.hashes, length: a.length }, t), i;
}
c(Ge, "target");
const he = "lightship.pack/1", Y = 2, Le = 36e5, He = ["calibrations", "cards", "controls", "jurisdictions", "lists", "policies", "typologies"], _e = /^[a-z]+(\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){1,3}$/, We = ["camera", "exposure", "known-media", "test-card"], Ke = {
  read: /* @__PURE__ */ c(() => localStorage.getItem("lightship-packs"), "read"),
  write: /* @__PURE__ */ c((s) => localStorage.setItem("lightship-packs", s), "write")
};
class nt {
  static {
    c(this, "Packs");
  }
  constructor(e) {
    this.options = e, this.store = e.store ?? Ke;
  }
  store;
  /** Open a pack once everything that vouches for it holds. */
  async open(e) {
    const t = /* @__PURE__ */ c(() => this.checked(e), "run"), n = globalThis.navigator?.locks;
    return n ? n.request("lightship-packs", t) : t();
  }
  seen() {
    const e = this.store.read();
    if (e === null) return {};
    try {
      return JSON.parse(e);
    } catch {
      throw new v("What this device has seen cannot be read.", "store", "Restore it; without it, a log that was forked could not be told.");
    }
  }
  async checked(e) {
    const { read: t, root: n } = this.options, a = (this.options.now ?? Date.now)(), i = this.seen();
    le(i.atMs, a, "this device's own last use");
    try {
      const { root: r, targets: o, kept: l, staleSince: d } = await Ue(t, n, i.metadata ?? {}, a), h = await me(r.signed);
      this.keep({ ...i, metadata: l });
      const f = await Ge(t, o, `${e}.json`), w = `sha256:${C(await O(f))}`;
      if (d !== null && i.packs?.[e]?.digest !== w)
        throw new ue(`What says what is newest ended on ${new Date(d).toISOString()}, and this device has not accepted this pack before.`, e, "Fetch the packs again, and check the clock.");
      const p = /* @__PURE__ */ c((S) => t(`log/${S}`), "inLog"), g = new TextDecoder().decode(await p("checkpoint") ?? new Uint8Array(0)), m = await _(g, h.log), A = new Ie(p, m.size), $ = i.logs?.[h.logKey];
      $ !== void 0 && await this.extends($, g, h.log, A);
      const E = await Ce(g, h.witnesses);
      if (E.size < h.quorum)
        throw new V(`${E.size} of the ${h.quorum} witnesses that must have seen the log have.`, "log", "Wait until they have, and fetch it again.");
      for (const [S, H] of E) le(H * 1e3, a, `the witness ${S}`);
      let T = -1;
      for (const [S, H] of [["signers", r], ["signatures", o]]) {
        const ae = await Be(H.raw, m, A);
        if (ae === null) throw new V(`The pack's ${S} are not in the log ${h.log.name}: nobody else can see them.`, e, "Do not use it; tell the signers.");
        T = ae;
      }
      const b = Ve(f, e), u = i.packs?.[e]?.version ?? 0;
      if (b.name !== e || b.version < u)
        throw new Q(`Version ${b.version} of ${b.name} was offered; this device has seen version ${u} of ${e}.`, e, "Fetch the packs again.");
      await qe(b), this.keep({
        ...this.seen(),
        logs: { ...i.logs, [h.logKey]: g },
        packs: { ...i.packs, [e]: { version: b.version, digest: w } },
        atMs: Math.max(a, i.atMs ?? 0)
      });
      const y = await pe(r.signed, "targets", o);
      return {
        ...b,
        digest: w,
        signedBy: y.map((S) => S["x-lightship-name"]).sort(),
        rootVersion: r.signed.version,
        log: h.log.name,
        index: T,
        size: m.size,
        seenBy: [...E.keys()].sort(),
        checkpoint: g,
        staleSince: d,
        policy: /* @__PURE__ */ c((S) => this.agreed(b, S), "policy")
      };
    } catch (r) {
      throw r instanceof I ? r : new v(`The pack cannot be read: ${String(r)}.`, e, "Fetch the packs again.");
    }
  }
  /** Compare with the last checkpoint; keep one that contradicts it, as the proof it is. */
  async extends(e, t, n, a) {
    const i = await _(t, n);
    try {
      await Ne(await _(e, n), i, a);
    } catch (r) {
      if (r instanceof fe || r instanceof R) {
        const o = this.seen(), l = `${i.size}-${C(i.root.slice(0, 8))}`;
        throw this.keep({ ...o, refused: { ...o.refused, [l]: t } }), Object.assign(r, { checkpoint: t });
      }
      throw r;
    }
  }
  agreed(e, t) {
    const n = e.files[`policies/${t}.toml`], a = `pack ${e.name} ${e.version}`;
    if (!Object.hasOwn(e.files, `policies/${t}.toml`)) throw new v(`The pack holds no policy ${t}.`, a, "Name another.");
    if (this.options.consent === void 0) throw new de("Nobody has agreed to anything on this device.", a, "Give the owner's consent.");
    return ee.parse(this.options.consent).check(X(n, t), a), n;
  }
  /** Checkpoints that were refused because they contradict what was seen: proof, to be shown to others. */
  refused() {
    return Object.values(this.seen().refused ?? {});
  }
  keep(e) {
    try {
      this.store.write(JSON.stringify(e));
    } catch (t) {
      throw new v(`What this device has seen cannot be kept: ${String(t)}.`, "store", "Free some space.");
    }
  }
}
function le(s, e, t) {
  if (s !== void 0 && s > e + Le)
    throw new Te(`This device's clock says ${new Date(e).toISOString()}, which is before what ${t} says: ${new Date(s).toISOString()}.`, "clock", "Set the clock: by a wrong one, old signatures look new.");
}
c(le, "checkClock");
async function me(s) {
  const { key: e, witnesses: t, quorum: n } = s["x-lightship-log"] ?? {}, a = /* @__PURE__ */ c((...l) => l.flatMap((d) => s.roles[d].keyids), "ids"), i = Math.min(s.roles.root.threshold, s.roles.targets.threshold), r = a("snapshot", "timestamp"), o = await Promise.all([...new Set(t ?? [])].map((l) => q(l, 4)));
  if (!(i >= Y) || a("root", "targets").some((l) => r.includes(l)) || !(0 <= n && n <= o.length) || new Set(o.map((l) => C(l.public))).size < o.length)
    throw new v(`A root must ask for ${Y} signers, none of whom holds the online key, and for no more witnesses than it names.`, "root", "Use another root.");
  return { log: await q(e), logKey: e, witnesses: o, quorum: n };
}
c(me, "trusted");
async function it(s) {
  const e = P(new TextEncoder().encode(s), "root");
  return await me(e.signed), C(await O(e.raw));
}
c(it, "rootFingerprint");
const U = /* @__PURE__ */ c((s, e) => new v(s, e, "Do not use this pack; tell its signers."), "outside");
function Ve(s, e) {
  let t;
  try {
    t = JSON.parse(new TextDecoder("utf-8", { fatal: !0 }).decode(s));
  } catch {
    t = null;
  }
  if (!(t?.format === he && Object.keys(t).sort().join() === "files,format,name,title,version" && /^[a-z0-9][a-z0-9-]{0,63}$/.test(t.name) && Number.isSafeInteger(t.version) && t.version >= 1 && typeof t.title == "string" && t.files !== null && typeof t.files == "object" && !Array.isArray(t.files))) throw U(`This is not a pack of the form ${he}.`, e);
  for (const [a, i] of Object.entries(t.files))
    if (!_e.test(a) || !He.includes(a.split("/")[0]) || typeof i != "string") throw U(`A pack has no place for ${a.slice(0, 80)}.`, e);
  return { name: t.name, version: t.version, title: t.title, files: t.files };
}
c(Ve, "parsePack");
async function qe(s) {
  for (const [e, t] of Object.entries(s.files)) {
    const n = `pack ${s.name} ${s.version}, ${e}`;
    try {
      await Je(s, e, t);
    } catch (a) {
      throw a instanceof v ? a : U(a instanceof I ? a.what : String(a), n);
    }
  }
}
c(qe, "checkPack");
async function Je(s, e, t) {
  const n = /* @__PURE__ */ c((d, h) => {
    if (!d) throw U(h, e);
  }, "must"), a = /* @__PURE__ */ c((d) => Object.hasOwn(s.files, d), "holds"), [i] = e.split("/"), r = e.slice(i.length + 1), o = r.split(".").at(-1), l = r.slice(0, -o.length - 1);
  switch (`${i} ${o}`) {
    case "policies toml": {
      const d = X(t, e);
      n(d.name === l, `The policy calls itself ${d.name}.`), n(a(`jurisdictions/${d.jurisdiction}.toml`), `It names the jurisdiction ${d.jurisdiction}, which the pack does not hold.`);
      for (const h of d.detectors) {
        n(We.includes(h.name), `It names the detector ${h.name}, which is not in the registry.`), n(!h.calibration || a(`calibrations/${h.calibration}.json`), `It names the calibration ${h.calibration}, which the pack does not hold.`);
        for (const [f, w] of Object.entries(h.options))
          n(f === "card" && a(`cards/${String(w)}.toml`), `It gives ${h.name} the option ${f}, which no pack may give, or a card that it does not hold.`);
      }
      return;
    }
    case "cards toml":
      return n(/^[0-9a-f]{64}$/.test(String(K(t, e).sha256)), "The card does not pin its model by a digest.");
    case "lists manifest": {
      const [d, h] = t.split(`
`), f = [...new Set((s.files[`lists/${l}.keys`] ?? "").split(/\s+/).filter(Boolean))];
      n(d === "lightship list manifest 1" && typeof JSON.parse(h).digest == "string", "This is not a list's manifest.");
      const w = ie(t), p = await Promise.all(f.map(async (g) => ge(w, await q(g))));
      return n(p.filter(Boolean).length >= Y, "Fewer than two of the list's own signers vouch for it.");
    }
    case "calibrations json":
    case "jurisdictions toml":
    case "controls toml":
    case "typologies toml":
    case "lists keys":
      return;
    case "lists toml":
      K(t, e);
      return;
    default:
      n(!1, "A pack has no place for it.");
  }
}
c(Je, "checkFile");
function Ze() {
  const s = globalThis, e = [];
  return (!s.MediaStreamTrackProcessor || !s.MediaStreamTrackGenerator) && e.push("no MediaStreamTrackProcessor and Generator: pictures take the slower way over a canvas"), s.RTCRtpScriptTransform || e.push("no RTCRtpScriptTransform: calls cannot be end-to-end encrypted here"), e;
}
c(Ze, "missing");
class at {
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
    this.worker = new Worker(e, { type: "module", name: "lightship-guard" }), this.worker.onmessage = ({ data: t }) => this.listeners.get(t.id)?.(t), this.worker.onerror = () => {
      this.failed = new I("The guard's worker cannot run.", String(e), "Allow it in the page's worker-src.");
      for (const t of this.listeners.values()) t({ kind: "failed", name: "GuardError", message: this.failed.message });
    };
  }
  /** Return a track that may be sent instead of the camera's. Nothing leaves it that was not judged. */
  async protect(e, t) {
    if (e.readyState !== "live") throw new Se("The camera's track has ended.", "", "Open the camera again.");
    const n = X(t.policy);
    if (this.failed) throw this.failed;
    const a = globalThis, r = await (a.MediaStreamTrackProcessor && a.MediaStreamTrackGenerator ? this.direct(e, t) : this.overCanvas(e, t)), o = Ze();
    return n.hold_back_s > 0 && o.push("frames are not held back in calls, so the policy's hold-back is not kept"), t.onEvent?.({ kind: "coverage", missing: o }), e.addEventListener("ended", () => {
      t.onEvent?.({ kind: "ended", message: "The camera's track has ended." }), r.stop();
    }), Object.assign(r.track, { guard: r });
  }
  listen(e, t) {
    const n = /* @__PURE__ */ c((a) => {
      if (a.kind === "decision") for (const i of t.audio ?? []) i.enabled = a.rung === null || a.rung === "observe";
      a.kind !== "counts" && a.kind !== "resumed" && t.onEvent?.(a);
    }, "told");
    return this.listeners.set(e, n), n;
  }
  ask(e, t, n, a = {}) {
    const i = this.listeners.get(e);
    return new Promise((r) => {
      this.listeners.set(e, (o) => {
        (o.kind === n || o.kind === "failed") && (this.listeners.set(e, i ?? (() => {
        })), r(o)), o.kind !== n && i?.(o);
      }), this.worker.postMessage({ id: e, kind: t, ...a });
    });
  }
  async direct(e, t) {
    const n = globalThis, a = `video-${this.next++}`, i = new n.MediaStreamTrackProcessor({ track: e, maxBufferSize: 2 }), r = new n.MediaStreamTrackGenerator({ kind: "video" }), o = this.listen(a, t), l = await new Promise((d) => {
      this.listeners.set(a, (h) => {
        o(h), h.kind === "started" && d(null), h.kind === "failed" && d(h);
      }), this.worker.postMessage(
        { id: a, kind: "protect", policy: t.policy, lines: t.help ?? [], readable: i.readable, writable: r.writable },
        [i.readable, r.writable]
      );
    });
    if (this.listeners.set(a, o), l) throw Object.assign(new I(l.message), { name: l.name });
    return {
      track: r,
      resume: /* @__PURE__ */ c(async () => (await this.ask(a, "resume", "resumed")).allowed === !0, "resume"),
      counts: /* @__PURE__ */ c(() => this.ask(a, "counts", "counts"), "counts"),
      stop: /* @__PURE__ */ c(() => r.stop(), "stop")
    };
  }
  /** Where tracks cannot be taken apart: a video element, drawn through the gate onto a canvas. */
  async overCanvas(e, t) {
    const n = `canvas-${this.next++}`, a = this.listen(n, t), i = document.createElement("canvas"), r = new je(t.policy, t.help ?? [], a, () => {
    }), o = document.createElement("video");
    o.muted = !0, o.playsInline = !0, o.srcObject = new MediaStream([e]), await o.play();
    let l = !0;
    const d = new OffscreenCanvas(1, 1), h = performance.now(), f = /* @__PURE__ */ c(async () => {
      if (!l) return;
      const p = o.videoWidth, g = o.videoHeight, m = (performance.now() - h) / 1e3;
      if (p && g) {
        d.width = p, d.height = g;
        const A = d.getContext("2d", { willReadFrequently: !0 });
        A.drawImage(o, 0, 0);
        const $ = await r.arrive(m, async () => Oe(A.getImageData(0, 0, p, g)));
        if ($ ? r.coverer.draw(d, p, g, $ !== "blur", i) : ((i.width !== p || i.height !== g) && (i.width = p, i.height = g), i.getContext("2d").drawImage(d, 0, 0)), $ === "end") {
          l = !1, w.stop();
          return;
        }
      }
      setTimeout(f, 33);
    }, "step"), [w] = i.captureStream(30).getVideoTracks();
    return i.getContext("2d"), f(), {
      track: w,
      resume: /* @__PURE__ */ c(async () => r.watcher.resume((performance.now() - h) / 1e3), "resume"),
      counts: /* @__PURE__ */ c(async () => r.counts, "counts"),
      stop: /* @__PURE__ */ c(() => {
        l = !1, w.stop();
      }, "stop")
    };
  }
  /**
   * Encrypt what a sender sends, or decrypt what a receiver gets. Call it before negotiation: frames that pass before
   * keys are here are dropped, never sent in clear.
   */
  encrypted(e, t, n) {
    const a = globalThis.RTCRtpScriptTransform;
    if (!a) throw new xe("This browser cannot encrypt frames.", "RTCRtpScriptTransform", "Use a current browser; the call is not made.");
    const i = `frames-${this.next++}`, r = "replaceTrack" in e ? "send" : "receive", o = n.codec ?? (n.media === "video" ? "vp8" : "opus");
    let l = !1;
    const d = [], h = /* @__PURE__ */ c((f) => l ? this.worker.postMessage({ id: i, ...f }) : d.push(f), "post");
    return this.listeners.set(i, (f) => {
      if (f.kind === "ready") {
        l = !0;
        for (const w of d.splice(0)) h(w);
      }
      f.kind === "needs key frame" ? Ye(e).catch((w) => n.onEvent?.({ kind: "failed", name: w.name, message: w.message })) : n.onEvent?.(f);
    }), e.transform = new a(this.worker, { id: i, direction: r, media: n.media, codec: o }), t.length && h({ kind: "keys", chains: t }), {
      /** New keys: of a sender, from now on; of a receiver, beside those it has. */
      keys: /* @__PURE__ */ c((f) => h({ kind: "keys", chains: f }), "keys"),
      ratchet: /* @__PURE__ */ c(() => h({ kind: "ratchet" }), "ratchet"),
      drop: /* @__PURE__ */ c((f) => h({ kind: "drop", kid: String(f) }), "drop"),
      times: /* @__PURE__ */ c(async () => (await this.ask(i, "times", "times")).times, "times")
    };
  }
  /** End everything. */
  close() {
    this.worker.terminate();
  }
}
async function Ye(s) {
  const e = s.getParameters();
  await s.setParameters(e, { encodingOptions: e.encodings.map(() => ({ keyFrame: !0 })) });
}
c(Ye, "keyFrame");
function ot(s) {
  const t = (RTCRtpReceiver.getCapabilities("video")?.codecs ?? []).filter((n) => /\/(VP8|rtx)$/i.test(n.mimeType));
  t.some((n) => /VP8$/i.test(n.mimeType)) && s.setCodecPreferences(t);
}
c(ot, "preferVp8");
export {
  et as ANSWERS,
  Te as ClockSkewed,
  de as ConsentExceeded,
  ht as DetectorError,
  lt as FrameError,
  at as Guard,
  I as GuardError,
  Ee as GuardedBadge,
  R as LogDamaged,
  fe as LogForked,
  dt as ModelBlocked,
  ft as NoCamera,
  G as PackChanged,
  v as PackError,
  ue as PackExpired,
  Q as PackRolledBack,
  V as PackUnlogged,
  ve as PackUnsigned,
  nt as Packs,
  ut as PermissionDenied,
  wt as PolicyError,
  Se as TrackEnded,
  xe as TransformUnsupported,
  tt as answerOf,
  gt as cameraError,
  Ze as missing,
  Me as pTrue,
  X as parsePolicy,
  pt as policyDigest,
  ot as preferVp8,
  st as randomised,
  it as rootFingerprint
};
