/** Sealed texts: a consultation's brief and the reason of a return or withdrawal. Checked against what was signed before it is shown. */

import type { BriefText, Hex, SealedText } from "../bridge.ts";
import type { Server } from "./api.ts";
import { openText, sealText } from "./brief.ts";
import type { Json } from "./canonical.ts";
import type { Self } from "./context.ts";
import { fromBase64, toBase64, type Bytes } from "./encoding.ts";
import { Failure, hasCode } from "./failure.ts";
import { unwrap, wrap } from "./hpke.ts";
import { jsonRow, readJson } from "./keystore.ts";
import { bytes, members, orNull } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { isRecord, keysAre } from "./shape.ts";

/** How a statement names a sealed text. */
export interface TextName {
  readonly sha256: Hex;
  /** 32 bytes, base64 */
  readonly commitment: string;
}

export interface Wrapped {
  readonly [key: string]: string;
  readonly card: Hex;
  readonly box: string;
}

/** A card and its X-Wing key, as its own statement says. */
export interface Recipient {
  readonly card: Hex;
  readonly xwingKey: Uint8Array;
}

export interface MadeText {
  readonly name: TextName;
  readonly ciphertext: string;
  readonly wraps: readonly Wrapped[];
}

interface Kept {
  readonly key: string;
  readonly ciphertext: string;
}

/** Seals a text and keeps its key: whoever sealed it may have to wrap it again for others. */
export async function makeText(self: Self, value: Json, recipients: readonly Recipient[]): Promise<MadeText> {
  const sealed = await sealText(value);
  const kept: Kept = { key: toBase64(sealed.key), ciphertext: toBase64(sealed.ciphertext) };
  await self.rows.write([jsonRow(path(sealed.sha256), kept)]);
  const name = { sha256: sealed.sha256, commitment: toBase64(sealed.commitment) };
  return { name, ciphertext: kept.ciphertext, wraps: await wrapKey(sealed.key, recipients) };
}

export async function wrapKey(key: Uint8Array, recipients: readonly Recipient[]): Promise<readonly Wrapped[]> {
  return Promise.all(
    recipients.map(async ({ card, xwingKey }) => ({ card, box: toBase64(await wrap({ publicKey: xwingKey, purpose: "brief", plaintext: key })) })),
  );
}

/**
 * The key of a text, after the text was opened with it and found to be the one that was signed.
 * @throws Failure `brief_not_here`, `brief_altered`
 */
export async function textKey(self: Self, server: Server, name: TextName): Promise<Bytes> {
  return (await load(self, server, name)).key;
}

/** A text as a page may show it. */
export async function readText<T>(self: Self, server: Server, name: TextName, read: (value: Json) => T): Promise<SealedText<T>> {
  try {
    return { kind: "open", text: read((await load(self, server, name)).value) };
  } catch (error) {
    if (hasCode(error, "brief_not_here")) return { kind: "closed", cause: "brief_not_here" };
    if (hasCode(error, "brief_altered") || hasCode(error, "malformed")) return { kind: "closed", cause: "brief_altered" };
    throw error;
  }
}

async function load(self: Self, server: Server, name: TextName): Promise<{ key: Bytes; value: Json }> {
  const kept = (await readJson<Kept>(self.rows, path(name.sha256))) ?? (await fetchText(self, server, name));
  const key = fromBase64(kept.key);
  const value = await opened(key, kept.ciphertext, name);
  await self.rows.write([jsonRow(path(name.sha256), kept)]);
  return { key, value };
}

async function fetchText(self: Self, server: Server, name: TextName): Promise<Kept> {
  const answer = members(await server.get(`/api/sealed/${name.sha256}`));
  const box = orNull(answer["box"], bytes);
  if (box === null) throw new Failure("brief_not_here", "nobody has wrapped the text for this card yet");
  const key = await altered(unwrap({ seed: self.xwingSeed, purpose: "brief", box }));
  return { key: toBase64(key), ciphertext: toBase64(bytes(answer["ciphertext"])) };
}

function opened(key: Uint8Array, ciphertext: string, name: TextName): Promise<Json> {
  const { sha256, commitment } = name;
  return altered(openText({ key, ciphertext: fromBase64(ciphertext), sha256, commitment: fromBase64(commitment, 32) }));
}

/** Whatever does not match the signed name is one thing for a reader: the text was altered. */
async function altered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal) throw new Failure("brief_altered", error.message, {}, { cause: error });
    throw error;
  }
}

function path(sha256: Hex): string {
  return `text/${sha256}`;
}

export function briefJson(brief: BriefText): Json {
  return { subject: brief.subject, situation: brief.situation, agenda: brief.agenda };
}

/** @throws Refusal `malformed` */
export function readBrief(value: Json): BriefText {
  if (!isRecord(value) || !keysAre(value, ["agenda", "situation", "subject"])) throw new Refusal("malformed", "not a brief");
  const { subject, situation, agenda } = value as { subject?: Json; situation?: Json; agenda?: Json };
  if (!Array.isArray(agenda)) throw new Refusal("malformed", "not an agenda");
  return { subject: words(subject), situation: words(situation), agenda: (agenda as readonly Json[]).map(words) };
}

/** @throws Refusal `malformed` */
export function readReason(value: Json): string {
  if (!isRecord(value) || !keysAre(value, ["reason"])) throw new Refusal("malformed", "not a reason");
  return words(value["reason"]);
}

function words(value: Json | undefined): string {
  if (typeof value !== "string") throw new Refusal("malformed", "not text");
  return value;
}
