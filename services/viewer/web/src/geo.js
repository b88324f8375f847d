// Boxes and tiles in the web's Mercator map, without a map library.

export const WORLD = 20037508.342789244;
const MAX_LATITUDE = 85.05112878;

/** [west, south, east, north] with east > west and at most once around. */
export function unrolled([west, south, east, north]) {
  if (east - west >= 360) return [-180, south, 180, north];
  let w = west;
  let e = east;
  while (w >= 180) [w, e] = [w - 360, e - 360];
  while (w < -180) [w, e] = [w + 360, e + 360];
  while (e <= w) e += 360;
  return [w, south, e, north];
}

const toX = (longitude) => (longitude / 180) * WORLD;
const toY = (latitude) => {
  const clamped = Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, latitude));
  return (Math.log(Math.tan(((90 + clamped) * Math.PI) / 360)) / Math.PI) * WORLD;
};

/** Extent in EPSG:3857 of a box in degrees; may reach beyond the antimeridian to the east. */
export function mercatorExtent(bbox) {
  const [west, south, east, north] = unrolled(bbox);
  return [toX(west), toY(south), toX(east), toY(north)];
}

/** Whether tile (z, x, y), y from the north, touches the extent or its copy one world away. */
export function tileTouches(extent, z, x, y) {
  const size = (2 * WORLD) / 2 ** z;
  const left = -WORLD + x * size;
  const top = WORLD - y * size;
  if (top <= extent[1] || top - size >= extent[3]) return false;
  return [-2 * WORLD, 0, 2 * WORLD].some(
    (shift) => left + shift < extent[2] && left + shift + size > extent[0],
  );
}

/** An x brought back into the one world from -180 to 180 degrees. */
export function wrapX(x) {
  return ((((x + WORLD) % (2 * WORLD)) + 2 * WORLD) % (2 * WORLD)) - WORLD;
}

const POLE = -85.06; // where the web's map ends

/** A ring without jumps over the antimeridian; one around the south pole is closed along it. */
function continuous(ring) {
  let shift = 0;
  const line = ring.map(([x, y], i) => {
    if (i > 0 && Math.abs(x - ring[i - 1][0]) > 180) shift += x < ring[i - 1][0] ? 360 : -360;
    return [x + shift, Math.max(y, POLE)];
  });
  const [first, last] = [line[0], line.at(-1)];
  const polar = Math.abs(first[0] - last[0]) > 180;
  return { line, closed: polar ? [...line, [last[0], POLE], [first[0], POLE], first] : line };
}

const shifted = (line, by) => line.map(([x, y]) => [x + by, y]);

/**
 * Polygons and coast lines of an atlas whose rings were joined over the antimeridian; what
 * reaches beyond it is there twice, once at either end of the world.
 */
export function unfold(polygons) {
  const areas = [];
  const coasts = [];
  for (const rings of polygons) {
    const parts = rings.map(continuous);
    const xs = parts[0].line.map(([x]) => x);
    const shifts = [0];
    if (Math.max(...xs) > 180) shifts.push(-360);
    if (Math.min(...xs) < -180) shifts.push(360);
    for (const by of shifts) {
      areas.push(parts.map(({ closed }) => shifted(closed, by)));
      coasts.push(...parts.map(({ line }) => shifted(line, by)));
    }
  }
  return { areas, coasts };
}
