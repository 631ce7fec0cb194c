/** What a form asks of a node, but for days and times. */
import { reactive } from "vue";
import {
  FLAGS,
  GROUPS,
  ONLY_REPORTS,
  type StudyKind,
  WORDS,
  type What,
  type GivenWhat,
} from "./question";
import { t } from "../../shared/language/i18n";
import { useMemory } from "../../shared/memory";

const kept = useMemory("dose.search.kinds");
type WordList = (typeof WORDS)[number];

/** As people enter it: words with commas between them. */
export type Asking = { groups: StudyKind[]; words: Record<WordList, string> } & typeof FLAGS;

/** What cannot be asked so: the field, and a sentence. */
export interface Wrong {
  field: string;
  text: string;
}

const remembered = (): StudyKind[] =>
  (kept.value?.split(",") ?? []).filter(
    (one): one is StudyKind => one === ONLY_REPORTS || one in GROUPS,
  );
const eachWord = <T>(value: (name: WordList) => T) =>
  Object.fromEntries(WORDS.map((name) => [name, value(name)])) as Record<WordList, T>;
const listOf = (text: string) =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);

/** Begins with the kinds that were asked for last in this browser. */
export function useQuestionForm() {
  const asked = reactive<Asking>({ groups: remembered(), words: eachWord(() => ""), ...FLAGS });

  function fill(question: GivenWhat): void {
    for (const name of Object.keys(FLAGS) as (keyof typeof FLAGS)[])
      asked[name] = question[name] ?? FLAGS[name];
    asked.words = eachWord((name) => (question[name] ?? []).join(", "));
    asked.groups = [...question.groups];
  }

  /** What is entered; what cannot be asked so is said before the server does. */
  function read(): What | Wrong {
    if (!asked.groups.length) return { field: "groups", text: t("retrieve.form.kindsNone") };
    kept.value = asked.groups.join(",");
    const { words, groups, ...flags } = asked;
    return { ...flags, groups: [...groups], ...eachWord((name) => listOf(words[name])) };
  }

  return { asked, fill, read };
}

export const isWrong = (what: object): what is Wrong => "field" in what;
