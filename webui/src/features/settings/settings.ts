/**
 * Settings of the installation: their words in the language of the pages, where its file has them under `settings`, else in
 * the server's English; and what is typed until it is saved.
 */
import type { Setting, Settings } from "../../shared/api/schema";
import { formatCount, parseNumberText } from "../../shared/format";
import { t, wordAt } from "../../shared/language/i18n";

export const settingTitle = (setting: Setting) =>
  wordAt("settings", "titles", setting.name) ?? setting.title;
export const settingAbout = (setting: Setting) =>
  wordAt("settings", "about", setting.name) ?? setting.description;
export const topicTitle = (topic: Settings["topics"][number]) =>
  wordAt("settings", "topics", topic.name) ?? topic.title;
export const unitTitle = (unit: string) => wordAt("settings", "units", unit) ?? unit;

export function choiceTitle(setting: Setting, choice: Setting["choices"][number]): string {
  return wordAt("settings", "choices", setting.name, choice.value) ?? choice.label;
}

/** A value of a setting in words. */
export function valueWords(setting: Setting, value: unknown): string {
  if (setting.kind === "choice") {
    const choice = setting.choices.find((one) => one.value === value);
    return choice ? choiceTitle(setting, choice) : String(value);
  }
  if (setting.kind === "flag") return t(value ? "settings.on" : "settings.off");
  if (setting.kind === "number")
    return [formatCount(value as number), setting.unit && unitTitle(setting.unit)]
      .filter(Boolean)
      .join(" ");
  if (setting.kind === "time zone" && !value) return t("settings.serverZone");
  if (Array.isArray(value)) return value.length ? value.join(", ") : t("settings.noPatterns");
  return value === "" ? t("settings.nothing") : String(value);
}

/** Whether two values of a setting are the same; the order of patterns says nothing. */
export function sameValue(setting: Setting, a: unknown, b: unknown): boolean {
  if (setting.kind !== "patterns") return a === b;
  const [one, other] = [a, b].map((list) => [...(list as string[])].sort().join("\n"));
  return one === other;
}

/** What is typed as the value that it stands for, or what is wrong with it. A number is a text until then. */
export function readTyped(setting: Setting, typed: unknown): { value: unknown; wrong: string } {
  if (setting.kind !== "number" || typeof typed === "number") return { value: typed, wrong: "" };
  const text = parseNumberText(String(typed));
  const value = text === null ? NaN : Number(text);
  const [low, high] = [setting.minimum ?? 0, setting.maximum ?? 1e9];
  if (Number.isInteger(value) && value >= low && value <= high) return { value, wrong: "" };
  return {
    value: typed,
    wrong: t("settings.wrongNumber", { low: formatCount(low), high: formatCount(high) }),
  };
}

/** The patterns of a text, one a line, behind those that there are; none twice. */
export function withPasted(patterns: string[], text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return [...new Set([...patterns, ...lines.filter(Boolean)])];
}
