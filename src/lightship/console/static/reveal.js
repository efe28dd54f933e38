// Pictures: closed, then blurred, then clear for as long as the server grants. Covered again whenever one looks away.
const csrf = document.getElementById("reveal").dataset.csrf;
const open = new Map(); // figure -> how to cover it

const say = (figure, words) => { figure.querySelector(".ls-still__said").textContent = words; };

async function post(figure, act, values) {
  return fetch(`/items/${encodeURIComponent(figure.dataset.case)}/${act}`, { method: "POST", body: new URLSearchParams({ csrf, ...values }), keepalive: act === "cover" });
}

async function refusal(answer) {
  try { return (await answer.json()).detail ?? "Not now."; } catch { return "Not now."; }
}

async function reveal(figure, shown, button, wanted, part = "") {
  if (open.has(figure)) return;
  open.set(figure, () => {});
  const answer = await post(figure, "reveal", { exhibit: figure.dataset.exhibit, shown, ...(part && { part }) }).catch(() => null);
  if (!answer?.ok) {
    open.delete(figure);
    say(figure, answer ? await refusal(answer) : "The server does not answer.");
    return;
  }
  const address = URL.createObjectURL(await answer.blob());
  const look = answer.headers.get("x-look");
  const seconds = Number(answer.headers.get("x-granted-seconds"));
  const media = document.createElement({ still: "img", motion: "video", sound: "audio" }[shown]);
  media.className = "ls-still__clear";
  if (shown === "still") media.alt = part ? "Still, one part clear" : "Still, clear";
  else if (shown === "motion") Object.assign(media, { muted: true, playsInline: true, disablePictureInPicture: true });
  else Object.assign(media, { controls: true, volume: 0.3 }); // it begins quietly, and its controls are at hand
  media.src = address;
  const frame = figure.querySelector(".ls-still__frame, .ls-sound__strip");
  const timer = setTimeout(() => cover(figure), seconds * 1000);
  open.set(figure, () => {
    clearTimeout(timer);
    media.remove();
    URL.revokeObjectURL(address);
    button.setAttribute("aria-pressed", "false");
    post(figure, "cover", { look }).then((told) => told.json()).then((told) => say(figure, `Covered again after ${told.seconds} s.`)).catch(() => say(figure, "Covered again."));
  });
  if (!wanted() || document.hidden || !document.hasFocus()) return cover(figure);
  figure.classList.remove("ls-still--closed");
  frame.append(media);
  if (shown !== "still") media.play().catch(() => {}); // only ever after a press
  button.setAttribute("aria-pressed", "true");
  say(figure, shown === "sound" ? `It plays for at most ${seconds} s.` : `${part ? "One part is clear" : "Clear"} for at most ${seconds} s.`);
}

function cover(figure) {
  const close = open.get(figure);
  open.delete(figure);
  close?.();
}

const coverAll = () => [...open.keys()].forEach(cover);

for (const figure of document.querySelectorAll("figure[data-exhibit]")) {
  const button = (name) => figure.querySelector(`[data-do="${name}"]`);
  button("blurred")?.addEventListener("click", () => {
    const image = figure.querySelector(".ls-still__blurred");
    image.src = image.dataset.src;
    image.hidden = false;
    figure.querySelector(".ls-still__closed").hidden = true;
    figure.classList.remove("ls-still--closed");
    for (const name of ["hold", "timed"]) if (button(name)) button(name).hidden = false;
    button("blurred").hidden = true;
    (button("hold") ?? button("timed")).focus();
    for (const one of figure.querySelectorAll(".ls-grid, .ls-grid__hint")) one.hidden = false;
  });
  const hold = button("hold");
  let held = false;
  const press = () => { held = true; reveal(figure, "still", hold, () => held); };
  const release = () => { if (held) { held = false; cover(figure); } };
  hold?.addEventListener("pointerdown", (event) => { hold.setPointerCapture(event.pointerId); press(); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) hold?.addEventListener(end, release);
  hold?.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); if (!event.repeat) press(); } });
  hold?.addEventListener("keyup", (event) => { if (event.key === " ") { event.preventDefault(); release(); } });
  const toggle = (one, part) => one.addEventListener("click", () => { if (open.has(figure)) cover(figure); else reveal(figure, figure.dataset.shown, one, () => true, part); });
  if (button("timed")) toggle(button("timed"), "");
  for (const one of figure.querySelectorAll("[data-part]")) toggle(one, one.dataset.part);
}

// Whoever looks away or changes the tab has it covered; whoever does nothing, at the end of the few seconds granted.
window.addEventListener("blur", coverAll);
document.addEventListener("visibilitychange", coverAll);
window.addEventListener("pagehide", coverAll);
