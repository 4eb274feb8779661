/** The installation as its chain says, and its founding by both Co-Chairs. */

import type { CardView, DraftMade, Hex, InstallationView } from "../bridge.ts";
import { refresh, type View } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { Failure } from "./failure.ts";
import { cardView, isChair } from "./people.ts";
import { parseVerifier } from "./record.ts";
import { beginDraft } from "./signing.ts";
import { known, newest } from "./standing.ts";

export async function installation(context: Context, self: Self): Promise<InstallationView> {
  const view = await refresh(context, self, null);
  const { standing } = view;
  const now = newest(standing);
  if (now === undefined) {
    return { inst: null, chairs: waitingChairs(view), focalPoints: [], log: null, chair: standing.accounts.get(self.card)?.installation === null };
  }
  return {
    inst: now.inst,
    chairs: [...now.chairs.values()].map((card) => cardView(standing, card)),
    focalPoints: [...now.focalPoints.values()].map((card) => cardView(standing, card)),
    log: now.log,
    chair: isChair(standing, self.card),
  };
}

/** Before there is an installation: the cards that were made without one. The host serves them, so people compare fingerprints. */
function waitingChairs({ standing }: View): readonly CardView[] {
  const cards = [...standing.accounts.values()].filter(({ installation: of }) => of === null).map(({ card }) => cardView(standing, card));
  return cards.sort((left, right) => (left.party < right.party ? -1 : 1));
}

/** `other` is the card whose fingerprint the two compared by telephone, and no other. */
export async function composeRoot(context: Context, self: Self, given: { other: Hex; log: string }): Promise<DraftMade> {
  await parseVerifier(given.log);
  return beginDraft({
    context,
    self,
    consultation: null,
    type: "chairs.root",
    compose: ({ standing }) => {
      if (newest(standing) !== undefined) throw new Failure("superseded", "the installation is founded already");
      const chairs = [self.card, given.other].map((card) => ({ card, party: known(standing, card).party }));
      chairs.sort((left, right) => (left.party < right.party ? -1 : 1));
      return Promise.resolve({ body: { chairs, log: given.log }, enclosed: {} });
    },
  });
}
