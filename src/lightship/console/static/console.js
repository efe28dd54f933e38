// Keys, signs of life of a claim, and live updates. Every page and every decision works without it.
const own = document.querySelector("script[data-govuk]");
import(own.dataset.govuk).then((govuk) => govuk.initAll());

const csrf = () => document.querySelector("input[name=csrf]")?.value ?? "";

// Keys: one listener, switched off by an empty table, and never while somebody writes.
const table = JSON.parse(document.getElementById("keys")?.textContent ?? "{}");
const actions = new Map(Object.entries(table).map(([action, key]) => [key, action]));
const writes = (one) => one instanceof HTMLElement && (one.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(one.tagName)) && !["radio", "checkbox", "button"].includes(one.type);

function move(step) {
  const items = [...document.querySelectorAll("[data-item]")];
  if (!items.length) return false;
  const at = items.indexOf(document.activeElement);
  items[at < 0 ? (step > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + step))].focus();
  return true;
}

function choose(selector) {
  const one = document.querySelector(selector);
  if (!one) return false;
  one.focus();
  if (one.type === "radio") one.checked = true;
  return true;
}

const does = {
  next: () => move(1),
  previous: () => move(-1),
  escalate: () => choose('[data-action="escalate"]'),
  undo: () => { const one = document.querySelector('[data-action="undo"]'); one?.click(); return Boolean(one); },
  search: () => choose('[data-action="search"]'),
  help: () => { document.getElementById("help").showModal(); return true; },
};

document.addEventListener("keydown", (event) => {
  if (!actions.size || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || writes(event.target) || document.querySelector("dialog[open]")) return;
  const inRadios = event.target instanceof HTMLInputElement && event.target.type === "radio";
  if (inRadios && event.key.startsWith("Arrow")) return;
  const action = actions.get(event.key);
  const done = action ? does[action]() : /^[1-9]$/.test(event.key) && choose(`[data-choice="${event.key}"]`);
  if (done) event.preventDefault();
});

// A claim lives for as long as its page does.
const claim = document.querySelector("form[data-beat]");
if (claim) {
  const body = () => new URLSearchParams({ csrf: csrf() });
  const timer = setInterval(async () => {
    const answer = await fetch(claim.dataset.beat, { method: "POST", body: body() }).catch(() => null);
    if (answer && answer.status === 409) {
      clearInterval(timer);
      say("This item is not yours any more: the claim ran out, or somebody took it over.");
    }
  }, Math.max(2, Number(claim.dataset.lease) / 3) * 1000);
}

function say(words) {
  const box = document.createElement("div");
  box.className = "ls-note";
  box.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = words;
  box.append(line);
  document.getElementById("main-content").prepend(box);
}

// Live updates: the server says that something changed; the page asks for itself again and takes over its list.
const area = document.querySelector("[data-live]");
if (area) {
  let waiting = null;
  const renew = async () => {
    waiting = null;
    const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
    if (!fresh) return;
    const held = document.activeElement instanceof HTMLAnchorElement && area.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    area.replaceChildren(...fresh.childNodes);
    if (held) [...area.querySelectorAll("a")].find((one) => one.getAttribute("href") === held)?.focus();
  };
  new EventSource("/events").addEventListener("changed", (event) => {
    if (area.dataset.live === "all" || event.data === "all" || event.data === area.dataset.live) waiting ??= setTimeout(renew, 500);
  });
}
