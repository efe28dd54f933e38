import { expect, test } from "vitest";
import { grid } from "../src/cover";
import { WEIGHT_DB, findCard } from "../src/testcard";

const ROWS = ["00000000", "01001100", "01001010", "00011110", "00110010", "01100110", "01100110", "00000000"];

/** The card, turned by an angle, on a grey gradient. */
function picture(side: number, turn: number, mirrored = false, w = 640, h = 360, wrong = false): Uint8Array {
  const pixels = new Uint8Array(w * h), cos = Math.cos(turn), sin = Math.sin(turn);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const dx = x - w / 2, dy = y - h / 2;
      let u = (dx * cos + dy * sin) / side + 0.5;
      const v = (-dx * sin + dy * cos) / side + 0.5;
      if (mirrored) u = 1 - u;
      let tone = 100 + (60 * x) / w;
      if (u > -0.12 && u < 1.12 && v > -0.12 && v < 1.12) tone = 245;
      if (u >= 0 && u < 1 && v >= 0 && v < 1) {
        const row = Math.floor(v * 8), column = Math.floor(u * 8);
        tone = (ROWS[row][column] === "1") !== (wrong && row === 3 && column === 3) ? 240 : 15;
      }
      pixels[y * w + x] = tone;
    }
  return pixels;
}

test("the card is found in every turn, size and mirror", () => {
  for (const side of [60, 120, 200, 240])
    for (const turn of [0, 0.3, 0.8, 1.5708, 3.1, 4.7])
      for (const mirrored of [false, true]) expect([side, turn, findCard(picture(side, turn, mirrored), 640, 360)]).toEqual([side, turn, WEIGHT_DB > 79 ? expect.closeTo(WEIGHT_DB, 5) : 0]);
});
test("one wrong bit is not the card, nor is noise", () => {
  expect(findCard(picture(160, 0.2, false, 640, 360, true), 640, 360)).toBeNull();
  let seed = 1;
  const noise = Uint8Array.from({ length: 640 * 360 }, () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 23);
  expect(findCard(noise, 640, 360)).toBeNull();
});
test("at most 16 blocks are left of a picture", () => {
  expect([grid(1280, 720), grid(720, 1280), grid(16, 16), grid(1, 1)]).toEqual([[16, 9], [9, 16], [2, 2], [1, 1]]);
});
