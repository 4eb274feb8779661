/** The first page: opens the subjects, lists this Co-Chair's sealed drafts, counts what waits for a second signature. */

import type { ProposalDraftView } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import type { Keys } from "../keys.ts";
import { bindActs, whenReady } from "./acts.ts";
import { copyOf, part, put } from "./fragments.ts";
import { keepLive } from "./live.ts";
import { ready } from "./ready.ts";
import { openSealed } from "./sealed.ts";

function draftRow(draft: ProposalDraftView): HTMLElement {
  const row = copyOf("proposal-draft");
  const link = part(row, "link");
  if (link instanceof HTMLAnchorElement) link.href = `/proposals/${draft.id}`;
  put(row, "link", draft.proposal?.reference || gettext("Draft without a reference"));
  put(row, "subject", draft.proposal?.brief.subject || gettext("No subject yet"));
  return row;
}

async function showProposalDrafts(keys: Keys): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-proposal-drafts]");
  if (place === null) return;
  const drafts = await keys.call("proposalDrafts", {});
  place.replaceChildren(...drafts.map(draftRow));
  for (const section of document.querySelectorAll<HTMLElement>("[data-has-proposal-drafts]")) section.hidden = drafts.length === 0;
}

/** The other Co-Chair's signatures that wait for ours. */
async function showSignaturesDue(keys: Keys): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-signatures-due]");
  if (place === null) return;
  const due = (await keys.call("drafts", {})).filter((draft) => !draft.own && draft.problem === null).length;
  place.hidden = due === 0;
  for (const number of place.querySelectorAll<HTMLElement>("[data-part='number']")) {
    number.textContent = fill(due === 1 ? gettext("{number} act waits for your signature") : gettext("{number} acts wait for your signature"), { number: due });
  }
}

let opened: Keys | null = null;

bindActs({});
whenReady(async (keys) => {
  if ((await ready(keys)) === null) return;
  opened = keys;
  await openSealed(keys);
  await showProposalDrafts(keys);
  await showSignaturesDue(keys);
});
keepLive((part) => {
  if (opened !== null) void openSealed(opened, part);
});
