import { Aes256Gcm, CipherSuite, HkdfSha512 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import type { CiphersuiteImpl } from "ts-mls";
import { getCiphersuiteFromName } from "ts-mls/crypto/ciphersuite.js";
import { makeHashImpl } from "ts-mls/crypto/implementation/default/makeHashImpl.js";
import { makeKdfImpl } from "ts-mls/crypto/implementation/default/makeKdfImpl.js";
import { defaultRng } from "ts-mls/crypto/implementation/default/rng.js";
import { makeGenericHpke } from "ts-mls/crypto/implementation/hpke.js";

import { decrypt, encrypt } from "./aead.ts";
import { sign, verify } from "./ed25519.ts";
import { concat, plain, sha256, toHex, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

/** Our only suite: X-Wing (ML-KEM-768 + X25519), AES-256-GCM, SHA-512, Ed25519; number 0xF00D (private use) by patch P5. */
export const SUITE_NAME = "MLS_256_XWING_AES256GCM_SHA512_Ed25519";
export const SUITE_NUMBER = 0xf00d;

/** What the library holds in place of a private signature key: 8 bytes derived from the public key, so that it survives a reload. */
export async function signerHandle(publicKey: Uint8Array): Promise<Bytes> {
  return (await sha256(concat(utf8("consult/signer/v1\n"), publicKey))).slice(0, 8);
}

interface Signer {
  readonly privateKey: CryptoKey;
  readonly publicKey: Bytes;
}

/**
 * The device keys of this worker. They are non-extractable, so the library, which wants key bytes, is given a handle instead.
 * After a reload the same keys must be registered before a stored state can sign.
 */
export class SignerRegistry {
  readonly #signers = new Map<string, Signer>();

  register(handle: Uint8Array, privateKey: CryptoKey, publicKey: Uint8Array): void {
    if (handle.length !== 8) throw new RangeError("a signer's handle has 8 bytes");
    this.#signers.set(toHex(handle), { privateKey, publicKey: plain(publicKey.slice()) });
  }

  forget(handle: Uint8Array): void {
    this.#signers.delete(toHex(handle));
  }

  publicKey(handle: Uint8Array): Bytes {
    return this.#find(handle).publicKey;
  }

  sign(handle: Uint8Array, message: Uint8Array): Promise<Bytes> {
    return sign(this.#find(handle).privateKey, message);
  }

  #find(handle: Uint8Array): Signer {
    const signer = this.#signers.get(toHex(handle));
    if (signer === undefined) throw new Refusal("unknown_signer", "no device key is registered under this handle");
    return signer;
  }
}

/** The ciphersuite as the library wants it, with our AEAD, our strict Ed25519 and signing by handle. */
export async function makeSuite(signers: SignerRegistry): Promise<CiphersuiteImpl> {
  const { hpke } = getCiphersuiteFromName(SUITE_NAME);
  const aead = {
    encrypt: (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => encrypt({ key, nonce, aad }, plaintext),
    decrypt: (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array) => decrypt({ key, nonce, aad }, ciphertext),
  };
  const kdf = new HkdfSha512();
  return {
    name: SUITE_NAME,
    hpke: await makeGenericHpke(hpke, aead, new CipherSuite({ kem: new XWing(), kdf: new HkdfSha512(), aead: new Aes256Gcm() })),
    kdf: makeKdfImpl(kdf),
    hash: makeHashImpl(crypto.subtle, "SHA-512"),
    rng: defaultRng,
    signature: {
      sign: (handle, message) => signers.sign(handle, message),
      verify: (publicKey, message, signature) => verify({ publicKey, message, signature }),
      keygen: () => Promise.reject(new Refusal("unknown_signer", "device keys are made by the key store, not by the library")),
    },
  };
}
