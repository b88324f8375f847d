// Times as the server writes them: ISO 8601 text in the cube's own calendar. A month may have
// 30 days in February, so nothing here goes through Date.

const ISO = /^([+-]?\d{4,})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2})(?::?(\d{2})(?::?(\d{2}(?:\.\d+)?))?)?)?)?)?Z?$/;

/** A number that grows with time in every calendar, for comparing; null for text that is no time. */
export function ordinal(text) {
  const match = ISO.exec(text.trim());
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match
    .slice(1)
    .map((part, i) => Number(part ?? [0, 1, 1, 0, 0, 0][i]));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59) return null;
  return (((year * 12 + month - 1) * 31 + day - 1) * 24 + hour) * 3600 + minute * 60 + second;
}

/** Index of the ordinal nearest to the wanted one in an ascending list; the earlier of two. */
export function nearestIndex(ordinals, wanted) {
  let low = 0;
  let high = ordinals.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ordinals[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  if (before >= 0 && wanted - ordinals[before] <= Math.abs(ordinals[low] - wanted)) return before;
  return low;
}

/** Index `by` steps on; null beyond an end, unless the time loops. */
export function step(index, by, count, loop) {
  const next = index + by;
  if (next >= 0 && next < count) return next;
  if (!loop || count === 0) return null;
  return ((next % count) + count) % count;
}

/** The next `depth` indices that playing in a direction will show, nearest first, none twice. */
export function upcoming(index, direction, depth, count, loop) {
  const found = [];
  for (let by = 1; by <= depth; by += 1) {
    const next = step(index, by * direction, count, loop);
    if (next === null || next === index || found.includes(next)) break;
    found.push(next);
  }
  return found;
}

/** How many of date, minutes and seconds the labels of these times need: 10, 16 or 19 characters. */
export function labelLength(times) {
  let length = 10;
  for (const time of times) {
    const clock = time.slice(time.indexOf("T") + 1);
    if (!time.includes("T") || /^00:00(:00(\.0+)?)?Z?$/.test(clock)) continue;
    if (!/^\d\d:\d\d(:00(\.0+)?)?Z?$/.test(clock)) return 19;
    length = 16;
  }
  return length;
}

/** "2019-03-01 06:00" of "2019-03-01T06:00:00Z". */
export function label(time, length = 16) {
  const [date, clock = ""] = time.replace(/Z$/, "").split("T");
  return length === 10 || clock === "" ? date : `${date} ${clock.slice(0, length - 11)}`;
}
