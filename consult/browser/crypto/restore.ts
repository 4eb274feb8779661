/** A wiped or second browser: the printed recovery key opens the backup, and a new device joins the account. */

import type { Restored } from "../bridge.ts";
import { draft } from "./acts.ts";
import { counts, parseServed, receive } from "./chains.ts";
import { fingerprint } from "./codes.ts";
import type { Context } from "./context.ts";
import { equal, toBase64 } from "./encoding.ts";
import { Failure, ServerRefusal } from "./failure.ts";
import { judge } from "./judging.ts";
import { lastResortRow, makeKeyPackages } from "./keypackages.ts";
import { forgetKeystore, jsonRow } from "./keystore.ts";
import { accountKey, newDeviceKey, storeAccount, xwingOf, type SigningKey } from "./newkeys.ts";
import { bytes, members } from "./reading.ts";
import { openRecoveryBox, parseRecoveryKey, type RecoveryContents } from "./recovery.ts";
import { Refusal } from "./refusal.ts";
import { newest, type Account, type Standing } from "./standing.ts";
import { encodeSigned, signStatement, type Signed } from "./statements.ts";

const KEY_PACKAGES = 20;

/** @throws Refusal `code_mistyped`, `recovery_key_wrong`; Failure `no_keys` if nobody is signed in, `wrong_installation`, `chain_broken` */
export async function restoreAccount(context: Context, given: { recoveryKey: string; label: string }): Promise<Restored> {
  const { contents, account } = await openBackup(context, given.recoveryKey);
  const deviceKey = await newDeviceKey();
  const xwing = await xwingOf(contents.xwingSeed);
  const { chains, standing } = await ownChains(context, contents);
  const own = standing.accounts.get(contents.card);
  // The backup's keys are those of the card the host serves, else somebody has exchanged one of the two.
  if (own === undefined || !equal(own.accountKey, account.publicKey) || !equal(own.xwingKey, xwing.publicKey)) {
    throw new Failure("chain_broken", "the served card is not the one of the backup");
  }
  const added = await addDevice(standing, own, { account, deviceKey });
  const inst = contents.inst ?? pinOf(standing, chains.installation[0], contents.card);
  const made = { card: own.card, party: own.party, inst, device: added.hash, account, deviceKey, xwing };
  const owner = { card: own.card, device: added.hash, deviceKey: deviceKey.publicKey, deviceSigner: deviceKey.privateKey };
  const packages = await makeKeyPackages(owner, KEY_PACKAGES);
  const spare = await makeKeyPackages(owner, 1);
  await storeAccount(made, [...packages.changes, ...spare.changes, ...lastResortRow(spare.changes), jsonRow("restored", Date.now())]);
  const enclosed = { label: given.label, key_packages: packages.published, last_resort: spare.published[0] ?? "" };
  try {
    await context.server.post("/api/statements", { ...encodeSigned(added), enclosed });
  } catch (error) {
    if (error instanceof ServerRefusal) await forgetKeystore(own.card);
    throw error;
  } finally {
    context.become(own.card);
  }
  return { card: own.card, device: added.hash, party: own.party, inst, fingerprint: fingerprint(own.card) };
}

async function openBackup(context: Context, typed: string): Promise<{ contents: RecoveryContents; account: SigningKey }> {
  const recoveryKey = await parseRecoveryKey(typed);
  const served = members(await context.server.get("/api/recovery"));
  const contents = await openRecoveryBox({ recoveryKey, box: bytes(served["box"]) });
  recoveryKey.fill(0);
  try {
    if (contents.card !== context.card) throw new Failure("recovery_key_wrong", "the backup of another account");
    return { contents, account: await accountKey(contents.accountSeed) };
  } finally {
    contents.accountSeed.fill(0);
  }
}

async function ownChains(context: Context, contents: RecoveryContents): ReturnType<typeof receive> {
  const known = new Map<string, readonly Signed[]>();
  const served = await parseServed(await context.server.post("/api/chains", { consultation: null, have: counts(known) }));
  try {
    return await receive({ pinned: contents.inst, known, served, consultation: null });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Failure(error.code === "wrong_installation" ? "wrong_installation" : "chain_broken", error.message, {}, { cause: error });
  }
}

/** A chair's backup may be older than the installation: then the pin is the founding statement with the chair's own signature. */
function pinOf(standing: Standing, root: Signed | undefined, card: string): string | null {
  const installation = newest(standing);
  if (installation === undefined) return null;
  if (root?.signatures.some((signature) => signature.card === card) !== true) {
    throw new Failure("wrong_installation", "an installation which this chair has not signed");
  }
  return installation.inst;
}

async function addDevice(standing: Standing, own: Account, keys: { account: SigningKey; deviceKey: SigningKey }): Promise<Signed> {
  const statement = draft(standing, "device.add", { signature_key: toBase64(keys.deviceKey.publicKey) }, { card: own.card });
  const signed = await signStatement(statement, { card: own.card, key: keys.account.privateKey });
  await judge(standing, signed);
  return signed;
}
