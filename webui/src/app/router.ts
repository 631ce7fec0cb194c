import { createRouter, createWebHistory } from "vue-router";
import type { Group } from "../shared/session/session";
import { wantedIn } from "../shared/address";
import { MODALITIES } from "../shared/facts";
import { t } from "../shared/language/i18n";
import FrontPage from "../features/overview/FrontPage.vue";
import StudyListPage from "../features/studies/StudyListPage.vue";
import { session } from "../shared/session/session";
import { setTitle } from "../shared/title";

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

// Any other number is of nothing that could exist, and leads to the page "not found". It is exact in JavaScript.
const NUMBER = "[1-9]\\d{0,14}";

export const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: "/", name: "home", component: FrontPage, meta: { title: "app.pages.home" } },
    {
      path: `/studies/:modality(${MODALITIES.join("|")})?`,
      name: "studies",
      component: StudyListPage,
      props: true,
      sensitive: true,
      meta: { title: "app.pages.studies", needs: ["view"] },
    },
    {
      path: `/study/:id(${NUMBER})`,
      name: "study",
      component: () => import("../features/study/StudyPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "app.pages.study", needs: ["view"] },
    },
    {
      path: `/study/:id(${NUMBER})/history`,
      name: "history",
      component: () => import("../features/study/HistoryPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "history.title", needs: ["view"] },
    },
    {
      path: "/compare",
      name: "compare",
      component: () => import("../features/study/ComparePage.vue"),
      meta: { title: "compare.title", needs: ["view"] },
    },
    {
      path: "/exports",
      name: "exports",
      component: () => import("../features/exports/ExportsPage.vue"),
      meta: { title: "app.pages.exports", needs: ["export"] },
    },
    {
      path: "/activity",
      name: "activity",
      component: () => import("../features/imports/ActivityPage.vue"),
      meta: { title: "app.pages.activity", needs: ["view", "administration"] },
    },
    {
      path: "/account",
      name: "account",
      component: () => import("../features/people/AccountPage.vue"),
      meta: { title: "account.title" },
    },
    {
      path: "/users",
      name: "users",
      component: () => import("../features/people/UsersPage.vue"),
      meta: { title: "users.title", needs: ["administration"] },
    },
    {
      path: "/audit-log",
      name: "audit-log",
      component: () => import("../features/logs/AuditLogPage.vue"),
      meta: { title: "audit.title", needs: ["administration"] },
    },
    {
      path: "/sign-in",
      name: "sign-in",
      component: () => import("../features/signin/SignInPage.vue"),
      meta: { title: "signIn.title" },
    },
    {
      path: "/tasks",
      name: "tasks",
      component: () => import("../features/tasks/TaskListPage.vue"),
      meta: {
        title: "tasks.title",
        needs: ["administration", "import sizes", "export", "query-retrieve"],
      },
    },
    {
      path: `/tasks/:id(${NUMBER})`,
      name: "task",
      component: () => import("../features/tasks/TaskPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "tasks.title" },
    },
    {
      path: "/log",
      name: "log",
      component: () => import("../features/logs/LogPage.vue"),
      meta: { title: "log.title", needs: ["administration"] },
    },
    {
      path: "/sizes",
      name: "sizes",
      component: () => import("../features/imports/SizesPage.vue"),
      meta: { title: "sizes.title", needs: ["import sizes"] },
    },
    {
      path: "/query-retrieve",
      name: "query-retrieve",
      component: () => import("../features/retrieve/QueryRetrievePage.vue"),
      meta: { title: "retrieve.title", needs: ["query-retrieve"] },
    },
    {
      path: `/query-retrieve/:id(${NUMBER})`,
      name: "search",
      component: () => import("../features/retrieve/SearchPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "retrieve.title", needs: ["query-retrieve"] },
    },
    {
      path: "/query-retrieve/schedules",
      name: "schedules",
      component: () => import("../features/retrieve/ScheduleListPage.vue"),
      meta: { title: "retrieve.schedules.title", needs: ["query-retrieve"] },
    },
    {
      path: "/query-retrieve/schedules/new",
      name: "new-schedule",
      component: () => import("../features/retrieve/SchedulePage.vue"),
      meta: { title: "retrieve.schedules.new", needs: ["query-retrieve"] },
    },
    {
      path: "/query-retrieve/schedules/:name/change",
      name: "schedule",
      component: () => import("../features/retrieve/SchedulePage.vue"),
      props: true,
      meta: { title: "retrieve.schedules.one", needs: ["query-retrieve"] },
    },
    {
      path: "/equipment",
      name: "equipment",
      component: () => import("../features/systems/EquipmentPage.vue"),
      meta: { title: "equipment.title", needs: ["view", "administration"] },
    },
    {
      path: `/equipment/:id(${NUMBER})`,
      name: "system",
      component: () => import("../features/systems/SystemPage.vue"),
      props: (route) => ({ id: Number(route.params.id) }),
      meta: { title: "equipment.title", needs: ["view", "administration"] },
    },
    {
      path: "/standard-names",
      name: "standard-names",
      component: () => import("../features/names/StandardNamesPage.vue"),
      meta: { title: "names.title", needs: ["view", "administration"] },
    },
    {
      path: "/reference-levels",
      name: "reference-levels",
      component: () => import("../features/levels/ReferenceLevelsPage.vue"),
      meta: { title: "levels.title", needs: ["view", "administration"] },
    },
    {
      path: "/sql",
      name: "sql",
      component: () => import("../features/sql/SqlPage.vue"),
      meta: { title: "sql.title", needs: ["administration"] },
    },
    {
      path: "/upload",
      name: "upload",
      component: () => import("../features/imports/UploadPage.vue"),
      meta: { title: "upload.title", orthanc: true },
    },
    {
      path: "/settings/:topic?",
      name: "settings",
      component: () => import("../features/settings/SettingsPage.vue"),
      props: true,
      meta: { title: "app.pages.settings", needs: ["administration"] },
    },
    {
      path: "/:path(.*)*",
      name: "not-found",
      component: () => import("./NotFoundPage.vue"),
      meta: { title: "app.notFound.title" },
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
  // Whoever must set up the second step can do nothing else.
  if (session.value.second_step.must_enrol) return to.name === "account" ? true : "/account";
  if (session.value.signed_in) return to.name === "sign-in" ? (wantedIn(to.query) ?? "/") : true;
  return to.name === "sign-in"
    ? true
    : { name: "sign-in", query: to.path === "/" ? {} : { to: to.fullPath } };
});

router.afterEach((to, from) => {
  if (to.path !== from.path || from.matched.length === 0) setTitle(() => t(to.meta.title));
});
