import { createApp } from "vue";
import App from "./App.vue";
import { i18n, preferredLanguage, setLanguage } from "./i18n";
import { router } from "./router";
import "./styles/app.scss";
import "./styles/tables.scss";

// The first paint is in the user's language; one that cannot be loaded leaves English.
await setLanguage(preferredLanguage(), false).catch(() => undefined);
createApp(App).use(i18n).use(router).mount("#app");
