/** The demonstration's way in: restores a persona's keys from the recovery key the page was given, as the restore page does. */

import { browserLabel } from "../browserlabel.ts";
import { codeOf, openKeys } from "../keys.ts";
import { wordsFor } from "../words.ts";

async function walkIn(): Promise<void> {
  const keys = await openKeys();
  const status = await keys.call("status", {});
  if (status.kind === "none") {
    const recoveryKey = JSON.parse(document.getElementById("recovery-key")?.textContent ?? '""') as string;
    await keys.call("restore", { recoveryKey, label: browserLabel() });
  }
  location.replace("/");
}

walkIn().catch((error: unknown) => {
  console.warn(error);
  const place = document.getElementById("making-keys");
  if (place === null) return;
  place.className = "notice bad";
  place.textContent = wordsFor(codeOf(error));
});
