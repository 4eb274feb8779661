// What pages decide without a browser: words for every code.

import { describe, expect, it } from "vitest";

import { callErrorCodes } from "../bridge.ts";
import { isAlarm, wordsFor } from "../words.ts";

describe("words", () => {
  it("has words for every code of the bridge, and names a code it does not know", () => {
    for (const code of callErrorCodes) expect(wordsFor(code)).not.toContain(code);
    expect(wordsFor("never_heard_of")).toContain("never_heard_of");
  });

  it("tells people to stop and telephone where the host may be lying", () => {
    for (const code of ["wrong_installation", "host_rolled_back", "chain_broken", "fork", "key_differs", "brief_altered"]) expect(isAlarm(code)).toBe(true);
    expect(isAlarm("offline")).toBe(false);
  });
});
