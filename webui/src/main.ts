import { createApp } from "vue";
import App from "./App.vue";
import { i18n, preferredLanguage, setLanguage } from "./i18n";
import { router } from "./router";
import { loadSession } from "./session";
import "./styles/app.scss";
import "./styles/parts.scss";
import "./styles/tables.scss";

// The first paint is in the user's language; one that cannot be loaded leaves English. It waits until it is known who is there.
await Promise.all([setLanguage(preferredLanguage(), false).catch(() => undefined), loadSession()]);
createApp(App).use(i18n).use(router).mount("#app");
