var oe = Object.defineProperty;
var c = (n, e) => oe(n, "name", { value: e, configurable: !0 });
class S extends Error {
  static {
    c(this, "GuardError");
  }
  constructor(e, t = "", s = "") {
    super([e, t && `(${t})`, s].filter(Boolean).join(" ")), this.what = e, this.where = t, this.todo = s, this.name = new.target.name;
  }
}
class _ extends S {
  static {
    c(this, "PolicyError");
  }
  constructor(e, t = "", s = "", r = "policy") {
    super(e, t, s), this.kind = r;
  }
}
class N extends S {
  static {
    c(this, "DetectorError");
  }
}
class ie extends S {
  static {
    c(this, "NoCamera");
  }
}
class ae extends S {
  static {
    c(this, "PermissionDenied");
  }
}
class ot extends S {
  static {
    c(this, "TrackEnded");
  }
}
class it extends S {
  static {
    c(this, "ModelBlocked");
  }
}
class at extends S {
  static {
    c(this, "TransformUnsupported");
  }
}
class ct extends S {
  static {
    c(this, "LogForked");
  }
}
class A extends S {
  static {
    c(this, "PackError");
  }
}
class lt extends A {
  static {
    c(this, "PackUnsigned");
  }
}
class ut extends A {
  static {
    c(this, "PackChanged");
  }
}
class ht extends A {
  static {
    c(this, "PackExpired");
  }
}
class ft extends A {
  static {
    c(this, "PackRolledBack");
  }
}
class dt extends A {
  static {
    c(this, "PackUnlogged");
  }
}
class mt extends A {
  static {
    c(this, "LogDamaged");
  }
}
class gt extends A {
  static {
    c(this, "ClockSkewed");
  }
}
class pt extends A {
  static {
    c(this, "ConsentExceeded");
  }
}
class yt extends S {
  static {
    c(this, "FrameError");
  }
  constructor(e, t) {
    super(t, "SFrame"), this.kind = e;
  }
}
function wt(n) {
  const e = n instanceof Error ? n.name : "";
  return e === "NotAllowedError" || e === "SecurityError" ? new ae("The camera may not be used.", "", "Allow it in the address bar, then try again.") : new ie("There is no camera that can be used.", "", "Connect one, or close the app that has it.");
}
c(wt, "cameraError");
const ce = 16, le = 8;
function ue(n, e) {
  const t = Math.max(n, e), s = Math.min(ce, Math.floor(t / le));
  return [Math.max(1, Math.round(s * n / t)), Math.max(1, Math.round(s * e / t))];
}
c(ue, "grid");
const K = /* @__PURE__ */ c((n) => n.getContext("2d"), "contextOf");
class he {
  static {
    c(this, "Coverer");
  }
  constructor(e, t) {
    this.title = e, this.lines = t;
  }
  full = new OffscreenCanvas(1, 1);
  small = new OffscreenCanvas(1, 1);
  /** Draw what leaves in place of a picture: at most 16 blocks a side are left of it, or a card. */
  draw(e, t, s, r, o = this.full) {
    (o.width !== t || o.height !== s) && (o.width = t, o.height = s);
    const i = K(o);
    if (r)
      return this.card(i, t, s), o;
    const [a, l] = ue(t, s);
    this.small.width = a, this.small.height = l;
    const h = K(this.small);
    return h.imageSmoothingQuality = "high", h.drawImage(e, 0, 0, a, l), i.imageSmoothingQuality = "low", i.drawImage(this.small, 0, 0, a, l, 0, 0, t, s), o;
  }
  card(e, t, s) {
    e.fillStyle = "#18202c", e.fillRect(0, 0, t, s);
    const r = Math.min(t, s) / 14;
    for (let o = Math.max(t, s) / 18; o >= 6; o *= 0.9) {
      const i = this.rows(e, o, t - 2 * r), a = i.reduce((h, g) => h + g.high, 0);
      if (a > s - 2 * r) continue;
      let l = (s - a) / 2;
      for (const h of i)
        e.font = h.font, e.fillStyle = h.title ? "#ffffff" : "#ced8e4", e.fillText(h.text, r, l + h.size), l += h.high;
      return;
    }
  }
  rows(e, t, s) {
    const r = [], o = /* @__PURE__ */ c((i, a, l) => {
      const h = `${l ? 700 : 400} ${a}px system-ui, sans-serif`;
      e.font = h;
      let g = "";
      for (const p of [...i.split(" "), ""]) {
        const m = g ? `${g} ${p}` : p;
        if (p && e.measureText(m).width <= s) {
          g = m;
          continue;
        }
        g && r.push({ text: g, font: h, size: a, high: a * 1.35, title: l }), g = p;
      }
    }, "add");
    o(this.title, t, !0);
    for (const i of this.lines) o(i, t * 0.6, !1);
    return r;
  }
}
function fe(n, e) {
  let t = 0;
  const s = /* @__PURE__ */ c((f) => {
    throw new _(`The policy is not TOML: ${f} (line ${n.slice(0, t).split(`
`).length}).`, e, "Correct the line.", "not toml");
  }, "fail"), r = /* @__PURE__ */ c((f) => {
    f.lastIndex = t, t += f.exec(n)?.[0].length ?? 0;
  }, "blanks"), o = /* @__PURE__ */ c(() => r(/[ \t]*/y), "space"), i = /* @__PURE__ */ c(() => r(/(?:[ \t\r\n]|#[^\n]*)*/y), "empty"), a = /* @__PURE__ */ c((f) => {
    f.lastIndex = t;
    const u = f.exec(n)?.[0];
    return u !== void 0 && (t += u.length), u;
  }, "take"), l = /* @__PURE__ */ c(() => {
    const f = a(/[A-Za-z0-9_-]+/y);
    return f !== void 0 ? f : n[t] === '"' || n[t] === "'" ? p() : s("a key is missing");
  }, "key"), h = /* @__PURE__ */ c(() => {
    const f = [l()];
    for (o(); n[t] === "."; o())
      t++, o(), f.push(l());
    return f;
  }, "path"), g = /* @__PURE__ */ c((f, u, d) => {
    const y = u.at(-1);
    for (const b of u.slice(0, -1)) {
      Object.hasOwn(f, b) || (f[b] = {});
      const $ = f[b];
      (typeof $ != "object" || Array.isArray($)) && s(`${b} is no table`), f = $;
    }
    Object.hasOwn(f, y) && s(`${y} is given twice`), Object.defineProperty(f, y, { value: d, enumerable: !0, writable: !0, configurable: !0 });
  }, "put"), p = /* @__PURE__ */ c(() => {
    if (n.startsWith('"""', t) || n.startsWith("'''", t)) return s("text of several lines is not used here");
    const f = a(/"(?:[^"\\\n]|\\.)*"/y);
    if (f !== void 0) {
      const y = f.replace(/\\U([0-9a-fA-F]{8})/g, (b, $) => String.fromCodePoint(parseInt($, 16)));
      try {
        return JSON.parse(y);
      } catch {
        return s("the text has an unknown escape");
      }
    }
    const u = a(/'[^'\n]*'/y);
    if (u !== void 0) return u.slice(1, -1);
    if (a(/\[/y)) {
      const y = [];
      for (i(); n[t] !== "]"; i())
        if (y.push(p()), i(), !a(/,/y) && n[t] !== "]") return s("a list does not end");
      return t++, y;
    }
    if (a(/\{/y)) {
      const y = {};
      for (o(); n[t] !== "}"; o()) {
        const b = h();
        if (o(), !a(/=/y)) return s("= is missing");
        if (o(), g(y, b, p()), o(), !a(/,/y) && n[t] !== "}") return s("a table does not end");
      }
      return t++, y;
    }
    const d = a(/[^\s,\]}#]+/y) ?? "";
    return d === "true" || d === "false" ? d === "true" : /^[+-]?(0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d+)?$/.test(d) ? Number(d.replaceAll("_", "")) : /^[+-]?inf$/.test(d) ? d.startsWith("-") ? -1 / 0 : 1 / 0 : s(`'${d}' is no value`);
  }, "value"), m = {};
  let M = m;
  for (i(); t < n.length; i()) {
    const f = a(/\[\[/y), u = f ? void 0 : a(/\[/y);
    if (f || u) {
      o();
      const d = h();
      o(), a(f ? /\]\]/y : /\]/y) || s("a heading does not end");
      let y = m;
      d.forEach((b, $) => {
        const L = $ === d.length - 1;
        if (L && f) {
          Object.hasOwn(y, b) || (y[b] = []);
          const G = y[b];
          if (!Array.isArray(G)) return s(`${b} is no list`);
          y = {}, G.push(y);
          return;
        }
        L && Object.hasOwn(y, b) && s(`${b} is given twice`), Object.hasOwn(y, b) || (y[b] = {});
        const C = y[b];
        y = Array.isArray(C) ? C.at(-1) : C, typeof y != "object" && s(`${b} is no table`);
      }), M = y;
    } else {
      const d = h();
      o(), a(/=/y) || s("= is missing"), o(), g(M, d, p());
    }
    o(), a(/#[^\n]*/y), t < n.length && !a(/\r?\n/y) && s("something follows the value");
  }
  return m;
}
c(fe, "parseToml");
const I = /* @__PURE__ */ c((n) => n > 0 ? 10 * Math.log10(n) : -1 / 0, "decibans");
function de(n) {
  if (n >= 1 - 1e-4) return 0.5 + (1 - n) / 6;
  const e = Math.log(n);
  return (1 - n + n * e) / (n * e * e);
}
c(de, "smoothEvalue");
class T {
  static {
    c(this, "Calibrator");
  }
  constructor(e, t) {
    this.alarmAlpha = e, this.finestAlpha = t;
  }
  static forRung(e, t) {
    const s = 1 / (t + 1);
    return new T(Math.max(1 / (4 * e), s), s);
  }
  evalue(e) {
    let t = 0.5 * de(e);
    for (const s of [this.alarmAlpha, this.finestAlpha]) e <= s * (1 + 1e-12) && (t += 0.25 / s);
    return t;
  }
}
const R = 0.9;
function me(n, e) {
  return n <= 0 ? R : R + (1 - R) / (e * Math.pow(10, -n / 10));
}
c(me, "analyticEvalue");
const ge = /* @__PURE__ */ c((n) => I(6 / (Math.PI * n) ** 2), "sceneShareDb");
function pe(n, e) {
  const t = [];
  let s = 0, r = -1 / 0;
  return n.maxima.forEach((o, i) => {
    r = Math.max(r, o), s += n.lengths_s[i], s >= e - 1e-6 && (t.push(r), s = 0, r = -1 / 0);
  }), !t.length && n.maxima.length && t.push(r), t;
}
c(pe, "merged");
const J = 2, ye = 60, we = 31;
function be(n, e = "budget") {
  const t = { second: 1, minute: 60, hour: 3600, day: 86400, month: 2592e3 }, s = n.trim().split(/\s+/), r = /* @__PURE__ */ c((h) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(h ?? "") ? Number(h) : NaN, "number"), o = s.slice(2), i = r(s[0]), a = (o.length > 1 ? r(o[0]) : 1) * (t[(o.at(-1) ?? "").replace(/s$/, "")] ?? NaN);
  if (!(s[1] === "per" && s.length <= 4 && i > 0 && a > 0 && isFinite(i) && isFinite(a))) throw new _(`'${n}' is not an alarm budget.`, e, 'Write it like "1 per hour".', "budget");
  return a / i;
}
c(be, "meanTimeS");
const Q = /* @__PURE__ */ c((n, e) => Math.max(2, n / e), "thresholdOf");
function Y(n, e, t) {
  return t === "cusum" ? e + Math.max(0, n) : n < 300 ? e + 10 * Math.log10(1 + 10 ** (n / 10)) : e + n;
}
c(Y, "advance");
function Me(n, e) {
  let t = 0;
  for (let s = 0; s < 8; s++) for (let r = (n[s] ^ e[s]) >>> 0; r; r &= r - 1) t++;
  return t;
}
c(Me, "bitsApart");
const O = /* @__PURE__ */ c((n, e) => n === null || e === null ? n !== e : Me(n, e) > we, "differ");
class D {
  static {
    c(this, "BaseBlock");
  }
  constructor(e, t, s = t, r = 1, o = []) {
    this.beganS = e, this.picture = t, this.latest = s, this.pictures = r, this.hits = o;
  }
  over(e, t) {
    const s = e - this.beganS;
    return s >= ye || s >= J && O(this.picture, t);
  }
  seen(e) {
    return O(this.latest, e) ? new D(this.beganS, this.picture, e, this.pictures + 1) : this;
  }
  /** The block after evidence in one of its pictures. */
  hit(e, t) {
    const s = this.hits.filter(([r, o]) => o > t || o === t && O(r, e));
    return s.some(([r]) => !O(r, e)) ? this : new D(this.beganS, this.picture, this.latest, this.pictures, [...s, [e, t]]);
  }
}
class j {
  static {
    c(this, "Watch");
  }
  constructor(e = -1 / 0, t = null, s = [], r = !1) {
    this.beforeDb = e, this.beganS = t, this.best = s, this.within = r;
  }
  levelDb(e, t) {
    return this.within ? this.beforeDb + e : Y(this.beforeDb, e, t);
  }
  seen(e, t) {
    const s = new Map(this.best.map((o) => [`${o[0]}\0${o[1]}`, o]));
    for (const o of t) {
      const i = `${o[0]}\0${o[1]}`;
      o[2] > (s.get(i)?.[2] ?? -1 / 0) && s.set(i, o);
    }
    const r = [...s].sort(([o], [i]) => o < i ? -1 : 1).map(([, o]) => o);
    return new j(this.beforeDb, this.beganS ?? e, r, this.within);
  }
  closed(e, t, s = !1) {
    return new j(t, s ? this.beganS : e, [], s);
  }
}
function xe(n, e, t, s, r) {
  const o = n.streams.length > 1 ? n.without(e) : n, i = T.forRung(s, o.maxima(t).length);
  let a = -1 / 0;
  return pe(e, t).map(
    (l) => a = Y(a, I(i.evalue(o.pValue(l, t))), r)
  );
}
c(xe, "levelsDb");
function W(n) {
  let e = 0, t = n + 20 + 10 * Math.sqrt(n + 1);
  for (let s = 0; s < 80; s++) {
    const r = (e + t) / 2;
    let o = Math.exp(-r), i = o;
    for (let a = 1; a <= n; a++)
      o *= r / a, i += o;
    i > 0.05 ? e = r : t = r;
  }
  return t;
}
c(W, "poissonUpper");
function _e(n, e, t, s) {
  const r = Q(e, t), o = n.streams.flatMap((l) => ve(xe(n, l, t, r, s))).sort((l, h) => h - l), i = n.hours * 3600 / e;
  let a = 0;
  for (; a < o.length && W(a + 1) <= i; ) a++;
  return {
    levelDb: a < o.length ? o[a] : -1 / 0,
    hours: n.hours,
    extrapolated: W(0) > i
  };
}
c(_e, "sessionLevel");
function ve(n) {
  const e = [];
  let t = !1;
  for (const s of n)
    s > 0 && (t ? e[e.length - 1] = Math.max(e[e.length - 1], s) : e.push(s)), t = s > 0;
  return e;
}
c(ve, "excursionPeaks");
const H = ["camera-black", "camera-frozen", "exposed", "known-media", "test-card"], P = ["observe", "blur", "pause", "end"], v = /* @__PURE__ */ c((n) => n !== null && n !== "observe", "covers");
class B {
  static {
    c(this, "Reader");
  }
  constructor(e, t) {
    this.where = t, this.rest = new Map(Object.entries(e));
  }
  rest;
  take(e, t, s) {
    if (!this.rest.has(e)) {
      if (s === void 0) throw new _(`The key '${e}' is missing.`, this.where, "Add it.", "missing key");
      return s;
    }
    const r = this.rest.get(e);
    if (this.rest.delete(e), !t(r)) throw new _(`${e} is of the wrong type.`, this.where, "See docs/reference/policy.md.", "wrong type");
    return r;
  }
  text(e, t) {
    return this.take(e, (s) => typeof s == "string", t);
  }
  flag(e, t) {
    return this.take(e, (s) => typeof s == "boolean", t);
  }
  number(e, t, s = 0, r = 1 / 0) {
    const o = this.take(e, (i) => typeof i == "number", t);
    if (!(s <= o && o <= r))
      throw new _(`${e} = ${o} is outside ${s} to ${r}.`, this.where, "Change it.", "out of range");
    return o;
  }
  words(e) {
    const t = this.take(e, Array.isArray);
    if (!t.every((s) => typeof s == "string"))
      throw new _(`${e} holds something that is not text.`, this.where, "Write a list of texts.", "wrong type");
    return t;
  }
  oneOf(e, t, s) {
    const r = this.text(e, s);
    if (!t.includes(r))
      throw new _(`${e} = '${r}' is not one of ${t.join(", ")}.`, this.where, "Choose one.", "not one of");
    return r;
  }
  tables(e) {
    const t = this.take(e, Array.isArray);
    if (!t.length || !t.every((s) => typeof s == "object" && !Array.isArray(s)))
      throw new _(`There is no [[${e}]].`, this.where, "Add at least one.", "missing key");
    return t.map((s, r) => new B(s, `${this.where}, ${e} ${r + 1}`));
  }
  done() {
    if (this.rest.size)
      throw new _(`Unknown key ${[...this.rest.keys()].sort().join(", ")}.`, this.where, "Remove it.", "unknown key");
  }
}
function Se(n, e = "policy") {
  const t = new B(fe(n, e), e), s = t.tables("detectors").map(ke), r = t.tables("rungs").map(Ae), o = t.number("slow_fps", 4, 0.1, 60), i = {
    name: t.text("name"),
    version: t.text("version"),
    title: t.text("title"),
    jurisdiction: t.text("jurisdiction"),
    audience: t.oneOf("audience", ["child", "adult", "all"]),
    legal_basis: t.text("legal_basis"),
    detectors: s,
    rungs: r,
    card_title: t.text("card_title"),
    card_lines: t.words("card_lines"),
    test: t.flag("test", !1),
    when_blind: t.oneOf("when_blind", ["cover", "pass-with-notice"], "pass-with-notice"),
    blind_after_s: t.number("blind_after_s", 2, 0.1),
    hold_back_s: t.number("hold_back_s", 0, 0, 30),
    slow_fps: o,
    fast_fps: t.number("fast_fps", Math.max(6, o), o, 60),
    release: t.oneOf("release", ["benign", "person", "never"], "benign"),
    release_after_s: t.number("release_after_s", 10),
    grace_s: t.number("grace_s", 10),
    detector_kind: t.oneOf("detector_kind", ["cusum", "shiryaev-roberts"], "cusum")
  };
  return t.done(), $e(i, e), i;
}
c(Se, "parsePolicy");
function ke(n) {
  const e = {
    name: n.text("name"),
    labels: [...new Set(n.words("labels"))].sort(),
    calibration: n.text("calibration", ""),
    required: n.flag("required", !0),
    group: n.text("group", ""),
    options: n.take("options", (s) => typeof s == "object" && !Array.isArray(s), {})
  };
  n.done();
  const t = e.labels.filter((s) => !H.includes(s));
  if (t.length || !e.labels.length)
    throw new _(
      `${t.join(", ") || "An empty list"} is outside the closed label set.`,
      n.where,
      `The labels are ${H.join(", ")}.`,
      "outside the label set"
    );
  return e;
}
c(ke, "detector");
function Ae(n) {
  const e = {
    rung: n.oneOf("rung", P),
    mean_time_s: be(n.text("budget"), `${n.where}, budget`),
    block_s: n.number("block_s", 2, 2, 7200),
    after_s: n.number("after_s", 0)
  };
  return n.done(), e;
}
c(Ae, "rung");
function $e(n, e) {
  const t = /* @__PURE__ */ c((r, o, i) => {
    throw new _(o, e, i, r);
  }, "refuse"), s = /* @__PURE__ */ c((r, o) => r.every((i, a) => a === 0 || (o ? i > r[a - 1] : i >= r[a - 1])), "rises");
  s(n.rungs.map((r) => P.indexOf(r.rung)), !0) || t("order of rungs", "The rungs are not in order, or one is named twice.", `Order: ${P.join(", ")}.`), s(n.rungs.map((r) => r.mean_time_s), !1) || t("order of budgets", "A graver rung has a larger budget than a lighter one.", "Make it smaller."), !n.test && n.detectors.some((r) => r.labels.includes("test-card")) && t("test card", "Only a policy marked `test = true` may act on the test card.", "Remove the label or mark the policy."), n.legal_basis.trim() || t("legal basis", "The legal basis is empty.", "Say on what basis this may be done."), new Set(n.detectors.map((r) => r.name)).size < n.detectors.length && t("detector twice", "A detector is named twice.", "Name each once.");
}
c($e, "check");
function U(n) {
  return Array.isArray(n) ? `[${n.map(U).join(",")}]` : n !== null && typeof n == "object" ? `{${Object.entries(n).sort(([e], [t]) => e < t ? -1 : 1).map(([e, t]) => `${JSON.stringify(e)}:${U(t)}`).join(",")}}` : JSON.stringify(n);
}
c(U, "canonical");
async function bt(n) {
  const e = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(U(n)));
  return "sha256:" + [...new Uint8Array(e)].map((t) => t.toString(16).padStart(2, "0")).join("");
}
c(bt, "policyDigest");
class Oe {
  static {
    c(this, "BoundRung");
  }
  constructor(e, t, s, r, o) {
    this.rule = e, this.alarmDb = t, this.sessionDb = s, this.extrapolated = r, this.scales = o;
  }
  /** Whether each scene is a bet of its own: in the shortest blocks, where all bounds are a scene's (docs/adr/0009). */
  get byScene() {
    return [...this.scales.values()].every((e) => e.calibration === null && e.scenes === 1);
  }
  /** Within a group e-values are averaged; the groups' weights add. */
  weightDb(e) {
    const t = /* @__PURE__ */ new Map();
    for (const [r, o] of this.scales) o.calibration || t.set(r, -1 / 0);
    for (const [r, , o] of e)
      this.scales.has(r) && t.set(r, Math.max(o, t.get(r) ?? -1 / 0));
    const s = /* @__PURE__ */ new Map();
    for (const [r, o] of t) {
      const i = this.scales.get(r), a = i.calibration && i.calibrator ? i.calibrator.evalue(i.calibration.pValue(o, i.blockS)) : me(o, i.scenes);
      s.set(i.group, [...s.get(i.group) ?? [], a]);
    }
    return [...s.values()].reduce((r, o) => r + I(o.reduce((i, a) => i + a, 0) / o.length), 0);
  }
}
const Z = /* @__PURE__ */ c((n, e) => `${n}\0${e}`, "pair"), ee = /* @__PURE__ */ c((n) => ({
  watches: n.rungs.map(() => new j()),
  levelsDb: n.rungs.map(() => -1 / 0),
  base: null,
  rung: null,
  sinceS: 0,
  by: "benign",
  evidenceS: -1 / 0,
  graceUntilS: -1 / 0,
  counted: []
}), "start"), Ie = /* @__PURE__ */ c((n, e) => n.rung !== null || e - n.evidenceS <= 5, "rising");
function De(n, e, t) {
  const s = new Map(e.map((i) => [i.name, i])), r = n.detectors.filter((i) => s.has(i.name) && s.get(i.name).evidence !== "camera");
  for (const i of r) {
    const a = s.get(i.name), l = t.get(i.name);
    if (a.evidence === "calibrated" && (!l || l.detector !== a.name || l.detectorVersion !== a.version || l.sampleFps < n.fast_fps))
      throw new _("The detector has no calibration that fits.", `policy ${n.name}, detector ${i.name}`, "Name one that fits.");
  }
  const o = n.rungs.map((i) => {
    const a = Q(i.mean_time_s, i.block_s), l = /* @__PURE__ */ new Map();
    let h = -1 / 0, g = !1;
    for (const m of r) {
      const M = s.get(m.name).evidence === "calibrated" ? t.get(m.name) : null;
      let f = null;
      if (M) {
        f = T.forRung(a, M.maxima(i.block_s).length);
        const u = _e(M, i.mean_time_s, i.block_s, n.detector_kind);
        h = Math.max(h, u.levelDb), g ||= u.extrapolated;
      }
      l.set(m.name, { calibration: M, calibrator: f, blockS: i.block_s, scenes: Math.ceil(i.block_s / J), group: m.group || m.name });
    }
    const p = h + Math.abs(h) * 2 ** -52;
    return new Oe(i, Number.isNaN(p) ? I(a) : Math.max(I(a), p), h, g, l);
  });
  return {
    policy: n,
    rungs: o,
    counted: new Set(r.flatMap((i) => i.labels.map((a) => Z(i.name, a)))),
    analytic: new Set(r.filter((i) => s.get(i.name).evidence === "analytic").map((i) => i.name))
  };
}
c(De, "bind");
function Ee(n, e, t) {
  const { atS: s } = t;
  if (e.rung === "end" || s < e.graceUntilS) return [e, null];
  let { watches: r, base: o, counted: i } = e;
  o === null ? o = new D(s, t.picture) : o.over(s, t.picture) ? (i = [...i, ...o.hits].slice(-32), r = r.map((u, d) => u.beganS !== null && s - u.beganS >= n.rungs[d].rule.block_s - 1e-6 ? u.closed(s, e.levelsDb[d]) : u), o = new D(s, t.picture)) : O(o.latest, t.picture) && (i = [...i, ...o.hits].slice(-32), r = r.map((u, d) => n.rungs[d].byScene ? u.closed(s, e.levelsDb[d], !0) : u), o = o.seen(t.picture));
  const a = t.readings.filter(([u, d]) => n.counted.has(Z(u, d))), l = Math.max(0, ...a.filter(([u]) => n.analytic.has(u)).map(([, , u]) => u)), h = l > 0 ? Math.max(0, ...i.filter(([u]) => !O(u, t.picture)).map(([, u]) => u)) : 0;
  l > h && t.picture !== null && (o = o.hit(t.picture, l));
  const g = /* @__PURE__ */ c((u) => a.map(([d, y, b]) => [d, y, b + (n.analytic.has(d) ? u : 0)]), "changed"), p = g(ge(o.pictures)), m = g(-h);
  r = r.map((u, d) => u.seen(s, n.rungs[d].byScene ? m : p));
  const M = n.rungs.map((u, d) => r[d].levelDb(u.weightDb(r[d].best), n.policy.detector_kind)), f = n.rungs.length > 0 && n.rungs[0].weightDb(p) > 0;
  return je(n, { ...e, watches: r, levelsDb: M, base: o, counted: i, evidenceS: f ? s : e.evidenceS }, s);
}
c(Ee, "judge");
function je(n, e, t) {
  const s = Te(n, e, t);
  if (s) return [{ ...e, rung: s[1], sinceS: t, by: "evidence" }, F(n, e, t, s[1], "evidence", s[0])];
  const r = t - Math.max(e.evidenceS, e.sinceS);
  return e.rung === null || r < n.policy.release_after_s ? [e, null] : v(e.rung) && e.by !== "blind" && n.policy.release !== "benign" ? [e, null] : te(n, e, t, "benign", 0);
}
c(je, "climbOrRelease");
function Te(n, e, t) {
  const s = n.rungs.map((l, h) => h).filter((l) => e.levelsDb[l] >= n.rungs[l].alarmDb);
  if (!s.length) return null;
  const r = n.rungs.map((l) => l.rule.rung), o = e.rung === null ? -1 : r.indexOf(e.rung), i = s[s.length - 1];
  if (e.by === "blind" && v(e.rung) && i >= o) return [i, r[o]];
  if (i <= o) return null;
  const a = r.findIndex((l, h) => v(l) && h > o);
  return a < 0 || i < a ? [i, r[i]] : v(e.rung) && t - e.sinceS < n.rungs[a].rule.after_s ? null : [i, r[a]];
}
c(Te, "target");
function F(n, e, t, s, r, o = 0) {
  const i = r !== "evidence" ? [] : e.watches[o].best.map((a) => ({ detector: a[0], label: a[1], weightDb: n.rungs[o].weightDb([a]) })).filter((a) => a.weightDb > 0);
  return { atS: t, rung: s, before: e.rung, by: r, totalDb: e.levelsDb[o] ?? -1 / 0, reasons: i };
}
c(F, "decided");
function te(n, e, t, s, r) {
  return [{ ...ee(n), sinceS: t, by: s, graceUntilS: t + r }, F(n, e, t, null, s)];
}
c(te, "released");
function Ce(n, e, t) {
  return !v(e.rung) || e.rung === "end" || n.policy.release !== "person" ? [e, null] : te(n, e, t, "person", n.policy.grace_s);
}
c(Ce, "resume");
function Ne(n, e, t) {
  const s = n.policy.rungs.find((r) => v(r.rung))?.rung;
  return v(e.rung) ? [{ ...e, evidenceS: Math.max(e.evidenceS, t) }, null] : n.policy.when_blind !== "cover" || !s ? [e, null] : [{ ...e, rung: s, sinceS: t, by: "blind", evidenceS: t }, F(n, e, t, s, "blind")];
}
c(Ne, "blind");
const w = 64, k = 16, Re = 5, E = /* @__PURE__ */ new Map();
function V(n) {
  const e = E.get(n);
  if (e) return e;
  const t = Math.ceil(n / 128), s = Math.floor((t + 2) / 2), r = /* @__PURE__ */ c((i) => [Math.max(0, i - (t - s)), Math.min(n, i + s)], "box"), o = [];
  for (let i = 0; i < w; i++) {
    const [a, l] = r(Math.floor((i + 0.5) * n / w)), h = r(a)[0], g = r(l - 1)[1], p = new Float64Array(g - h);
    for (let m = a; m < l; m++) {
      const [M, f] = r(m);
      for (let u = M; u < f; u++) p[u - h] += 1 / ((l - a) * (f - M));
    }
    o.push({ first: h, weights: Float32Array.from(p) });
  }
  return E.size > 8 && E.clear(), E.set(n, o), o;
}
c(V, "operator");
const X = Float64Array.from({ length: k * w }, (n, e) => Math.sqrt(2 / w) * Math.cos(Math.PI / (2 * w) * (Math.floor(e / w) + 1) * (2 * (e % w) + 1)));
function Pe(n, e, t, s = e) {
  const r = new Uint32Array(8);
  if (Math.min(e, t) < Re) return { hash: r, quality: 0 };
  const o = V(t), i = V(e), a = new Float64Array(w * w), l = new Float64Array(e);
  for (let h = 0; h < w; h++) {
    l.fill(0);
    const { first: g, weights: p } = o[h];
    for (let m = 0; m < p.length; m++) {
      const M = p[m], f = (g + m) * s;
      for (let u = 0; u < e; u++) l[u] += M * n[f + u];
    }
    for (let m = 0; m < w; m++) {
      const M = i[m];
      let f = 0;
      for (let u = 0; u < M.weights.length; u++) f += M.weights[u] * l[M.first + u];
      a[h * w + m] = f;
    }
  }
  return { hash: Ue(a, r), quality: qe(a) };
}
c(Pe, "pdq");
function Ue(n, e) {
  const t = new Float64Array(k * w), s = new Float64Array(k * k);
  for (let o = 0; o < k; o++)
    for (let i = 0; i < w; i++) {
      const a = X[o * w + i];
      for (let l = 0; l < w; l++) t[o * w + l] += a * n[i * w + l];
    }
  for (let o = 0; o < k; o++)
    for (let i = 0; i < k; i++) {
      let a = 0;
      for (let l = 0; l < w; l++) a += t[o * w + l] * X[i * w + l];
      s[o * k + i] = a;
    }
  const r = Float64Array.from(s).sort()[127];
  for (let o = 0; o < 256; o++)
    s[o] > r && (e[7 - (o >> 5)] |= 1 << (o & 31));
  return e;
}
c(Ue, "hashOf");
function qe(n) {
  let e = 0;
  for (let t = 0; t < w; t++)
    for (let s = 0; s < w; s++) {
      const r = n[t * w + s];
      s + 1 < w && (e += Math.trunc(Math.abs(n[t * w + s + 1] - r) * 100 / 255)), t + 1 < w && (e += Math.trunc(Math.abs(n[(t + 1) * w + s] - r) * 100 / 255));
    }
  return Math.min(100, Math.floor(e / 90));
}
c(qe, "qualityOf");
const x = 8, Be = 26, Fe = 100, Le = 360, Ge = 20, z = ["100110", "100101", "001111", "011001", "110011", "110011"], ne = /* @__PURE__ */ new Set();
for (let n of [z, z.map((e) => [...e].reverse().join(""))])
  for (let e = 0; e < 4; e++)
    ne.add(n.join("")), n = n.map((t, s) => n.map((r) => r[5 - s]).join(""));
const se = /* @__PURE__ */ c((n) => -10 * Math.log10(n * 8 / 2 ** 36), "boundDb"), Ke = Math.round(se(Fe) * 10) / 10;
function We(n, e, t, s = e) {
  if (Math.min(e, t) < 16) return null;
  const { pixels: r, w: o, h: i } = He(n, e, t, s), a = Ve(r, o, i);
  let l = 0, h = !1;
  for (const g of [Math.max(5, i >> 5), Math.max(12, i >> 3)])
    for (const p of ze(Xe(r, a, o, i, g), o, i))
      l++, h ||= Ye(a, o, i, p);
  return h ? Math.min(Ke, se(l)) : null;
}
c(We, "findCard");
function He(n, e, t, s) {
  const r = Math.max(1, Math.floor(t / Le)), o = Math.floor(e / r), i = Math.floor(t / r), a = new Uint8Array(o * i);
  for (let l = 0; l < i; l++)
    for (let h = 0; h < o; h++) {
      let g = 0;
      for (let p = 0; p < r; p++) for (let m = 0; m < r; m++) g += n[(l * r + p) * s + h * r + m];
      a[l * o + h] = g / (r * r);
    }
  return { pixels: a, w: o, h: i };
}
c(He, "shrunk");
function Ve(n, e, t) {
  const s = new Uint32Array((e + 1) * (t + 1));
  for (let r = 0; r < t; r++) {
    let o = 0;
    for (let i = 0; i < e; i++)
      o += n[r * e + i], s[(r + 1) * (e + 1) + i + 1] = s[r * (e + 1) + i + 1] + o;
  }
  return s;
}
c(Ve, "integral");
function re(n, e, t, s, r, o, i) {
  s = Math.max(0, s), r = Math.max(0, r), o = Math.min(e, o), i = Math.min(t, i);
  const a = e + 1;
  return (n[i * a + o] - n[r * a + o] - n[i * a + s] + n[r * a + s]) / Math.max(1, (o - s) * (i - r));
}
c(re, "mean");
function Xe(n, e, t, s, r) {
  const o = new Uint8Array(t * s);
  for (let i = 0; i < s; i++)
    for (let a = 0; a < t; a++)
      n[i * t + a] + 7 < re(e, t, s, a - r, i - r, a + r + 1, i + r + 1) && (o[i * t + a] = 1);
  return o;
}
c(Xe, "dark");
function* ze(n, e, t) {
  const s = new Int32Array(e * t);
  for (let r = 0; r < n.length; r++) {
    if (n[r] !== 1) continue;
    let o = 0, i = 0, a = e, l = 0, h = t, g = 0;
    s[o++] = r, n[r] = 2;
    const p = /* @__PURE__ */ new Map();
    for (; o; ) {
      const u = s[--o], d = u % e, y = (u - d) / e;
      i++, a = Math.min(a, d), l = Math.max(l, d), h = Math.min(h, y), g = Math.max(g, y);
      const b = p.get(y);
      b ? (d < b[0] && (b[0] = d), d > b[1] && (b[1] = d)) : p.set(y, [d, d]), d > 0 && n[u - 1] === 1 && (n[u - 1] = 2, s[o++] = u - 1), d + 1 < e && n[u + 1] === 1 && (n[u + 1] = 2, s[o++] = u + 1), y > 0 && n[u - e] === 1 && (n[u - e] = 2, s[o++] = u - e), y + 1 < t && n[u + e] === 1 && (n[u + e] = 2, s[o++] = u + e);
    }
    if (Math.min(l - a, g - h) < Ge || i < 60) continue;
    const m = [];
    for (const [u, [d, y]] of p) m.push([d, u], [d, u + 1], [y + 1, u], [y + 1, u + 1]);
    const M = Je(m), f = Qe(M);
    f && q(f) > 0.85 * q(M) && (yield f);
  }
}
c(ze, "quads");
function Je(n) {
  n.sort((s, r) => s[0] - r[0] || s[1] - r[1]);
  const e = /* @__PURE__ */ c((s, r, o) => (r[0] - s[0]) * (o[1] - s[1]) - (r[1] - s[1]) * (o[0] - s[0]), "turn"), t = /* @__PURE__ */ c((s) => {
    const r = [];
    for (const o of s) {
      for (; r.length > 1 && e(r[r.length - 2], r[r.length - 1], o) <= 0; ) r.pop();
      r.push(o);
    }
    return r.pop(), r;
  }, "half");
  return [...t(n), ...t([...n].reverse())];
}
c(Je, "convexHull");
function Qe(n) {
  if (n.length < 4) return null;
  const e = /* @__PURE__ */ c((a) => n.reduce((l, h) => Math.hypot(h[0] - a[0], h[1] - a[1]) > Math.hypot(l[0] - a[0], l[1] - a[1]) ? h : l), "far"), t = e(n[0]), s = e(t), r = /* @__PURE__ */ c((a) => (s[0] - t[0]) * (a[1] - t[1]) - (s[1] - t[1]) * (a[0] - t[0]), "side"), o = n.reduce((a, l) => r(l) > r(a) ? l : a), i = n.reduce((a, l) => r(l) < r(a) ? l : a);
  return r(o) > 0 && r(i) < 0 ? [t, o, s, i] : null;
}
c(Qe, "fourCorners");
function q(n) {
  let e = 0;
  return n.forEach((t, s) => {
    const r = n[(s + 1) % n.length];
    e += t[0] * r[1] - r[0] * t[1];
  }), Math.abs(e) / 2;
}
c(q, "area");
function Ye(n, e, t, s) {
  const r = Ze(s), o = Math.max(0, Math.floor(Math.sqrt(q(s)) / x / 4)), i = Array.from({ length: x * x }, (h, g) => {
    const [p, m] = r((g % x + 0.5) / x, (Math.floor(g / x) + 0.5) / x).map(Math.floor);
    return re(n, e, t, p - o, m - o, p + o + 1, m + o + 1);
  }), a = (Math.min(...i) + Math.max(...i)) / 2;
  if (Math.max(...i) - Math.min(...i) < 30) return !1;
  const l = /* @__PURE__ */ c((h) => h < x || h >= x * (x - 1) || h % x === 0 || h % x === x - 1, "rim");
  return i.filter((h, g) => l(g) && h < a).length < Be ? !1 : ne.has(i.filter((h, g) => !l(g)).map((h) => h < a ? "0" : "1").join(""));
}
c(Ye, "reads");
function Ze([n, e, t, s]) {
  const r = n[0] - e[0] + t[0] - s[0], o = n[1] - e[1] + t[1] - s[1], i = e[0] - t[0], a = s[0] - t[0], l = e[1] - t[1], h = s[1] - t[1], g = i * h - a * l, p = (r * h - a * o) / g, m = (i * o - r * l) / g;
  return (M, f) => {
    const u = p * M + m * f + 1;
    return [
      ((e[0] - n[0] + p * e[0]) * M + (s[0] - n[0] + m * s[0]) * f + n[0]) / u,
      ((e[1] - n[1] + p * e[1]) * M + (s[1] - n[1] + m * s[1]) * f + n[1]) / u
    ];
  };
}
c(Ze, "homography");
const et = 50, tt = {
  "test-card": {
    name: "test-card",
    version: "aruco-6x6/23+mirrored",
    evidence: "analytic",
    read: /* @__PURE__ */ c(({ pixels: n, width: e, height: t, stride: s }) => {
      const r = We(n, e, t, s);
      return r === null ? [] : [["test-card", "test-card", r]];
    }, "read")
  }
};
class nt {
  static {
    c(this, "Watcher");
  }
  constructor(e, t, s) {
    this.told = t, this.wentBlind = s, this.policy = Se(e);
    for (const r of this.policy.detectors) {
      const o = tt[r.name];
      if (o) this.sensors.push(o);
      else {
        if (r.required) throw new N(`The policy requires the detector ${r.name}, which this browser has not.`, `policy ${this.policy.name}`, "Use a policy whose detectors are here.");
        this.absent.push({ detector: r.name, reason: "not in the browser's build" });
      }
    }
    if (!this.sensors.some((r) => r.evidence !== "camera"))
      throw new N("No detector that gives evidence is here, so there is nothing to watch with.", `policy ${this.policy.name}`);
    this.bound = De(this.policy, this.sensors, /* @__PURE__ */ new Map()), this.standing = ee(this.bound);
  }
  policy;
  absent = [];
  sensors = [];
  bound;
  standing;
  looked = !1;
  failure = null;
  lastS = -1 / 0;
  /** What covers pictures now; a picture never looked at is covered where the policy covers what is unseen. */
  get rung() {
    return v(this.standing.rung) ? this.standing.rung : !this.looked && this.policy.when_blind === "cover" ? "blur" : null;
  }
  get ended() {
    return this.standing.rung === "end";
  }
  due(e) {
    const t = Ie(this.standing, e) ? this.policy.fast_fps : this.policy.slow_fps;
    return e >= this.lastS && e - this.lastS < 1 / t - 1e-3 ? !1 : (this.lastS = e, !0);
  }
  look(e, t) {
    try {
      const s = this.sensors.flatMap((i) => i.read(t)), { hash: r, quality: o } = Pe(t.pixels, t.width, t.height, t.stride);
      this.take(Ee(this.bound, this.standing, { atS: e, readings: s, picture: o < et ? null : r })), this.looked = !0, this.failure = null;
    } catch (s) {
      this.unseen(e, s);
    }
  }
  /** Detection could not see this picture: the policy decides what is shown. */
  unseen(e, t) {
    this.failure || this.wentBlind(this.failure = new N(`Detection failed: ${String(t)}`)), this.take(Ne(this.bound, this.standing, e));
  }
  /** As the person: go on. Returns whether the policy allows it now. */
  resume(e) {
    return this.take(Ce(this.bound, this.standing, e));
  }
  take([e, t]) {
    return this.standing = e, t && this.told(t), t !== null;
  }
}
class Mt {
  static {
    c(this, "Gate");
  }
  constructor(e, t, s, r) {
    this.report = s, this.coverBegins = r, this.watcher = new nt(
      e,
      (o) => this.decided(o),
      (o) => s({ kind: "blind", name: o.name, message: o.message, whenBlind: this.watcher.policy.when_blind })
    ), this.coverer = new he(this.watcher.policy.card_title, [...this.watcher.policy.card_lines, ...t]), s({ kind: "started", policy: this.watcher.policy.name, absent: this.watcher.absent });
  }
  watcher;
  coverer;
  counts = { in: 0, covered: 0, looked: 0, lookMs: 0 };
  get rung() {
    return this.watcher.rung;
  }
  decided(e) {
    v(e.rung) && !v(e.before) && this.coverBegins(), this.report({ kind: "decision", ...e, at: Date.now(), mayResume: this.watcher.policy.release === "person" });
  }
  /** Look at a frame if one is due; it is judged before it leaves. */
  async arrive(e, t) {
    if (this.counts.in++, this.watcher.due(e)) {
      const r = performance.now();
      try {
        this.watcher.look(e, await t());
      } catch (o) {
        this.watcher.unseen(e, o);
      }
      this.counts.looked++, this.counts.lookMs += performance.now() - r;
    }
    const s = this.watcher.rung;
    return s && this.counts.covered++, s;
  }
}
async function xt(n) {
  const { width: e, height: t } = n.visibleRect;
  if (n.format === "I420" || n.format === "NV12" || n.format === "I420A") {
    const o = new Uint8Array(n.allocationSize()), [i] = await n.copyTo(o);
    return { pixels: o.subarray(i.offset), width: e, height: t, stride: i.stride };
  }
  const s = new OffscreenCanvas(e, t), r = s.getContext("2d", { willReadFrequently: !0 });
  return r.drawImage(n, 0, 0), st(r.getImageData(0, 0, e, t));
}
c(xt, "lumaOf");
function st({ data: n, width: e, height: t }) {
  const s = new Uint8Array(e * t);
  for (let r = 0; r < s.length; r++) s[r] = 77 * n[4 * r] + 150 * n[4 * r + 1] + 29 * n[4 * r + 2] >> 8;
  return { pixels: s, width: e, height: t, stride: e };
}
c(st, "lumaOfColours");
export {
  pt as C,
  N as D,
  yt as F,
  S as G,
  H as L,
  it as M,
  ie as N,
  A as P,
  P as R,
  ot as T,
  mt as a,
  ft as b,
  dt as c,
  ct as d,
  ut as e,
  lt as f,
  ht as g,
  Se as h,
  gt as i,
  Mt as j,
  at as k,
  st as l,
  be as m,
  ae as n,
  _ as o,
  fe as p,
  wt as q,
  bt as r,
  xt as s
};
