/** How the library is set up. Its own defaults accept every credential and let key packages last for ever. */

import { defaultKeyPackageEqualityConfig, defaultPaddingConfig, type Capabilities, type ClientConfig } from "ts-mls";

import { encodeIdentity, parseIdentity, type LeafIdentity } from "./credential.ts";
import { equal, plain } from "./encoding.ts";
import { MAX_LIFETIME } from "./mlswire.ts";
import { Refusal } from "./refusal.ts";
import type { ValidateCredential } from "./roomcrypto.ts";
import { SUITE_NAME } from "./suite.ts";

/** For calls where every leaf was judged before. */
export const EVERYBODY: ValidateCredential = () => Promise.resolve(true);

/** The library never sees a default of its own that would accept everybody: every call brings the caller's judgement. */
export function configFor(validate: ValidateCredential): ClientConfig {
  return {
    keyRetentionConfig: { retainKeysForGenerations: 64, retainKeysForEpochs: 1, maximumForwardRatchetSteps: 1000 },
    // On receipt lifetimes are not judged: a leaf's key package may be over long before the leaf is.
    lifetimeConfig: { maximumTotalLifetime: BigInt(MAX_LIFETIME), validateLifetimeOnReceive: false },
    paddingConfig: defaultPaddingConfig,
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    authService: {
      async validateCredential(credential, signaturePublicKey) {
        if (credential.credentialType !== "basic") throw new Refusal("credential_refused", "not a basic credential");
        const genuine = await validate(parseIdentity(credential.identity), plain(signaturePublicKey.slice()));
        if (!genuine) throw new Refusal("credential_refused", "the key is not the one its device was added with");
        return true;
      },
    },
  };
}

/** For one external join only: with such a rule left in place nobody could have a second device. */
export function replacing(config: ClientConfig, replaces: LeafIdentity | null): ClientConfig {
  if (replaces === null) return config;
  const stale = encodeIdentity(replaces);
  return {
    ...config,
    keyPackageEqualityConfig: {
      ...config.keyPackageEqualityConfig,
      compareKeyPackageToLeafNode: (_, { credential }) => credential.credentialType === "basic" && equal(credential.identity, stale),
    },
  };
}

export function capabilities(): Capabilities {
  return { versions: ["mls10"], ciphersuites: [SUITE_NAME], extensions: [], proposals: [], credentials: ["basic"] };
}
