import assert from "node:assert/strict";
import { test } from "node:test";

import { WORLD, mercatorExtent, tileTouches, unfold, unrolled, wrapX } from "../../../services/viewer/web/src/geo.js";

test("boxes over the antimeridian run on to the east", () => {
  assert.deepEqual(unrolled([170, -10, -170, 10]), [170, -10, 190, 10]);
  assert.deepEqual(unrolled([170, -10, 190, 10]), [170, -10, 190, 10]);
  assert.deepEqual(unrolled([190, -10, 200, 10]), [-170, -10, -160, 10]);
  assert.deepEqual(unrolled([0, -90, 360, 90]), [-180, -90, 180, 90]);
});

test("the world in the web's map", () => {
  const [west, south, east, north] = mercatorExtent([-180, -90, 180, 90]);
  assert.deepEqual([west, east], [-WORLD, WORLD]);
  assert.ok(Math.abs(north - WORLD) < 1 && Math.abs(south + WORLD) < 1);
});

test("tiles are asked for only where there is data", () => {
  const pacific = mercatorExtent([170, -10, -170, 10]);
  const touching = [0, 1, 2, 3].filter((x) => tileTouches(pacific, 2, x, 1));
  assert.deepEqual(touching, [0, 3]);
  assert.equal(tileTouches(pacific, 2, 0, 0), false);
  const china = mercatorExtent([100, 25, 101, 26]);
  assert.deepEqual([0, 1, 2, 3].filter((x) => tileTouches(china, 2, x, 1)), [3]);
});

test("places one world away are the same places", () => {
  assert.ok(Math.abs(wrapX(WORLD + 5) - (-WORLD + 5)) < 1e-6);
  assert.ok(Math.abs(wrapX(-WORLD - 5) - (WORLD - 5)) < 1e-6);
  assert.ok(Math.abs(wrapX(1000) - 1000) < 1e-6);
});

test("land over the antimeridian is drawn at both ends of the world, the south pole to its edge", () => {
  const island = [[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]];
  const { areas, coasts } = unfold([island]);
  assert.deepEqual(areas.map(([ring]) => ring.map(([x]) => x)), [[179, 181, 181, 179, 179], [-181, -179, -179, -181, -181]]);
  assert.equal(coasts.length, 2);
  const cap = [[[-180, -70], [-60, -70], [60, -70], [180, -70]]];
  const pole = unfold([cap]);
  assert.deepEqual(pole.areas[0][0].slice(4), [[180, -85.06], [-180, -85.06], [-180, -70]]);
  assert.equal(pole.coasts[0].length, 4);
});
