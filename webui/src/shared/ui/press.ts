/**
 * What changes a page by itself waits while a button of the pointer, or a finger, is down. Between pressing and letting go
 * what was pressed would move away, and the browser, which lets go of something else then, makes no click of it.
 */
const BEGIN = "pointerdown";
const ENDS = ["pointerup", "pointercancel", "blur"]; // blur: of the window, which does not hear of the end then

let press: Promise<void> | null = null;

function begin(): void {
  press ??= new Promise((resolve) => {
    const end = () => {
      for (const name of ENDS) window.removeEventListener(name, end, true);
      // The click comes right after the end of its press.
      window.setTimeout(() => {
        press = null;
        resolve();
      });
    };
    for (const name of ENDS) window.addEventListener(name, end, true);
  });
}

if (typeof window !== "undefined") window.addEventListener(BEGIN, begin, true);

/** When nothing is pressed: at once, or after the click. */
export const released = (): Promise<void> => press ?? Promise.resolve();
