/** Acts that need no keys go from the page itself to the server's JSON doors. */

import type { Progress } from "../bridge.ts";
import { CallFailure } from "../keys.ts";

/** @throws CallFailure with the server's code, or `offline` */
export async function send(method: "POST" | "DELETE", path: string, body?: Readonly<Record<string, string>>): Promise<Response> {
  const csrf = document.head.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
    body: JSON.stringify(body ?? {}),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
  }).catch(() => {
    throw new CallFailure({ code: "offline" });
  });
  if (!answer.ok) throw new CallFailure({ code: await codeIn(answer) });
  return answer;
}

async function codeIn(answer: Response): Promise<string> {
  const said: unknown = await answer.json().catch(() => null);
  return typeof said === "object" && said !== null && "error" in said && typeof said.error === "string" ? said.error : "failed";
}

/** The whole body, told as it comes. @throws CallFailure `offline` if the line breaks */
export async function received(answer: Response, progress: (progress: Progress) => void): Promise<Blob> {
  const total = Number(answer.headers.get("Content-Length") ?? 0);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  try {
    const reader = answer.body?.getReader();
    for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
      pieces.push(next.value);
      done += next.value.length;
      progress({ done, total: Math.max(total, done), unit: "bytes" });
    }
  } catch {
    throw new CallFailure({ code: "offline" });
  }
  if (done < total) throw new CallFailure({ code: "offline" });
  return new Blob(pieces);
}
