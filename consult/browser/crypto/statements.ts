/**
 * Signed statements: canonical bytes, hash, signature (docs/protocol.md, section 2). The form only; what the types say is in acts.ts.
 * secure/statements.py is the same; tests/vectors/statements.json holds the two together.
 */

import { canonical, type Json, type JsonObject } from "./canonical.ts";
import { sign, verify } from "./ed25519.ts";
import { concat, fromBase64, randomBytes, sha256, toBase64, toHex, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";
import { HEX_32, isCount, isRecord, keysAre } from "./shape.ts";

const PREFIX = utf8("consult/statement/v1\n");
/** The founding statement of the installation: the one type whose chain is not named by a statement hash. */
export const ROOT = "chairs.root";

const TYPE = /^[a-z_]+(?:\.[a-z_]+)?$/;
const MEMBERS = ["body", "inst", "n", "nonce", "prev", "scope", "type", "up", "v"];
const MAX_N = 2 ** 31 - 1;

/** What is signed. `nonce` is 16 bytes in base64; names are lower-case hex. */
export interface Statement {
  readonly type: string;
  readonly inst: string | null;
  readonly scope: string | null;
  readonly n: number;
  readonly prev: string | null;
  readonly up: string | null;
  readonly nonce: string;
  readonly body: JsonObject;
}

export interface Signature {
  readonly card: string;
  /** 64 bytes */
  readonly signature: Bytes;
}

/** A statement with its hash and its signatures, sorted by card. */
export interface Signed {
  readonly statement: Statement;
  readonly signatures: readonly Signature[];
  readonly hash: string;
  /** the name of the chain it stands in, also for a founding statement */
  readonly scope: string;
}

export function newNonce(): string {
  return toBase64(randomBytes(16));
}

/** `inst`: SHA-256 over the canonical body of `chairs.root`. */
async function installationName(body: JsonObject): Promise<string> {
  return toHex(await sha256(canonical(body)));
}

/** The bytes which are hashed and signed. */
export function statementBytes(statement: Statement): Bytes {
  return concat(PREFIX, canonical(statementValue(statement)));
}

/** The statement with one signature. `card` null: a founding `account.card`, which is signed under its own hash. */
export async function signStatement(statement: Statement, by: { card: string | null; key: CryptoKey }): Promise<Signed> {
  const bare = await withSignatures(statement, []);
  return cosign(bare, { card: by.card ?? bare.hash, key: by.key });
}

/** The same statement with one more signature. */
export async function cosign(signed: Signed, by: { card: string; key: CryptoKey }): Promise<Signed> {
  const signature = await sign(by.key, statementBytes(signed.statement));
  return joined(signed, { card: by.card, signature });
}

/** The same statement with a signature made elsewhere, not yet verified. */
export function joined(signed: Signed, signature: Signature): Signed {
  if (signed.signatures.some(({ card }) => card === signature.card)) throw new Refusal("malformed", "signed already");
  const signatures = [...signed.signatures, signature].sort((left, right) => (left.card < right.card ? -1 : 1));
  return { ...signed, signatures };
}

/** @throws Refusal `bad_signature` unless `card` signed with this key */
export async function verifySignature(signed: Signed, by: { card: string; accountKey: Uint8Array }): Promise<void> {
  const found = signed.signatures.find(({ card }) => card === by.card);
  const message = statementBytes(signed.statement);
  if (found === undefined || !(await verify({ publicKey: by.accountKey, message, signature: found.signature }))) {
    throw new Refusal("bad_signature", "a statement's signature does not verify");
  }
}

/** The wire form. */
export function encodeSigned(signed: Signed): JsonObject {
  return { statement: statementValue(signed.statement), signatures: signed.signatures.map(encodeSignature) };
}

export function encodeSignature({ card, signature }: Signature): Json {
  return [card, toBase64(signature)];
}

/**
 * Reads the wire form strictly: every member present, none besides.
 * @throws Refusal `malformed`, `not_canonical`
 */
export async function parseSigned(value: unknown): Promise<Signed> {
  const found = value as Json;
  if (!isRecord(found) || !keysAre(found, ["signatures", "statement"])) throw malformed("not a signed statement");
  return withSignatures(parseStatement(found["statement"]), parseSignatures(found["signatures"]));
}

/** Reads one `[card, signature]`. */
function parseSignature(value: Json): Signature {
  if (!Array.isArray(value) || value.length !== 2) throw malformed("not a signature");
  const [card, signature] = value as readonly Json[];
  if (!isName(card) || typeof signature !== "string") throw malformed("not a signature");
  return { card, signature: fromBase64(signature, 64) };
}

/** 32 bytes in lower-case hex. */
export function isName(value: Json | undefined): value is string {
  return typeof value === "string" && HEX_32.test(value);
}

function statementValue(statement: Statement): JsonObject {
  const { type, inst, scope, n, prev, up, nonce, body } = statement;
  return { v: 1, type, inst, scope, n, prev, up, nonce, body };
}

async function withSignatures(statement: Statement, signatures: readonly Signature[]): Promise<Signed> {
  const hash = toHex(await sha256(statementBytes(statement)));
  const founded = statement.type === ROOT ? await installationName(statement.body) : hash;
  return { statement, signatures, hash, scope: statement.scope ?? founded };
}

function parseStatement(value: Json | undefined): Statement {
  if (!isRecord(value) || !keysAre(value, MEMBERS) || value["v"] !== 1) throw malformed("not a statement");
  const { type, inst, scope, n, prev, up, nonce, body } = value;
  if (typeof type !== "string" || !TYPE.test(type) || typeof nonce !== "string" || !isRecord(body)) throw malformed("not a statement");
  if (!isCount(n, 0) || n > MAX_N || !isNameOrNull(inst) || !isNameOrNull(scope) || !isNameOrNull(prev) || !isNameOrNull(up)) {
    throw malformed("not a statement");
  }
  fromBase64(nonce, 16);
  // A chain's first statement, and only it, has neither a scope nor a predecessor.
  if ((n === 0) !== (scope === null) || (n === 0) !== (prev === null)) throw malformed("not a place in a chain");
  return { type, inst, scope, n, prev, up, nonce, body };
}

function parseSignatures(value: Json | undefined): readonly Signature[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > 2) throw malformed("not signatures");
  const signatures = (value as readonly Json[]).map(parseSignature);
  const [first, second] = signatures;
  if (first !== undefined && second !== undefined && first.card >= second.card) throw malformed("signatures out of order");
  return signatures;
}

function isNameOrNull(value: Json | undefined): value is string | null {
  return value === null || isName(value);
}

function malformed(message: string): Refusal {
  return new Refusal("malformed", message);
}
