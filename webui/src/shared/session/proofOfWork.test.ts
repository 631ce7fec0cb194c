import { expect, test } from "vitest";
import { search } from "./proofOfWork";

const sha256 = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** By the SHA-256 of the platform. */
async function zeroBits(challenge: string, number: number): Promise<number> {
  const message = new Uint8Array(40);
  message.set(await sha256(new TextEncoder().encode(challenge)));
  new DataView(message.buffer).setBigUint64(32, BigInt(number));
  const hash = await sha256(message);
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.indexOf("1");
}

test("finds the first number that proves the work", async () => {
  const challenge = "ünë.5.8.x";
  for (const bits of [0, 1, 5, 8]) {
    const found = search({ challenge, bits }, 0, 100_000)!;
    expect(await zeroBits(challenge, found)).toBeGreaterThanOrEqual(bits);
    for (let before = 0; before < found; before++)
      expect(await zeroBits(challenge, before)).toBeLessThan(bits);
  }
});

test("says when none of these does, and goes on beyond 32 bits", async () => {
  expect(search({ challenge: "x", bits: 32 }, 0, 10)).toBeNull();
  const first = 2 ** 32 - 50;
  let expected = first;
  while ((await zeroBits("x", expected)) < 6) expected++;
  expect(search({ challenge: "x", bits: 6 }, first, 10_000)).toBe(expected);
});
