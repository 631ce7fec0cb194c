import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// `npm run dev` takes the API from a running Orthanc; Orthanc itself serves the built pages.
const orthanc = { target: "http://127.0.0.1:8042", changeOrigin: true };

export default defineConfig({
  base: "/dose/app/",
  plugins: [vue()],
  server: { proxy: { "/dose/api": orthanc } },
  build: {
    // The pages run under "default-src 'self'": nothing may become a data: URL, nothing an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  css: {
    preprocessorOptions: {
      // Bootstrap 5.3 is written with @import, which Sass is going to drop one day.
      scss: { quietDeps: true, silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"] },
    },
  },
});
