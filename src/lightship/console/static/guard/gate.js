class v extends Error {
  constructor(e, t = "", s = "") {
    super([e, t && `(${t})`, s].filter(Boolean).join(" ")), this.what = e, this.where = t, this.todo = s, this.name = new.target.name;
  }
}
class _ extends v {
  constructor(e, t = "", s = "", r = "policy") {
    super(e, t, s), this.kind = r;
  }
}
class j extends v {
}
class se extends v {
}
class re extends v {
}
class tt extends v {
}
class nt extends v {
}
class st extends v {
}
class rt extends v {
}
class ot extends v {
}
class it extends v {
  constructor(e, t) {
    super(t, "SFrame"), this.kind = e;
  }
}
function at(n) {
  const e = n instanceof Error ? n.name : "";
  return e === "NotAllowedError" || e === "SecurityError" ? new re("The camera may not be used.", "", "Allow it in the address bar, then try again.") : new se("There is no camera that can be used.", "", "Connect one, or close the app that has it.");
}
const oe = 16, ie = 8;
function ae(n, e) {
  const t = Math.max(n, e), s = Math.min(oe, Math.floor(t / ie));
  return [Math.max(1, Math.round(s * n / t)), Math.max(1, Math.round(s * e / t))];
}
const L = (n) => n.getContext("2d");
class ce {
  constructor(e, t) {
    this.title = e, this.lines = t;
  }
  full = new OffscreenCanvas(1, 1);
  small = new OffscreenCanvas(1, 1);
  /** Draw what leaves in place of a picture: at most 16 blocks a side are left of it, or a card. */
  draw(e, t, s, r, o = this.full) {
    (o.width !== t || o.height !== s) && (o.width = t, o.height = s);
    const i = L(o);
    if (r)
      return this.card(i, t, s), o;
    const [a, c] = ae(t, s);
    this.small.width = a, this.small.height = c;
    const l = L(this.small);
    return l.imageSmoothingQuality = "high", l.drawImage(e, 0, 0, a, c), i.imageSmoothingQuality = "low", i.drawImage(this.small, 0, 0, a, c, 0, 0, t, s), o;
  }
  card(e, t, s) {
    e.fillStyle = "#18202c", e.fillRect(0, 0, t, s);
    const r = Math.min(t, s) / 14;
    for (let o = Math.max(t, s) / 18; o >= 6; o *= 0.9) {
      const i = this.rows(e, o, t - 2 * r), a = i.reduce((l, u) => l + u.high, 0);
      if (a > s - 2 * r) continue;
      let c = (s - a) / 2;
      for (const l of i)
        e.font = l.font, e.fillStyle = l.title ? "#ffffff" : "#ced8e4", e.fillText(l.text, r, c + l.size), c += l.high;
      return;
    }
  }
  rows(e, t, s) {
    const r = [], o = (i, a, c) => {
      const l = `${c ? 700 : 400} ${a}px system-ui, sans-serif`;
      e.font = l;
      let u = "";
      for (const d of [...i.split(" "), ""]) {
        const m = u ? `${u} ${d}` : d;
        if (d && e.measureText(m).width <= s) {
          u = m;
          continue;
        }
        u && r.push({ text: u, font: l, size: a, high: a * 1.35, title: c }), u = d;
      }
    };
    o(this.title, t, !0);
    for (const i of this.lines) o(i, t * 0.6, !1);
    return r;
  }
}
function le(n, e) {
  let t = 0;
  const s = (f) => {
    throw new _(`The policy is not TOML: ${f} (line ${n.slice(0, t).split(`
`).length}).`, e, "Correct the line.", "not toml");
  }, r = (f) => {
    f.lastIndex = t, t += f.exec(n)?.[0].length ?? 0;
  }, o = () => r(/[ \t]*/y), i = () => r(/(?:[ \t\r\n]|#[^\n]*)*/y), a = (f) => {
    f.lastIndex = t;
    const h = f.exec(n)?.[0];
    return h !== void 0 && (t += h.length), h;
  }, c = () => {
    const f = a(/[A-Za-z0-9_-]+/y);
    return f !== void 0 ? f : n[t] === '"' || n[t] === "'" ? d() : s("a key is missing");
  }, l = () => {
    const f = [c()];
    for (o(); n[t] === "."; o())
      t++, o(), f.push(c());
    return f;
  }, u = (f, h, p) => {
    const g = h.at(-1);
    for (const w of h.slice(0, -1)) {
      Object.hasOwn(f, w) || (f[w] = {});
      const S = f[w];
      (typeof S != "object" || Array.isArray(S)) && s(`${w} is no table`), f = S;
    }
    Object.hasOwn(f, g) && s(`${g} is given twice`), Object.defineProperty(f, g, { value: p, enumerable: !0, writable: !0, configurable: !0 });
  }, d = () => {
    if (n.startsWith('"""', t) || n.startsWith("'''", t)) return s("text of several lines is not used here");
    const f = a(/"(?:[^"\\\n]|\\.)*"/y);
    if (f !== void 0) {
      const g = f.replace(/\\U([0-9a-fA-F]{8})/g, (w, S) => String.fromCodePoint(parseInt(S, 16)));
      try {
        return JSON.parse(g);
      } catch {
        return s("the text has an unknown escape");
      }
    }
    const h = a(/'[^'\n]*'/y);
    if (h !== void 0) return h.slice(1, -1);
    if (a(/\[/y)) {
      const g = [];
      for (i(); n[t] !== "]"; i())
        if (g.push(d()), i(), !a(/,/y) && n[t] !== "]") return s("a list does not end");
      return t++, g;
    }
    if (a(/\{/y)) {
      const g = {};
      for (o(); n[t] !== "}"; o()) {
        const w = l();
        if (o(), !a(/=/y)) return s("= is missing");
        if (o(), u(g, w, d()), o(), !a(/,/y) && n[t] !== "}") return s("a table does not end");
      }
      return t++, g;
    }
    const p = a(/[^\s,\]}#]+/y) ?? "";
    return p === "true" || p === "false" ? p === "true" : /^[+-]?(0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d+)?$/.test(p) ? Number(p.replaceAll("_", "")) : /^[+-]?inf$/.test(p) ? p.startsWith("-") ? -1 / 0 : 1 / 0 : s(`'${p}' is no value`);
  }, m = {};
  let b = m;
  for (i(); t < n.length; i()) {
    const f = a(/\[\[/y), h = f ? void 0 : a(/\[/y);
    if (f || h) {
      o();
      const p = l();
      o(), a(f ? /\]\]/y : /\]/y) || s("a heading does not end");
      let g = m;
      p.forEach((w, S) => {
        const F = S === p.length - 1;
        if (F && f) {
          Object.hasOwn(g, w) || (g[w] = []);
          const q = g[w];
          if (!Array.isArray(q)) return s(`${w} is no list`);
          g = {}, q.push(g);
          return;
        }
        F && Object.hasOwn(g, w) && s(`${w} is given twice`), Object.hasOwn(g, w) || (g[w] = {});
        const E = g[w];
        g = Array.isArray(E) ? E.at(-1) : E, typeof g != "object" && s(`${w} is no table`);
      }), b = g;
    } else {
      const p = l();
      o(), a(/=/y) || s("= is missing"), o(), u(b, p, d());
    }
    o(), a(/#[^\n]*/y), t < n.length && !a(/\r?\n/y) && s("something follows the value");
  }
  return m;
}
const k = (n) => n > 0 ? 10 * Math.log10(n) : -1 / 0;
function ue(n) {
  if (n >= 1 - 1e-4) return 0.5 + (1 - n) / 6;
  const e = Math.log(n);
  return (1 - n + n * e) / (n * e * e);
}
class D {
  constructor(e, t) {
    this.alarmAlpha = e, this.finestAlpha = t;
  }
  static forRung(e, t) {
    const s = 1 / (t + 1);
    return new D(Math.max(1 / (4 * e), s), s);
  }
  evalue(e) {
    let t = 0.5 * ue(e);
    for (const s of [this.alarmAlpha, this.finestAlpha]) e <= s * (1 + 1e-12) && (t += 0.25 / s);
    return t;
  }
}
const T = 0.9;
function he(n, e) {
  return n <= 0 ? T : T + (1 - T) / (e * Math.pow(10, -n / 10));
}
const fe = (n) => k(6 / (Math.PI * n) ** 2);
function de(n, e) {
  const t = [];
  let s = 0, r = -1 / 0;
  return n.maxima.forEach((o, i) => {
    r = Math.max(r, o), s += n.lengths_s[i], s >= e - 1e-6 && (t.push(r), s = 0, r = -1 / 0);
  }), !t.length && n.maxima.length && t.push(r), t;
}
const X = 2, me = 60, ge = 31;
function pe(n, e = "budget") {
  const t = { second: 1, minute: 60, hour: 3600, day: 86400, month: 2592e3 }, s = n.trim().split(/\s+/), r = (l) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(l ?? "") ? Number(l) : NaN, o = s.slice(2), i = r(s[0]), a = (o.length > 1 ? r(o[0]) : 1) * (t[(o.at(-1) ?? "").replace(/s$/, "")] ?? NaN);
  if (!(s[1] === "per" && s.length <= 4 && i > 0 && a > 0 && isFinite(i) && isFinite(a))) throw new _(`'${n}' is not an alarm budget.`, e, 'Write it like "1 per hour".', "budget");
  return a / i;
}
const z = (n, e) => Math.max(2, n / e);
function J(n, e, t) {
  return t === "cusum" ? e + Math.max(0, n) : n < 300 ? e + 10 * Math.log10(1 + 10 ** (n / 10)) : e + n;
}
function ye(n, e) {
  let t = 0;
  for (let s = 0; s < 8; s++) for (let r = (n[s] ^ e[s]) >>> 0; r; r &= r - 1) t++;
  return t;
}
const P = (n, e) => n === null || e === null ? n !== e : ye(n, e) > ge;
class O {
  constructor(e, t, s = t, r = 1) {
    this.beganS = e, this.picture = t, this.latest = s, this.pictures = r;
  }
  over(e, t) {
    const s = e - this.beganS;
    return s >= me || s >= X && P(this.picture, t);
  }
  seen(e) {
    return P(this.latest, e) ? new O(this.beganS, this.picture, e, this.pictures + 1) : this;
  }
}
class I {
  constructor(e = -1 / 0, t = null, s = []) {
    this.beforeDb = e, this.beganS = t, this.best = s;
  }
  seen(e, t) {
    const s = new Map(this.best.map((o) => [`${o[0]}\0${o[1]}`, o]));
    for (const o of t) {
      const i = `${o[0]}\0${o[1]}`;
      o[2] > (s.get(i)?.[2] ?? -1 / 0) && s.set(i, o);
    }
    const r = [...s].sort(([o], [i]) => o < i ? -1 : 1).map(([, o]) => o);
    return new I(this.beforeDb, this.beganS ?? e, r);
  }
  closed(e, t) {
    return new I(t, e, []);
  }
}
function we(n, e, t, s, r) {
  const o = n.streams.length > 1 ? n.without(e) : n, i = D.forRung(s, o.maxima(t).length);
  let a = -1 / 0;
  return de(e, t).map(
    (c) => a = J(a, k(i.evalue(o.pValue(c, t))), r)
  );
}
function G(n) {
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
function be(n, e, t, s) {
  const r = z(e, t), o = n.streams.flatMap((c) => Me(we(n, c, t, r, s))).sort((c, l) => l - c), i = n.hours * 3600 / e;
  let a = 0;
  for (; a < o.length && G(a + 1) <= i; ) a++;
  return {
    levelDb: a < o.length ? o[a] : -1 / 0,
    hours: n.hours,
    extrapolated: G(0) > i
  };
}
function Me(n) {
  const e = [];
  let t = !1;
  for (const s of n)
    s > 0 && (t ? e[e.length - 1] = Math.max(e[e.length - 1], s) : e.push(s)), t = s > 0;
  return e;
}
const K = ["camera-black", "camera-frozen", "exposed", "known-media", "test-card"], N = ["observe", "blur", "pause", "end"], x = (n) => n !== null && n !== "observe";
class B {
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
function _e(n, e = "policy") {
  const t = new B(le(n, e), e), s = t.tables("detectors").map(xe), r = t.tables("rungs").map(ve), o = t.number("slow_fps", 4, 0.1, 60), i = {
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
  return t.done(), Ae(i, e), i;
}
function xe(n) {
  const e = {
    name: n.text("name"),
    labels: [...new Set(n.words("labels"))].sort(),
    calibration: n.text("calibration", ""),
    required: n.flag("required", !0),
    group: n.text("group", ""),
    options: n.take("options", (s) => typeof s == "object" && !Array.isArray(s), {})
  };
  n.done();
  const t = e.labels.filter((s) => !K.includes(s));
  if (t.length || !e.labels.length)
    throw new _(
      `${t.join(", ") || "An empty list"} is outside the closed label set.`,
      n.where,
      `The labels are ${K.join(", ")}.`,
      "outside the label set"
    );
  return e;
}
function ve(n) {
  const e = {
    rung: n.oneOf("rung", N),
    mean_time_s: pe(n.text("budget"), `${n.where}, budget`),
    block_s: n.number("block_s", 2, 2, 7200),
    after_s: n.number("after_s", 0)
  };
  return n.done(), e;
}
function Ae(n, e) {
  const t = (r, o, i) => {
    throw new _(o, e, i, r);
  }, s = (r, o) => r.every((i, a) => a === 0 || (o ? i > r[a - 1] : i >= r[a - 1]));
  s(n.rungs.map((r) => N.indexOf(r.rung)), !0) || t("order of rungs", "The rungs are not in order, or one is named twice.", `Order: ${N.join(", ")}.`), s(n.rungs.map((r) => r.mean_time_s), !1) || t("order of budgets", "A graver rung has a larger budget than a lighter one.", "Make it smaller."), !n.test && n.detectors.some((r) => r.labels.includes("test-card")) && t("test card", "Only a policy marked `test = true` may act on the test card.", "Remove the label or mark the policy."), n.legal_basis.trim() || t("legal basis", "The legal basis is empty.", "Say on what basis this may be done."), new Set(n.detectors.map((r) => r.name)).size < n.detectors.length && t("detector twice", "A detector is named twice.", "Name each once.");
}
function C(n) {
  return Array.isArray(n) ? `[${n.map(C).join(",")}]` : n !== null && typeof n == "object" ? `{${Object.entries(n).sort(([e], [t]) => e < t ? -1 : 1).map(([e, t]) => `${JSON.stringify(e)}:${C(t)}`).join(",")}}` : JSON.stringify(n);
}
async function ct(n) {
  const e = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(C(n)));
  return "sha256:" + [...new Uint8Array(e)].map((t) => t.toString(16).padStart(2, "0")).join("");
}
class Se {
  constructor(e, t, s, r, o) {
    this.rule = e, this.alarmDb = t, this.sessionDb = s, this.extrapolated = r, this.scales = o;
  }
  /** Within a group e-values are averaged; the groups' weights add. */
  weightDb(e) {
    const t = /* @__PURE__ */ new Map();
    for (const [r, o] of this.scales) o.calibration || t.set(r, -1 / 0);
    for (const [r, , o] of e)
      this.scales.has(r) && t.set(r, Math.max(o, t.get(r) ?? -1 / 0));
    const s = /* @__PURE__ */ new Map();
    for (const [r, o] of t) {
      const i = this.scales.get(r), a = i.calibration && i.calibrator ? i.calibrator.evalue(i.calibration.pValue(o, i.blockS)) : he(o, i.scenes);
      s.set(i.group, [...s.get(i.group) ?? [], a]);
    }
    return [...s.values()].reduce((r, o) => r + k(o.reduce((i, a) => i + a, 0) / o.length), 0);
  }
}
const Q = (n, e) => `${n}\0${e}`, Y = (n) => ({
  watches: n.rungs.map(() => new I()),
  levelsDb: n.rungs.map(() => -1 / 0),
  base: null,
  rung: null,
  sinceS: 0,
  by: "benign",
  evidenceS: -1 / 0,
  graceUntilS: -1 / 0
}), ke = (n, e) => n.rung !== null || e - n.evidenceS <= 5;
function $e(n, e, t) {
  const s = new Map(e.map((i) => [i.name, i])), r = n.detectors.filter((i) => s.has(i.name) && s.get(i.name).evidence !== "camera");
  for (const i of r) {
    const a = s.get(i.name), c = t.get(i.name);
    if (a.evidence === "calibrated" && (!c || c.detector !== a.name || c.detectorVersion !== a.version || c.sampleFps < n.fast_fps))
      throw new _("The detector has no calibration that fits.", `policy ${n.name}, detector ${i.name}`, "Name one that fits.");
  }
  const o = n.rungs.map((i) => {
    const a = z(i.mean_time_s, i.block_s), c = /* @__PURE__ */ new Map();
    let l = -1 / 0, u = !1;
    for (const m of r) {
      const b = s.get(m.name).evidence === "calibrated" ? t.get(m.name) : null;
      let f = null;
      if (b) {
        f = D.forRung(a, b.maxima(i.block_s).length);
        const h = be(b, i.mean_time_s, i.block_s, n.detector_kind);
        l = Math.max(l, h.levelDb), u ||= h.extrapolated;
      }
      c.set(m.name, { calibration: b, calibrator: f, blockS: i.block_s, scenes: Math.ceil(i.block_s / X), group: m.group || m.name });
    }
    const d = l + Math.abs(l) * 2 ** -52;
    return new Se(i, Number.isNaN(d) ? k(a) : Math.max(k(a), d), l, u, c);
  });
  return {
    policy: n,
    rungs: o,
    counted: new Set(r.flatMap((i) => i.labels.map((a) => Q(i.name, a)))),
    analytic: new Set(r.filter((i) => s.get(i.name).evidence === "analytic").map((i) => i.name))
  };
}
function Oe(n, e, t) {
  const { atS: s } = t;
  if (e.rung === "end" || s < e.graceUntilS) return [e, null];
  let { watches: r, base: o } = e;
  o === null ? o = new O(s, t.picture) : o.over(s, t.picture) ? (r = r.map((u, d) => u.beganS !== null && s - u.beganS >= n.rungs[d].rule.block_s - 1e-6 ? u.closed(s, e.levelsDb[d]) : u), o = new O(s, t.picture)) : o = o.seen(t.picture);
  const i = fe(o.pictures), a = t.readings.filter(([u, d]) => n.counted.has(Q(u, d))).map(([u, d, m]) => [u, d, m + (n.analytic.has(u) ? i : 0)]);
  r = r.map((u) => u.seen(s, a));
  const c = n.rungs.map((u, d) => J(r[d].beforeDb, u.weightDb(r[d].best), n.policy.detector_kind)), l = n.rungs.length > 0 && n.rungs[0].weightDb(a) > 0;
  return Ie(n, { ...e, watches: r, levelsDb: c, base: o, evidenceS: l ? s : e.evidenceS }, s);
}
function Ie(n, e, t) {
  const s = De(n, e, t);
  if (s) return [{ ...e, rung: s[1], sinceS: t, by: "evidence" }, U(n, e, t, s[1], "evidence", s[0])];
  const r = t - Math.max(e.evidenceS, e.sinceS);
  return e.rung === null || r < n.policy.release_after_s ? [e, null] : x(e.rung) && e.by !== "blind" && n.policy.release !== "benign" ? [e, null] : Z(n, e, t, "benign", 0);
}
function De(n, e, t) {
  const s = n.rungs.map((c, l) => l).filter((c) => e.levelsDb[c] >= n.rungs[c].alarmDb);
  if (!s.length) return null;
  const r = n.rungs.map((c) => c.rule.rung), o = e.rung === null ? -1 : r.indexOf(e.rung), i = s[s.length - 1];
  if (e.by === "blind" && x(e.rung) && i >= o) return [i, r[o]];
  if (i <= o) return null;
  const a = r.findIndex((c, l) => x(c) && l > o);
  return a < 0 || i < a ? [i, r[i]] : x(e.rung) && t - e.sinceS < n.rungs[a].rule.after_s ? null : [i, r[a]];
}
function U(n, e, t, s, r, o = 0) {
  const i = r !== "evidence" ? [] : e.watches[o].best.map((a) => ({ detector: a[0], label: a[1], weightDb: n.rungs[o].weightDb([a]) })).filter((a) => a.weightDb > 0);
  return { atS: t, rung: s, before: e.rung, by: r, totalDb: e.levelsDb[o] ?? -1 / 0, reasons: i };
}
function Z(n, e, t, s, r) {
  return [{ ...Y(n), sinceS: t, by: s, graceUntilS: t + r }, U(n, e, t, null, s)];
}
function Ee(n, e, t) {
  return !x(e.rung) || e.rung === "end" || n.policy.release !== "person" ? [e, null] : Z(n, e, t, "person", n.policy.grace_s);
}
function je(n, e, t) {
  const s = n.policy.rungs.find((r) => x(r.rung))?.rung;
  return x(e.rung) ? [{ ...e, evidenceS: Math.max(e.evidenceS, t) }, null] : n.policy.when_blind !== "cover" || !s ? [e, null] : [{ ...e, rung: s, sinceS: t, by: "blind", evidenceS: t }, U(n, e, t, s, "blind")];
}
const y = 64, A = 16, Te = 5, $ = /* @__PURE__ */ new Map();
function W(n) {
  const e = $.get(n);
  if (e) return e;
  const t = Math.ceil(n / 128), s = Math.floor((t + 2) / 2), r = (i) => [Math.max(0, i - (t - s)), Math.min(n, i + s)], o = [];
  for (let i = 0; i < y; i++) {
    const [a, c] = r(Math.floor((i + 0.5) * n / y)), l = r(a)[0], u = r(c - 1)[1], d = new Float64Array(u - l);
    for (let m = a; m < c; m++) {
      const [b, f] = r(m);
      for (let h = b; h < f; h++) d[h - l] += 1 / ((c - a) * (f - b));
    }
    o.push({ first: l, weights: Float32Array.from(d) });
  }
  return $.size > 8 && $.clear(), $.set(n, o), o;
}
const H = Float64Array.from({ length: A * y }, (n, e) => Math.sqrt(2 / y) * Math.cos(Math.PI / (2 * y) * (Math.floor(e / y) + 1) * (2 * (e % y) + 1)));
function Ne(n, e, t, s = e) {
  const r = new Uint32Array(8);
  if (Math.min(e, t) < Te) return { hash: r, quality: 0 };
  const o = W(t), i = W(e), a = new Float64Array(y * y), c = new Float64Array(e);
  for (let l = 0; l < y; l++) {
    c.fill(0);
    const { first: u, weights: d } = o[l];
    for (let m = 0; m < d.length; m++) {
      const b = d[m], f = (u + m) * s;
      for (let h = 0; h < e; h++) c[h] += b * n[f + h];
    }
    for (let m = 0; m < y; m++) {
      const b = i[m];
      let f = 0;
      for (let h = 0; h < b.weights.length; h++) f += b.weights[h] * c[b.first + h];
      a[l * y + m] = f;
    }
  }
  return { hash: Ce(a, r), quality: Re(a) };
}
function Ce(n, e) {
  const t = new Float64Array(A * y), s = new Float64Array(A * A);
  for (let o = 0; o < A; o++)
    for (let i = 0; i < y; i++) {
      const a = H[o * y + i];
      for (let c = 0; c < y; c++) t[o * y + c] += a * n[i * y + c];
    }
  for (let o = 0; o < A; o++)
    for (let i = 0; i < A; i++) {
      let a = 0;
      for (let c = 0; c < y; c++) a += t[o * y + c] * H[i * y + c];
      s[o * A + i] = a;
    }
  const r = Float64Array.from(s).sort()[127];
  for (let o = 0; o < 256; o++)
    s[o] > r && (e[7 - (o >> 5)] |= 1 << (o & 31));
  return e;
}
function Re(n) {
  let e = 0;
  for (let t = 0; t < y; t++)
    for (let s = 0; s < y; s++) {
      const r = n[t * y + s];
      s + 1 < y && (e += Math.trunc(Math.abs(n[t * y + s + 1] - r) * 100 / 255)), t + 1 < y && (e += Math.trunc(Math.abs(n[(t + 1) * y + s] - r) * 100 / 255));
    }
  return Math.min(100, Math.floor(e / 90));
}
const M = 8, Be = 26, Ue = 100, Fe = 360, qe = 20, V = ["100110", "100101", "001111", "011001", "110011", "110011"], ee = /* @__PURE__ */ new Set();
for (let n of [V, V.map((e) => [...e].reverse().join(""))])
  for (let e = 0; e < 4; e++)
    ee.add(n.join("")), n = n.map((t, s) => n.map((r) => r[5 - s]).join(""));
const te = (n) => -10 * Math.log10(n * 8 / 2 ** 36), Le = Math.round(te(Ue) * 10) / 10;
function Pe(n, e, t, s = e) {
  if (Math.min(e, t) < 16) return null;
  const { pixels: r, w: o, h: i } = Ge(n, e, t, s), a = Ke(r, o, i);
  let c = 0, l = !1;
  for (const u of [Math.max(5, i >> 5), Math.max(12, i >> 3)])
    for (const d of He(We(r, a, o, i, u), o, i))
      c++, l ||= ze(a, o, i, d);
  return l ? Math.min(Le, te(c)) : null;
}
function Ge(n, e, t, s) {
  const r = Math.max(1, Math.floor(t / Fe)), o = Math.floor(e / r), i = Math.floor(t / r), a = new Uint8Array(o * i);
  for (let c = 0; c < i; c++)
    for (let l = 0; l < o; l++) {
      let u = 0;
      for (let d = 0; d < r; d++) for (let m = 0; m < r; m++) u += n[(c * r + d) * s + l * r + m];
      a[c * o + l] = u / (r * r);
    }
  return { pixels: a, w: o, h: i };
}
function Ke(n, e, t) {
  const s = new Uint32Array((e + 1) * (t + 1));
  for (let r = 0; r < t; r++) {
    let o = 0;
    for (let i = 0; i < e; i++)
      o += n[r * e + i], s[(r + 1) * (e + 1) + i + 1] = s[r * (e + 1) + i + 1] + o;
  }
  return s;
}
function ne(n, e, t, s, r, o, i) {
  s = Math.max(0, s), r = Math.max(0, r), o = Math.min(e, o), i = Math.min(t, i);
  const a = e + 1;
  return (n[i * a + o] - n[r * a + o] - n[i * a + s] + n[r * a + s]) / Math.max(1, (o - s) * (i - r));
}
function We(n, e, t, s, r) {
  const o = new Uint8Array(t * s);
  for (let i = 0; i < s; i++)
    for (let a = 0; a < t; a++)
      n[i * t + a] + 7 < ne(e, t, s, a - r, i - r, a + r + 1, i + r + 1) && (o[i * t + a] = 1);
  return o;
}
function* He(n, e, t) {
  const s = new Int32Array(e * t);
  for (let r = 0; r < n.length; r++) {
    if (n[r] !== 1) continue;
    let o = 0, i = 0, a = e, c = 0, l = t, u = 0;
    s[o++] = r, n[r] = 2;
    const d = /* @__PURE__ */ new Map();
    for (; o; ) {
      const h = s[--o], p = h % e, g = (h - p) / e;
      i++, a = Math.min(a, p), c = Math.max(c, p), l = Math.min(l, g), u = Math.max(u, g);
      const w = d.get(g);
      w ? (p < w[0] && (w[0] = p), p > w[1] && (w[1] = p)) : d.set(g, [p, p]), p > 0 && n[h - 1] === 1 && (n[h - 1] = 2, s[o++] = h - 1), p + 1 < e && n[h + 1] === 1 && (n[h + 1] = 2, s[o++] = h + 1), g > 0 && n[h - e] === 1 && (n[h - e] = 2, s[o++] = h - e), g + 1 < t && n[h + e] === 1 && (n[h + e] = 2, s[o++] = h + e);
    }
    if (Math.min(c - a, u - l) < qe || i < 60) continue;
    const m = [];
    for (const [h, [p, g]] of d) m.push([p, h], [p, h + 1], [g + 1, h], [g + 1, h + 1]);
    const b = Ve(m), f = Xe(b);
    f && R(f) > 0.85 * R(b) && (yield f);
  }
}
function Ve(n) {
  n.sort((s, r) => s[0] - r[0] || s[1] - r[1]);
  const e = (s, r, o) => (r[0] - s[0]) * (o[1] - s[1]) - (r[1] - s[1]) * (o[0] - s[0]), t = (s) => {
    const r = [];
    for (const o of s) {
      for (; r.length > 1 && e(r[r.length - 2], r[r.length - 1], o) <= 0; ) r.pop();
      r.push(o);
    }
    return r.pop(), r;
  };
  return [...t(n), ...t([...n].reverse())];
}
function Xe(n) {
  if (n.length < 4) return null;
  const e = (a) => n.reduce((c, l) => Math.hypot(l[0] - a[0], l[1] - a[1]) > Math.hypot(c[0] - a[0], c[1] - a[1]) ? l : c), t = e(n[0]), s = e(t), r = (a) => (s[0] - t[0]) * (a[1] - t[1]) - (s[1] - t[1]) * (a[0] - t[0]), o = n.reduce((a, c) => r(c) > r(a) ? c : a), i = n.reduce((a, c) => r(c) < r(a) ? c : a);
  return r(o) > 0 && r(i) < 0 ? [t, o, s, i] : null;
}
function R(n) {
  let e = 0;
  return n.forEach((t, s) => {
    const r = n[(s + 1) % n.length];
    e += t[0] * r[1] - r[0] * t[1];
  }), Math.abs(e) / 2;
}
function ze(n, e, t, s) {
  const r = Je(s), o = Math.max(0, Math.floor(Math.sqrt(R(s)) / M / 4)), i = Array.from({ length: M * M }, (l, u) => {
    const [d, m] = r((u % M + 0.5) / M, (Math.floor(u / M) + 0.5) / M).map(Math.floor);
    return ne(n, e, t, d - o, m - o, d + o + 1, m + o + 1);
  }), a = (Math.min(...i) + Math.max(...i)) / 2;
  if (Math.max(...i) - Math.min(...i) < 30) return !1;
  const c = (l) => l < M || l >= M * (M - 1) || l % M === 0 || l % M === M - 1;
  return i.filter((l, u) => c(u) && l < a).length < Be ? !1 : ee.has(i.filter((l, u) => !c(u)).map((l) => l < a ? "0" : "1").join(""));
}
function Je([n, e, t, s]) {
  const r = n[0] - e[0] + t[0] - s[0], o = n[1] - e[1] + t[1] - s[1], i = e[0] - t[0], a = s[0] - t[0], c = e[1] - t[1], l = s[1] - t[1], u = i * l - a * c, d = (r * l - a * o) / u, m = (i * o - r * c) / u;
  return (b, f) => {
    const h = d * b + m * f + 1;
    return [
      ((e[0] - n[0] + d * e[0]) * b + (s[0] - n[0] + m * s[0]) * f + n[0]) / h,
      ((e[1] - n[1] + d * e[1]) * b + (s[1] - n[1] + m * s[1]) * f + n[1]) / h
    ];
  };
}
const Qe = 50, Ye = {
  "test-card": {
    name: "test-card",
    version: "aruco-6x6/23+mirrored",
    evidence: "analytic",
    read: ({ pixels: n, width: e, height: t, stride: s }) => {
      const r = Pe(n, e, t, s);
      return r === null ? [] : [["test-card", "test-card", r]];
    }
  }
};
class Ze {
  constructor(e, t, s) {
    this.told = t, this.wentBlind = s, this.policy = _e(e);
    for (const r of this.policy.detectors) {
      const o = Ye[r.name];
      if (o) this.sensors.push(o);
      else {
        if (r.required) throw new j(`The policy requires the detector ${r.name}, which this browser has not.`, `policy ${this.policy.name}`, "Use a policy whose detectors are here.");
        this.absent.push({ detector: r.name, reason: "not in the browser's build" });
      }
    }
    if (!this.sensors.some((r) => r.evidence !== "camera"))
      throw new j("No detector that gives evidence is here, so there is nothing to watch with.", `policy ${this.policy.name}`);
    this.bound = $e(this.policy, this.sensors, /* @__PURE__ */ new Map()), this.standing = Y(this.bound);
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
    return x(this.standing.rung) ? this.standing.rung : !this.looked && this.policy.when_blind === "cover" ? "blur" : null;
  }
  get ended() {
    return this.standing.rung === "end";
  }
  due(e) {
    const t = ke(this.standing, e) ? this.policy.fast_fps : this.policy.slow_fps;
    return e >= this.lastS && e - this.lastS < 1 / t - 1e-3 ? !1 : (this.lastS = e, !0);
  }
  look(e, t) {
    try {
      const s = this.sensors.flatMap((i) => i.read(t)), { hash: r, quality: o } = Ne(t.pixels, t.width, t.height, t.stride);
      this.take(Oe(this.bound, this.standing, { atS: e, readings: s, picture: o < Qe ? null : r })), this.looked = !0, this.failure = null;
    } catch (s) {
      this.unseen(e, s);
    }
  }
  /** Detection could not see this picture: the policy decides what is shown. */
  unseen(e, t) {
    this.failure || this.wentBlind(this.failure = new j(`Detection failed: ${String(t)}`)), this.take(je(this.bound, this.standing, e));
  }
  /** As the person: go on. Returns whether the policy allows it now. */
  resume(e) {
    return this.take(Ee(this.bound, this.standing, e));
  }
  take([e, t]) {
    return this.standing = e, t && this.told(t), t !== null;
  }
}
class lt {
  constructor(e, t, s, r) {
    this.report = s, this.coverBegins = r, this.watcher = new Ze(
      e,
      (o) => this.decided(o),
      (o) => s({ kind: "blind", name: o.name, message: o.message, whenBlind: this.watcher.policy.when_blind })
    ), this.coverer = new ce(this.watcher.policy.card_title, [...this.watcher.policy.card_lines, ...t]), s({ kind: "started", policy: this.watcher.policy.name, absent: this.watcher.absent });
  }
  watcher;
  coverer;
  counts = { in: 0, covered: 0, looked: 0, lookMs: 0 };
  get rung() {
    return this.watcher.rung;
  }
  decided(e) {
    x(e.rung) && !x(e.before) && this.coverBegins(), this.report({ kind: "decision", ...e, at: Date.now(), mayResume: this.watcher.policy.release === "person" });
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
async function ut(n) {
  const { width: e, height: t } = n.visibleRect;
  if (n.format === "I420" || n.format === "NV12" || n.format === "I420A") {
    const o = new Uint8Array(n.allocationSize()), [i] = await n.copyTo(o);
    return { pixels: o.subarray(i.offset), width: e, height: t, stride: i.stride };
  }
  const s = new OffscreenCanvas(e, t), r = s.getContext("2d", { willReadFrequently: !0 });
  return r.drawImage(n, 0, 0), et(r.getImageData(0, 0, e, t));
}
function et({ data: n, width: e, height: t }) {
  const s = new Uint8Array(e * t);
  for (let r = 0; r < s.length; r++) s[r] = 77 * n[4 * r] + 150 * n[4 * r + 1] + 29 * n[4 * r + 2] >> 8;
  return { pixels: s, width: e, height: t, stride: e };
}
export {
  j as D,
  it as F,
  v as G,
  rt as L,
  nt as M,
  se as N,
  ot as P,
  tt as T,
  lt as a,
  st as b,
  re as c,
  _ as d,
  at as e,
  ct as f,
  ut as g,
  et as l,
  _e as p
};
