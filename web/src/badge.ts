/** <guarded-badge state="on">: says whether the picture is guarded, to everyone, also to those who do not see it. */
const WORDS: Record<string, string> = {
  starting: "Guard is starting", on: "Guarded", covered: "Picture covered", blind: "Guard cannot see", off: "Not guarded", ended: "Ended",
};
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

export class GuardedBadge extends Base {
  static observedAttributes = ["state"];
  connectedCallback(): void {
    this.setAttribute("role", "status");
    this.show();
  }
  attributeChangedCallback(): void { if (this.isConnected) this.show(); }
  private show(): void { this.textContent = WORDS[this.getAttribute("state") ?? "off"] ?? WORDS.off; }
}
globalThis.customElements?.define("guarded-badge", GuardedBadge);
