import { defineConfig } from "vitest/config";

import { mlsPatchesVite } from "./patches.mjs";

export default defineConfig({
  plugins: [mlsPatchesVite()],
  test: {
    environment: "node",
    include: ["tests/**/*.test.ts"],
    // Inlined so that the plugin sees the library's files, as esbuild does.
    server: { deps: { inline: ["ts-mls"] } },
    testTimeout: 30_000,
    // The machine is small and MLS is arithmetic: more workers only wait for each other.
    maxWorkers: 2,
  },
});
