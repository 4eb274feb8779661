/** An entry's proof, computed again in this browser rather than believed: leaf → root → signed checkpoint. */

export interface Inclusion {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
  /** the signed note (C2SP tlog-checkpoint): origin, size, root, blank line, signature lines */
  readonly note: string;
}

/** Leaf → root by RFC 9162, 2.1.3.2; size and root must be those of the checkpoint. */
export async function provesInclusion(proof: Inclusion): Promise<boolean> {
  const [, size, root] = proof.note.split("\n");
  if (size !== String(proof.size) || root === undefined) return false;
  const computed = await rootOf(proof);
  return computed !== null && same(computed, bytes(root));
}

async function rootOf(proof: Inclusion): Promise<Uint8Array | null> {
  let place = proof.index;
  let last = proof.size - 1;
  if (!Number.isSafeInteger(place) || !Number.isSafeInteger(last) || place < 0 || place > last) return null;
  let hash = await sha256(Uint8Array.of(0), proof.leaf);
  for (const sibling of proof.path) {
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (place % 2 === 0 && place !== 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
}

/**
 * Whether the note carries this verifier's Ed25519 signature.
 * @param vkey `name+id+base64(0x01, key)`, as `chairs.root` pins it
 */
export async function signedBy(note: string, vkey: string): Promise<boolean> {
  const [name, id, ...rest] = vkey.split("+");
  const key = bytes(rest.join("+"));
  const end = note.indexOf("\n\n");
  if (name === undefined || id === undefined || key.length !== 33 || key[0] !== 1 || end < 0) return false;
  const text = new TextEncoder().encode(note.slice(0, end + 1));
  const verifier = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
  for (const line of note.slice(end + 2).split("\n")) {
    const [mark, by, signature] = line.split(" ");
    if (mark !== "—" || by !== name || signature === undefined) continue;
    const signed = bytes(signature);
    if (signed.length === 68 && hex(signed.slice(0, 4)) === id && (await crypto.subtle.verify("Ed25519", verifier, signed.slice(4), text))) return true;
  }
  return false;
}

/** @throws DOMException if it is not base64 */
export function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function hex(octets: Uint8Array): string {
  return [...octets].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sha256(...pieces: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}
