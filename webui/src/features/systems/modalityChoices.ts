import type { SystemsModality } from "../../shared/api/schema";
/** Which modality type the studies of a system get: the choices of the API in words. */
import { modalityTitle } from "../../shared/dose/fields";
import { t } from "../../shared/language/i18n";

/** How the studies of a system are sorted. */
export type SystemModality = SystemsModality["modality"];

export const BY_RULE = "by-rule";

export const modalityChoices = () => [
  { code: BY_RULE, label: t("study.system.byRule") },
  ...["RF", "DX"].map((code) => ({
    code,
    label: t("study.system.always", { modality: modalityTitle(code) }),
  })),
  { code: "dual", label: t("study.system.dual") },
];
