/** Proofs of work, which the server asks for while too many passwords were wrong: a number for which
 * the SHA-256 of the SHA-256 of the challenge and the number begins with so many zero bits. */
import { sha256 } from "@noble/hashes/sha2.js";

export interface Challenge {
  challenge: string;
  bits: number;
}

/** What is sent to the server. */
export interface Proof {
  challenge: string;
  number: number;
}

/** The first number of `count` from `first` that proves the work; null where none does.
 * crypto.subtle would be faster, but is missing where pages come by plain HTTP. */
export function search(
  { challenge, bits }: Challenge,
  first: number,
  count: number,
): number | null {
  const message = new Uint8Array(40);
  message.set(sha256(new TextEncoder().encode(challenge)));
  const tail = new DataView(message.buffer);
  for (let number = first; number < first + count; number++) {
    tail.setUint32(32, Math.floor(number / 2 ** 32));
    tail.setUint32(36, number % 2 ** 32);
    const hash = sha256(message);
    // Never more than 32 bits.
    const start = ((hash[0]! << 24) | (hash[1]! << 16) | (hash[2]! << 8) | hash[3]!) >>> 0;
    if (start < 2 ** (32 - bits)) return number;
  }
  return null;
}

/** Finds a proof beside the page, which stays alive meanwhile. `progress`: from 0 to 1, how likely it
 * was to be done by now. Rejects when the worker cannot run, or `signal` ends it. */
export function prove(
  asked: Challenge,
  progress: (part: number) => void,
  signal: AbortSignal,
): Promise<Proof> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./proofWorker.ts", import.meta.url), { type: "module" });
    const end = () => worker.terminate();
    signal.addEventListener("abort", () => {
      end();
      reject(signal.reason as Error);
    });
    worker.onmessage = ({ data }: MessageEvent<{ tried: number; number: number | null }>) => {
      if (data.number === null) return progress(1 - Math.exp(-data.tried / 2 ** asked.bits));
      end();
      resolve({ challenge: asked.challenge, number: data.number });
    };
    worker.onerror = () => {
      end();
      reject(new Error("The worker that finds a proof cannot run."));
    };
    // At once: a proof that is found in the first moment is told as well.
    progress(0);
    worker.postMessage(asked);
  });
}
