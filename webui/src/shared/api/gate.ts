/** Where requests wait while nobody is signed in: they go on as soon as somebody is, so that nothing is lost meanwhile. */
import { ref } from "vue";

/** Whether they wait. */
export const shut = ref(false);
/** A session ended while a page was open: whoever is there is asked to sign in again. */
export const ended = ref(false);

let waiting: (() => void)[] = [];
let openings = 0;

/** How often somebody signed in: tells whether an answer is of before. */
export const signIns = (): number => openings;

export function openGate(): void {
  openings += 1;
  shut.value = ended.value = false;
  const all = waiting;
  waiting = [];
  for (const goOn of all) goOn();
}

/** Lets nothing through; `ended` says that it came as a surprise. */
export function shutGate(surprise = false): void {
  shut.value = true;
  ended.value = surprise;
}

/** Comes back when somebody is signed in; throws when the request is given up before. */
export async function passGate(signal?: AbortSignal): Promise<void> {
  while (shut.value) {
    await new Promise<void>((resolve, reject) => {
      waiting.push(resolve);
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  }
  signal?.throwIfAborted();
}
