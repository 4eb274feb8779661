/**
 * What this browser keeps for one account. Rows are bytes sealed under a wrapping key which no script can take out; the wrapping key
 * and the Ed25519 keys are non-extractable CryptoKeys beside them. IndexedDB is the one truth, so several tabs may work on it.
 */

import { decryptWith, encryptWith } from "./rowseal.ts";
import { fromUtf8, utf8, type Bytes } from "./encoding.ts";
import { Failure } from "./failure.ts";

export interface Change {
  readonly path: string;
  /** null takes the row away */
  readonly value: Uint8Array | null;
}

/** Rows by path. `write` is all or nothing, and durable when it resolves. */
export interface Rows {
  read(path: string): Promise<Bytes | undefined>;
  /** every row whose path begins so, in order of path */
  list(prefix: string): Promise<ReadonlyMap<string, Bytes>>;
  write(changes: readonly Change[]): Promise<void>;
}

/** Where sealed rows lie: IndexedDB in a browser. It sees paths and sizes, never contents. */
export interface Shelf {
  get(path: string): Promise<Bytes | undefined>;
  list(prefix: string): Promise<ReadonlyMap<string, Bytes>>;
  apply(changes: readonly Change[]): Promise<void>;
}

export type KeyName = "wrap" | "account" | "device";

export function makeWrappingKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** Rows sealed under the wrapping key; each is bound to its path, so rows cannot be exchanged below us. */
export class SealedRows implements Rows {
  readonly #shelf: Shelf;
  readonly #key: CryptoKey;

  constructor(shelf: Shelf, key: CryptoKey) {
    this.#shelf = shelf;
    this.#key = key;
  }

  async read(path: string): Promise<Bytes | undefined> {
    const sealed = await this.#shelf.get(path);
    return sealed === undefined ? undefined : decryptWith(this.#key, path, sealed);
  }

  async list(prefix: string): Promise<ReadonlyMap<string, Bytes>> {
    const sealed = [...(await this.#shelf.list(prefix))];
    return new Map(await Promise.all(sealed.map(async ([path, box]) => [path, await decryptWith(this.#key, path, box)] as const)));
  }

  async write(changes: readonly Change[]): Promise<void> {
    // Sealed first: an IndexedDB transaction ends by itself while something else is awaited.
    const seal = async ({ path, value }: Change): Promise<Change> => ({
      path,
      value: value === null ? null : await encryptWith(this.#key, path, value),
    });
    await this.#shelf.apply(await Promise.all(changes.map(seal)));
  }
}

export function jsonRow(path: string, value: unknown): Change {
  return { path, value: utf8(JSON.stringify(value)) };
}

export function noRow(path: string): Change {
  return { path, value: null };
}

/** A row we wrote ourselves with `jsonRow`; the seal says that it is still that one. */
export async function readJson<T>(rows: Rows, path: string): Promise<T | undefined> {
  const bytes = await rows.read(path);
  return bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as T);
}

export async function listJson<T>(rows: Rows, prefix: string): Promise<ReadonlyMap<string, T>> {
  const found = await rows.list(prefix);
  return new Map([...found].map(([path, bytes]) => [path, JSON.parse(fromUtf8(bytes)) as T] as const));
}

const ROWS = "rows";
const KEYS = "keys";

/** One account's database in this browser. */
export class Keystore implements Shelf {
  readonly #database: IDBDatabase;
  #closed = false;

  private constructor(database: IDBDatabase) {
    this.#database = database;
    // Another tab that restores or forgets the account must not wait for us for ever.
    database.onversionchange = () => {
      this.close();
    };
  }

  /** closed by us, or because another tab made the store anew */
  get closed(): boolean {
    return this.#closed;
  }

  /** @returns undefined if this browser keeps nothing for the card */
  static async open(card: string): Promise<Keystore | undefined> {
    const database = await openDatabase(card, false);
    return database === undefined ? undefined : new Keystore(database);
  }

  static async create(card: string): Promise<Keystore> {
    const database = await openDatabase(card, true);
    if (database === undefined) throw new Failure("browser_too_old", "IndexedDB refused to make a database");
    return new Keystore(database);
  }

  async key(name: KeyName): Promise<CryptoKey | undefined> {
    const found: unknown = await answer(this.#store(KEYS, "readonly").get(name));
    return found instanceof CryptoKey ? found : undefined;
  }

  async putKeys(keys: Readonly<Partial<Record<KeyName, CryptoKey>>>): Promise<void> {
    const store = this.#store(KEYS, "readwrite");
    for (const [name, key] of Object.entries(keys)) store.put(key, name);
    await ended(store.transaction);
  }

  async get(path: string): Promise<Bytes | undefined> {
    return (await answer(this.#store(ROWS, "readonly").get(path))) as Bytes | undefined;
  }

  async list(prefix: string): Promise<ReadonlyMap<string, Bytes>> {
    const store = this.#store(ROWS, "readonly");
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const [paths, values] = await Promise.all([answer(store.getAllKeys(range)), answer(store.getAll(range))]);
    return new Map(paths.map((path, index) => [path as string, values[index] as Bytes] as const));
  }

  async apply(changes: readonly Change[]): Promise<void> {
    const store = this.#store(ROWS, "readwrite");
    for (const { path, value } of changes) {
      if (value === null) store.delete(path);
      else store.put(value, path);
    }
    await ended(store.transaction);
  }

  close(): void {
    this.#closed = true;
    this.#database.close();
  }

  #store(name: string, mode: IDBTransactionMode): IDBObjectStore {
    return this.#database.transaction(name, mode, { durability: mode === "readwrite" ? "strict" : "default" }).objectStore(name);
  }
}

function databaseName(card: string): string {
  return `consult-keys-${card}`;
}

export async function forgetKeystore(card: string): Promise<void> {
  await answer(indexedDB.deleteDatabase(databaseName(card)));
}

function openDatabase(card: string, create: boolean): Promise<IDBDatabase | undefined> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName(card), 1);
    request.onupgradeneeded = () => {
      if (!create) {
        request.transaction?.abort();
        return;
      }
      request.result.createObjectStore(ROWS);
      request.result.createObjectStore(KEYS);
    };
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      if (!create && request.error?.name === "AbortError") resolve(undefined);
      else reject(new Failure("browser_too_old", `IndexedDB: ${request.error?.message ?? "refused"}`));
    };
  });
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("IndexedDB refused"));
    };
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onabort = () => {
      reject(transaction.error ?? new Error("IndexedDB gave up a transaction"));
    };
  });
}
