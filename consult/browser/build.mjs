// Builds the front end into one folder: hashed files, manifest.json (entry → file and integrity), third-party notices.
// Usage: node build.mjs <folder>

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

import { mlsPatches } from "./patches.mjs";

const here = import.meta.dirname;
const out = path.resolve(process.argv[2] ?? path.join(here, "../static/consult/dist"));

/** Every page's script, the room, the paper viewer and the key worker. One file each, so that each has one integrity. */
async function entries() {
  const pages = (await readdir(path.join(here, "pages"))).filter((name) => name.endsWith(".ts"));
  const scripts = [...pages.map((name) => `pages/${name.slice(0, -3)}`), "room/main", "viewer/main", "crypto/worker"];
  return { fonts: "fonts.css", ...Object.fromEntries(scripts.map((name) => [name, `${name}.ts`])) };
}

function outputs(metafile) {
  return Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint !== undefined);
}

async function manifest(metafile, names) {
  const byFile = new Map(Object.entries(names).map(([name, file]) => [file, name]));
  const rows = await Promise.all(
    outputs(metafile).map(async ([file, output]) => {
      const absolute = path.resolve(here, file);
      const digest = createHash("sha384").update(await readFile(absolute)).digest("base64");
      return [byFile.get(output.entryPoint), { file: path.relative(out, absolute), integrity: `sha384-${digest}` }];
    }),
  );
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function packageOf(input) {
  const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  return match?.[1];
}

async function licenceOf(name) {
  const folder = path.join(here, "node_modules", name);
  const about = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file && existsSync(path.join(folder, file)) ? await readFile(path.join(folder, file), "utf8") : "";
  return `${name} ${about.version} (${about.license})\n\n${text.trim()}\n`;
}

async function notices(metafile) {
  const names = [...new Set(Object.keys(metafile.inputs).map(packageOf).filter(Boolean))].sort();
  return (await Promise.all(names.map(licenceOf))).join(`\n${"-".repeat(72)}\n\n`);
}

const names = await entries();
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: Object.fromEntries(Object.entries(names).map(([name, file]) => [name, file])),
  outdir: out,
  bundle: true,
  format: "esm",
  target: ["chrome116", "firefox130", "safari17"],
  minify: true,
  legalComments: "none",
  entryNames: "[dir]/[name]-[hash]",
  assetNames: "fonts/[name]-[hash]",
  loader: { ".woff2": "file", ".woff": "empty" },
  plugins: [mlsPatches()],
  metafile: true,
  logLevel: "warning",
});
await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(await manifest(metafile, names), null, 1)}\n`);
await writeFile(path.join(out, "NOTICES.txt"), await notices(metafile));

/** The verifier for a browser: one page with its script and style inside, which may load nothing. Works from a file. */
async function verifierPage() {
  const built = await build({
    absWorkingDir: here,
    entryPoints: ["verifier/main.ts"],
    bundle: true,
    format: "iife",
    target: ["chrome137", "firefox130", "safari17"],
    minify: true,
    legalComments: "none",
    charset: "ascii",
    write: false,
    logLevel: "warning",
  });
  const script = built.outputFiles[0].text.replaceAll("</script", "<\\/script");
  const style = await readFile(path.join(here, "verifier/page.css"), "utf8");
  const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const parts = {
    policy: `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; form-action 'none'`,
    style: `<style>${style}</style>`,
    script: `<script>${script}</script>`,
  };
  const page = await readFile(path.join(here, "verifier/page.html"), "utf8");
  return page.replace(/\{(policy|style|script)\}/g, (_, name) => parts[name]);
}

await writeFile(path.join(out, "consult-verify.html"), await verifierPage());
