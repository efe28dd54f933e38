/** SFrame (RFC 9605) on WebCrypto: the twin of lightship.core.sframe and sframe_ends. */
import { FrameError } from "./errors";

export interface Suite { hash: "SHA-256" | "SHA-512"; cipher: number; key: number; tag: number }
export const SUITES: Record<number, Suite> = {
  1: { hash: "SHA-256", cipher: 16, key: 48, tag: 10 }, 2: { hash: "SHA-256", cipher: 16, key: 48, tag: 8 },
  3: { hash: "SHA-256", cipher: 16, key: 48, tag: 4 }, 4: { hash: "SHA-256", cipher: 16, key: 16, tag: 16 },
  5: { hash: "SHA-512", cipher: 32, key: 32, tag: 16 }, 6: { hash: "SHA-512", cipher: 32, key: 96, tag: 10 },
  7: { hash: "SHA-512", cipher: 32, key: 96, tag: 8 }, 8: { hash: "SHA-512", cipher: 32, key: 96, tag: 4 },
};
export const REPLAY_WINDOW = 1024;
const MOST = 1n << 64n;
export type Codec = "vp8" | "opus" | "none";
type Bytes = Uint8Array<ArrayBuffer>;
const subtle = globalThis.crypto.subtle;
const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

export function join(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
function number(value: bigint | number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let i = length - 1; i >= 0; i--) { bytes[i] = Number(rest & 255n); rest >>= 8n; }
  return bytes;
}

/** A header: each value inline below 8, otherwise its length and its bytes. */
export function buildHeader(kid: bigint, counter: bigint): Bytes {
  if (kid < 0n || counter < 0n || kid >= MOST || counter >= MOST) throw new FrameError("counter", `Key ${kid} or counter ${counter} has no header.`);
  const written = (value: bigint): [number, Bytes] => {
    if (value < 8n) return [Number(value), new Uint8Array(0)];
    const length = Math.ceil(value.toString(16).length / 2);
    return [8 | (length - 1), number(value, length)];
  };
  const [high, key] = written(kid), [low, count] = written(counter);
  return join(Uint8Array.of((high << 4) | low), key, count);
}

/** The header at the start of some bytes, and where it ends. */
export function parseHeader(data: Uint8Array): { kid: bigint; counter: bigint; end: number } {
  if (!data.length) throw new FrameError("header", "A frame without a header.");
  const read = (four: number, at: number): [bigint, number] => {
    if (four < 8) return [BigInt(four), at];
    const end = at + four - 7;
    if (data.length < end) throw new FrameError("header", "A frame that ends inside its header.");
    let value = 0n;
    for (let i = at; i < end; i++) value = (value << 8n) | BigInt(data[i]);
    if (value < 8n || data[at] === 0) throw new FrameError("header", "A header whose number is written longer than it need be.");
    return [value, end];
  };
  const [kid, middle] = read(data[0] >> 4, 1);
  const [counter, end] = read(data[0] & 15, middle);
  return { kid, counter, end };
}

const hmacKey = (secret: Bytes, hash: string) => subtle.importKey("raw", secret, { name: "HMAC", hash }, false, ["sign"]);
const hmac = async (secret: Bytes, hash: string, data: Bytes): Promise<Bytes> =>
  new Uint8Array(await subtle.sign("HMAC", await hmacKey(secret, hash), data));
const extract = (suite: Suite, base: Bytes) => hmac(new Uint8Array(suite.hash === "SHA-256" ? 32 : 64), suite.hash, base);
async function expand(suite: Suite, secret: Bytes, info: Uint8Array, length: number): Promise<Bytes> {
  let block: Bytes = new Uint8Array(0), found: Bytes = new Uint8Array(0);
  for (let i = 1; found.length < length; i++) {
    block = await hmac(secret, suite.hash, join(block, info, Uint8Array.of(i)));
    found = join(found, block);
  }
  return found.slice(0, length);
}

/** A sender's key, derived and ready. */
export class FrameKey {
  private constructor(
    readonly suiteNumber: number, readonly kid: bigint, readonly base: Bytes, readonly secret: Bytes, readonly salt: Bytes,
    private readonly aes: CryptoKey, private readonly mac: CryptoKey | null,
  ) {}
  static async derive(suiteNumber: number, kid: bigint, base: Uint8Array): Promise<FrameKey> {
    const suite = SUITES[suiteNumber];
    if (!suite) throw new FrameError("unknown key", `There is no cipher suite ${suiteNumber}.`);
    const secret = await extract(suite, base as Bytes);
    const whose = join(number(kid, 8), number(suiteNumber, 2));
    const key = await expand(suite, secret, join(utf8("SFrame 1.0 Secret key "), whose), suite.key);
    const salt = await expand(suite, secret, join(utf8("SFrame 1.0 Secret salt "), whose), 12);
    const aead = suite.key === suite.cipher;
    const aes = await subtle.importKey("raw", key.slice(0, suite.cipher), aead ? "AES-GCM" : "AES-CTR", false, ["encrypt", "decrypt"]);
    const mac = aead ? null : await hmacKey(key.slice(suite.cipher), suite.hash);
    return new FrameKey(suiteNumber, kid, base.slice() as Bytes, key, salt, aes, mac);
  }
  private nonce(counter: bigint): Bytes {
    const nonce = this.salt.slice(), count = number(counter, 12);
    for (let i = 0; i < 12; i++) nonce[i] ^= count[i];
    return nonce;
  }
  private async tag(nonce: Bytes, aad: Bytes, cipher: Bytes): Promise<Bytes> {
    const { tag } = SUITES[this.suiteNumber];
    const lengths = [aad.length, cipher.length, tag].map((length) => number(length, 8));
    return new Uint8Array(await subtle.sign("HMAC", this.mac!, join(...lengths, nonce, aad, cipher))).slice(0, tag);
  }
  private ctr(nonce: Bytes): AesCtrParams { return { name: "AES-CTR", counter: join(nonce, new Uint8Array(4)), length: 32 }; }

  /** Header, ciphertext and tag. Whoever calls sees to it that no counter comes twice. */
  async seal(counter: bigint, plain: Uint8Array, metadata: Uint8Array): Promise<Bytes> {
    const header = buildHeader(this.kid, counter), nonce = this.nonce(counter), aad = join(header, metadata);
    if (!this.mac) {
      const sealed = await subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, this.aes, plain as Bytes);
      return join(header, new Uint8Array(sealed));
    }
    const cipher = new Uint8Array(await subtle.encrypt(this.ctr(nonce), this.aes, plain as Bytes));
    return join(header, cipher, await this.tag(nonce, aad, cipher));
  }
  async open(counter: bigint, frame: Uint8Array, start: number, metadata: Uint8Array): Promise<Bytes> {
    const refused = () => new FrameError("changed", "A frame that was changed on its way, or was encrypted with another key.");
    const nonce = this.nonce(counter), aad = join(frame.subarray(0, start), metadata), sealed = frame.slice(start) as Bytes;
    if (!this.mac) {
      try {
        return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, this.aes, sealed));
      } catch { throw refused(); }
    }
    const size = sealed.length - SUITES[this.suiteNumber].tag;
    if (size < 0) throw refused();
    const cipher = sealed.slice(0, size), tag = await this.tag(nonce, aad, cipher);
    let different = 0;
    for (let i = 0; i < tag.length; i++) different |= tag[i] ^ sealed[size + i];
    if (different) throw refused();
    return new Uint8Array(await subtle.decrypt(this.ctr(nonce), this.aes, cipher));
  }
}

/** How many of a frame's first bytes stay in clear: what packetisers of the codec read. */
export function clearBytes(codec: Codec, frame: Uint8Array): number {
  const count = codec === "none" ? 0 : codec === "opus" ? 1 : frame.length && !(frame[0] & 1) ? 10 : 3;
  if (frame.length < count) throw new FrameError("too short", `A ${codec} frame of ${frame.length} bytes.`);
  return count;
}

/** A sender's keys, one after the other: who joins with the newest cannot read what was before. */
export class Chain {
  constructor(readonly suite: number, readonly base: Uint8Array, readonly generation = 0n, readonly step = 0, readonly stepBits = 4) {}
  get kid(): bigint { return (this.generation << BigInt(this.stepBits)) | BigInt(this.step % (1 << this.stepBits)); }
  key(): Promise<FrameKey> { return FrameKey.derive(this.suite, this.kid, this.base); }
  async next(): Promise<Chain> {
    const suite = SUITES[this.suite], secret = await extract(suite, this.base as Bytes);
    const after = await expand(suite, secret, utf8("SFrame 1.0 Ratchet"), suite.hash === "SHA-256" ? 32 : 64);
    return new Chain(this.suite, after, this.generation, this.step + 1, this.stepBits);
  }
  async at(kid: bigint): Promise<Chain | null> {
    if (kid >> BigInt(this.stepBits) !== this.generation) return null;
    const around = 1n << BigInt(this.stepBits);
    let chain: Chain = this;
    for (let steps = (((kid - this.kid) % around) + around) % around; steps > 0n; steps--) chain = await chain.next();
    return chain;
  }
}

/** Encrypts one sender's frames, each under a counter of its own; the key lives and dies with the page. */
export class Sender {
  private counter: bigint;
  constructor(private key: FrameKey, readonly codec: Codec = "none", first = 0n) { this.counter = first; }
  /** Go on with another key, whose counters begin anew. The same key again is refused: its counters would come twice. */
  use(key: FrameKey): void {
    if (key.kid === this.key.kid && key.suiteNumber === this.key.suiteNumber && same(key.secret, this.key.secret))
      throw new FrameError("counter", "The same key again: its counters would come twice.");
    this.key = key;
    this.counter = 0n;
  }
  async encrypt(frame: Uint8Array): Promise<Bytes> {
    const clear = clearBytes(this.codec, frame);
    const counter = this.counter++; // before anything is awaited: two frames never share one
    if (counter >= MOST) throw new FrameError("counter", "No counter is left under this key.");
    return join(frame.subarray(0, clear), await this.key.seal(counter, frame.subarray(clear), frame.subarray(0, clear)));
  }
}
const same = (one: Uint8Array, other: Uint8Array) => one.length === other.length && one.every((byte, i) => byte === other[i]);

/** Decrypts the frames of any number of senders, each once. Frames are given one after the other. */
export class Receiver {
  private readonly keys = new Map<bigint, FrameKey>();
  private readonly chains = new Map<bigint, Chain>();
  private readonly seen = new Map<bigint, { newest: bigint; before: bigint }>();
  constructor(readonly codec: Codec = "none") {}
  add(key: FrameKey): void {
    const known = this.keys.get(key.kid);
    if (known && known.suiteNumber === key.suiteNumber && same(known.base, key.base)) return;
    this.keys.set(key.kid, key);
    this.seen.delete(key.kid);
  }
  async follow(chain: Chain): Promise<void> {
    this.chains.set(chain.generation, chain);
    this.add(await chain.key());
  }
  drop(kid: bigint): void {
    this.keys.delete(kid);
    this.seen.delete(kid);
    for (const [name, chain] of this.chains) if (chain.kid === kid) this.chains.delete(name);
  }
  async decrypt(frame: Uint8Array): Promise<Bytes> {
    const clear = clearBytes(this.codec, frame), rest = frame.subarray(clear);
    const { kid, counter, end } = parseHeader(rest);
    let chain: Chain | null = null, key = this.keys.get(kid);
    if (!key) {
      for (const one of this.chains.values()) if ((chain = await one.at(kid))) break;
      if (!chain) throw new FrameError("unknown key", "A frame under a key that is not known here.");
      key = await chain.key();
    }
    const { newest, before } = this.seen.get(kid) ?? { newest: -1n, before: 0n };
    const back = newest - counter;
    if (back >= BigInt(REPLAY_WINDOW) || (back >= 0n && (before >> back) & 1n)) throw new FrameError("replayed", "A frame that came before.");
    const plain = await key.open(counter, rest, end, frame.subarray(0, clear));
    if (chain) await this.follow(chain); // only now: a forger must neither move a window nor make us ratchet
    const top = counter > newest ? counter : newest;
    const moved = counter > newest ? (counter - newest < BigInt(REPLAY_WINDOW) ? before << (counter - newest) : 0n) : before;
    this.seen.set(kid, { newest: top, before: (moved | (1n << (top - counter))) & ((1n << BigInt(REPLAY_WINDOW)) - 1n) });
    return join(frame.subarray(0, clear), plain);
  }
}
