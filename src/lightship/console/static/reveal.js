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

async function reveal(figure, shown, button, wanted) {
  if (open.has(figure)) return;
  open.set(figure, () => {});
  const answer = await post(figure, "reveal", { exhibit: figure.dataset.exhibit, shown }).catch(() => null);
  if (!answer?.ok) {
    open.delete(figure);
    say(figure, answer ? await refusal(answer) : "The server does not answer.");
    return;
  }
  const address = URL.createObjectURL(await answer.blob());
  const look = answer.headers.get("x-look");
  const seconds = Number(answer.headers.get("x-granted-seconds"));
  const media = document.createElement(shown === "still" ? "img" : "video");
  media.className = "ls-still__clear";
  if (shown === "still") media.alt = "Still, clear"; else { media.muted = shown !== "sound"; media.autoplay = true; media.playsInline = true; media.disablePictureInPicture = true; }
  media.src = address;
  const frame = figure.querySelector(".ls-still__frame");
  const timer = setTimeout(() => cover(figure), seconds * 1000);
  open.set(figure, () => {
    clearTimeout(timer);
    media.remove();
    URL.revokeObjectURL(address);
    button.setAttribute("aria-pressed", "false");
    post(figure, "cover", { look }).then((told) => told.json()).then((told) => say(figure, `Covered again after ${told.seconds} s.`)).catch(() => say(figure, "Covered again."));
  });
  if (!wanted() || document.hidden || !document.hasFocus()) return cover(figure);
  frame.append(media);
  button.setAttribute("aria-pressed", "true");
  say(figure, `Clear for at most ${seconds} s.`);
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
    for (const name of ["hold", "timed"]) button(name).disabled = false;
  });
  const hold = button("hold");
  let held = false;
  const press = () => { held = true; reveal(figure, "still", hold, () => held); };
  const release = () => { if (held) { held = false; cover(figure); } };
  hold?.addEventListener("pointerdown", (event) => { hold.setPointerCapture(event.pointerId); press(); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) hold?.addEventListener(end, release);
  hold?.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); if (!event.repeat) press(); } });
  hold?.addEventListener("keyup", (event) => { if (event.key === " ") { event.preventDefault(); release(); } });
  for (const [name, shown] of [["timed", figure.dataset.shown], ["sound", "sound"]]) {
    button(name)?.addEventListener("click", (event) => { if (open.has(figure)) cover(figure); else reveal(figure, shown, event.currentTarget, () => true); });
  }
}

// Whoever looks away or changes the tab has it covered; whoever does nothing, at the end of the few seconds granted.
window.addEventListener("blur", coverAll);
document.addEventListener("visibilitychange", coverAll);
window.addEventListener("pagehide", coverAll);
