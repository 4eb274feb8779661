/**
 * Signed notes, cosignatures and policies of C2SP (secure/log/note.py, cosignature.py, policy.py), as far as a browser can check them:
 * Ed25519. What is signed by ML-DSA-44 is counted as unchecked, never as good.
 */

import { sha256 } from "@noble/hashes/sha2.js";

import { concat, fromBase64, toHex, utf8, type Bytes } from "../crypto/encoding.ts";
import { refuseWeakKey, verify } from "../crypto/ed25519.ts";

export const ED25519 = 1;
export const COSIGNATURE = 4;
export const MLDSA = 6;
const MAX_SIGNATURES = 300;

export interface Key {
  readonly name: string;
  readonly id: string;
  readonly type: number;
  readonly publicKey: Bytes;
}

interface Group {
  readonly name: string;
  readonly k: number;
  readonly members: readonly string[];
}

export interface Policy {
  /** the number of its first line, null if it has none */
  readonly number: number | null;
  readonly text: string;
  readonly logs: readonly Key[];
  readonly witnesses: readonly { readonly name: string; readonly key: Key }[];
  readonly groups: readonly Group[];
  readonly quorum: string;
}

/** A checkpoint under a policy. `first` and `last` in ms as in secure/log/trust.py; null below the quorum of what could be checked. */
export interface Judged {
  readonly size: number;
  readonly origin: string;
  readonly root: Bytes;
  readonly signed: boolean;
  readonly first: number | null;
  readonly last: number | null;
  /** names of keys whose signatures are of a kind that browsers cannot check */
  readonly unchecked: readonly string[];
}

/** @throws Error for anything but a verifier key of a known type */
export function parseKey(vkey: string): Key {
  const [, name = "", id = "", encoded = ""] = /^([^+\s]{1,255})\+([0-9a-f]{8})\+(\S+)$/.exec(vkey) ?? [];
  const typed = fromBase64(encoded);
  const type = typed[0] ?? 0;
  if (typed.length !== (type === MLDSA ? 1313 : 33) || ![ED25519, COSIGNATURE, MLDSA].includes(type)) throw new Error("not a verifier key");
  if (toHex(sha256(concat(utf8(`${name}\n`), typed)).slice(0, 4)) !== id) throw new Error("the key's id differs");
  const publicKey = typed.slice(1);
  if (type !== MLDSA) refuseWeakKey(publicKey);
  return { name, id, type, publicKey };
}

/** A policy file: tlog-policy text, or a note of it whose signatures are not asked for. @throws Error */
export function parsePolicy(file: string): Policy {
  const text = file.includes("\n\n\u2014 ") ? file.slice(0, file.lastIndexOf("\n\n") + 1) : file;
  const logs: Key[] = [];
  const witnesses: { name: string; key: Key }[] = [];
  const groups: Group[] = [];
  const defined = new Set<string>();
  let quorum: string | null = null;
  const define = (name = ""): string => {
    if (name === "" || name === "none" || defined.has(name)) throw new Error("a name twice in the policy");
    defined.add(name);
    return name;
  };
  for (const line of text.split("\n")) {
    const [kind = "", ...words] = line.split(/[ \t]+/).filter((word) => word !== "");
    if (kind === "" || kind.startsWith("#")) continue;
    const [first = "", second = "", ...rest] = words;
    if (kind === "log") logs.push(parseKey(first));
    else if (kind === "witness") witnesses.push({ name: define(first), key: parseKey(second) });
    else if (kind === "group") groups.push({ name: define(first), k: threshold(second, rest, defined), members: rest });
    else if (kind === "quorum" && quorum === null && (first === "none" || defined.has(first))) quorum = first;
    else throw new Error("not a policy");
  }
  if (quorum === null) throw new Error("a policy without a quorum");
  const number = /^# consult policy ([1-9]\d{0,8}) \S+\n/.exec(text)?.[1];
  return { number: number === undefined ? null : Number(number), text, logs, witnesses, groups, quorum };
}

function threshold(word: string, members: readonly string[], defined: ReadonlySet<string>): number {
  const k = word === "any" ? 1 : word === "all" ? members.length : Number(word);
  if (!Number.isInteger(k) || k < 1 || k > members.length || members.some((member) => !defined.has(member))) throw new Error("not a group");
  return k;
}

/** @throws Error if it is no checkpoint, or a signature by a known key that can be checked does not hold */
export async function judge(note: string, policy: Policy): Promise<Judged> {
  const split = note.lastIndexOf("\n\n");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split("\n");
  if (split < 0 || lines.pop() !== "" || lines.length === 0 || lines.length > MAX_SIGNATURES) throw new Error("not a note");
  const [origin = "", size = "", root = "", end, ...more] = text.split("\n");
  if (origin === "" || end !== "" || more.length > 0 || !/^(?:0|[1-9]\d{0,15})$/.test(size)) throw new Error("not a checkpoint");
  const keys = [...policy.logs, ...policy.witnesses.map(({ key }) => key)];
  const times = new Map<Key, number>();
  const unchecked: string[] = [];
  let signed = false;
  for (const line of lines) {
    const { name, raw } = signature(line);
    const key = keys.find((each) => each.name === name && each.id === toHex(raw.slice(0, 4)));
    if (key === undefined) continue;
    if (key.type === MLDSA) unchecked.push(key.name);
    else if (key.type === ED25519) {
      await holds(key, text, raw.slice(4));
      signed ||= key.name === origin;
    } else times.set(key, await cosigned(key, text, raw.slice(4)));
  }
  const { first, last } = quorumTimes(policy, times);
  return { size: Number(size), origin, root: fromBase64(root, 32), signed, first, last, unchecked };
}

function signature(line: string): { name: string; raw: Bytes } {
  const [, name = "", encoded = ""] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
  const raw = fromBase64(encoded);
  if (raw.length < 5) throw new Error("not a signature");
  return { name, raw };
}

async function holds(key: Key, text: string, raw: Uint8Array): Promise<void> {
  if (!(await verify({ publicKey: key.publicKey, message: utf8(text), signature: raw }))) throw new Error("a signature does not hold");
}

/** The time in seconds. */
async function cosigned(key: Key, text: string, raw: Bytes): Promise<number> {
  if (raw.length !== 72) throw new Error("not a cosignature");
  const time = Number(new DataView(raw.buffer, raw.byteOffset, 8).getBigUint64(0));
  await holds(key, `cosignature/v1\ntime ${time}\n${text}`, raw.slice(8));
  return time;
}

function quorumTimes(policy: Policy, times: ReadonlyMap<Key, number>): { first: number | null; last: number | null } {
  const first = agreedAt(policy, times, 1);
  const last = agreedAt(policy, times, -1);
  if (policy.quorum === "none" || first === null || last === null) return { first: null, last: null };
  return { first: first * 1000, last: last * 1000 };
}

/** By when enough witnesses had agreed; with sign −1, until when enough did so again. */
function agreedAt(policy: Policy, times: ReadonlyMap<Key, number>, sign: 1 | -1): number | null {
  const reached = new Map<string, number>();
  for (const { name, key } of policy.witnesses) {
    const time = times.get(key);
    if (time !== undefined) reached.set(name, sign * time);
  }
  for (const { name, k, members } of policy.groups) {
    const agreed = members.flatMap((member) => reached.get(member) ?? []).sort((one, other) => one - other);
    const time = agreed[k - 1];
    if (time !== undefined) reached.set(name, time);
  }
  const found = reached.get(policy.quorum);
  return found === undefined ? null : sign * found;
}
