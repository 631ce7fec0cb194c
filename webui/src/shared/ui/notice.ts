/** One sentence about what was just done, which outlives the page that did it. */
import { shallowRef } from "vue";

export interface Notice {
  text: string;
  /** The SOP Instance UID of an object that reading again would bring back. */
  undo?: string;
}

export const notice = shallowRef<Notice | null>(null);
let pages = 0;

/** Shows it until it is closed, or for one more page, where a page is left right after. */
export function say(
  text: string,
  { undo, pagesToGo = 0 }: { undo?: string; pagesToGo?: number } = {},
): void {
  notice.value = { text, undo };
  pages = pagesToGo;
}

/** To be called when another page is shown. */
export function pageChanged(): void {
  if (pages > 0) pages -= 1;
  else notice.value = null;
}
