/** A shelf in memory: what IndexedDB is to the key store, for tests outside a browser. */

import type { Bytes } from "../crypto/encoding.ts";
import { makeWrappingKey, SealedRows, type Change, type Shelf } from "../crypto/keystore.ts";

export class MapShelf implements Shelf {
  readonly rows = new Map<string, Bytes>();

  get(path: string): Promise<Bytes | undefined> {
    return Promise.resolve(this.rows.get(path));
  }

  list(prefix: string): Promise<ReadonlyMap<string, Bytes>> {
    const found = [...this.rows].filter(([path]) => path.startsWith(prefix)).sort(([left], [right]) => (left < right ? -1 : 1));
    return Promise.resolve(new Map(found));
  }

  apply(changes: readonly Change[]): Promise<void> {
    for (const { path, value } of changes) {
      if (value === null) this.rows.delete(path);
      else this.rows.set(path, Uint8Array.from(value));
    }
    return Promise.resolve();
  }
}

export async function freshRows(): Promise<{ shelf: MapShelf; rows: SealedRows }> {
  const shelf = new MapShelf();
  return { shelf, rows: new SealedRows(shelf, await makeWrappingKey()) };
}
