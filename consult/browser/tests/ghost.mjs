// Bundles ghost.ts with the patched library and runs it: JSON in, JSON out.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { mlsPatches } from "../patches.mjs";

const folder = mkdtempSync(join(tmpdir(), "consult-ghost-"));
const outfile = join(folder, "ghost.mjs");
try {
  const entry = fileURLToPath(new URL("ghost.ts", import.meta.url));
  await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", target: "node20", outfile, plugins: [mlsPatches()], logLevel: "error" });
  process.exitCode = spawnSync(process.execPath, [outfile], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
