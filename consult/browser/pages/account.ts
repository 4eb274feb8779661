/** One's own account: the card's fingerprint, and the browsers that hold the keys, as this browser checked them. */

import type { DeviceView } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import type { Keys } from "../keys.ts";
import { bindActs, named, whenReady, type Act } from "./acts.ts";
import { copyOf, listed, part, put, showFingerprint } from "./fragments.ts";
import { ready } from "./ready.ts";

const shortName = 8;

const revokeDevice: Act = async ({ keys, control }) => {
  await keys.call("revokeDevice", { device: named(control, "device") });
  return { kind: "again", said: gettext("That browser is out of use. Rooms in which it sat take it out as soon as somebody is online there.") };
};

async function showDevices(keys: Keys): Promise<void> {
  const section = document.querySelector<HTMLElement>("[data-devices]");
  const rows = section?.querySelector("[data-rows]");
  if (section === null || rows === null || rows === undefined) return;
  const devices = await keys.call("devices", {});
  rows.replaceChildren(...[...devices].sort((one, other) => Number(other.own) - Number(one.own)).map(rowOf));
  section.hidden = false;
}

function rowOf(device: DeviceView): HTMLElement {
  const row = copyOf("device-row");
  const label = listed("device-labels").get(device.device) ?? gettext("A browser");
  put(row, "label", label);
  put(row, "name", device.device.slice(0, shortName));
  part(row, "own").hidden = !device.own;
  const state = part(row, "state");
  state.textContent = device.state === "in_use" ? gettext("in use") : gettext("out of use");
  state.classList.toggle("good", device.state === "in_use");
  const button = part(row, "revoke");
  button.hidden = device.own || device.state === "revoked";
  button.addEventListener("click", () => {
    const dialog = document.getElementById("revoke");
    if (dialog === null) return;
    dialog.dataset["device"] = device.device;
    put(dialog, "label", label);
  });
  return row;
}

bindActs({ "revoke-device": revokeDevice });

whenReady(async (keys) => {
  const place = document.querySelector<HTMLElement>("[data-own-fingerprint]");
  const status = await ready(keys);
  if (status === null) {
    if (place !== null) place.textContent = gettext("Not in this browser");
    return;
  }
  if (place !== null) showFingerprint(place, status.fingerprint);
  for (const warning of document.querySelectorAll<HTMLElement>("[data-not-persistent]")) warning.hidden = status.persistent;
  await showDevices(keys);
});
