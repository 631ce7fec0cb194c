import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// `npm run dev` takes the API from a running Orthanc; Orthanc itself serves the built pages.
const orthanc = { target: "http://127.0.0.1:8042", changeOrigin: true };

export default defineConfig({
  base: "/dose/app/",
  plugins: [vue()],
  define: {
    global: "globalThis", // what plotly.js calls it
    // Parts of Vue that are for its developers, or for ways of writing that the pages do not have.
    __VUE_PROD_DEVTOOLS__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __VUE_I18N_LEGACY_API__: false,
  },
  resolve: {
    // Styles of maps, which plotly.js takes along wherever it is made part of a page; no chart is a map.
    alias: {
      "maplibre-gl/dist/maplibre-gl.css": new URL("src/shared/styles/none.css", import.meta.url)
        .pathname,
    },
  },
  test: { setupFiles: ["src/testing.ts"] },
  server: { proxy: { "/dose/api": orthanc } },
  build: {
    // The pages run under "default-src 'self'": nothing may become a data: URL, nothing an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200, // kB: plotly.js, in a file of its own
    // Few large files: over a slow line each request costs more than the bytes that a page could have gone without.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // The frame and the pages that most visits open (app/router.ts).
            { name: "main", tags: ["$initial"], priority: 3 },
            { name: "plotly", test: /node_modules\/plotly/, priority: 2 },
            // Every other feature in a file of its own.
            { name: (id) => /src\/features\/(\w+)\//.exec(id)?.[1] ?? null, priority: 1 },
          ],
        },
      },
    },
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
