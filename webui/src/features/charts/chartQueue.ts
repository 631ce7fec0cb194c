/** Charts are asked for one after the other, a few at a time, so that the list and other people never wait for them. */

export interface Queue {
  /** Does the job when its turn comes. Rejects with the signal's reason when that is aborted, before it begins or later. */
  run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function makeQueue(most: number): Queue {
  const waiting: (() => void)[] = [];
  let running = 0;

  function next(): void {
    while (running < most && waiting.length) waiting.shift()!();
  }

  async function turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener("abort", leave);
        running += 1;
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(begin);
      next();
    });
  }

  return {
    async run(job, signal) {
      await turn(signal);
      try {
        signal.throwIfAborted();
        return await job();
      } finally {
        running -= 1;
        next();
      }
    },
  };
}

/** The one queue of the page's charts. */
export const chartQueue = makeQueue(2);
