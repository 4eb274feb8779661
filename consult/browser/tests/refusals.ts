import { expect } from "vitest";

import { Refusal, type RefusalCode } from "../crypto/refusal.ts";

/** Fails unless it is refused, and for this reason. */
export async function refused(code: RefusalCode, attempt: () => unknown): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.code, error.message).toBe(code);
    return;
  }
  expect.fail(`not refused as ${code}`);
}
