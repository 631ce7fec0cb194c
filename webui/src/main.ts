import { createApp } from "vue";
import App from "./App.vue";
import { router } from "./router";
import "./styles/app.scss";
import "./styles/tables.scss";

createApp(App).use(router).mount("#app");
