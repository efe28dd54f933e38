/**
 * The printed test card, found without a library: one ArUco pattern of 6×6 bits and its mirror image, every bit exact,
 * at least 26 of the border's 28 cells dark. The bound is that of lightship.detect.test_card: 8·2⁻³⁶ a candidate.
 */
const SIDE = 8, BORDER_DARK = 26, CANDIDATES = 100, WORK_HEIGHT_PX = 360, LEAST_SIDE_PX = 20;
const MARKER = ["100110", "100101", "001111", "011001", "110011", "110011"]; // number 23 of OpenCV's DICT_6X6_250

const PATTERNS = new Set<string>();
for (let rows of [MARKER, MARKER.map((row) => [...row].reverse().join(""))])
  for (let turn = 0; turn < 4; turn++) {
    PATTERNS.add(rows.join(""));
    rows = rows.map((_, r) => rows.map((row) => row[5 - r]).join(""));
  }

const boundDb = (candidates: number): number => -10 * Math.log10((candidates * 8) / 2 ** 36);
export const WEIGHT_DB = Math.round(boundDb(CANDIDATES) * 10) / 10;

type Point = [number, number];

/** Return the weight in decibans if the card is seen, null if not. */
export function findCard(luma: Uint8Array | Uint8ClampedArray, width: number, height: number, stride = width): number | null {
  if (Math.min(width, height) < 16) return null;
  const { pixels, w, h } = shrunk(luma, width, height, stride);
  const sums = integral(pixels, w, h);
  let candidates = 0, found = false;
  for (const reach of [Math.max(5, h >> 5), Math.max(12, h >> 3)])
    for (const corners of quads(dark(pixels, sums, w, h, reach), w, h)) {
      candidates++;
      found ||= reads(sums, w, h, corners);
    }
  return found ? Math.min(WEIGHT_DB, boundDb(candidates)) : null;
}

/** The picture at most 360 px high, each pixel the mean of whole ones. */
function shrunk(luma: Uint8Array | Uint8ClampedArray, width: number, height: number, stride: number) {
  const zoom = Math.max(1, Math.floor(height / WORK_HEIGHT_PX));
  const w = Math.floor(width / zoom), h = Math.floor(height / zoom), pixels = new Uint8Array(w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (let j = 0; j < zoom; j++) for (let i = 0; i < zoom; i++) sum += luma[(y * zoom + j) * stride + x * zoom + i];
      pixels[y * w + x] = sum / (zoom * zoom);
    }
  return { pixels, w, h };
}

function integral(pixels: Uint8Array, w: number, h: number): Uint32Array {
  const sums = new Uint32Array((w + 1) * (h + 1));
  for (let y = 0; y < h; y++) {
    let line = 0;
    for (let x = 0; x < w; x++) {
      line += pixels[y * w + x];
      sums[(y + 1) * (w + 1) + x + 1] = sums[y * (w + 1) + x + 1] + line;
    }
  }
  return sums;
}

function mean(sums: Uint32Array, w: number, h: number, left: number, top: number, right: number, bottom: number): number {
  left = Math.max(0, left); top = Math.max(0, top); right = Math.min(w, right); bottom = Math.min(h, bottom);
  const row = w + 1, total = sums[bottom * row + right] - sums[top * row + right] - sums[bottom * row + left] + sums[top * row + left];
  return total / Math.max(1, (right - left) * (bottom - top));
}

/** Which pixels are darker than their surroundings. */
function dark(pixels: Uint8Array, sums: Uint32Array, w: number, h: number, reach: number): Uint8Array {
  const found = new Uint8Array(w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      if (pixels[y * w + x] + 7 < mean(sums, w, h, x - reach, y - reach, x + reach + 1, y + reach + 1)) found[y * w + x] = 1;
  return found;
}

/** The corners of each connected dark shape that is about a quadrilateral. */
function* quads(mask: Uint8Array, w: number, h: number): Generator<Point[]> {
  const stack = new Int32Array(w * h);
  for (let seed = 0; seed < mask.length; seed++) {
    if (mask[seed] !== 1) continue;
    let top = 0, count = 0, left = w, right = 0, high = h, low = 0;
    stack[top++] = seed; mask[seed] = 2;
    const firsts = new Map<number, [number, number]>();
    while (top) {
      const at = stack[--top], x = at % w, y = (at - x) / w;
      count++;
      left = Math.min(left, x); right = Math.max(right, x); high = Math.min(high, y); low = Math.max(low, y);
      const ends = firsts.get(y);
      if (!ends) firsts.set(y, [x, x]); else { if (x < ends[0]) ends[0] = x; if (x > ends[1]) ends[1] = x; }
      if (x > 0 && mask[at - 1] === 1) { mask[at - 1] = 2; stack[top++] = at - 1; }
      if (x + 1 < w && mask[at + 1] === 1) { mask[at + 1] = 2; stack[top++] = at + 1; }
      if (y > 0 && mask[at - w] === 1) { mask[at - w] = 2; stack[top++] = at - w; }
      if (y + 1 < h && mask[at + w] === 1) { mask[at + w] = 2; stack[top++] = at + w; }
    }
    if (Math.min(right - left, low - high) < LEAST_SIDE_PX || count < 60) continue;
    const points: Point[] = [];
    for (const [y, [x0, x1]] of firsts) points.push([x0, y], [x0, y + 1], [x1 + 1, y], [x1 + 1, y + 1]);
    const hull = convexHull(points), corners = fourCorners(hull);
    if (corners && area(corners) > 0.85 * area(hull)) yield corners;
  }
}

function convexHull(points: Point[]): Point[] {
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turn = (o: Point, a: Point, b: Point) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list: Point[]) => {
    const side: Point[] = [];
    for (const point of list) {
      while (side.length > 1 && turn(side[side.length - 2], side[side.length - 1], point) <= 0) side.pop();
      side.push(point);
    }
    side.pop();
    return side;
  };
  return [...half(points), ...half([...points].reverse())];
}

function fourCorners(hull: Point[]): Point[] | null {
  if (hull.length < 4) return null;
  const far = (from: Point) => hull.reduce((best, p) => (Math.hypot(p[0] - from[0], p[1] - from[1]) > Math.hypot(best[0] - from[0], best[1] - from[1]) ? p : best));
  const a = far(hull[0]), c = far(a);
  const side = (p: Point) => (c[0] - a[0]) * (p[1] - a[1]) - (c[1] - a[1]) * (p[0] - a[0]);
  const b = hull.reduce((best, p) => (side(p) > side(best) ? p : best)), d = hull.reduce((best, p) => (side(p) < side(best) ? p : best));
  return side(b) > 0 && side(d) < 0 ? [a, b, c, d] : null;
}

function area(shape: Point[]): number {
  let twice = 0;
  shape.forEach((p, i) => { const q = shape[(i + 1) % shape.length]; twice += p[0] * q[1] - q[0] * p[1]; });
  return Math.abs(twice) / 2;
}

/** Whether the cells inside four corners are the card's. */
function reads(sums: Uint32Array, w: number, h: number, corners: Point[]): boolean {
  const place = homography(corners), reach = Math.max(0, Math.floor(Math.sqrt(area(corners)) / SIDE / 4));
  const cells = Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = place(((i % SIDE) + 0.5) / SIDE, (Math.floor(i / SIDE) + 0.5) / SIDE).map(Math.floor);
    return mean(sums, w, h, x - reach, y - reach, x + reach + 1, y + reach + 1);
  });
  const limit = (Math.min(...cells) + Math.max(...cells)) / 2;
  if (Math.max(...cells) - Math.min(...cells) < 30) return false;
  const rim = (i: number) => i < SIDE || i >= SIDE * (SIDE - 1) || i % SIDE === 0 || i % SIDE === SIDE - 1;
  if (cells.filter((cell, i) => rim(i) && cell < limit).length < BORDER_DARK) return false;
  return PATTERNS.has(cells.filter((_, i) => !rim(i)).map((cell) => (cell < limit ? "0" : "1")).join(""));
}

/** The map from the unit square to a quadrilateral (Heckbert 1989). */
function homography([a, b, c, d]: Point[]): (u: number, v: number) => Point {
  const sx = a[0] - b[0] + c[0] - d[0], sy = a[1] - b[1] + c[1] - d[1];
  const x1 = b[0] - c[0], x2 = d[0] - c[0], y1 = b[1] - c[1], y2 = d[1] - c[1], det = x1 * y2 - x2 * y1;
  const g = (sx * y2 - x2 * sy) / det, k = (x1 * sy - sx * y1) / det;
  return (u, v) => {
    const scale = g * u + k * v + 1;
    return [((b[0] - a[0] + g * b[0]) * u + (d[0] - a[0] + k * d[0]) * v + a[0]) / scale,
            ((b[1] - a[1] + g * b[1]) * u + (d[1] - a[1] + k * d[1]) * v + a[1]) / scale];
  };
}
