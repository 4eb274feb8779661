/** Brings the keys back in this browser with the printed recovery key, and adds it as one more device. */

import { browserLabel } from "../browserlabel.ts";
import { gettext } from "../gettext.ts";
import { bindActs, field, whenReady, type Act } from "./acts.ts";

const restore: Act = async ({ keys, control }) => {
  const recoveryKey = field(control, "recovery-key");
  await keys.call("restore", { recoveryKey, label: field(control, "label") });
  return { kind: "go", to: "/", said: gettext("Your keys are in this browser again. What was said earlier opens as soon as another delegation is online.") };
};

function showStage(stage: "here" | "form"): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-stage]")) place.hidden = place.dataset["stage"] !== stage;
}

bindActs({ restore });
const label = document.getElementById("label");
if (label instanceof HTMLInputElement) label.value = browserLabel();

whenReady(async (keys) => {
  const status = await keys.call("status", {});
  showStage(status.kind === "ready" ? "here" : "form");
});
