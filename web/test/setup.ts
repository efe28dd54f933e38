/** Node before version 20 has WebCrypto, and not as a global. */
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto as Crypto;
