/**
 * What a host would do to let somebody in: reads a room's public state and a device whose key the host holds, and writes the external
 * commit which brings that device in. Sound in every respect but one: nobody gave it a seat. Run by ghost.mjs, for tests/e2e.
 */

import { readFileSync } from "node:fs";

import { canonical } from "../crypto/canonical.ts";
import { concat, fromBase64, fromHex, toBase64 } from "../crypto/encoding.ts";
import { makeRoomCrypto } from "../crypto/mls.ts";
import { signerHandle, SignerRegistry } from "../crypto/suite.ts";

const PKCS8 = fromHex("302e020100300506032b657004220420");
const DAY = 24 * 60 * 60;

interface Wanted {
  readonly room: string;
  readonly group_info: string;
  readonly tree: string;
  readonly card: string;
  readonly device: string;
  /** the device's Ed25519 seed, base64 */
  readonly seed: string;
  readonly heads: Readonly<Record<"installation" | "consultation" | "room", string>>;
}

const wanted = JSON.parse(readFileSync(0, "utf8")) as Wanted;
const privateKey = await crypto.subtle.importKey("pkcs8", concat(PKCS8, fromBase64(wanted.seed, 32)), "Ed25519", true, ["sign"]);
const { x } = await crypto.subtle.exportKey("jwk", privateKey);
const publicKey = new Uint8Array(Buffer.from(x ?? "", "base64url"));
const signers = new SignerRegistry();
const signer = await signerHandle(publicKey);
signers.register(signer, privateKey, publicKey);
const rooms = await makeRoomCrypto(signers);
const identity = { card: wanted.card, device: wanted.device };
const now = Math.floor(Date.now() / 1000);
const keyPackage = await rooms.makeKeyPackage({ identity, signer, notBefore: now - 3600, notAfter: now + 28 * DAY });
const joined = await rooms.externalJoin({
  room: wanted.room,
  groupInfo: fromBase64(wanted.group_info),
  tree: fromBase64(wanted.tree),
  keyPackage: keyPackage.privateBytes,
  replaces: null,
  authenticatedData: canonical(wanted.heads),
  validate: () => Promise.resolve(true),
});
const { groupInfo, tree, commit, endsEpoch } = joined;
console.log(JSON.stringify({ epoch: endsEpoch, commit: toBase64(commit), group_info: toBase64(groupInfo), tree: toBase64(tree) }));
