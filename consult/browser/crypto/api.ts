import type { Json } from "./canonical.ts";
import { plain, type Bytes } from "./encoding.ts";
import { Failure, ServerRefusal } from "./failure.ts";

/** Longer than any answer takes; a lock of ours must never wait on a dead connection for ever. */
const PATIENCE_MS = 30_000;

/** The installation's HTTP doors (docs/protocol.md, section 5), with the session's cookie and the page's CSRF token. */
export class Server {
  readonly #csrf: string;
  readonly #base: string;

  constructor(csrf: string, base = "") {
    this.#csrf = csrf;
    this.#base = base;
  }

  async get(path: string): Promise<unknown> {
    return (await this.#ask("GET", path)).json();
  }

  async getText(path: string): Promise<string> {
    return (await this.#ask("GET", path)).text();
  }

  /** @returns the answer's JSON; undefined where the server has nothing to say */
  async send(method: "POST" | "PUT" | "DELETE", path: string, body: Json | undefined): Promise<unknown> {
    const answer = await this.#ask(method, path, body === undefined ? {} : { json: body });
    const text = await answer.text();
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  }

  post(path: string, body: Json): Promise<unknown> {
    return this.send("POST", path, body);
  }

  async putBytes(path: string, bytes: Uint8Array, sha256: string, signal: AbortSignal): Promise<void> {
    await this.#ask("PUT", path, { bytes, sha256, signal });
  }

  async getBytes(path: string, signal: AbortSignal): Promise<Bytes> {
    return new Uint8Array(await (await this.#ask("GET", path, { signal })).arrayBuffer());
  }

  async #ask(method: string, path: string, options: Ask = {}): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json, */*;q=0.5", "X-CSRFToken": this.#csrf };
    const body = options.json === undefined ? bodyOf(options) : JSON.stringify(options.json);
    if (options.json !== undefined) headers["Content-Type"] = "application/json";
    if (options.bytes !== undefined) headers["Content-Type"] = "application/octet-stream";
    if (options.sha256 !== undefined) headers["X-Sha256"] = options.sha256;
    let answer: Response;
    try {
      answer = await fetch(this.#base + path, { method, headers, body, credentials: "same-origin", cache: "no-store", redirect: "error", signal: patience(options.signal) });
    } catch (error) {
      if (options.signal?.aborted === true) throw new Failure("cancelled", "the page cancelled");
      throw new Failure("offline", "the server did not answer", {}, { cause: error });
    }
    if (!answer.ok) throw await refusalOf(answer);
    return answer;
  }
}

interface Ask {
  readonly json?: Json;
  readonly bytes?: Uint8Array;
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

function bodyOf(options: Ask): BodyInit | null {
  return options.bytes === undefined ? null : plain(options.bytes);
}

function patience(signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

async function refusalOf(answer: Response): Promise<ServerRefusal | Failure> {
  if (answer.status >= 500) return new Failure("offline", `the server answered ${String(answer.status)}`);
  let said: unknown;
  try {
    said = await answer.json();
  } catch {
    said = {};
  }
  const about: Record<string, string | number> = {};
  let code = `http_${String(answer.status)}`;
  if (typeof said === "object" && said !== null) {
    for (const [name, value] of Object.entries(said)) {
      if (name === "error" && typeof value === "string") code = value;
      else if (typeof value === "string" || typeof value === "number") about[name] = value;
    }
  }
  return new ServerRefusal(code, answer.status, about);
}
