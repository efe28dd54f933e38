// Commands by Ctrl-K: every link and button of this page that has a name for it. Without this file the page has them all.
const palette = document.getElementById("palette");
const words = document.getElementById("palette-words");
const list = document.getElementById("palette-list");
const said = document.getElementById("palette-said");
const own = document.getElementById("palette-script").dataset;
let shown = [];
let at = 0;

// Links to whatever id was typed: opening it asks the server, which says whether it may be.
function typed(text) {
  const id = encodeURIComponent(text);
  return [["item", `Open item ${text}`], ["record", `Search the record for ${text}`]]
    .filter(([name]) => text.length > 3 && own[name])
    .map(([name, label]) => ({ label, act: () => location.assign(own[name] + id) }));
}

function offered() {
  const asked = words.value.trim().toLowerCase();
  const found = [...document.querySelectorAll("[data-command]")].filter((one) => !one.disabled).map((one) => ({ label: one.dataset.command, act: () => one.click() }));
  const fitting = found.filter((one) => asked.split(/\s+/).every((part) => one.label.toLowerCase().includes(part)));
  return [...fitting, ...typed(words.value.trim())];
}

function mark(next) {
  at = shown.length ? (next + shown.length) % shown.length : 0;
  [...list.children].forEach((one, number) => one.setAttribute("aria-selected", String(number === at)));
  words.setAttribute("aria-activedescendant", shown.length ? `command-${at}` : "");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function draw() {
  shown = offered();
  list.replaceChildren(...shown.map((one, number) => {
    const line = document.createElement("li");
    line.id = `command-${number}`;
    line.setAttribute("role", "option");
    line.textContent = one.label;
    line.addEventListener("click", () => choose(number));
    return line;
  }));
  said.textContent = shown.length === 1 ? "1 command" : `${shown.length} commands`;
  mark(0);
}

function choose(number) {
  const one = shown[number];
  if (!one) return;
  palette.close();
  one.act();
}

function open() {
  if (document.querySelector("dialog[open]")) return;
  words.value = "";
  draw();
  palette.showModal();
  words.focus();
}

words.addEventListener("input", draw);
words.addEventListener("keydown", (event) => {
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: event.ctrlKey ? 0 : null, End: event.ctrlKey ? shown.length - 1 : null };
  if (event.key in moves && moves[event.key] !== null) mark(moves[event.key]);
  else if (event.key === "Enter" && !event.isComposing) choose(at);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  if (palette.open) palette.close();
  else open();
});
const button = document.getElementById("commands");
button.hidden = false;
button.addEventListener("click", open);
