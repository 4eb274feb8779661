// Bundles flow.gen.ts with the patched library, runs it, and puts its answer into tests/vectors/mls_flow.json.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { mlsPatches } from "../patches.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mls-flow-"));
const outfile = join(folder, "flow.mjs");
try {
  await build({ entryPoints: [join(here, "flow.gen.ts")], bundle: true, platform: "node", format: "esm", outfile, plugins: [mlsPatches()], logLevel: "error" });
  const run = spawnSync(process.execPath, [outfile, join(here, "flow_world.json"), join(here, "../../../tests/vectors/mls_flow.json")], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
