import { concat, fromHex, toHex, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

/** Who a leaf of the group stands for: a device of an account, both by the hash of their founding statement (hex). */
export interface LeafIdentity {
  readonly card: string;
  readonly device: string;
}

const LENGTH = 64;

/** The identity bytes of an MLS basic credential: card hash (32) || statement hash of `device.add` (32). */
export function encodeIdentity(identity: LeafIdentity): Bytes {
  return concat(fromHex(identity.card, 32), fromHex(identity.device, 32));
}

/** @throws Refusal `malformed` unless it is exactly 64 bytes */
export function parseIdentity(bytes: Uint8Array): LeafIdentity {
  if (bytes.length !== LENGTH) throw new Refusal("malformed", `an identity has ${LENGTH} bytes, not ${bytes.length}`);
  return { card: toHex(bytes.subarray(0, 32)), device: toHex(bytes.subarray(32)) };
}

export function sameIdentity(left: LeafIdentity, right: LeafIdentity): boolean {
  return left.card === right.card && left.device === right.device;
}
