/** Who is seated, by party, and on which devices; and the consultation's own frame at the left. */

import { html, nothing, type TemplateResult } from "lit";

import type { PartyCode, RoomMember, RoomView } from "../bridge.ts";
import { presentBuild } from "../build.ts";
import { fill, gettext } from "../gettext.ts";
import type { Model } from "./model.ts";
import type { Names } from "./names.ts";
import { partyTag } from "./timeline.ts";
import { capacityWords } from "./words.ts";

export function people(model: Model, names: Names): TemplateResult {
  const view = model.view;
  if (view === null) return html`${nothing}`;
  const parties = byParty(view.members);
  return html`
    <h2>${gettext("Seated")} <span class="quiet">${countWords(parties.size, view.members.length)}</span></h2>
    ${[...parties].map(([party, members]) => delegation(party, members, { model, names }))}
    <p class="quiet">${gettext("Everybody here was accredited by their own party, in a consultation both Co-Chairs signed. This browser has checked every signature; nobody else can open what is said.")}</p>
    ${confirmation(view)}
  `;
}

function confirmation(view: RoomView): TemplateResult {
  if (view.unconfirmed) return html`<p class="quiet">${gettext("No other delegation has confirmed this list yet.")}</p>`;
  if (view.roomNumber === null) return html`${nothing}`;
  return html`<details>
    <summary>${gettext("Compare by telephone")}</summary>
    <p class="quiet">${gettext("Everybody in the room sees the same number. If one of you sees another, stop and call the Co-Chairs.")}</p>
    <p class="code">${view.roomNumber}</p>
  </details>`;
}

function countWords(parties: number, persons: number): string {
  const first = parties === 1 ? gettext("1 party") : fill(gettext("{n} parties"), { n: parties });
  const second = persons === 1 ? gettext("1 person") : fill(gettext("{n} people"), { n: persons });
  return `${first}, ${second}`;
}

function byParty(members: readonly RoomMember[]): Map<PartyCode, readonly RoomMember[]> {
  const parties = new Map<PartyCode, readonly RoomMember[]>();
  const chairsFirst = [...members].sort((a, b) => Number(b.capacity === "chair") - Number(a.capacity === "chair") || (a.party < b.party ? -1 : 1));
  for (const member of chairsFirst) parties.set(member.party, [...(parties.get(member.party) ?? []), member]);
  return parties;
}

function delegation(party: PartyCode, members: readonly RoomMember[], shown: { model: Model; names: Names }): TemplateResult {
  return html`<section class="delegation" aria-label=${shown.names.party(party)}>
    <span class="party">${partyTag(party, members[0]?.capacity ?? null)} <b>${shown.names.party(party)}</b></span>
    <ul>
      ${members.map((member) => person(member, shown))}
    </ul>
  </section>`;
}

function person(member: RoomMember, { model, names }: { model: Model; names: Names }): TemplateResult {
  const name = member.own ? gettext("you") : names.person(member.card);
  const words = [capacityWords(member.capacity), deviceWords(member, model)].filter((each) => each !== "").join(" · ");
  return html`<li>
    <bdi>${name}</bdi>
    ${member.devices.length === 0
      ? html`<span class="quiet">${words}</span>`
      : html`<details class="quiet">
          <summary>${words}</summary>
          <ul>
            ${member.devices.map((device) => html`<li><span class="code">${device.device.slice(0, 8)}</span> ${stateWords(device, model)}</li>`)}
          </ul>
        </details>`}
  </li>`;
}

type RoomDevice = RoomMember["devices"][number];

/** Who is here is known while the line stands; without it nothing is claimed. */
function isHere(device: RoomDevice, model: Model): boolean | null {
  if (model.link !== "connected") return null;
  return device.own || model.online.has(device.device);
}

function deviceWords(member: RoomMember, model: Model): string {
  const inside = member.devices.filter((device) => device.state === "in");
  const leaving = member.devices.some((device) => device.state === "leaving") ? `, ${gettext("one is being removed")}` : "";
  if (inside.length === 0) return (member.devices.length === 0 ? gettext("no browser yet") : gettext("joining")) + leaving;
  const here = inside.map((device) => isHere(device, model));
  const presence = here.includes(true) ? gettext("here now") : here.includes(null) ? "" : gettext("away");
  // one browser is the rule; only more than one is worth a word
  const count = inside.length === 1 ? "" : fill(gettext("{n} browsers"), { n: inside.length });
  return [count, presence].filter((words) => words !== "").join(", ") + leaving;
}

function stateWords(device: RoomDevice, model: Model): string {
  if (device.own) return gettext("this one");
  if (device.state === "joining") return gettext("joining");
  if (device.state === "leaving") return gettext("is being removed");
  const here = isHere(device, model);
  return here === null ? "" : here ? gettext("here now") : gettext("away");
}

export function surroundings(model: Model, page: { consultationUrl: string; reference: string }): TemplateResult {
  return html`
    <h2>${gettext("Rooms")}</h2>
    <ul class="room-list">
      <li><a href=${location.pathname} aria-current="page">${gettext("Plenary")}</a></li>
    </ul>
    <h2>${gettext("Consultation")}</h2>
    <p class="code">${page.reference}</p>
    ${model.brief === null
      ? nothing
      : html`<p dir="auto"><b>${model.brief.subject}</b></p>
          <h2>${gettext("Agenda")}</h2>
          <ol class="agenda">
            ${model.brief.agenda.map((item) => html`<li dir="auto">${item}</li>`)}
          </ol>`}
    <p><a href=${page.consultationUrl}>${gettext("Board and delegations")}</a></p>
    <p><a class="build" href="/about/host#build"><span>${gettext("Build")} <span class="code">${presentBuild()}</span></span></a></p>
  `;
}
