/** The key worker: receives calls of the closed table, one function each, and answers. Nothing else listens here. */

import type { CallControl, CallName, CallTable, FromWorker, StartSettings, ToWorker } from "../bridge.ts";
import { Context } from "./context.ts";
import { describe, Failure } from "./failure.ts";
import { callTable } from "./table.ts";

declare const self: DedicatedWorkerGlobalScope;

type AnyCall = (args: unknown, control: CallControl) => Promise<unknown>;

const running = new Map<number, AbortController>();
let table: CallTable | undefined;

function post(message: FromWorker): void {
  self.postMessage(message);
}

function start(settings: StartSettings): void {
  const context = new Context(settings, (notice) => {
    post({ kind: "notice", notice });
  });
  table = callTable(context);
}

async function answer(id: number, name: CallName, args: unknown): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  const control: CallControl = {
    signal: abort.signal,
    progress: (progress) => {
      post({ kind: "progress", id, progress });
    },
  };
  try {
    if (table === undefined || !Object.hasOwn(table, name)) throw new Failure("not_due", "no such call, or not started");
    // Both sides are compiled against the same table, so the arguments are those of this name.
    const call = table[name] as AnyCall;
    post({ kind: "result", id, result: await call(args, control) });
  } catch (error) {
    post({ kind: "failed", id, error: describe(error) });
  } finally {
    running.delete(id);
  }
}

self.addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.kind === "start") start(message.settings);
  else if (message.kind === "cancel") running.get(message.id)?.abort();
  else void answer(message.id, message.name, message.args);
});
