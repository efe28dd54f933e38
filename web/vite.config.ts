import { defineConfig } from "vitest/config";

// Two files without dependencies: the library, and the worker in which pictures are judged and frames encrypted.
export default defineConfig({
  esbuild: { keepNames: true }, // errors go by their names
  build: {
    lib: { entry: { guard: "src/index.ts", worker: "src/worker.ts" }, formats: ["es"] },
    rollupOptions: { external: ["onnxruntime-web"], output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", manualChunks: undefined } },
    outDir: "../src/lightship/console/static/guard",
    emptyOutDir: true,
    minify: "esbuild",
    target: "es2022",
  },
  test: { setupFiles: ["test/setup.ts"] },
});
