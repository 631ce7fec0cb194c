import { createApp } from "vue";
import App from "./app/App.vue";
import { i18n, preferredLanguage, setLanguage } from "./shared/language/i18n";
import { router } from "./app/router";
import { loadSession } from "./shared/session/session";
import "./shared/styles/app.scss";
import "./shared/styles/parts.scss";
import "./shared/styles/tables.scss";

// The first paint is in the user's language, or in English where its file cannot be loaded. It waits until it is known
// who is there.
await Promise.all([
  setLanguage(preferredLanguage(), false).catch(() => setLanguage("en", false)),
  loadSession(),
]);
createApp(App).use(i18n).use(router).mount("#app");
