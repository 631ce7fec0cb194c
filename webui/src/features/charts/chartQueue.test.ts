import { describe, expect, it } from "vitest";
import { makeQueue } from "./chartQueue";

const later = () => {
  let resolve!: (value: string) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<string>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
};
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("makeQueue", () => {
  it("does so many at a time, in their order, and goes on after one that fails", async () => {
    const queue = makeQueue(2);
    const begun: number[] = [];
    const jobs = [later(), later(), later(), later()];
    const { signal } = new AbortController();
    const ends = jobs.map((job, at) =>
      queue
        .run(() => (begun.push(at), job.promise), signal)
        .catch((reason: Error) => reason.message),
    );
    await settled();
    expect(begun).toEqual([0, 1]);
    jobs[1]!.reject(new Error("no"));
    await settled();
    expect(begun).toEqual([0, 1, 2]);
    jobs[0]!.resolve("a");
    jobs[2]!.resolve("c");
    await settled();
    expect(begun).toEqual([0, 1, 2, 3]);
    jobs[3]!.resolve("d");
    expect(await Promise.all(ends)).toEqual(["a", "no", "c", "d"]);
  });

  it("never begins what was given up while it waited", async () => {
    const queue = makeQueue(1);
    const [first, leaving] = [later(), new AbortController()];
    const stays = new AbortController().signal;
    const begun: string[] = [];
    const one = queue.run(() => (begun.push("one"), first.promise), stays);
    const two = queue.run(async () => begun.push("two"), leaving.signal).catch(() => "given up");
    const three = queue.run(async () => begun.push("three"), stays);
    await settled();
    leaving.abort();
    expect(await two).toBe("given up");
    first.resolve("");
    await Promise.all([one, three]);
    expect(begun).toEqual(["one", "three"]);
    await expect(queue.run(async () => "late", leaving.signal)).rejects.toThrow();
  });
});
