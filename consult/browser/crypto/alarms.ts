import type { Alarm, Hex, Notice } from "../bridge.ts";
import { canonical, type JsonObject } from "./canonical.ts";
import { fromUtf8, sha256, toHex } from "./encoding.ts";
import { jsonRow, listJson, readJson, type Rows } from "./keystore.ts";

export interface Cause {
  readonly kind: Alarm["kind"];
  readonly room?: Hex;
  readonly cards?: readonly Hex[];
  readonly devices?: readonly Hex[];
  /** statement hashes, epochs and numbers; never text anybody typed */
  readonly evidence: JsonObject;
}

const PREFIX = "alarm/";

/** Stores an alarm once, however often its cause is met, and tells the pages. */
export async function raiseAlarm(rows: Rows, notify: (notice: Notice) => void, cause: Cause): Promise<Alarm> {
  const evidence = fromUtf8(canonical(cause.evidence));
  const naming = canonical({ kind: cause.kind, room: cause.room ?? null, evidence });
  const id = toHex((await sha256(naming)).slice(0, 16));
  const known = await readJson<Alarm>(rows, PREFIX + id);
  if (known !== undefined) return known;
  const { kind, room = null, cards = [], devices = [] } = cause;
  const alarm: Alarm = { id, kind, at: Date.now(), room, cards, devices, evidence };
  await rows.write([jsonRow(PREFIX + id, alarm)]);
  notify({ kind: "alarm", alarm });
  return alarm;
}

export async function allAlarms(rows: Rows): Promise<readonly Alarm[]> {
  return [...(await listJson<Alarm>(rows, PREFIX)).values()].sort((left, right) => left.at - right.at);
}
