import { createApp } from "vue";
import App from "./App.vue";
import { i18n, preferredLanguage, setLanguage } from "./i18n";
import { loadRegion } from "./region";
import { router } from "./router";
import "./styles/app.scss";
import "./styles/tables.scss";

// The first paint is in the user's language and writes dates as it should; a language that cannot be loaded leaves English.
await Promise.all([setLanguage(preferredLanguage(), false).catch(() => undefined), loadRegion()]);
createApp(App).use(i18n).use(router).mount("#app");
