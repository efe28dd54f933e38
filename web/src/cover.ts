/** Covering: a blur that cannot be undone, and a still card with words. */
const MOST_BLOCKS = 16, LEAST_BLOCK_PX = 8;

/** How many blocks, across and down, are left of a picture of this size. */
export function grid(width: number, height: number): [number, number] {
  const longer = Math.max(width, height), blocks = Math.min(MOST_BLOCKS, Math.floor(longer / LEAST_BLOCK_PX));
  return [Math.max(1, Math.round((blocks * width) / longer)), Math.max(1, Math.round((blocks * height) / longer))];
}

type Canvas = OffscreenCanvas | HTMLCanvasElement;
const contextOf = (canvas: Canvas) => canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;

export class Coverer {
  private readonly full = new OffscreenCanvas(1, 1);
  private readonly small = new OffscreenCanvas(1, 1);
  constructor(private readonly title: string, private readonly lines: readonly string[]) {}

  /** Draw what leaves in place of a picture: at most 16 blocks a side are left of it, or a card. */
  draw(picture: CanvasImageSource, width: number, height: number, card: boolean, onto: Canvas = this.full): Canvas {
    if (onto.width !== width || onto.height !== height) { onto.width = width; onto.height = height; }
    const context = contextOf(onto);
    if (card) { this.card(context, width, height); return onto; }
    const [across, down] = grid(width, height);
    this.small.width = across; this.small.height = down; // clears it as well
    const tiny = contextOf(this.small);
    tiny.imageSmoothingQuality = "high";
    tiny.drawImage(picture, 0, 0, across, down);
    context.imageSmoothingQuality = "low";
    context.drawImage(this.small, 0, 0, across, down, 0, 0, width, height);
    return onto;
  }

  private card(context: OffscreenCanvasRenderingContext2D, width: number, height: number): void {
    context.fillStyle = "#18202c";
    context.fillRect(0, 0, width, height);
    const margin = Math.min(width, height) / 14;
    for (let size = Math.max(width, height) / 18; size >= 6; size *= 0.9) {
      const rows = this.rows(context, size, width - 2 * margin);
      const high = rows.reduce((sum, row) => sum + row.high, 0);
      if (high > height - 2 * margin) continue;
      let y = (height - high) / 2;
      for (const row of rows) {
        context.font = row.font;
        context.fillStyle = row.title ? "#ffffff" : "#ced8e4";
        context.fillText(row.text, margin, y + row.size);
        y += row.high;
      }
      return;
    }
  }

  private rows(context: OffscreenCanvasRenderingContext2D, size: number, wide: number) {
    const rows: { text: string; font: string; size: number; high: number; title: boolean }[] = [];
    const add = (text: string, size: number, title: boolean) => {
      const font = `${title ? 700 : 400} ${size}px system-ui, sans-serif`;
      context.font = font;
      let line = "";
      for (const word of [...text.split(" "), ""]) {
        const longer = line ? `${line} ${word}` : word;
        if (word && context.measureText(longer).width <= wide) { line = longer; continue; }
        if (line) rows.push({ text: line, font, size, high: size * 1.35, title });
        line = word;
      }
    };
    add(this.title, size, true);
    for (const line of this.lines) add(line, size * 0.6, false);
    return rows;
  }
}
