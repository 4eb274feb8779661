/** Gives a file to the person, under a name that cannot deceive. */

import type { Alarm } from "./bridge.ts";
import type { Keys } from "./keys.ts";

export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  // Characters that could hide what a name really is, or lead out of the folder, do not reach the disk.
  link.download = name.replace(/[\p{Cc}\p{Cf}/\\:*?"<>|]/gu, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What this browser has kept of an alarm, for whoever looks into the matter. */
export async function saveEvidence(keys: Keys, alarm: Alarm): Promise<void> {
  const { name, text } = await keys.call("alarmEvidence", { id: alarm.id });
  saveFile(new Blob([text]), name);
}
