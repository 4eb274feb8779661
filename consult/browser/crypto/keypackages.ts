/** Key packages: what others need to add this device while it is away. The private halves stay in the store, one row each. */

import type { Server } from "./api.ts";
import type { Hex } from "../bridge.ts";
import type { Self } from "./context.ts";
import { toBase64 } from "./encoding.ts";
import { engineFor, type DeviceKeys } from "./engine.ts";
import { jsonRow, noRow, type Change, type Rows } from "./keystore.ts";
import { count, flag, members } from "./reading.ts";

/** As many as the server keeps for one device, and when to refill. */
const FULL = 20;
const LOW = 10;
const LIFETIME_S = 28 * 24 * 3600;
/** Clocks of others may be behind ours. */
const EARLIER_S = 24 * 3600;
const PREFIX = "keypackage/";

export interface MadeKeyPackages {
  /** base64, for the server */
  readonly published: readonly string[];
  readonly changes: readonly Change[];
}

export async function makeKeyPackages(owner: DeviceKeys & { readonly card: Hex; readonly device: Hex }, howMany: number): Promise<MadeKeyPackages> {
  const { rooms, signer } = await engineFor(owner);
  const now = Math.floor(Date.now() / 1000);
  const published: string[] = [];
  const changes: Change[] = [];
  for (let made = 0; made < howMany; made += 1) {
    const keyPackage = await rooms.makeKeyPackage({
      identity: { card: owner.card, device: owner.device },
      signer,
      notBefore: now - EARLIER_S,
      notAfter: now + LIFETIME_S,
    });
    published.push(toBase64(keyPackage.publicBytes));
    changes.push({ path: PREFIX + keyPackage.ref, value: keyPackage.privateBytes });
  }
  return { published, changes };
}

/** Private halves by ref, for a join. */
export async function storedKeyPackages(rows: Rows): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = await rows.list(PREFIX);
  return new Map([...found].map(([path, bytes]) => [path.slice(PREFIX.length), bytes] as const));
}

/** The last-resort package may be named again; every other is gone once used. */
export async function usedKeyPackage(rows: Rows, ref: string): Promise<readonly Change[]> {
  const lastResort = await rows.read(`lastresort/${ref}`);
  return lastResort === undefined ? [noRow(PREFIX + ref)] : [];
}

export function lastResortRow(changes: readonly Change[]): readonly Change[] {
  return changes.map(({ path }) => jsonRow(`lastresort/${path.slice(PREFIX.length)}`, true));
}

/** Tops up what the server holds. The private halves are stored before the public ones leave. @returns how many lie ready */
export async function refill(self: Self, server: Server): Promise<number> {
  const door = `/api/devices/${self.device}/key-packages`;
  const held = members(await server.get(door));
  const ready = count(held["count"]);
  const lastResort = flag(held["last_resort"]);
  if (ready >= LOW && lastResort) return ready;
  const fresh = await makeKeyPackages(self, ready < LOW ? FULL - ready : 0);
  const spare = lastResort ? undefined : await makeKeyPackages(self, 1);
  await self.rows.write([...fresh.changes, ...(spare?.changes ?? []), ...lastResortRow(spare?.changes ?? [])]);
  const body = { key_packages: fresh.published, last_resort: spare?.published[0] ?? null };
  return count(members(await server.post(door, body))["count"]);
}
