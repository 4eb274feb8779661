/** A host over HTTP which serves the record it is told to, honestly unless told otherwise, and counts what it is asked. */

import { createServer, type Server as Host } from "node:http";
import type { AddressInfo } from "node:net";

import type { Notice } from "../bridge.ts";
import { Server } from "../crypto/api.ts";
import { Context, type Self } from "../crypto/context.ts";
import { fromHex, toBase64 } from "../crypto/encoding.ts";
import { newDeviceKey } from "../crypto/newkeys.ts";
import type { RecordKeeper } from "../crypto/pin.ts";
import type { TestLog } from "./log.ts";
import { freshRows } from "./shelf.ts";

/** @returns JSON or text; undefined for 404, a number for that status */
export type Answer = (path: string) => unknown;

export class LogHost {
  log: TestLog;
  /** what it says in place of the truth, by the beginning of the path */
  readonly instead = new Map<string, Answer>();
  readonly asked: string[] = [];
  readonly notices: Notice[] = [];
  readonly #host: Host;

  private constructor(log: TestLog) {
    this.log = log;
    this.#host = createServer((request, response) => {
      const path = request.url ?? "";
      this.asked.push(path);
      void this.#answer(path).then((said) => {
        if (said === undefined || typeof said === "number") response.statusCode = said ?? 404;
        response.end(typeof said === "string" ? said : JSON.stringify(said ?? { error: "not_found" }));
      });
    });
  }

  static async serving(log: TestLog): Promise<LogHost> {
    const host = new LogHost(log);
    await new Promise<void>((listening) => host.#host.listen(0, "127.0.0.1", listening));
    return host;
  }

  /** A browser that has this record's key from `chairs.root`. */
  async keeper(): Promise<RecordKeeper> {
    const server = new Server("token", `http://127.0.0.1:${String((this.#host.address() as AddressInfo).port)}`);
    const context = new Context({ csrf: "token", card: null }, (notice) => this.notices.push(notice), server);
    const { rows } = await freshRows();
    const { privateKey, publicKey } = await newDeviceKey();
    const none = new Uint8Array(0);
    const names = { card: "c".repeat(64), party: "AUS", inst: "1".repeat(64), device: "d".repeat(64) };
    const self: Self = { ...names, deviceKey: publicKey, xwingSeed: none, xwingKey: none, accountSigner: privateKey, deviceSigner: privateKey, rows };
    return { context, self, key: this.log.vkey };
  }

  close(): void {
    this.#host.close();
    this.#host.closeAllConnections();
  }

  async #answer(path: string): Promise<unknown> {
    for (const [begins, answer] of this.instead) if (path.startsWith(begins)) return answer(path);
    if (path === "/log/checkpoint") return this.log.note();
    const event = /^\/api\/rooms\/[0-9a-f]+\/proof\?event=([0-9a-f]+)$/.exec(path)?.[1];
    if (event !== undefined) return this.log.proof(toBase64(fromHex(event)));
    const sizes = /^\/log\/consistency\/(\d+)\/(\d+)$/.exec(path);
    if (sizes === null || Number(sizes[1]) > Number(sizes[2]) || Number(sizes[2]) > this.log.leaves.length) return undefined;
    return { hashes: await this.log.consistency(Number(sizes[1]), Number(sizes[2])) };
  }
}
