/** PDQ: the perceptual hash of a picture's brightness at full resolution; the twin of lightship.detect.pdq. */
const SIDE = 64, COARSE = 16, LEAST_SIDE_PX = 5;
interface Row { first: number; weights: Float32Array }
const operators = new Map<number, Row[]>();

/** Both box passes along one axis, sampled at the 64 centres: one short row of weights each. */
function operator(size: number): Row[] {
  const known = operators.get(size);
  if (known) return known;
  const window = Math.ceil(size / 128), half = Math.floor((window + 2) / 2);
  const box = (i: number): [number, number] => [Math.max(0, i - (window - half)), Math.min(size, i + half)];
  const rows: Row[] = [];
  for (let r = 0; r < SIDE; r++) {
    const [first, end] = box(Math.floor(((r + 0.5) * size) / SIDE));
    const from = box(first)[0], to = box(end - 1)[1];
    const sums = new Float64Array(to - from);
    for (let i = first; i < end; i++) {
      const [inner, innerEnd] = box(i);
      for (let j = inner; j < innerEnd; j++) sums[j - from] += 1 / ((end - first) * (innerEnd - inner));
    }
    rows.push({ first: from, weights: Float32Array.from(sums) });
  }
  if (operators.size > 8) operators.clear(); // a track changes its size seldom
  operators.set(size, rows);
  return rows;
}

const DCT = Float64Array.from({ length: COARSE * SIDE }, (_, i) =>
  Math.sqrt(2 / SIDE) * Math.cos((Math.PI / (2 * SIDE)) * (Math.floor(i / SIDE) + 1) * (2 * (i % SIDE) + 1)));

/** Return the hash, eight words of 32 bits, and the quality, 0 to 100, of `(height, width)` brightness. */
export function pdq(luma: Uint8Array | Uint8ClampedArray, width: number, height: number, stride = width) {
  const hash = new Uint32Array(8);
  if (Math.min(width, height) < LEAST_SIDE_PX) return { hash, quality: 0 };
  const tall = operator(height), wide = operator(width);
  const small = new Float64Array(SIDE * SIDE), line = new Float64Array(width);
  for (let r = 0; r < SIDE; r++) {
    line.fill(0);
    const { first, weights } = tall[r];
    for (let j = 0; j < weights.length; j++) {
      const weight = weights[j], at = (first + j) * stride;
      for (let x = 0; x < width; x++) line[x] += weight * luma[at + x];
    }
    for (let c = 0; c < SIDE; c++) {
      const row = wide[c];
      let sum = 0;
      for (let j = 0; j < row.weights.length; j++) sum += row.weights[j] * line[row.first + j];
      small[r * SIDE + c] = sum;
    }
  }
  return { hash: hashOf(small, hash), quality: qualityOf(small) };
}

function hashOf(small: Float64Array, hash: Uint32Array): Uint32Array {
  const half = new Float64Array(COARSE * SIDE), coarse = new Float64Array(COARSE * COARSE);
  for (let k = 0; k < COARSE; k++)
    for (let j = 0; j < SIDE; j++) {
      const weight = DCT[k * SIDE + j];
      for (let c = 0; c < SIDE; c++) half[k * SIDE + c] += weight * small[j * SIDE + c];
    }
  for (let k = 0; k < COARSE; k++)
    for (let l = 0; l < COARSE; l++) {
      let sum = 0;
      for (let c = 0; c < SIDE; c++) sum += half[k * SIDE + c] * DCT[l * SIDE + c];
      coarse[k * COARSE + l] = sum;
    }
  const median = Float64Array.from(coarse).sort()[127];
  for (let bit = 0; bit < 256; bit++) // the last bit first, as in the reference
    if (coarse[bit] > median) hash[7 - (bit >> 5)] |= 1 << (bit & 31);
  return hash;
}

function qualityOf(small: Float64Array): number {
  let steps = 0;
  for (let r = 0; r < SIDE; r++)
    for (let c = 0; c < SIDE; c++) {
      const here = small[r * SIDE + c];
      if (c + 1 < SIDE) steps += Math.trunc((Math.abs(small[r * SIDE + c + 1] - here) * 100) / 255);
      if (r + 1 < SIDE) steps += Math.trunc((Math.abs(small[(r + 1) * SIDE + c] - here) * 100) / 255);
    }
  return Math.min(100, Math.floor(steps / 90));
}

export const toHex = (hash: Uint32Array): string => [...hash].map((word) => word.toString(16).padStart(8, "0")).join("");
export const fromHex = (text: string): Uint32Array =>
  Uint32Array.from({ length: 8 }, (_, i) => parseInt(text.slice(8 * i, 8 * i + 8), 16));
