/** Makes and stores the keys of an account or of one more device. Ed25519 keys cannot be taken out of the browser again. */

import type { Hex, PartyCode } from "../bridge.ts";
import { ACCOUNT, type AccountRow } from "./context.ts";
import { concat, fromBase64, fromHex, randomBytes, toBase64, type Bytes } from "./encoding.ts";
import { Failure } from "./failure.ts";
import { xwingPublicKey, XWING_SEED_LENGTH } from "./hpke.ts";
import { forgetKeystore, jsonRow, Keystore, makeWrappingKey, SealedRows, type Change } from "./keystore.ts";

export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: Bytes;
}

/** PKCS #8 of an Ed25519 seed (RFC 8410, section 7) is this and the seed. */
const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420");

/** A device's key. @throws Failure `browser_too_old` where WebCrypto has no Ed25519 */
export async function newDeviceKey(): Promise<SigningKey> {
  try {
    const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return { privateKey: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
  } catch (error) {
    throw new Failure("browser_too_old", "no Ed25519 in this browser", {}, { cause: error });
  }
}

/** The account's key from its seed. The caller wipes the seed. */
export async function accountKey(seed: Uint8Array): Promise<SigningKey> {
  const pkcs8 = concat(PKCS8_PREFIX, seed);
  try {
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
    const readable = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", readable);
    if (x === undefined) throw new Error("an Ed25519 key without its public part");
    const standard = x.replaceAll("-", "+").replaceAll("_", "/");
    return { privateKey, publicKey: fromBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, "="), 32) };
  } catch (error) {
    throw new Failure("browser_too_old", "no Ed25519 in this browser", {}, { cause: error });
  } finally {
    pkcs8.fill(0);
  }
}

export interface XWingKey {
  readonly seed: Bytes;
  readonly publicKey: Bytes;
}

export async function newXWingKey(): Promise<XWingKey> {
  return xwingOf(randomBytes(XWING_SEED_LENGTH));
}

export async function xwingOf(seed: Bytes): Promise<XWingKey> {
  return { seed, publicKey: await xwingPublicKey(seed) };
}

export interface NewAccount {
  readonly card: Hex;
  readonly party: PartyCode;
  readonly inst: Hex | null;
  readonly device: Hex;
  readonly account: SigningKey;
  readonly deviceKey: SigningKey;
  readonly xwing: XWingKey;
}

/** A fresh store for the card, in place of whatever this browser kept for it. It is complete before the server hears of the device. */
export async function storeAccount(made: NewAccount, more: readonly Change[]): Promise<void> {
  await forgetKeystore(made.card);
  const store = await Keystore.create(made.card);
  try {
    const wrap = await makeWrappingKey();
    await store.putKeys({ wrap, account: made.account.privateKey, device: made.deviceKey.privateKey });
    const row: AccountRow = {
      card: made.card,
      party: made.party,
      inst: made.inst,
      device: made.device,
      device_key: toBase64(made.deviceKey.publicKey),
      account_key: toBase64(made.account.publicKey),
      xwing_seed: toBase64(made.xwing.seed),
      xwing_key: toBase64(made.xwing.publicKey),
    };
    await new SealedRows(store, wrap).write([jsonRow(ACCOUNT, row), ...more]);
  } finally {
    store.close();
  }
}
