// <lightship-report stream="ID" endpoint="/your/own/path"></lightship-report>
//
// A platform puts this on its page. It posts JSON {stream_id, kind, text} with an Idempotency-Key to `endpoint`, a path
// of the platform's own, which passes it on to Lightship's POST /v1/reports with the platform's token: the token is
// never in a page. Two steps: open, and choose. Text is optional.
const STYLE = `
:host { display: inline-block; font: 16px/1.4 arial, sans-serif; color: #0b0c0c; }
button { font: inherit; padding: 10px 16px; border: 2px solid #0b0c0c; border-radius: 4px; background: #fff; color: #0b0c0c; cursor: pointer; }
button:focus-visible, textarea:focus-visible { outline: 3px solid #fd0; outline-offset: 2px; box-shadow: 0 0 0 2px #0b0c0c; }
.now { background: #a1121f; border-color: #a1121f; color: #fff; font-weight: 700; }
dialog { border: 2px solid #0b0c0c; border-radius: 6px; max-width: min(460px, 90vw); background: #fff; color: #0b0c0c; }
dialog div { display: grid; gap: 12px; }
h2 { margin: 0; font-size: 22px; } p { margin: 0; } textarea { font: inherit; width: 100%; box-sizing: border-box; border: 2px solid #0b0c0c; }
label { display: grid; gap: 4px; }`;

class LightshipReport extends HTMLElement {
  #key = "";
  #dialog; #said; #words;

  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // no style element: it works under a strict content policy
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const make = (name, text, values = {}) => Object.assign(document.createElement(name), { textContent: text, ...values });
    const opener = make("button", "Report", { type: "button" });
    opener.setAttribute("aria-haspopup", "dialog");
    this.#dialog = make("dialog", "");
    this.#dialog.setAttribute("aria-labelledby", "title");
    const box = make("div", "");
    const now = make("button", "A child is in danger now", { type: "button", className: "now" });
    const other = make("button", "Something else is wrong", { type: "button" });
    const close = make("button", "Close", { type: "button" });
    const label = make("label", "What did you see? (optional)");
    this.#words = make("textarea", "", { rows: 2, maxLength: 2000 });
    label.append(this.#words);
    this.#said = make("p", "");
    this.#said.setAttribute("role", "status");
    box.append(make("h2", "Report this stream", { id: "title" }), now, other, label, this.#said, close);
    this.#dialog.append(box);
    opener.addEventListener("click", () => { this.#key = crypto.randomUUID?.() ?? String(Math.random()); this.#said.textContent = ""; this.#dialog.showModal(); now.focus(); });
    close.addEventListener("click", () => this.#dialog.close());
    now.addEventListener("click", () => this.#send("child-at-risk-now"));
    other.addEventListener("click", () => this.#send("other"));
    root.append(opener, this.#dialog);
  }

  async #send(kind) {
    this.#said.textContent = "Sending …";
    const body = JSON.stringify({ stream_id: this.getAttribute("stream") ?? "", kind, text: this.#words.value });
    const headers = { "Content-Type": "application/json", "Idempotency-Key": `${this.#key}-${kind}` };
    try {
      const answer = await fetch(this.getAttribute("endpoint") ?? "/v1/reports", { method: "POST", body, headers });
      if (!answer.ok) throw new Error(String(answer.status));
      this.#said.textContent = (await answer.json()).acknowledged ?? "Thank you. The report was received.";
      this.dispatchEvent(new CustomEvent("lightship-reported", { bubbles: true, detail: { kind } }));
    } catch {
      this.#said.textContent = "The report did not arrive. Press again. If a child is in danger, call 999.";
    }
  }
}

customElements.define("lightship-report", LightshipReport);
