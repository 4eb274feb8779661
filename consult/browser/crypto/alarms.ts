import type { Alarm, EvidenceFile, Hex, Notice } from "../bridge.ts";
import { canonical, type JsonObject } from "./canonical.ts";
import { fromUtf8, sha256, toHex } from "./encoding.ts";
import { Failure } from "./failure.ts";
import { jsonRow, listJson, readJson, type Rows } from "./keystore.ts";

export interface Cause {
  readonly kind: Alarm["kind"];
  readonly room?: Hex;
  readonly cards?: readonly Hex[];
  readonly devices?: readonly Hex[];
  /** statement hashes, epochs and numbers; never text anybody typed */
  readonly evidence: JsonObject;
  /** what is kept beside it for whoever looks into the matter: notes, proofs and answers as they were served */
  readonly file?: JsonObject;
}

const PREFIX = "alarm/";
const FILES = "evidence/";

/** Stores an alarm once, however often its cause is met, and tells the pages. */
export async function raiseAlarm(rows: Rows, notify: (notice: Notice) => void, cause: Cause): Promise<Alarm> {
  const evidence = fromUtf8(canonical(cause.evidence));
  const naming = canonical({ kind: cause.kind, room: cause.room ?? null, evidence });
  const id = toHex((await sha256(naming)).slice(0, 16));
  const known = await readJson<Alarm>(rows, PREFIX + id);
  if (known !== undefined) return known;
  const { kind, room = null, cards = [], devices = [] } = cause;
  const alarm: Alarm = { id, kind, at: Date.now(), room, cards, devices, evidence };
  await rows.write([jsonRow(PREFIX + id, alarm), jsonRow(FILES + id, cause.file ?? {})]);
  notify({ kind: "alarm", alarm });
  return alarm;
}

export async function allAlarms(rows: Rows): Promise<readonly Alarm[]> {
  return [...(await listJson<Alarm>(rows, PREFIX)).values()].sort((left, right) => left.at - right.at);
}

/** Everything kept of one alarm, to be saved as a file and handed on. @throws Failure `not_due` if there is no such alarm */
export async function evidenceFile(rows: Rows, id: string): Promise<EvidenceFile> {
  const alarm = await readJson<Alarm>(rows, PREFIX + id);
  if (alarm === undefined) throw new Failure("not_due", "no such alarm");
  const { kind, at, room, cards, devices, evidence } = alarm;
  const kept = await readJson<JsonObject>(rows, FILES + id);
  const whole = { kind, at, room, cards, devices, evidence: JSON.parse(evidence) as JsonObject, kept: kept ?? {} };
  return { name: `consult-evidence-${kind}-${id.slice(0, 8)}.json`, text: `${JSON.stringify(whole, null, 1)}\n` };
}
