/** Rows of tables that open something, by keyboard; and keys that hold for a whole page. */
import { useEventListener } from "@vueuse/core";

const linksIn = (body: Element) => [...body.querySelectorAll<HTMLElement>(".row-link")];

/** Arrow keys go from row to row. */
export function moveBetweenRows(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const body = event.currentTarget as Element;
  if (
    !step ||
    withModifier(event) ||
    !linksIn(body).includes(document.activeElement as HTMLElement)
  )
    return;
  if (focusRow(body, step)) event.preventDefault();
}

/** Goes so many rows on from the one with the focus, or to the first; false where there is none. */
export function focusRow(body: Element, step: number): boolean {
  const links = linksIn(body);
  const here = document.activeElement?.closest("tr")?.querySelector<HTMLElement>(".row-link");
  const at = here ? links.indexOf(here) : -1;
  const next = at < 0 ? links[0] : links[at + step];
  next?.focus();
  return next !== undefined;
}

/** Keys that people press for something else: with a modifier that does not just make the sign. */
function withModifier(event: KeyboardEvent): boolean {
  if (event.getModifierState("AltGraph")) return false;
  return event.ctrlKey || event.metaKey || event.altKey;
}

/** Calls what belongs to a key, while the component is there; what answers true has done something with it. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => boolean>): void {
  useEventListener(document, "keydown", (event) => {
    if (event.defaultPrevented || withModifier(event) || typing(event)) return;
    if (keys[event.key]?.(event)) event.preventDefault();
  });
}

/** Whether a letter would be typed into something, or belongs to a dialog. */
function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  if (
    document.querySelector("dialog[open]") ||
    target.closest("select, textarea, [contenteditable]")
  )
    return true;
  return target instanceof HTMLInputElement && target.type !== "checkbox";
}
