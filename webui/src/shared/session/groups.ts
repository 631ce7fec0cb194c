/** The groups in words. */
import type { Group } from "./session";
import { t } from "../language/i18n";

// "import sizes" is one word in the files.
const keyOf = (group: Group) => group.replace(/[ -]/g, "_");

export const groupTitle = (group: Group): string => t(`groups.titles.${keyOf(group)}`);

/** What the group opens. */
export const groupOpens = (group: Group): string => t(`groups.opens.${keyOf(group)}`);
