import { beforeEach, describe, expect, test } from "vitest";

import { NO_PREVIOUS } from "../crypto/content.ts";
import { toHex, randomBytes } from "../crypto/encoding.ts";
import { Trail, type Step, type TrailRow } from "../crypto/trail.ts";

const hash = (n: number): string => n.toString(16).padStart(64, "0");
let room: string;
let device: string;

beforeEach(() => {
  room = toHex(randomBytes(32));
  device = toHex(randomBytes(32));
});

/** Object n of the device's line at place `seq` of the room's log. */
const object = (n: number, seq: number): Step => ({ device, n, prev: n === 1 ? NO_PREVIOUS : hash(n - 1), hash: hash(n), seq });

function stored(trail: Trail): TrailRow {
  const [change] = trail.changes();
  return change?.value == null ? {} : (JSON.parse(new TextDecoder().decode(change.value)) as TrailRow);
}

describe("a device's line of objects", () => {
  test("without a gap says nothing", () => {
    const trail = Trail.from(room, {});
    expect([object(1, 1), object(2, 3), object(3, 4)].map((each) => trail.step(each))).toEqual([0, 0, 0]);
  });

  test("with a gap says how many are missing, also after a reload", () => {
    const first = Trail.from(room, {});
    first.step(object(1, 1));
    const row = stored(first);
    expect(Trail.from(toHex(randomBytes(32)), row).step(object(4, 9))).toBe(2);
    expect(first.step(object(4, 9))).toBe(2);
  });

  test("that begins before what was asked for says nothing", () => {
    expect(Trail.from(room, {}).step(object(40, 900))).toBe(0);
  });

  test("whose object names another predecessor has lost one", () => {
    const trail = Trail.from(room, {});
    trail.step(object(1, 1));
    expect(trail.step({ ...object(2, 2), prev: hash(77) })).toBe(1);
  });

  test("read twice stays the same, and a second object in one place is a repetition", () => {
    const trail = Trail.from(room, {});
    trail.step(object(1, 1));
    expect(trail.step(object(1, 1))).toBe(0);
    expect(trail.step({ ...object(1, 1), seq: 5 })).toBe("repeated");
    expect(trail.step({ ...object(1, 1), hash: hash(99) })).toBe("repeated");
  });
});
