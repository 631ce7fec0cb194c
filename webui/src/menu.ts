/** The pages of administration in the menu of the header: one line each. */
import type { IconName } from "./components/AppIcon.vue";

export interface MenuEntry {
  /** Name of the route, whose title the menu shows. */
  route: string;
  icon: IconName;
  /** Who is in one of these groups may see it; with none, whoever is signed in. */
  groups: string[];
}

const ADMINISTRATION = ["administration"];

export const MENU: MenuEntry[] = [
  { route: "settings", icon: "gear", groups: ADMINISTRATION },
];

/** Those for somebody of these groups; all where the groups are not known, as the server decides in any case. */
export function menuFor(groups: readonly string[] | null): MenuEntry[] {
  return MENU.filter((entry) => !groups || !entry.groups.length || entry.groups.some((group) => groups.includes(group)));
}
