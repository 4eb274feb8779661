import type { Hex } from "../bridge.ts";
import type { Bytes } from "./encoding.ts";
import { makeRoomCrypto } from "./mls.ts";
import type { RoomCrypto } from "./roomcrypto.ts";
import { signerHandle, SignerRegistry } from "./suite.ts";

/** The room machinery of this worker, and the handle under which it signs for our device. */
export interface Engine {
  readonly rooms: RoomCrypto;
  readonly signer: Bytes;
}

export interface DeviceKeys {
  readonly device?: Hex;
  readonly deviceKey: Uint8Array;
  readonly deviceSigner: CryptoKey;
}

const registry = new SignerRegistry();
let rooms: Promise<RoomCrypto> | undefined;

/** The device's key is registered before the library needs it; the library itself only ever sees the handle. */
export async function engineFor(keys: DeviceKeys): Promise<Engine> {
  rooms ??= makeRoomCrypto(registry);
  const signer = await signerHandle(keys.deviceKey);
  registry.register(signer, keys.deviceSigner, keys.deviceKey);
  return { rooms: await rooms, signer };
}
