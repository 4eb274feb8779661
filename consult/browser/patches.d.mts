import type { Plugin } from "esbuild";

export interface Edit {
  readonly id: string;
  readonly find: string;
  readonly replace: string;
}

export interface PatchedFile {
  readonly file: string;
  readonly sha256: string;
  readonly edits: readonly Edit[];
}

export const PATCHED_FILES: readonly PatchedFile[];
export function patchSource(file: string, source: string, table?: readonly PatchedFile[]): string;
export function mlsPatches(): Plugin;
export function mlsPatchesVite(): { name: string; enforce: "pre"; load(id: string): Promise<{ code: string; map: null } | null> };
