/** Entries of the audit log in words, and the studies that they name as links. */
import { t, te } from "../../shared/language/i18n";

// "sign-in" and "token made" are one word in the files.
const keyOf = (action: string) => `audit.actions.${action.replace(/[ -]/g, "_")}`;

/** What was done, in the language of the pages where its file knows it. */
export function actionTitle(action: string): string {
  const key = keyOf(action);
  return te(key) ? t(key) : action;
}

export interface Part {
  text: string;
  /** The number of a study. */
  study?: number;
}

/** "studies 5, 7" in parts, of which the numbers lead to the studies. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(/\b(?:study|studies) (\d+(?:, \d+)*)/g)) {
    for (const number of found[0].matchAll(/\d+/g)) {
      const at = found.index + number.index;
      parts.push({ text: text.slice(end, at) }, { text: number[0], study: Number(number[0]) });
      end = at + number[0].length;
    }
  }
  parts.push({ text: text.slice(end) });
  return parts.filter((part) => part.text);
}
