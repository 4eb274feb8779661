/** Papers on their way up or down, beside the room's queue: a long paper must not hold up a short message. */

import type { Entry, Hex, Progress } from "../bridge.ts";
import { codeOf, type Keys } from "../keys.ts";
import type { Model } from "./model.ts";

const maximum = 50 * 1024 * 1024;

type Work<T> = (signal: AbortSignal, progress: (progress: Progress) => void) => Promise<T>;

export class Transfers {
  readonly #keys: Keys;
  readonly #room: Hex;
  readonly #model: Model;
  readonly #changed: () => void;

  constructor(options: { keys: Keys; room: Hex; model: Model; changed: () => void }) {
    this.#keys = options.keys;
    this.#room = options.room;
    this.#model = options.model;
    this.#changed = options.changed;
  }

  /** @returns whether the paper's message now waits to be sent */
  async attach(file: File): Promise<boolean> {
    if (file.size > maximum) {
      this.#fail("too_large");
      return false;
    }
    const replyTo = this.#model.replyTo;
    this.#model.replyTo = null;
    const work: Work<{ readonly id: Hex }> = (signal, progress) =>
      this.#keys.call("paperSend", { room: this.#room, file, replyTo }, { signal, progress });
    return (await this.#follow({ id: `up-${file.name}-${file.size}`, name: file.name, direction: "up", work })) !== undefined;
  }

  async open(entry: Extract<Entry, { kind: "paper" }>): Promise<Blob | undefined> {
    const work: Work<{ readonly blob: Blob }> = (signal, progress) =>
      this.#keys.call("paperOpen", { room: this.#room, id: entry.id }, { signal, progress });
    return (await this.#follow({ id: entry.id, name: entry.paper.name, direction: "down", work }))?.blob;
  }

  /** Shows how far it has come, and lets it be stopped. */
  async #follow<T>(options: { id: string; name: string; direction: "up" | "down"; work: Work<T> }): Promise<T | undefined> {
    const { id, name, direction } = options;
    if (this.#model.transfers.has(id)) return undefined;
    const aborter = new AbortController();
    const show = (progress: Progress | null): void => {
      this.#model.transfers = new Map(this.#model.transfers).set(id, { name, direction, progress, cancel: () => aborter.abort() });
      this.#changed();
    };
    show(null);
    try {
      return await options.work(aborter.signal, show);
    } catch (error: unknown) {
      if (codeOf(error) !== "cancelled") this.#fail(codeOf(error));
      return undefined;
    } finally {
      const left = new Map(this.#model.transfers);
      left.delete(id);
      this.#model.transfers = left;
      this.#changed();
    }
  }

  #fail(code: string): void {
    this.#model.said = code;
    this.#changed();
  }
}
