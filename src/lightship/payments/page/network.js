/* The picture of a network: what the tables of the same page say, drawn. No request leaves the page. */
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const box = document.getElementById("picture");
  const detail = document.getElementById("detail");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  let text = 11; /* picture units: larger where the whole picture is small */

  function look() {
    const ink = dark.matches ? "#f3f2f1" : "#0b0c0c";
    const quiet = dark.matches ? "#8b949d" : "#7a8288";
    const paper = dark.matches ? "#16191d" : "#ffffff";
    const fill = dark.matches ? { payer: "#5aa0dc", receiver: "#e0a458" } : { payer: "#1d70b8", receiver: "#b35c00" };
    return [
      { selector: "node", style: {
        "background-color": (node) => fill[node.data("side")],
        shape: (node) => (node.data("role") === "seed" ? "star" : node.data("side") === "payer" ? "ellipse" : "diamond"),
        width: "data(size)", height: "data(size)", label: "data(label)", color: ink, "font-size": text,
        "text-valign": "bottom", "text-margin-y": 4, "text-background-color": paper, "text-background-opacity": 0.85,
        "text-background-padding": 2,
      } },
      { selector: "node[role='subject'], node[role='seed']", style: {
        "border-width": 4, "border-style": "double", "border-color": ink, "font-weight": "bold",
      } },
      { selector: "node[role='context']", style: { "background-opacity": 0.45 } },
      { selector: "edge", style: {
        width: "data(width)", "line-color": quiet, "curve-style": "straight", "target-arrow-shape": "triangle",
        "target-arrow-color": quiet, "arrow-scale": 0.8,
      } },
      { selector: "edge[related]", style: { "line-style": "dashed" } },
      { selector: ".same", style: { "line-style": "dotted", "target-arrow-shape": "none" } },
      { selector: "node:selected", style: { "border-width": 4, "border-style": "solid", "border-color": "#c97600" } },
      { selector: ".near", style: { "line-color": "#c97600", "target-arrow-color": "#c97600", "z-index": 9 } },
    ];
  }

  const picture = cytoscape({
    container: box, elements: data.elements, style: look(), layout: { name: "preset", fit: true, padding: 40 },
    minZoom: 0.1, maxZoom: 4, selectionType: "single", boxSelectionEnabled: false, autoungrabify: false,
  });
  text = Math.max(11, Math.min(26, 12 / picture.zoom()));
  picture.style(look());
  const order = picture.nodes().toArray();

  function show(node, fly) {
    picture.elements().unselect().removeClass("near");
    node.select();
    node.connectedEdges().addClass("near");
    detail.textContent = node.data("words");
    const at = node.renderedPosition();
    const inside = at.x > 20 && at.y > 20 && at.x < box.clientWidth - 20 && at.y < box.clientHeight - 20;
    if (fly && !inside) {
      if (still.matches) picture.center(node);
      else picture.animate({ center: { eles: node }, duration: 200 });
    }
  }

  function zoom(by) {
    picture.zoom({ level: picture.zoom() * by, renderedPosition: { x: box.clientWidth / 2, y: box.clientHeight / 2 } });
  }

  const acts = { in: () => zoom(1.25), out: () => zoom(0.8), fit: () => picture.fit(undefined, 40) };
  const keys = { "+": "in", "=": "in", "-": "out", 0: "fit" };

  picture.on("tap", "node", (event) => show(event.target, false));
  dark.addEventListener("change", () => picture.style(look()));
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", acts[button.dataset.act]);
  for (const button of document.querySelectorAll("[data-node]")) {
    const node = picture.getElementById(button.dataset.node);
    button.addEventListener("click", () => {
      show(node, true);
      box.focus({ preventScroll: true });
      box.scrollIntoView({ block: "center", behavior: still.matches ? "auto" : "smooth" });
    });
  }
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in keys) acts[keys[event.key]]();
    else if (event.key.startsWith("Arrow") && order.length) {
      const now = order.findIndex((node) => node.selected());
      const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1;
      show(order[now < 0 ? (step > 0 ? 0 : order.length - 1) : (now + step + order.length) % order.length], true);
    } else return;
    event.preventDefault();
  });
})();
