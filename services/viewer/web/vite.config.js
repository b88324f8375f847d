import { defineConfig } from "vite";

// Every address in the built page is relative, so that it works under any path behind a proxy.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    target: "es2022",
  },
});
