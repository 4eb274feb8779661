import { describe, expect, test } from "vitest";

import type { LeafIdentity } from "../crypto/credential.ts";
import { stayingCards } from "../crypto/roomrow.ts";

const leaf = (card: string, device: string): LeafIdentity => ({ card, device });
const [desk, laptop, other] = [leaf("au", "desk"), leaf("au", "laptop"), leaf("id", "office")];

describe("who neither came nor went by a commit", () => {
  test("is whoever was there before and is there still", () => {
    expect(stayingCards({ added: [], removed: [] }, [desk, other])).toEqual(["au", "id"]);
  });

  test("is a person who gets one more device, and not a person who comes with the first", () => {
    expect(stayingCards({ added: [laptop], removed: [] }, [desk, laptop, other])).toEqual(["au", "id"]);
    expect(stayingCards({ added: [desk, laptop], removed: [] }, [desk, laptop, other])).toEqual(["id"]);
  });

  test("is a person who loses one device of several, and not a person who loses the last", () => {
    expect(stayingCards({ added: [], removed: [laptop] }, [desk, other])).toEqual(["au", "id"]);
    expect(stayingCards({ added: [], removed: [desk] }, [other])).toEqual(["id"]);
  });
});
