import { readFileSync } from "node:fs";

import { build } from "esbuild";
import { createCommit, joinGroupExternal, type ClientState } from "ts-mls";
import { describe, expect, test } from "vitest";

import { decodeGroupInfo, decodeKeyPackageSecret, decodeTree } from "../crypto/mlswire.ts";
import { makeSuite, SignerRegistry, SUITE_NUMBER } from "../crypto/suite.ts";
import { mlsPatches, PATCHED_FILES, patchSource } from "../patches.mjs";
import { change, known, makeDevice, openRoom, seatOf } from "./devices.ts";

const LIBRARY = new URL("../node_modules/ts-mls/dist/src/", import.meta.url);

function published(file: string): string {
  return readFileSync(new URL(file, LIBRARY), "utf8");
}

describe("the patches", () => {
  test("fit the installed library, each edit exactly once", () => {
    for (const { file } of PATCHED_FILES) expect(patchSource(file, published(file))).not.toBe(published(file));
    const ids = new Set(PATCHED_FILES.flatMap(({ edits }) => edits.map(({ id }) => id)));
    expect([...ids].sort()).toEqual(["P1", "P2", "P3", "P4", "P5", "P6", "P7"]);
  });

  test("refuse a file that is not the reviewed one", () => {
    expect(() => patchSource("clientState.js", `${published("clientState.js")}\n`)).toThrow("not the reviewed");
  });

  test("refuse an edit that does not fit", () => {
    const [entry] = PATCHED_FILES;
    if (entry === undefined) throw new Error("no patches");
    const table = [{ ...entry, edits: [{ id: "P0", find: "nowhere to be found", replace: "" }] }];
    expect(() => patchSource(entry.file, published(entry.file), table)).toThrow("P0 fits 0 times");
  });

  test("leave other files as they are", () => {
    expect(patchSource("welcome.js", published("welcome.js"))).toBe(published("welcome.js"));
  });

  test("are in the bundle", async () => {
    const entry = new URL("../crypto/mls.ts", import.meta.url).pathname;
    const made = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm", plugins: [mlsPatches()], logLevel: "silent" });
    const text = made.outputFiles[0]?.text ?? "";
    const marks = [
      "unmergedLeaves.includes(unmergedLeaf)", // P1
      "grouped.group_context_extensions.length > 0", // P2
      "No leaf matches the one to be replaced", // P4
      "MLS_256_XWING_AES256GCM_SHA512_Ed25519: 61453", // P5
      "cipherSuite.rng.randomBytes(cipherSuite.kdf.size)", // P6
      "kept.length === 0", // P7
    ];
    for (const mark of marks) expect(text).toContain(mark);
  });
});

describe("with them", () => {
  test("P1: joining works when unmerged leaves differ along the path", async () => {
    const devices = await Promise.all(Array.from({ length: 10 }, (_, index) => makeDevice(`p${index}`)));
    const [first, ...others] = devices;
    if (first === undefined) throw new Error("no devices");
    const [a, b, c, d, e, f, g, late, later] = others;
    if (!a || !b || !c || !d || !e || !f || !g || !late || !later) throw new Error("no devices");
    const room = await openRoom(first, a, b, c, d, e, f, g);
    const validate = known(...devices);
    for (const device of [a, b, c, d, e, f, g, first]) await change(room, device, {});
    await change(room, first, { removes: [c, f], validate });
    await change(room, first, { adds: [late], validate });
    await change(room, first, { adds: [later], validate });
    expect(room.seats.size).toBe(8);
  });

  test("P2: a commit that only changes the group's extensions has a path", async () => {
    const device = await makeDevice("solo");
    const signers = new SignerRegistry();
    signers.register(device.signer, device.privateKey, device.publicKey);
    const room = await openRoom(device, await makeDevice("duo"));
    const suite = await makeSuite(signers);
    const clientConfig = { authService: { validateCredential: () => Promise.resolve(true) }, keyRetentionConfig: { retainKeysForEpochs: 1 } };
    const state = { ...(seatOf(room, device).state as unknown as ClientState), clientConfig } as unknown as ClientState;
    const proposal = { proposalType: "group_context_extensions" as const, groupContextExtensions: { extensions: [] } };
    const made = await createCommit({ state, cipherSuite: suite }, { extraProposals: [proposal], wireAsPublicMessage: true });
    if (made.commit.wireformat !== "mls_public_message" || made.commit.publicMessage.content.contentType !== "commit") throw new Error("no commit");
    expect(made.commit.publicMessage.content.commit.path).toBeDefined();
  });

  test("P4: the library refuses to replace a leaf that is not there", async () => {
    const device = await makeDevice("ke");
    const other = await makeDevice("th");
    const room = await openRoom(device);
    const { groupInfo, tree } = await device.rooms.publicState(seatOf(room, device).state);
    const { publicPackage, privatePackage } = decodeKeyPackageSecret((await other.keyPackage()).privateBytes);
    const suite = await makeSuite(new SignerRegistry());
    await expect(joinGroupExternal(decodeGroupInfo(groupInfo), publicPackage, privatePackage, true, suite, decodeTree(tree))).rejects.toThrow("No leaf matches");
  });

  test("P5: the suite has a number of the private range on the wire", async () => {
    const { publicBytes } = await (await makeDevice("ke")).keyPackage();
    // MLSMessage: version, wire format; KeyPackage: version, suite.
    expect(new DataView(publicBytes.buffer, publicBytes.byteOffset).getUint16(6)).toBe(SUITE_NUMBER);
  });
});
