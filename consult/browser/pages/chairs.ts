/** The Co-Chairs' page: two fingerprints compared by telephone, then both signatures under them; afterwards what waits for the second signature. */

import type { CardView, DraftView, InstallationView } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import { CallFailure, type Keys } from "../keys.ts";
import { bindActs, named, whenReady, type Act } from "./acts.ts";
import { draftActs, showDrafts } from "./drafts.ts";
import { showFingerprint } from "./fragments.ts";
import { ready } from "./ready.ts";

/** The two cards, and the draft with the first signature if there is one: what is shown is what will be signed. */
interface Pair {
  readonly chairs: readonly CardView[];
  readonly draft: DraftView | null;
}

async function pairOf(keys: Keys, view: InstallationView): Promise<Pair> {
  if (view.inst !== null) return { chairs: view.chairs, draft: null };
  const drafts = await keys.call("drafts", {});
  const draft = drafts.find((each) => each.act.type === "chairs.root") ?? null;
  if (draft?.act.type === "chairs.root") return { chairs: draft.act.chairs, draft };
  return { chairs: view.chairs, draft: null };
}

function showPair(pair: Pair, own: string): void {
  for (const chair of pair.chairs) {
    const panel = document.querySelector<HTMLElement>(`[data-chair="${chair.party}"]`);
    const place = panel?.querySelector<HTMLElement>("[data-fingerprint]");
    if (panel === null || place === undefined || place === null) continue;
    showFingerprint(place, chair.fingerprint);
    panel.dataset["card"] = chair.card;
    for (const mark of panel.querySelectorAll<HTMLElement>("[data-own]")) mark.hidden = chair.card !== own;
  }
}

/** Shows the one part of the page that fits how far the two have come. */
function showStage(stage: "missing" | "compare" | "waiting" | "done"): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-stage]")) part.hidden = part.dataset["stage"] !== stage;
}

function stageOf(view: InstallationView, pair: Pair): "missing" | "compare" | "waiting" | "done" {
  if (view.inst !== null) return "done";
  if (pair.chairs.length < 2) return "missing";
  return pair.draft?.own === true ? "waiting" : "compare";
}

/** The first signature makes a draft, the second completes it. Only cards whose fingerprints are on the screen are signed. */
const signRoot: Act = async ({ keys, control }) => {
  const view = await keys.call("installation", {});
  const pair = await pairOf(keys, view);
  const shown = [...document.querySelectorAll<HTMLElement>("[data-chair][data-card]")].map((panel) => panel.dataset["card"]);
  if (pair.chairs.length !== 2 || pair.chairs.some((chair) => !shown.includes(chair.card))) throw new CallFailure({ code: "superseded" });
  if (pair.draft !== null) {
    await keys.call("draftSign", { draft: pair.draft.draft });
    return { kind: "again", said: gettext("Both Co-Chairs have signed. The installation is founded.") };
  }
  const status = await keys.call("status", {});
  const other = pair.chairs.find((chair) => status.kind === "ready" && chair.card !== status.card);
  if (other === undefined) throw new CallFailure({ code: "no_keys" });
  await keys.call("composeRoot", { other: other.card, log: named(control, "log") });
  return { kind: "again", said: gettext("Signed. The other Co-Chair now compares and signs on their own screen.") };
};

bindActs({ ...draftActs, "sign-root": signRoot });

whenReady(async (keys) => {
  const status = await ready(keys);
  if (status === null) return;
  const view = await keys.call("installation", {});
  const pair = await pairOf(keys, view);
  showPair(pair, status.card);
  showStage(stageOf(view, pair));
  if (view.inst !== null && view.chair) await showDrafts(keys);
});
