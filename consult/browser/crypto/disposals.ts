/** Disposing of a consultation: an officer's request, and the first Co-Chair's signature over the list of what would go. */

import type { DisposalBasis, DraftMade, Hex } from "../bridge.ts";
import type { Context, Self } from "./context.ts";
import { sha256, toHex, utf8 } from "./encoding.ts";
import { Failure, hasCode } from "./failure.ts";
import { members, text, type Members } from "./reading.ts";
import { beginDraft } from "./signing.ts";
import { convened } from "./standing.ts";

interface Here {
  readonly context: Context;
  readonly self: Self;
  readonly consultation: Hex;
}

export async function requestDisposal(context: Context, given: { consultation: Hex; basis: DisposalBasis }): Promise<void> {
  await context.server.post(`/api/consultations/${given.consultation}/disposal`, { basis: given.basis });
}

/** `basis` is what was on the screen; it must be the one an officer asked for. The hash is our own, over the list we were given. */
export async function dispose(here: Here, basis: DisposalBasis): Promise<DraftMade> {
  const { context, consultation } = here;
  return beginDraft({
    ...here,
    type: "consultation.dispose",
    compose: async ({ standing }) => {
      const listed = await listOf(context, consultation);
      if (listed["basis"] !== basis) throw new Failure("superseded", "asked for on another ground since");
      const manifest = toHex(await sha256(utf8(text(listed["manifest"]))));
      return { body: { proposal: convened(standing).id, basis, manifest }, enclosed: {} };
    },
  });
}

const ATTEMPTS = 5;
const SEALING = 1000;

/** What would go now. The newest entry, often the request itself, is sealed within a second or two: that is waited for. */
async function listOf(context: Context, consultation: Hex): Promise<Members> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return members(await context.server.get(`/api/consultations/${consultation}/disposal`));
    } catch (error) {
      if (!hasCode(error, "not_sealed_yet") || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, SEALING));
    }
  }
}
