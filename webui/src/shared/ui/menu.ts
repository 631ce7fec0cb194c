/** The pages in the menu of the header: one line each. Who may see one stands with its route. */
import type { IconName } from "./AppIcon.vue";

export interface MenuEntry {
  /** Name of the route, whose title the menu shows. */
  route: string;
  icon: IconName;
  /** The header names it where there is room; the menu only where there is none. */
  inHeader?: boolean;
}

export const MENU: MenuEntry[] = [
  { route: "exports", icon: "download", inHeader: true },
  { route: "query-retrieve", icon: "inboxes" },
  { route: "equipment", icon: "devices" },
  { route: "standard-names", icon: "tags" },
  { route: "reference-levels", icon: "sliders" },
  { route: "upload", icon: "upload" },
  { route: "users", icon: "people" },
  { route: "settings", icon: "gear" },
  { route: "sizes", icon: "rulers" },
  { route: "sql", icon: "terminal" },
  { route: "tasks", icon: "tasks" },
  { route: "audit-log", icon: "journalCheck" },
  { route: "log", icon: "journal" },
];
