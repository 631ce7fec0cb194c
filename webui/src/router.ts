import { shallowRef, watchEffect } from "vue";
import { createRouter, createWebHistory, type LocationQuery } from "vue-router";
import { t } from "./i18n";
import FrontPage from "./pages/FrontPage.vue";
import { session } from "./session";
import type { Group } from "./types";

declare module "vue-router" {
  interface RouteMeta {
    /** Where the title stands in the locale files. */
    title: string;
    /** Groups of which one is enough to see the page; none: whoever is signed in. */
    needs?: Group[];
    /** Of use only to those who may use Orthanc's own routes. */
    orthanc?: boolean;
  }
}

export const APP_NAME = "Orthanc Dose";

export const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: "/", name: "home", component: FrontPage, meta: { title: "app.pages.home" } },
    {
      path: "/studies/:modality?",
      name: "studies",
      component: () => import("./pages/StudyListPage.vue"),
      props: true,
      meta: { title: "app.pages.studies", needs: ["view"] },
    },
    {
      path: "/study/:id(\\d+)",
      name: "study",
      component: () => import("./pages/StudyPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "app.pages.study", needs: ["view"] },
    },
    {
      path: "/study/:id(\\d+)/history",
      name: "history",
      component: () => import("./pages/HistoryPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "history.title", needs: ["view"] },
    },
    {
      path: "/compare",
      name: "compare",
      component: () => import("./pages/ComparePage.vue"),
      meta: { title: "compare.title", needs: ["view"] },
    },
    {
      path: "/exports",
      name: "exports",
      component: () => import("./pages/ExportsPage.vue"),
      meta: { title: "app.pages.exports", needs: ["export"] },
    },
    {
      path: "/activity",
      name: "activity",
      component: () => import("./pages/ActivityPage.vue"),
      meta: { title: "app.pages.activity", needs: ["view", "administration"] },
    },
    {
      path: "/account",
      name: "account",
      component: () => import("./pages/AccountPage.vue"),
      meta: { title: "account.title" },
    },
    {
      path: "/users",
      name: "users",
      component: () => import("./pages/UsersPage.vue"),
      meta: { title: "users.title", needs: ["administration"] },
    },
    {
      path: "/audit-log",
      name: "audit-log",
      component: () => import("./pages/AuditLogPage.vue"),
      meta: { title: "audit.title", needs: ["administration"] },
    },
    {
      path: "/sign-in",
      name: "sign-in",
      component: () => import("./pages/SignInPage.vue"),
      meta: { title: "signIn.title" },
    },
    {
      path: "/tasks",
      name: "tasks",
      component: () => import("./pages/TasksPage.vue"),
      meta: {
        title: "tasks.title",
        needs: ["administration", "import sizes", "export", "query-retrieve"],
      },
    },
    {
      path: "/tasks/:id(\\d+)",
      name: "task",
      component: () => import("./pages/TaskPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "tasks.title" },
    },
    {
      path: "/log",
      name: "log",
      component: () => import("./pages/LogPage.vue"),
      meta: { title: "log.title", needs: ["administration"] },
    },
    {
      path: "/sizes",
      name: "sizes",
      component: () => import("./pages/SizesPage.vue"),
      meta: { title: "sizes.title", needs: ["import sizes"] },
    },
    {
      path: "/query-retrieve",
      name: "query-retrieve",
      component: () => import("./pages/QueryRetrievePage.vue"),
      meta: { title: "retrieve.title", needs: ["query-retrieve"] },
    },
    {
      path: "/query-retrieve/:id(\\d+)",
      name: "search",
      component: () => import("./pages/SearchPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "retrieve.title", needs: ["query-retrieve"] },
    },
    {
      path: "/query-retrieve/schedules",
      name: "schedules",
      component: () => import("./pages/SchedulesPage.vue"),
      meta: { title: "retrieve.schedules.title", needs: ["query-retrieve"] },
    },
    {
      path: "/query-retrieve/schedules/new",
      name: "new-schedule",
      component: () => import("./pages/SchedulePage.vue"),
      meta: { title: "retrieve.schedules.new", needs: ["query-retrieve"] },
    },
    {
      path: "/query-retrieve/schedules/:name/change",
      name: "schedule",
      component: () => import("./pages/SchedulePage.vue"),
      props: true,
      meta: { title: "retrieve.schedules.one", needs: ["query-retrieve"] },
    },
    {
      path: "/equipment",
      name: "equipment",
      component: () => import("./pages/EquipmentPage.vue"),
      meta: { title: "equipment.title", needs: ["view", "administration"] },
    },
    {
      path: "/equipment/:id(\\d+)",
      name: "system",
      component: () => import("./pages/SystemPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "equipment.title", needs: ["view", "administration"] },
    },
    {
      path: "/standard-names",
      name: "standard-names",
      component: () => import("./pages/StandardNamesPage.vue"),
      meta: { title: "names.title", needs: ["view", "administration"] },
    },
    {
      path: "/reference-levels",
      name: "reference-levels",
      component: () => import("./pages/ReferenceLevelsPage.vue"),
      meta: { title: "levels.title", needs: ["view", "administration"] },
    },
    {
      path: "/sql",
      name: "sql",
      component: () => import("./pages/SqlPage.vue"),
      meta: { title: "sql.title", needs: ["administration"] },
    },
    {
      path: "/upload",
      name: "upload",
      component: () => import("./pages/UploadPage.vue"),
      meta: { title: "upload.title", orthanc: true },
    },
    {
      path: "/settings/:topic?",
      name: "settings",
      component: () => import("./pages/SettingsPage.vue"),
      props: true,
      meta: { title: "app.pages.settings", needs: ["administration"] },
    },
    {
      path: "/:path(.*)*",
      name: "not-found",
      component: () => import("./pages/NotFoundPage.vue"),
      meta: { title: "app.pages.notFound" },
    },
  ],
  scrollBehavior(to, from, saved) {
    if (saved) return saved;
    if (to.hash) return { el: to.hash, top: 72 };
    return to.path === from.path ? false : { top: 0 };
  },
});

// Nobody sees a page before they are signed in, and whoever is has nothing to do where one signs in.
router.beforeEach((to) => {
  if (!session.value) return true;
  if (session.value.signed_in) return to.name === "sign-in" ? (wantedIn(to.query) ?? "/") : true;
  return to.name === "sign-in"
    ? true
    : { name: "sign-in", query: to.path === "/" ? {} : { to: to.fullPath } };
});

/** Where somebody wanted to go who had to sign in first: a page of ours, and nothing else. */
export function wantedIn(query: LocationQuery): string | null {
  const wanted = queryText(query, "to");
  return wanted && /^\/(?![/\\])/.test(wanted) ? wanted : null;
}

const title = shallowRef<() => string>(() => "");
watchEffect(() => (document.title = [title.value(), APP_NAME].filter(Boolean).join(" · ")));

/** The title of the browser's tab; pages call it again when they know more. */
export function setTitle(text: string): void {
  title.value = () => text;
}

router.afterEach((to, from) => {
  if (to.path !== from.path || from.matched.length === 0) title.value = () => t(to.meta.title);
});

/** A whole number from the address bar, within bounds; `fallback` for anything else. */
export function queryNumber(
  query: LocationQuery,
  name: string,
  fallback: number,
  least = 1,
): number {
  const text = query[name];
  const number = typeof text === "string" && /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return number >= least ? number : fallback;
}

export function queryText(query: LocationQuery, name: string): string | null {
  const text = query[name];
  return typeof text === "string" && text !== "" ? text : null;
}
