var ae = Object.defineProperty;
var c = (s, e) => ae(s, "name", { value: e, configurable: !0 });
import { G as A, p as F, R as oe, m as ie, C as G, P as S, L as re, a as I, s as ce, u as q, b as he, c as ee, d as te, h as E, e as W, o as B, T as de, f as le, g as K, i as we, j as fe, k as ge, l as ue, n as _, q as pe, r as z, t as me, v as ke, w as J, x as ye, y as be, z as ve, A as $e } from "./gate.js";
import { D as Qe, F as Xe, M as Ye, N as et, B as tt, E as st, H as nt, I as at } from "./gate.js";
const Z = {
  starting: "Guard is starting",
  on: "Guarded",
  covered: "Picture covered",
  blind: "Guard cannot see",
  off: "Not guarded",
  ended: "Ended"
}, Se = globalThis.HTMLElement ?? class {
};
class Te extends Se {
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
    this.textContent = Z[this.getAttribute("state") ?? "off"] ?? Z.off;
  }
}
globalThis.customElements?.define("guarded-badge", Te);
const Le = ["none", "1", "2 to 4", "5 or more"], We = /* @__PURE__ */ c((s) => s <= 0 ? 0 : s === 1 ? 1 : s < 5 ? 2 : 3, "answerOf");
function je(s, e) {
  if (!(s > 0 && s <= 8) || e < 2) throw new A(`ε = ${s} is outside 0 to 8.`, "statistics", "Choose 1, say.");
  return Math.exp(s) / (Math.exp(s) + e - 1);
}
c(je, "pTrue");
async function _e(s, e, t, n, o, a) {
  const i = je(t, e), r = await crypto.subtle.importKey("raw", n, { name: "HMAC", hash: "SHA-256" }, !1, ["sign"]), d = new DataView(await crypto.subtle.sign("HMAC", r, new TextEncoder().encode(`${o}
${a}`)));
  if (Number(d.getBigUint64(0) >> 11n) / 2 ** 53 < i) return s;
  const w = Number(d.getBigUint64(8) % BigInt(e - 1));
  return w + (w >= s ? 1 : 0);
}
c(_e, "randomised");
class H {
  static {
    c(this, "Consent");
  }
  constructor(e, t, n, o, a, i, r, d) {
    this.by = e, this.at = t, this.labels = n, this.detectors = o, this.lists = a, this.rungs = i, this.whenBlind = r, this.release = d;
  }
  static parse(e) {
    const t = /* @__PURE__ */ c((h) => new S(`The consent is refused: ${h}.`, "consent", "See docs/reference/packs.md."), "refuse");
    let n;
    try {
      n = F(e, "consent");
    } catch (h) {
      throw t(String(h));
    }
    const o = /* @__PURE__ */ c((h, l) => {
      const g = n[h];
      if (!Array.isArray(g) || !g.every((u) => typeof u == "string")) throw t(`${h} is no list of words`);
      const m = g.filter((u) => l && !l.includes(u));
      if (m.length) throw t(`${m.join(", ")} is not one of ${l.join(", ")}`);
      return g;
    }, "words"), a = Object.keys(n).filter((h) => !["by", "at", "labels", "detectors", "lists", "rungs", "when_blind", "release"].includes(h));
    if (a.length) throw t(`unknown key ${a.join(", ")}`);
    const { by: i, at: r, rungs: d } = n;
    if (typeof i != "string" || !i.trim() || typeof r != "string" || typeof d != "object" || Array.isArray(d)) throw t("it does not say who agreed to what, and when");
    const w = Object.entries(d).map(([h, l]) => {
      if (!oe.includes(h) || typeof l != "string") throw t(`${h} is no response with a budget`);
      return [h, { meanS: ie(l, "consent"), words: l }];
    });
    return new H(
      i,
      r,
      o("labels", re),
      o("detectors"),
      "lists" in n ? o("lists") : [],
      new Map(w),
      o("when_blind", ["cover", "pass-with-notice"]),
      o("release", ["benign", "person", "never"])
    );
  }
  /** What a policy would do beyond what was agreed to, in words. */
  exceeded(e) {
    const t = [...new Set(e.detectors.flatMap((a) => a.labels))].filter((a) => !this.labels.includes(a)).sort(), n = e.detectors.map((a) => a.name).filter((a) => !this.detectors.includes(a)).sort(), o = e.rungs.flatMap(({ rung: a, mean_time_s: i }) => {
      const r = this.rungs.get(a);
      return r ? i < r.meanS * (1 - 1e-9) ? [`it could ${a} by mistake every ${i} s, and ${r.words} was agreed to`] : [] : [`it could ${a}, and nobody agreed to that`];
    });
    return [
      ...t.map((a) => `it would act on “${a}”`),
      ...n.map((a) => `it would look with the detector “${a}”`),
      ...o,
      ...this.whenBlind.includes(e.when_blind) ? [] : [`it would ${e.when_blind} while it cannot see`],
      ...this.release.includes(e.release) ? [] : [`a cover would end by “${e.release}” alone`]
    ];
  }
  check(e, t) {
    const n = this.exceeded(e);
    if (n.length)
      throw new G(`The policy ${e.name} goes beyond what ${this.by} agreed to on ${this.at}: ${n.join("; ")}.`, t, "Ask the owner of the device; only a new consent changes this.");
  }
}
const xe = 1e6, N = "Fetch the packs again.";
function P(s) {
  if (typeof s == "string") return `"${s.replace(/[\\"]/g, "\\$&")}"`;
  if (Array.isArray(s)) return `[${s.map(P).join(",")}]`;
  if (s !== null && typeof s == "object")
    return `{${Object.keys(s).sort().map((e) => `${P(e)}:${P(s[e])}`).join(",")}}`;
  if (typeof s == "boolean" || s === null || Number.isSafeInteger(s)) return String(s);
  throw new I("The metadata hold a number that no metadata have.", "", N);
}
c(P, "covered");
const Oe = /* @__PURE__ */ c((s) => new TextEncoder().encode(P(s)), "signedBytes");
function O(s, e) {
  const t = /* @__PURE__ */ c(() => new I(`The ${e} metadata cannot be used.`, e, N), "refuse");
  if (s.length > xe) throw t();
  try {
    const { signed: n, signatures: o } = JSON.parse(new TextDecoder("utf-8", { fatal: !0 }).decode(s));
    if (n._type === e && /^1\./.test(n.spec_version) && Number.isSafeInteger(n.version) && n.version > 0 && Number.isFinite(Date.parse(n.expires)) && Array.isArray(o)) return { raw: s, signed: n, signatures: o };
  } catch {
  }
  throw t();
}
c(O, "parse");
async function se(s, e, t) {
  const { keyids: n } = s.roles[e], o = Oe(t.signed), a = /* @__PURE__ */ new Map();
  for (const { keyid: i, sig: r } of t.signatures) {
    const d = n.includes(i) && Object.hasOwn(s.keys, i) ? s.keys[i] : null;
    d?.keytype === "ed25519" && d.scheme === "ed25519" && await ce(q(d.keyval.public), q(r), o) && a.set(d.keyval.public, d);
  }
  return [...a.values()];
}
c(se, "signersOf");
async function x(s, e, t) {
  const n = await se(s, e, t), o = s.roles[e].threshold;
  if (!(o >= 1) || n.length < o)
    throw new he(`${n.length} of the ${o} who must sign ${e} have.`, e, "Do not use it; tell the signers.");
}
c(x, "verify");
async function U(s, e, t) {
  const n = e.hashes?.sha256;
  if (e.length !== void 0 && s.length !== e.length || e.hashes && (!n || E(await W(s)) !== n))
    throw new I(`The bytes of ${t} are not those that were signed.`, t, N);
}
c(U, "whole");
const M = /* @__PURE__ */ c((s) => new ee(`An older ${s} was offered than this device has seen.`, s, "Fetch the packs again from a place that is up to date."), "older");
async function D(s, e) {
  const t = await s(e);
  if (!t) throw new S("A file is missing.", e, "Fetch the packs again, whole.");
  return t;
}
c(D, "need");
async function Ae(s, e, t, n) {
  const o = /* @__PURE__ */ c((f) => new TextEncoder().encode(f), "bytes"), a = /* @__PURE__ */ c((f) => new TextDecoder().decode(f), "text"), i = /* @__PURE__ */ c(async (f) => {
    if (t[f] === void 0) return null;
    const $ = O(o(t[f]), f);
    return x(r.signed, f, $).then(() => $, () => null);
  }, "before");
  let r = O(o(t.anchor === e && t.root ? t.root : e), "root");
  for (await x(r.signed, "root", r); ; ) {
    const f = await s(`metadata/${r.signed.version + 1}.root.json`);
    if (!f) break;
    const $ = O(f, "root");
    if (await x(r.signed, "root", $), await x($.signed, "root", $), $.signed.version !== r.signed.version + 1) throw M("root");
    r = $;
  }
  const d = /* @__PURE__ */ c((f) => Date.parse(f.signed.expires) <= n, "expired"), w = /* @__PURE__ */ c((f) => new te(`The ${f.signed._type} signatures ended on ${f.signed.expires}; this device's clock says ${new Date(n).toISOString()}.`, f.signed._type, "Fetch the packs again, and check the clock."), "old");
  if (d(r)) throw w(r);
  const h = await i("timestamp");
  let l = O(await D(s, "metadata/timestamp.json"), "timestamp");
  await x(r.signed, "timestamp", l);
  const g = l.signed.meta["snapshot.json"];
  if (h) {
    if (l.signed.version < h.signed.version || g.version < h.signed.meta["snapshot.json"].version) throw M("timestamp");
    l.signed.version === h.signed.version && (l = h);
  }
  const m = l.signed.meta["snapshot.json"], u = await D(s, `metadata/${m.version}.snapshot.json`);
  await U(u, m, "snapshot");
  const b = O(u, "snapshot"), j = await i("snapshot");
  if (await x(r.signed, "snapshot", b), b.signed.version !== m.version) throw M("snapshot");
  for (const [f, $] of Object.entries(j?.signed.meta ?? {}))
    if (!(b.signed.meta[f]?.version >= $.version)) throw M("snapshot");
  const p = b.signed.meta["targets.json"], y = await D(s, `metadata/${p?.version}.targets.json`);
  await U(y, p, "targets");
  const v = O(y, "targets");
  if (await x(r.signed, "targets", v), v.signed.version !== p.version) throw M("targets");
  if (d(v)) throw w(v);
  const k = Math.min(...[l, b].map((f) => Date.parse(f.signed.expires)));
  return {
    root: r,
    targets: v,
    staleSince: k <= n ? k : null,
    kept: { anchor: e, root: a(r.raw), timestamp: a(l.raw), snapshot: a(b.raw), targets: a(v.raw) }
  };
}
c(Ae, "refresh");
async function Ce(s, e, t) {
  const n = e.signed.targets, o = Object.hasOwn(n, t) ? n[t] : null;
  if (!o) throw new S(`There is no ${t} among what was signed.`, t, `There are: ${Object.keys(n).join(", ") || "none"}.`);
  if (typeof o.hashes?.sha256 != "string") throw new I(`No digest of ${t} was signed.`, t, N);
  const a = await D(s, `targets/${o.hashes.sha256}.${t}`);
  return await U(a, { hashes: o.hashes, length: o.length }, t), a;
}
c(Ce, "target");
const Q = "lightship.pack/1", L = 2, Me = 36e5, Ee = ["calibrations", "cards", "controls", "jurisdictions", "lists", "policies", "typologies"], Pe = /^[a-z]+(\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){1,3}$/, De = ["camera", "exposure", "known-media", "test-card"], Re = {
  read: /* @__PURE__ */ c(() => localStorage.getItem("lightship-packs"), "read"),
  write: /* @__PURE__ */ c((s) => localStorage.setItem("lightship-packs", s), "write")
};
class He {
  static {
    c(this, "Packs");
  }
  constructor(e) {
    this.options = e, this.store = e.store ?? Re;
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
      throw new S("What this device has seen cannot be read.", "store", "Restore it; without it, a log that was forked could not be told.");
    }
  }
  async checked(e) {
    const { read: t, root: n } = this.options, o = (this.options.now ?? Date.now)(), a = this.seen();
    X(a.atMs, o, "this device's own last use");
    try {
      const { root: i, targets: r, kept: d, staleSince: w } = await Ae(t, n, a.metadata ?? {}, o), h = await ne(i.signed);
      this.keep({ ...a, metadata: d });
      const l = await Ce(t, r, `${e}.json`), g = `sha256:${E(await W(l))}`;
      if (w !== null && a.packs?.[e]?.digest !== g)
        throw new te(`What says what is newest ended on ${new Date(w).toISOString()}, and this device has not accepted this pack before.`, e, "Fetch the packs again, and check the clock.");
      const m = /* @__PURE__ */ c((T) => t(`log/${T}`), "inLog"), u = new TextDecoder().decode(await m("checkpoint") ?? new Uint8Array(0)), b = await B(u, h.log), j = new de(m, b.size), p = a.logs?.[h.logKey];
      p !== void 0 && await this.extends(p, u, h.log, j);
      const y = await le(u, h.witnesses);
      if (y.size < h.quorum)
        throw new K(`${y.size} of the ${h.quorum} witnesses that must have seen the log have.`, "log", "Wait until they have, and fetch it again.");
      for (const [T, C] of y) X(C * 1e3, o, `the witness ${T}`);
      let v = -1;
      for (const [T, C] of [["signers", i], ["signatures", r]]) {
        const V = await we(C.raw, b, j);
        if (V === null) throw new K(`The pack's ${T} are not in the log ${h.log.name}: nobody else can see them.`, e, "Do not use it; tell the signers.");
        v = V;
      }
      const k = Ie(l, e), f = a.packs?.[e]?.version ?? 0;
      if (k.name !== e || k.version < f)
        throw new ee(`Version ${k.version} of ${k.name} was offered; this device has seen version ${f} of ${e}.`, e, "Fetch the packs again.");
      await Ne(k), this.keep({
        ...this.seen(),
        logs: { ...a.logs, [h.logKey]: u },
        packs: { ...a.packs, [e]: { version: k.version, digest: g } },
        atMs: Math.max(o, a.atMs ?? 0)
      });
      const $ = await se(i.signed, "targets", r);
      return {
        ...k,
        digest: g,
        signedBy: $.map((T) => T["x-lightship-name"]).sort(),
        rootVersion: i.signed.version,
        log: h.log.name,
        index: v,
        size: b.size,
        seenBy: [...y.keys()].sort(),
        checkpoint: u,
        staleSince: w,
        policy: /* @__PURE__ */ c((T, C = []) => this.agreed(k, T, C), "policy")
      };
    } catch (i) {
      throw i instanceof A ? i : new S(`The pack cannot be read: ${String(i)}.`, e, "Fetch the packs again.");
    }
  }
  /** Compare with the last checkpoint; keep one that contradicts it, as the proof it is. */
  async extends(e, t, n, o) {
    const a = await B(t, n);
    try {
      await fe(await B(e, n), a, o);
    } catch (i) {
      if (i instanceof ge || i instanceof ue) {
        const r = this.seen(), d = `${a.size}-${E(a.root.slice(0, 8))}`;
        throw this.keep({ ...r, refused: { ...r.refused, [d]: t } }), Object.assign(i, { checkpoint: t });
      }
      throw i;
    }
  }
  agreed(e, t, n) {
    const o = e.files[`policies/${t}.toml`], a = `pack ${e.name} ${e.version}`;
    if (!Object.hasOwn(e.files, `policies/${t}.toml`)) throw new S(`The pack holds no policy ${t}.`, a, "Name another.");
    if (this.options.consent === void 0) throw new G("Nobody has agreed to anything on this device.", a, "Give the owner's consent.");
    const i = H.parse(this.options.consent), r = n.filter((d) => !i.lists.includes(d));
    if (i.check(_(o, t), a), r.length) throw new G(`${i.by} did not agree to the list ${r.join(", ")}.`, a, "Ask the owner of the device.");
    return o;
  }
  /** Checkpoints that were refused because they contradict what was seen: proof, to be shown to others. */
  refused() {
    return Object.values(this.seen().refused ?? {});
  }
  keep(e) {
    try {
      this.store.write(JSON.stringify(e));
    } catch (t) {
      throw new S(`What this device has seen cannot be kept: ${String(t)}.`, "store", "Free some space.");
    }
  }
}
function X(s, e, t) {
  if (s !== void 0 && s > e + Me)
    throw new pe(`This device's clock says ${new Date(e).toISOString()}, which is before what ${t} says: ${new Date(s).toISOString()}.`, "clock", "Set the clock: by a wrong one, old signatures look new.");
}
c(X, "checkClock");
async function ne(s) {
  const { key: e, witnesses: t, quorum: n } = s["x-lightship-log"] ?? {}, o = /* @__PURE__ */ c((...d) => d.flatMap((w) => s.roles[w].keyids), "ids"), a = Math.min(s.roles.root.threshold, s.roles.targets.threshold), i = o("snapshot", "timestamp"), r = await Promise.all([...new Set(t ?? [])].map((d) => z(d, 4)));
  if (!(a >= L) || o("root", "targets").some((d) => i.includes(d)) || !(0 <= n && n <= r.length) || new Set(r.map((d) => E(d.public))).size < r.length)
    throw new S(`A root must ask for ${L} signers, none of whom holds the online key, and for no more witnesses than it names.`, "root", "Use another root.");
  return { log: await z(e), logKey: e, witnesses: r, quorum: n };
}
c(ne, "trusted");
async function Ve(s) {
  const e = O(new TextEncoder().encode(s), "root");
  return await ne(e.signed), E(await W(e.raw));
}
c(Ve, "rootFingerprint");
const R = /* @__PURE__ */ c((s, e) => new S(s, e, "Do not use this pack; tell its signers."), "outside");
function Ie(s, e) {
  let t;
  try {
    t = JSON.parse(new TextDecoder("utf-8", { fatal: !0 }).decode(s));
  } catch {
    t = null;
  }
  if (!(t?.format === Q && Object.keys(t).sort().join() === "files,format,name,title,version" && /^[a-z0-9][a-z0-9-]{0,63}$/.test(t.name) && Number.isSafeInteger(t.version) && t.version >= 1 && typeof t.title == "string" && t.files !== null && typeof t.files == "object" && !Array.isArray(t.files))) throw R(`This is not a pack of the form ${Q}.`, e);
  for (const [o, a] of Object.entries(t.files))
    if (!Pe.test(o) || !Ee.includes(o.split("/")[0]) || typeof a != "string") throw R(`A pack has no place for ${o.slice(0, 80)}.`, e);
  return { name: t.name, version: t.version, title: t.title, files: t.files };
}
c(Ie, "parsePack");
async function Ne(s) {
  for (const [e, t] of Object.entries(s.files)) {
    const n = `pack ${s.name} ${s.version}, ${e}`;
    try {
      await Be(s, e, t);
    } catch (o) {
      throw o instanceof S ? o : R(o instanceof A ? o.what : String(o), n);
    }
  }
}
c(Ne, "checkPack");
async function Be(s, e, t) {
  const n = /* @__PURE__ */ c((w, h) => {
    if (!w) throw R(h, e);
  }, "must"), o = /* @__PURE__ */ c((w) => Object.hasOwn(s.files, w), "holds"), [a] = e.split("/"), i = e.slice(a.length + 1), r = i.split(".").at(-1), d = i.slice(0, -r.length - 1);
  switch (`${a} ${r}`) {
    case "policies toml": {
      const w = _(t, e);
      n(w.name === d, `The policy calls itself ${w.name}.`), n(o(`jurisdictions/${w.jurisdiction}.toml`), `It names the jurisdiction ${w.jurisdiction}, which the pack does not hold.`);
      for (const h of w.detectors) {
        n(De.includes(h.name), `It names the detector ${h.name}, which is not in the registry.`), n(!h.calibration || o(`calibrations/${h.calibration}.json`), `It names the calibration ${h.calibration}, which the pack does not hold.`);
        for (const [l, g] of Object.entries(h.options))
          n(l === "card" && o(`cards/${String(g)}.toml`), `It gives ${h.name} the option ${l}, which no pack may give, or a card that it does not hold.`);
      }
      return;
    }
    case "cards toml":
      return n(/^[0-9a-f]{64}$/.test(String(F(t, e).sha256)), "The card does not pin its model by a digest.");
    case "lists manifest": {
      const [w, h] = t.split(`
`), l = [...new Set((s.files[`lists/${d}.keys`] ?? "").split(/\s+/).filter(Boolean))];
      n(w === "lightship list manifest 1" && typeof JSON.parse(h).digest == "string", "This is not a list's manifest.");
      const g = me(t), m = await Promise.all(l.map(async (u) => ke(g, await z(u))));
      return n(m.filter(Boolean).length >= L, "Fewer than two of the list's own signers vouch for it.");
    }
    case "calibrations json":
    case "jurisdictions toml":
    case "controls toml":
    case "typologies toml":
    case "lists keys":
      return;
    case "lists toml":
      F(t, e);
      return;
    default:
      n(!1, "A pack has no place for it.");
  }
}
c(Be, "checkFile");
function Fe() {
  const s = globalThis, e = [];
  return (!s.MediaStreamTrackProcessor || !s.MediaStreamTrackGenerator) && e.push("no MediaStreamTrackProcessor and Generator: pictures take the slower way over a canvas"), s.RTCRtpScriptTransform || e.push("no RTCRtpScriptTransform: calls cannot be end-to-end encrypted here"), e;
}
c(Fe, "missing");
class qe {
  static {
    c(this, "Guard");
  }
  worker;
  listeners = /* @__PURE__ */ new Map();
  failed = null;
  /** Why what is sent cannot be encrypted here; each stream's policy decides what is shown then. */
  inClear = null;
  streams = /* @__PURE__ */ new Map();
  next = 0;
  /** @param worker where worker.js is; beside this file unless named. */
  constructor(e = new URL(
    /* @vite-ignore */
    "./worker.js",
    import.meta.url
  )) {
    this.worker = new Worker(e, { type: "module", name: "lightship-guard" }), this.worker.onmessage = ({ data: t }) => this.listeners.get(t.id)?.(t), this.worker.onerror = () => {
      this.failed = new A("The guard's worker cannot run.", String(e), "Allow it in the page's worker-src.");
      for (const t of this.listeners.values()) t({ kind: "failed", name: "GuardError", message: this.failed.message });
    };
  }
  /** Return a track that may be sent instead of the camera's. Nothing leaves it that was not judged. */
  async protect(e, t) {
    if (e.readyState !== "live") throw new J("The camera's track has ended.", "", "Open the camera again.");
    const n = _(t.policy);
    if (this.failed) throw this.failed;
    const o = globalThis, i = await (o.MediaStreamTrackProcessor && o.MediaStreamTrackGenerator ? this.direct(e, t) : this.overCanvas(e, t));
    this.inClear && this.streams.get(i.id)?.(this.inClear);
    const r = Fe();
    return n.hold_back_s > 0 && r.push("frames are not held back in calls, so the policy's hold-back is not kept"), t.onEvent?.({ kind: "coverage", missing: r }), e.addEventListener("ended", () => {
      this.listeners.get(i.id)?.({ kind: "ended", message: "The camera's track has ended." }), i.stop();
    }), Object.assign(i.track, { guard: i });
  }
  /** Hear a stream: sound is let through only while its picture is, and the app hears of everything. */
  listen(e, t) {
    const n = /* @__PURE__ */ new Map(), o = /* @__PURE__ */ c(() => {
      for (const i of t.audio ?? []) n.has(i) || (n.set(i, i.enabled), i.enabled = !1);
    }, "silence"), a = /* @__PURE__ */ c((i) => {
      if (i.kind === "failed" || i.kind === "ended" || i.kind === "decision" && ve(i.rung)) o();
      else if (i.kind === "decision") {
        for (const [r, d] of n) r.enabled = d;
        n.clear();
      }
      i.kind !== "counts" && i.kind !== "resumed" && t.onEvent?.(i);
    }, "told");
    return this.listeners.set(e, a), a;
  }
  ask(e, t, n, o = {}) {
    const a = this.listeners.get(e);
    return new Promise((i) => {
      this.listeners.set(e, (r) => {
        (r.kind === n || r.kind === "failed") && (this.listeners.set(e, a ?? (() => {
        })), i(r)), r.kind !== n && a?.(r);
      }), this.worker.postMessage({ id: e, kind: t, ...o });
    });
  }
  async direct(e, t) {
    const n = globalThis, o = `video-${this.next++}`, a = new n.MediaStreamTrackProcessor({ track: e, maxBufferSize: 2 }), i = new n.MediaStreamTrackGenerator({ kind: "video" }), r = this.listen(o, t), d = await new Promise((w) => {
      this.listeners.set(o, (h) => {
        r(h), h.kind === "started" && w(null), h.kind === "failed" && w(h);
      }), this.worker.postMessage(
        { id: o, kind: "protect", policy: t.policy, brought: Y(t), lines: t.help ?? [], readable: a.readable, writable: i.writable },
        [a.readable, i.writable]
      );
    });
    if (this.listeners.set(o, r), d)
      throw i.stop(), Object.assign(new A(d.message), { name: d.name });
    return this.streams.set(o, ({ name: w, message: h }) => this.worker.postMessage({ id: o, kind: "unseen", name: w, message: h })), {
      id: o,
      track: i,
      resume: /* @__PURE__ */ c(async () => (await this.ask(o, "resume", "resumed")).allowed === !0, "resume"),
      counts: /* @__PURE__ */ c(() => this.ask(o, "counts", "counts"), "counts"),
      stop: /* @__PURE__ */ c(() => i.stop(), "stop")
    };
  }
  /** Where tracks cannot be taken apart: a video element, drawn through the gate onto a canvas. */
  async overCanvas(e, t) {
    const n = `canvas-${this.next++}`, o = this.listen(n, t), a = document.createElement("canvas"), i = await ye.open(t.policy, Y(t), t.help ?? [], o, () => this.worker.postMessage({ kind: "hold" })), r = document.createElement("video");
    if (r.muted = !0, r.playsInline = !0, r.srcObject = new MediaStream([e]), !a.captureStream) throw new A("This browser can neither take a track apart nor make one of a canvas.", "captureStream", "Use a current browser; nothing is sent.");
    await r.play().catch((p) => {
      throw new J(`The camera's picture cannot be played: ${String(p)}.`, "", "Open the camera again.");
    });
    let d = !0;
    const w = new OffscreenCanvas(1, 1), h = performance.now(), l = /* @__PURE__ */ c(() => (performance.now() - h) / 1e3, "now"), g = a.getContext("2d"), [m] = a.captureStream(30).getVideoTracks(), u = /* @__PURE__ */ c(() => {
      d = !1, m.stop();
    }, "stop"), b = /* @__PURE__ */ c(async (p, y) => {
      w.width = p, w.height = y;
      const v = w.getContext("2d", { willReadFrequently: !0 });
      v.drawImage(r, 0, 0);
      const k = /* @__PURE__ */ c(async () => v.getImageData(0, 0, p, y), "pixels"), f = await i.arrive(l(), { pixels: k, luma: /* @__PURE__ */ c(async () => $e(await k()), "luma") });
      f ? i.coverer.draw(w, p, y, f !== "blur", a) : ((a.width !== p || a.height !== y) && (a.width = p, a.height = y), g.drawImage(w, 0, 0)), f === "end" && u();
    }, "picture"), j = /* @__PURE__ */ c(async () => {
      try {
        r.videoWidth && r.videoHeight && await b(r.videoWidth, r.videoHeight);
      } catch (p) {
        u(), o({ kind: "failed", name: "GuardError", message: `Pictures cannot be drawn: ${String(p)}. Nothing more is sent.` });
      }
      d && setTimeout(j, 33);
    }, "step");
    return j(), this.streams.set(n, (p) => i.watcher.unseen(l(), p, "call")), { id: n, track: m, resume: /* @__PURE__ */ c(async () => i.watcher.resume(l()), "resume"), counts: /* @__PURE__ */ c(async () => i.counts, "counts"), stop: u };
  }
  /**
   * Encrypt what a sender sends, or decrypt what a receiver gets. Call it before negotiation: frames that pass before
   * keys are here are dropped, never sent in clear. Where it cannot be done it throws, and the guarded pictures are
   * covered or the app is told, as each policy's `when_blind` says, whatever the app does then.
   */
  encrypted(e, t, n) {
    const o = globalThis.RTCRtpScriptTransform;
    if (!o) {
      this.inClear = new be("This browser cannot encrypt frames.", "RTCRtpScriptTransform", "Use a current browser; the call is not made.");
      for (const l of this.streams.values()) l(this.inClear);
      throw this.inClear;
    }
    const a = `frames-${this.next++}`, i = "replaceTrack" in e ? "send" : "receive", r = n.codec ?? (n.media === "video" ? "vp8" : "opus");
    let d = !1;
    const w = [], h = /* @__PURE__ */ c((l) => d ? this.worker.postMessage({ id: a, ...l }) : w.push(l), "post");
    return this.listeners.set(a, (l) => {
      if (l.kind === "ready") {
        d = !0;
        for (const g of w.splice(0)) h(g);
      }
      l.kind === "needs key frame" ? Ge(e).catch((g) => n.onEvent?.({ kind: "failed", name: g.name, message: g.message })) : n.onEvent?.(l);
    }), e.transform = new o(this.worker, { id: a, direction: i, media: n.media, codec: r }), t.length && h({ kind: "keys", chains: t }), {
      /** New keys: of a sender, from now on; of a receiver, beside those it has. */
      keys: /* @__PURE__ */ c((l) => h({ kind: "keys", chains: l }), "keys"),
      ratchet: /* @__PURE__ */ c(() => h({ kind: "ratchet" }), "ratchet"),
      drop: /* @__PURE__ */ c((l) => h({ kind: "drop", kid: String(l) }), "drop"),
      times: /* @__PURE__ */ c(async () => (await this.ask(a, "times", "times")).times, "times")
    };
  }
  /** End everything. */
  close() {
    this.worker.terminate();
  }
}
const Y = /* @__PURE__ */ c(({ files: s, runtime: e, models: t, lists: n }) => ({ files: s, runtime: e && new URL(e, document.baseURI).href, models: t, lists: n }), "broughtIn");
async function Ge(s) {
  const e = s.getParameters();
  await s.setParameters(e, { encodingOptions: e.encodings.map(() => ({ keyFrame: !0 })) });
}
c(Ge, "keyFrame");
function Ke(s) {
  const t = (RTCRtpReceiver.getCapabilities("video")?.codecs ?? []).filter((n) => /\/(VP8|rtx)$/i.test(n.mimeType));
  t.some((n) => /VP8$/i.test(n.mimeType)) && s.setCodecPreferences(t);
}
c(Ke, "preferVp8");
export {
  Le as ANSWERS,
  pe as ClockSkewed,
  G as ConsentExceeded,
  Qe as DetectorError,
  Xe as FrameError,
  qe as Guard,
  A as GuardError,
  Te as GuardedBadge,
  ue as LogDamaged,
  ge as LogForked,
  Ye as ModelBlocked,
  et as NoCamera,
  I as PackChanged,
  S as PackError,
  te as PackExpired,
  ee as PackRolledBack,
  K as PackUnlogged,
  he as PackUnsigned,
  He as Packs,
  tt as PermissionDenied,
  st as PolicyError,
  J as TrackEnded,
  be as TransformUnsupported,
  We as answerOf,
  nt as cameraError,
  Fe as missing,
  je as pTrue,
  _ as parsePolicy,
  at as policyDigest,
  Ke as preferVp8,
  _e as randomised,
  Ve as rootFingerprint
};
