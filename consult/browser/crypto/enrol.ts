/** Enrolment by code (docs/protocol.md, section 3): keys are made here, the card goes out under the mark of the code. */

import type { Enrolled, EnrolmentOffer, Hex, PartyCode } from "../bridge.ts";
import type { Bodies } from "./acts.ts";
import type { JsonObject } from "./canonical.ts";
import { codeFits, fingerprint, locatorOf, macOf, parseCode } from "./codes.ts";
import type { Context } from "./context.ts";
import { randomBytes, toBase64 } from "./encoding.ts";
import { Failure, ServerRefusal } from "./failure.ts";
import { forgetKeystore } from "./keystore.ts";
import { lastResortRow, makeKeyPackages } from "./keypackages.ts";
import { accountKey, newDeviceKey, newXWingKey, storeAccount, type NewAccount } from "./newkeys.ts";
import { choice, list, members, name, orNull, text } from "./reading.ts";
import { formatRecoveryKey, newRecoveryKey, sealRecoveryBox } from "./recovery.ts";
import { encodeSigned, newNonce, signStatement, type Signed, type Statement } from "./statements.ts";

const FIRST_SHEET = 1;
const KEY_PACKAGES = 20;
const PURPOSES = ["chair", "focal_point", "delegate", "secretariat"] as const;

interface Offer extends EnrolmentOffer {
  /** the installation's newest statement: the host's word, checked by everybody who reads the card later */
  readonly head: Hex | null;
  readonly locator: Hex;
  readonly secret: Uint8Array;
}

/** Everything made for one code, kept for a second try: a wrong one-time code must not make another card. */
interface Prepared {
  readonly made: NewAccount;
  readonly card: Signed;
  readonly device: Signed;
  readonly recoveryKey: string;
  readonly box: string;
}

const prepared = new Map<Hex, Prepared>();

/** @throws Refusal `code_mistyped`; ServerRefusal `code_not_valid`; Failure `wrong_installation` if the host is not the code's */
export async function openCode(context: Context, code: string): Promise<EnrolmentOffer> {
  const { name: person, party, purpose, inst } = await offerOf(context, code);
  return { name: person, party, purpose, inst };
}

export async function reserveSecondFactor(context: Context, given: { code: string; signInName: string; password: string }): Promise<{ otpauth: string }> {
  const { locator } = await offerOf(context, given.code);
  const asked = { locator, sign_in_name: given.signInName, password: given.password };
  return { otpauth: text(members(await context.server.post("/api/enrolments/sign-in-details", asked))["otpauth"]) };
}

export async function completeEnrolment(
  context: Context,
  given: { code: string; signInName: string; password: string; totp: string; label: string },
): Promise<Enrolled> {
  const offer = await offerOf(context, given.code);
  const ready = prepared.get(offer.locator) ?? (await prepare(offer));
  prepared.set(offer.locator, ready);
  const { made } = ready;
  const owner = { card: made.card, device: made.device, deviceKey: made.deviceKey.publicKey, deviceSigner: made.deviceKey.privateKey };
  const packages = await makeKeyPackages(owner, KEY_PACKAGES);
  const spare = await makeKeyPackages(owner, 1);
  await storeAccount(made, [...packages.changes, ...spare.changes, ...lastResortRow(spare.changes)]);
  const application: JsonObject = {
    locator: offer.locator,
    sign_in_name: given.signInName,
    password: given.password,
    totp: given.totp,
    card: encodeSigned(ready.card),
    device: encodeSigned(ready.device),
    label: given.label,
    mac: await macOf(offer.secret, made.card),
    recovery: { box: ready.box, number: FIRST_SHEET },
    key_packages: packages.published,
    last_resort: spare.published[0] ?? "",
  };
  const recoveryCodes = await apply(context, made.card, application);
  context.become(made.card);
  prepared.delete(offer.locator);
  const { card, device, party, inst } = made;
  return { card, device, party, inst, fingerprint: fingerprint(card), recoveryKey: ready.recoveryKey, sheetNumber: FIRST_SHEET, recoveryCodes };
}

async function apply(context: Context, card: Hex, application: JsonObject): Promise<readonly string[]> {
  try {
    return list(members(await context.server.post("/api/enrolments/complete", application))["recovery_codes"], text);
  } catch (error) {
    // Certainly refused: nothing of this card exists. After a lost answer the store stays, for the card may exist.
    if (error instanceof ServerRefusal) await forgetKeystore(card);
    throw error;
  }
}

async function offerOf(context: Context, typed: string): Promise<Offer> {
  const code = await parseCode(typed);
  const locator = await locatorOf(code.secret);
  const answer = members(await context.server.post("/api/enrolments/open", { locator }));
  const inst = orNull(answer["inst"], name);
  if (!codeFits(code, inst)) throw new Failure("wrong_installation", "the host is not the installation of this code");
  return {
    name: text(answer["name"]),
    party: text(answer["party"]),
    purpose: choice(answer["purpose"], PURPOSES),
    inst,
    head: orNull(answer["installation_head"], name),
    locator,
    secret: code.secret,
  };
}

async function prepare(offer: Offer): Promise<Prepared> {
  const seed = randomBytes(32);
  const recoveryKey = newRecoveryKey();
  try {
    const [account, deviceKey, xwing] = [await accountKey(seed), await newDeviceKey(), await newXWingKey()];
    const place = { inst: offer.inst, up: offer.inst === null ? null : offer.head };
    const body = cardBody({ account: account.publicKey, xwing: xwing.publicKey, inst: offer.inst, party: offer.party });
    const card = await signStatement(statement({ ...place, type: "account.card", scope: null, n: 0, prev: null, body }), { card: null, key: account.privateKey });
    const added = { signature_key: toBase64(deviceKey.publicKey) };
    const following = { ...place, type: "device.add", scope: card.hash, n: 1, prev: card.hash, body: added };
    const device = await signStatement(statement(following), { card: card.hash, key: account.privateKey });
    const contents = { card: card.hash, accountSeed: seed, xwingSeed: xwing.seed, inst: offer.inst, number: FIRST_SHEET };
    const box = toBase64(await sealRecoveryBox({ recoveryKey, contents }));
    const made = { card: card.hash, party: offer.party, inst: offer.inst, device: device.hash, account, deviceKey, xwing };
    return { made, card, device, recoveryKey: await formatRecoveryKey(recoveryKey), box };
  } finally {
    seed.fill(0);
    recoveryKey.fill(0);
  }
}

function cardBody(card: { account: Uint8Array; xwing: Uint8Array; inst: Hex | null; party: PartyCode }): JsonObject {
  const body: Bodies["account.card"] = { account_key: toBase64(card.account), xwing_key: toBase64(card.xwing), installation: card.inst, party: card.party };
  return { ...body };
}

function statement(given: Omit<Statement, "nonce">): Statement {
  return { ...given, nonce: newNonce() };
}
