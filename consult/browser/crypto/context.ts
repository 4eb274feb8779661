/** What every call works with: the server, this browser's store for the signed-in account, the lock over it, and the notices. */

import type { Alarm, Hex, Notice, PartyCode, StartSettings } from "../bridge.ts";
import { raiseAlarm, type Cause } from "./alarms.ts";
import { Server } from "./api.ts";
import { fromBase64, type Bytes } from "./encoding.ts";
import { Failure } from "./failure.ts";
import { Keystore, readJson, SealedRows, type Rows } from "./keystore.ts";

/** The row `account`: who this browser is. Seeds and keys in base64; the Ed25519 private keys lie beside, not in it. */
export interface AccountRow {
  readonly card: Hex;
  readonly party: PartyCode;
  /** the pinned installation; null for a chair before `chairs.root` */
  readonly inst: Hex | null;
  readonly device: Hex;
  /** the device's Ed25519 public key */
  readonly device_key: string;
  readonly account_key: string;
  readonly xwing_seed: string;
  readonly xwing_key: string;
}

export const ACCOUNT = "account";

/** The account in this browser, its secrets at hand. Never leaves the worker. */
export interface Self {
  readonly card: Hex;
  readonly party: PartyCode;
  readonly inst: Hex | null;
  readonly device: Hex;
  readonly deviceKey: Bytes;
  readonly xwingSeed: Bytes;
  readonly xwingKey: Bytes;
  readonly accountSigner: CryptoKey;
  readonly deviceSigner: CryptoKey;
  readonly rows: Rows;
}

interface Opened {
  readonly store: Keystore;
  readonly rows: Rows;
  readonly accountSigner: CryptoKey;
  readonly deviceSigner: CryptoKey;
}

export class Context {
  readonly server: Server;
  readonly settings: StartSettings;
  readonly #tell: (notice: Notice) => void;
  #card: Hex | null;
  #opened: Opened | undefined;
  #wake: ((room: Hex) => Promise<void>) | undefined;
  readonly #clocks = new Map<Hex, ReturnType<typeof setTimeout>>();
  #channel: BroadcastChannel | undefined;

  constructor(settings: StartSettings, tell: (notice: Notice) => void, server = new Server(settings.csrf)) {
    this.settings = settings;
    this.server = server;
    this.#tell = tell;
    this.#card = settings.card;
    this.#listen();
  }

  get card(): Hex | null {
    return this.#card;
  }

  /** From enrolment on this browser belongs to a card. */
  become(card: Hex): void {
    this.#card = card;
    this.#opened?.store.close();
    this.#opened = undefined;
    this.#listen();
  }

  /** @throws Failure `no_keys` if this browser keeps nothing for the signed-in account */
  async self(): Promise<Self> {
    const found = await this.selfOrNone();
    if (found === undefined) throw new Failure("no_keys", "no keys of this account are in this browser");
    return found;
  }

  async selfOrNone(): Promise<Self | undefined> {
    const opened = await this.#open();
    const row = opened === undefined ? undefined : await readJson<AccountRow>(opened.rows, ACCOUNT);
    if (opened === undefined || row === undefined) return undefined;
    const { card, party, inst, device } = row;
    const bytes = { deviceKey: fromBase64(row.device_key), xwingSeed: fromBase64(row.xwing_seed), xwingKey: fromBase64(row.xwing_key) };
    const { rows, accountSigner, deviceSigner } = opened;
    return { card, party, inst, device, ...bytes, rows, accountSigner, deviceSigner };
  }

  /** One state-changing call at a time in this browser, whatever the number of tabs. Never nested. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return navigator.locks.request(`consult-keys-${this.#card ?? "enrolment"}`, work);
  }

  /** To this tab's page and to every other tab of the account. */
  notify(notice: Notice): void {
    this.#tell(notice);
    this.#channel?.postMessage(notice);
  }

  /** What to do for a room that has asked to be looked at again. */
  onWake(wake: (room: Hex) => Promise<void>): void {
    this.#wake = wake;
  }

  /** Looks at the room again by itself, once, whatever the page does meanwhile. */
  wakeIn(room: Hex, milliseconds: number): void {
    if (this.#clocks.has(room)) return;
    const clock = setTimeout(() => {
      this.#clocks.delete(room);
      void this.#wake?.(room);
    }, milliseconds);
    this.#clocks.set(room, clock);
  }

  alarm(rows: Rows, cause: Cause): Promise<Alarm> {
    return raiseAlarm(
      rows,
      (notice) => {
        this.notify(notice);
      },
      cause,
    );
  }

  async #open(): Promise<Opened | undefined> {
    if (this.#card === null) return undefined;
    if (this.#opened?.store.closed === false) return this.#opened;
    const store = await Keystore.open(this.#card);
    if (store === undefined) return undefined;
    const [wrap, accountSigner, deviceSigner] = await Promise.all([store.key("wrap"), store.key("account"), store.key("device")]);
    if (wrap === undefined || accountSigner === undefined || deviceSigner === undefined) {
      store.close();
      return undefined;
    }
    this.#opened = { store, rows: new SealedRows(store, wrap), accountSigner, deviceSigner };
    return this.#opened;
  }

  #listen(): void {
    this.#channel?.close();
    if (this.#card === null) return;
    this.#channel = new BroadcastChannel(`consult-keys-${this.#card}`);
    this.#channel.onmessage = (event: MessageEvent<Notice>) => {
      this.#tell(event.data);
    };
  }
}
