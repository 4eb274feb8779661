// The reviewed changes to ts-mls 1.6.4, applied to the text of its files as they are bundled.
//
// Each file is recognised by the SHA-256 of its published bytes. An unknown hash, an edit that does not fit exactly once, or a file
// of the table that was never bundled fails the build: a silent upgrade must not ship without these changes.
// P1 validateRatchetTree refuses lawful trees   P2 group_context_extensions need a path   P3 PSKs and callback dropped for private
// messages   P4 resync without a matching leaf loops for ever   P5 unassigned ciphersuite number 83, moved to the private range
// P6 a member left alone commits with a commit secret of zeros, which the members it just removed can compute (RFC 9420, 7.4)
// P7 replacing the only leaf of a group from outside fails on the empty tree between.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** @typedef {{ id: string, find: string, replace: string }} Edit */
/** @typedef {{ file: string, sha256: string, edits: readonly Edit[] }} PatchedFile */

const LIBRARY = /[\\/]node_modules[\\/]ts-mls[\\/]dist[\\/]src[\\/](.+\.js)$/;

/** @type {readonly PatchedFile[]} */
export const PATCHED_FILES = [
  {
    file: "clientState.js",
    sha256: "63645bc3be6ec7f6d4f6d88af5c0b63e34f5e1fea693c62bd958d228b51b6f61",
    edits: [
      {
        id: "P1",
        find: `if (tree[nodeIndex]?.nodeType !== "leaf" && !dp.includes(toNodeIndex(i)))`,
        replace: `if (tree[nodeIndex]?.nodeType !== "leaf" || !dp.includes(toNodeIndex(i)))`,
      },
      {
        id: "P1",
        find: `for (const parentIdx of dp) {
                    const dpNode = tree[parentIdx];`,
        replace: `for (const parentIdx of dp) {
                    if (parentIdx === toNodeIndex(i))
                        break;
                    const dpNode = tree[parentIdx];`,
      },
      {
        id: "P1",
        find: `if (!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves))`,
        replace: `if (!dpNode.parent.unmergedLeaves.includes(unmergedLeaf))`,
      },
      {
        id: "P2",
        find: `const needsUpdatePath = allProposals.length === 0 || Object.values(grouped.update).length > 0 || Object.values(grouped.remove).length > 0;`,
        replace: `const needsUpdatePath = allProposals.length === 0 || grouped.update.length > 0 || grouped.remove.length > 0 || grouped.group_context_extensions.length > 0;`,
      },
    ],
  },
  {
    file: "createCommit.js",
    sha256: "2813d68a1457a55470bbb1f2d223e12aa61c69e18a177f920c51cbdccc4bb004",
    edits: [
      {
        id: "P2",
        find: `    const [tree, updatePath, pathSecrets, newPrivateKey] = res.needsUpdatePath
        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), state.groupContext, state.signaturePrivateKey, cipherSuite, excludeNodes)
        : [res.tree, undefined, [], undefined];
    const updatedExtensions = res.additionalResult.kind === "memberCommit" && res.additionalResult.extensions.length > 0
        ? res.additionalResult.extensions
        : state.groupContext.extensions;
    const groupContextWithExtensions = { ...state.groupContext, extensions: updatedExtensions };
`,
        replace: `    const updatedExtensions = res.additionalResult.kind === "memberCommit" && res.additionalResult.extensions.length > 0
        ? res.additionalResult.extensions
        : state.groupContext.extensions;
    const groupContextWithExtensions = { ...state.groupContext, extensions: updatedExtensions };
    const [tree, updatePath, pathSecrets, newPrivateKey] = res.needsUpdatePath
        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), groupContextWithExtensions, state.signaturePrivateKey, cipherSuite, excludeNodes)
        : [res.tree, undefined, [], undefined];
`,
      },
      {
        id: "P6",
        find: `    const commitSecret = lastPathSecret === undefined
        ? new Uint8Array(cipherSuite.kdf.size)
        : await getCommitSecret(`,
        replace: `    const commitSecret = lastPathSecret === undefined
        ? updatePath === undefined
            ? new Uint8Array(cipherSuite.kdf.size)
            : cipherSuite.rng.randomBytes(cipherSuite.kdf.size)
        : await getCommitSecret(`,
      },
      {
        id: "P6",
        find: `    const commitSecret = lastPathSecret === undefined
        ? new Uint8Array(cs.kdf.size)
        : await getCommitSecret(`,
        replace: `    const commitSecret = lastPathSecret === undefined
        ? cs.rng.randomBytes(cs.kdf.size)
        : await getCommitSecret(`,
      },
      {
        id: "P4",
        find: `    const updatedTree = formerLeafIndex !== undefined ? removeLeafNode(ratchetTree, formerLeafIndex) : ratchetTree;
    const [treeWithNewLeafNode,`,
        replace: `    if (formerLeafIndex !== undefined && formerLeafIndex < 0)
        throw new ValidationError("No leaf matches the one to be replaced");
    const updatedTree = formerLeafIndex !== undefined ? removeLeafNode(ratchetTree, formerLeafIndex) : ratchetTree;
    const [treeWithNewLeafNode,`,
      },
    ],
  },
  {
    file: "processMessages.js",
    sha256: "76af00782a40c5bd3d8475e99c8f1e0b3e4549ff30d906232188a3f7e8b4163e",
    edits: [
      {
        id: "P3",
        find: `return processPrivateMessage(state, message.privateMessage, emptyPskIndex, cs, action);`,
        replace: `return processPrivateMessage(state, message.privateMessage, pskIndex, cs, action);`,
      },
    ],
  },
  {
    file: "ratchetTree.js",
    sha256: "669956ceac1962bdd2bf74c296f9f93b37ba3397949f45c95b9c3036550cdf5c",
    edits: [
      {
        id: "P7",
        find: `    return extendRatchetTree(stripBlankNodes(tree));`,
        replace: `    const kept = stripBlankNodes(tree);
    return kept.length === 0 ? [undefined] : extendRatchetTree(kept);`,
      },
    ],
  },
  {
    file: "crypto/ciphersuite.js",
    sha256: "b81055bb77e6e17cf0a649199f998ba94006568a2e6c09bbcfa74455c476ef1d",
    edits: [
      {
        id: "P5",
        find: `MLS_256_XWING_AES256GCM_SHA512_Ed25519: 83,`,
        replace: `MLS_256_XWING_AES256GCM_SHA512_Ed25519: 0xf00d,`,
      },
      { id: "P5", find: `\n    83: {\n`, replace: `\n    0xf00d: {\n` },
    ],
  },
];

/**
 * The patched text of one file of ts-mls.
 * @param {string} file path below dist/src, with forward slashes
 * @param {string} source the published text
 * @param {readonly PatchedFile[]} table
 * @returns {string} the same text when the file is not in the table
 * @throws {Error} if the file is in the table with another hash, or an edit does not fit exactly once
 */
export function patchSource(file, source, table = PATCHED_FILES) {
  const entry = table.find((candidate) => candidate.file === file);
  if (entry === undefined) return source;
  const found = createHash("sha256").update(source, "utf8").digest("hex");
  if (found !== entry.sha256) throw new Error(`ts-mls/${file} has SHA-256 ${found}, not the reviewed ${entry.sha256}: review it, then patch it`);
  return entry.edits.reduce((text, edit) => {
    const parts = text.split(edit.find);
    if (parts.length !== 2) throw new Error(`${edit.id} fits ${parts.length - 1} times in ts-mls/${file}, not once`);
    return parts.join(edit.replace);
  }, source);
}

/** esbuild plugin. Every patched file must pass through it when any file of ts-mls is bundled. */
export function mlsPatches() {
  return {
    name: "mls-patches",
    /** @param {import("esbuild").PluginBuild} build */
    setup(build) {
      /** @type {Set<string>} */
      let seen = new Set();
      build.onStart(() => {
        seen = new Set();
      });
      build.onLoad({ filter: LIBRARY }, async ({ path }) => {
        const file = libraryFile(path);
        seen.add(file);
        return { contents: patchSource(file, await readFile(path, "utf8")), loader: "js" };
      });
      build.onEnd(() => {
        const missed = seen.size === 0 ? [] : PATCHED_FILES.filter(({ file }) => !seen.has(file));
        return { errors: missed.map(({ file }) => ({ text: `ts-mls is bundled without passing ${file} through its patches` })) };
      });
    },
  };
}

/** The same for vitest, so that tests run what we ship. ts-mls must be in `server.deps.inline`. */
export function mlsPatchesVite() {
  return {
    name: "mls-patches",
    enforce: /** @type {const} */ ("pre"),
    /** @param {string} id */
    async load(id) {
      const path = id.split("?")[0] ?? id;
      if (!LIBRARY.test(path)) return null;
      return { code: patchSource(libraryFile(path), await readFile(path, "utf8")), map: null };
    },
  };
}

/** @param {string} path */
function libraryFile(path) {
  const match = LIBRARY.exec(path);
  if (match?.[1] === undefined) throw new Error(`not a file of ts-mls: ${path}`);
  return match[1].replaceAll("\\", "/");
}
