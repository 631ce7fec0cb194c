import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// `npm run dev` takes the API from a running Orthanc; Orthanc itself serves the built pages.
const orthanc = { target: "http://127.0.0.1:8042", changeOrigin: true };

export default defineConfig({
  base: "/dose/app/",
  plugins: [vue()],
  define: { global: "globalThis" }, // what plotly.js calls it
  resolve: {
    // Styles of maps, which plotly.js takes along wherever it is made part of a page; no chart is a map.
    alias: {
      "maplibre-gl/dist/maplibre-gl.css": new URL("src/shared/styles/none.css", import.meta.url).pathname,
    },
  },
  test: { setupFiles: ["src/testing.ts"] },
  server: { proxy: { "/dose/api": orthanc } },
  build: {
    // The pages run under "default-src 'self'": nothing may become a data: URL, nothing an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200, // kB: plotly.js, in a file of its own
  },
  css: {
    preprocessorOptions: {
      // Bootstrap 5.3 is written with @import, which Sass is going to drop one day.
      scss: {
        quietDeps: true,
        silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
      },
    },
  },
});
