/**
 * The page's side of the key worker: one worker per tab, opened once, asked by name through the closed table of bridge.ts.
 * A page may ask the keys and never holds them.
 */

import type { ArgsOf, CallError, CallName, FromWorker, Notice, Progress, ResultOf, ToWorker } from "./bridge.ts";

/** A failed call, as an Error so that it can be thrown; `code` decides what a page says. */
export class CallFailure extends Error implements CallError {
  readonly code: string;
  readonly about: Readonly<Record<string, string | number>>;

  constructor(error: CallError) {
    super(error.message ?? error.code);
    this.name = "CallFailure";
    this.code = error.code;
    this.about = error.about ?? {};
  }
}

export interface CallOptions {
  /** told how far the call has come */
  readonly progress?: (progress: Progress) => void;
  /** aborting it cancels the call, which then rejects with `cancelled` */
  readonly signal?: AbortSignal;
}

export interface Keys {
  call<Name extends CallName>(name: Name, args: ArgsOf<Name>, options?: CallOptions): Promise<ResultOf<Name>>;
  /** @returns a function which ends the subscription */
  onNotice(listener: (notice: Notice) => void): () => void;
}

/** The code of any error a call can throw; `failed` for what is none of ours. */
export function codeOf(error: unknown): string {
  return error instanceof CallFailure ? error.code : "failed";
}

let opened: Promise<Keys> | undefined;

/**
 * The tab's key worker; the same one for every caller. Reads `csrf-token`, `consult-worker` and `consult-card` from the page's head.
 * @throws CallFailure `browser_too_old` where the browser has no workers, IndexedDB or Web Locks
 */
export function openKeys(): Promise<Keys> {
  opened ??= start().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CallFailure) => void;
  readonly progress: ((progress: Progress) => void) | undefined;
}

class KeyClient implements Keys {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(notice: Notice) => void>();
  #last = 0;
  #dead: CallFailure | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => {
      this.#receive(event.data);
    });
    worker.addEventListener("error", (event) => {
      this.#fail(new CallFailure({ code: "failed", message: `the key worker stopped: ${event.message}` }));
    });
  }

  call<Name extends CallName>(name: Name, args: ArgsOf<Name>, options: CallOptions = {}): Promise<ResultOf<Name>> {
    const { signal, progress } = options;
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    if (signal?.aborted === true) return Promise.reject(new CallFailure({ code: "cancelled" }));
    this.#last += 1;
    const id = this.#last;
    const cancel = (): void => {
      this.post({ kind: "cancel", id });
    };
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, progress });
      this.post({ kind: "call", id, name, args });
    });
    signal?.addEventListener("abort", cancel, { once: true });
    // The table says what each name answers; both sides are compiled against it.
    return answer.finally(() => signal?.removeEventListener("abort", cancel)) as Promise<ResultOf<Name>>;
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.kind === "notice") {
      for (const listener of this.#listeners) listener(message.notice);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if (message.kind === "progress") {
      waiting.progress?.(message.progress);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.kind === "result") waiting.resolve(message.result);
    else waiting.reject(new CallFailure(message.error));
  }

  #fail(error: CallFailure): void {
    this.#dead = error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

function start(): Promise<Keys> {
  if (typeof Worker === "undefined" || typeof indexedDB === "undefined" || !("locks" in navigator)) {
    return Promise.reject(new CallFailure({ code: "browser_too_old" }));
  }
  const client = new KeyClient(new Worker(workerAddress() as string, { type: "module", name: "consult-keys" }));
  client.post({ kind: "start", settings: { csrf: fromHead("csrf-token"), card: fromHead("consult-card") || null } });
  // Asked from the page because browsers answer it there without a question; the worker reports the outcome in `status`.
  void navigator.storage.persist().catch(() => false);
  return Promise.resolve(client);
}

function fromHead(name: string): string {
  return document.head.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
}

interface ScriptPolicy {
  createScriptURL(url: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): ScriptPolicy;
}

/** One named Trusted Types policy which lets through one address: the worker the page's head names. */
function workerAddress(): unknown {
  const address = fromHead("consult-worker");
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  if (factory === undefined) return address;
  const policy = factory.createPolicy("consult", {
    createScriptURL: (url) => {
      if (url !== address || new URL(url, location.href).origin !== location.origin) throw new TypeError("not the key worker");
      return url;
    },
  });
  return policy.createScriptURL(address);
}
