/**
 * What a time zone is called beside a clock: its letters where they are clear (WIB, AEDT), else its distance from UTC (UTC+7). The
 * letters come with the page, because browsers know them in few languages; the times in the pages are named alike.
 */

export function zoneWords(zone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "shortOffset" }).formatToParts(at);
  const offset = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  const distance = offset === "GMT" ? "UTC+0" : offset.replace("GMT", "UTC").replace("\u2212", "-");
  return lettersOf(zone).get(distance) ?? (distance === "UTC+0" ? "UTC" : distance);
}

function lettersOf(zone: string): ReadonlyMap<string, string> {
  const clock = document.querySelector<HTMLElement>("[data-zone-letters]");
  if (clock === null || clock.dataset["zone"] !== zone) return new Map();
  const pairs = (clock.dataset["zoneLetters"] ?? "").split(" ").map((pair) => pair.split("="));
  return new Map(pairs.flatMap(([distance, letters]) => (distance === undefined || letters === undefined ? [] : [[distance, letters] as const])));
}
