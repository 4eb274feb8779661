/** Events a device signs for the record (docs/protocol.md, section 8). Twin: secure/log/encoding.py. */

import { canonical } from "./canonical.ts";
import { sign } from "./ed25519.ts";
import { concat, fromBase64, randomBytes, sha256, toBase64, toHex, utf8, type Bytes } from "./encoding.ts";
import type { AuthorPlace } from "./outbox.ts";

/** A tree size and its root, base64: what this device has seen of the record. */
export type Seen = readonly [size: number, root: string];

export interface MessageSent {
  /** header || box, as they lie at the server */
  readonly sealed: Uint8Array;
  readonly epoch: number;
  /** the message's id */
  readonly id: string;
}

/** The `message.sent` event: hash and length of what was sealed, nothing of what it says. */
export async function signMessageSent(options: {
  message: MessageSent;
  author: AuthorPlace;
  seen: Seen;
  signer: CryptoKey;
  publicKey: Uint8Array;
  at: number;
}): Promise<{ event: Bytes; eventHash: string }> {
  const { message, author, seen } = options;
  const kid = toBase64(await sha256(concat(utf8("consult/kid/v1\n"), fromBase64(author.salt), options.publicKey)));
  const data = { ct_sha256: toHex(await sha256(message.sealed)), ct_len: message.sealed.length, epoch: message.epoch, seq_id: message.id };
  const unsigned = { kid, dseq: author.dseq, dprev: author.dprev, seen };
  const body = { v: 1, id: toBase64(randomBytes(16)), ns: author.ns, type: "message.sent", src: "client", at: options.at, data };
  const sig = toBase64(await sign(options.signer, concat(utf8("consult/event/v1\n"), canonical({ ...body, author: unsigned }))));
  const event = canonical({ ...body, author: { ...unsigned, sig } });
  return { event, eventHash: toBase64(await sha256(event)) };
}

