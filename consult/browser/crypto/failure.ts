import type { callErrorCodes, CallError } from "../bridge.ts";
import { Refusal } from "./refusal.ts";

/** The codes a page has words for; the server's own codes pass through as they are. */
export type FailureCode = (typeof callErrorCodes)[number];

/** Why a call failed, as the page will be told. */
export class Failure extends Error implements CallError {
  readonly code: string;
  readonly about: Readonly<Record<string, string | number>>;

  constructor(code: FailureCode, message: string, about: Readonly<Record<string, string | number>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "Failure";
    this.code = code;
    this.about = about;
  }
}

/** The server's refusal: its code (docs/protocol.md, section 5), its HTTP status and what it named beside. */
export class ServerRefusal extends Error implements CallError {
  readonly code: string;
  readonly status: number;
  readonly about: Readonly<Record<string, string | number>>;

  constructor(code: string, status: number, about: Readonly<Record<string, string | number>>) {
    super(`the server refused: ${code} (${status})`);
    this.name = "ServerRefusal";
    this.code = code;
    this.status = status;
    this.about = about;
  }
}

/** Whether this is an error of that code, whoever raised it. */
export function hasCode(error: unknown, code: string): boolean {
  return (error instanceof Failure || error instanceof ServerRefusal || error instanceof Refusal) && error.code === code;
}

/** What crosses to the page: never a key, never a text somebody typed. */
export function describe(error: unknown): CallError {
  if (error instanceof Failure || error instanceof ServerRefusal) return { code: error.code, message: error.message, about: error.about };
  if (error instanceof Refusal) return { code: error.code, message: error.message };
  if (error instanceof DOMException && error.name === "AbortError") return { code: "cancelled" };
  if (error instanceof Error) return { code: "failed", message: `${error.name}: ${error.message}` };
  return { code: "failed" };
}
