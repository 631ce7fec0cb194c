/** Languages: one complete file each in locales/, of which the browser loads the one that is wanted. */
import { computed, shallowRef } from "vue";
import { createI18n } from "vue-i18n";
import type en from "../../locales/en.json";
import { useMemory } from "../memory";

type Messages = typeof en;

const kept = useMemory("dose.language");
const files = import.meta.glob<{ default: Messages }>("../../locales/*.json");
// Meanings of codes, by scheme and value, for each language in which they are translated.
const ofCodes = import.meta.glob<{ default: Record<string, string> }>("../../locales/codes/*.json");
const codeOf = (path: string) => path.replace(/^.*\/|\.json$/g, "");

/** Codes of the languages that there are (ISO 639-1). */
export const LANGUAGES = Object.keys(files).map(codeOf).sort();

/** The name of a language in itself. */
export function languageName(code: string): string {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}

const FORMS: Intl.LDMLPluralRule[] = ["zero", "one", "two", "few", "many", "other"];

/** Which of the forms between "|" a number takes: they stand in Unicode's order, as many as the language has. */
function pluralRule(code: string) {
  const rules = new Intl.PluralRules(code);
  const used = FORMS.filter((form) => rules.resolvedOptions().pluralCategories.includes(form));
  return (count: number, forms: number) => Math.min(used.indexOf(rules.select(count)), forms - 1);
}

export const i18n = createI18n({
  legacy: false,
  locale: "en",
  fallbackLocale: "en",
  messages: {} as Record<string, Messages>,
  pluralRules: Object.fromEntries(LANGUAGES.map((code) => [code, pluralRule(code)])),
  missingWarn: false,
  fallbackWarn: false,
});

/** For modules that are no components. */
export const { t, te } = i18n.global;

/** The word at this path in the file of the language of the pages; undefined where it has none. Names may hold dots. */
export function wordAt(...path: string[]): string | undefined {
  let at: unknown = i18n.global.getLocaleMessage(i18n.global.locale.value);
  for (const name of path)
    at = at !== null && typeof at === "object" ? (at as Record<string, unknown>)[name] : undefined;
  return typeof at === "string" ? at : undefined;
}

const meanings = shallowRef<Record<string, string>>({});

/** The meaning of a common coded concept in the language of the pages; undefined where its table does not have it. */
export const meaningOf = (scheme: string, value: string): string | undefined =>
  meanings.value[`${scheme}:${value}`];

// What the server writes itself, as reports and charts, is there in these languages; on other pages it is in English.
const OF_SERVER = ["en", "de"] as const;
export const serverLanguage = computed(
  () => OF_SERVER.find((code) => code === i18n.global.locale.value) ?? "en",
);

/** The user's choice, else the first language of the browser that there is. */
export function preferredLanguage(): string {
  const wanted = [kept.value, ...navigator.languages].map(
    (one) => one?.slice(0, 2).toLowerCase() ?? "",
  );
  return wanted.find((one) => LANGUAGES.includes(one)) ?? "en";
}

export async function setLanguage(code: string, keep = true): Promise<void> {
  const load = files[`../../locales/${code}.json`];
  const [texts, codes] = await Promise.all([
    load?.(),
    ofCodes[`../../locales/codes/${code}.json`]?.(),
  ]);
  if (texts) i18n.global.setLocaleMessage(code, texts.default);
  meanings.value = codes?.default ?? {};
  i18n.global.locale.value = code;
  document.documentElement.lang = code;
  if (keep) kept.value = code;
}
