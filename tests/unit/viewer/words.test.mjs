import assert from "node:assert/strict";
import { test } from "node:test";

import { formatHash, parseHash } from "../../../services/viewer/web/src/permalink.js";
import { readableLength, readableTitle, readableUnit } from "../../../services/viewer/web/src/words.js";

test("the address after # and back", () => {
  const state = { cube: "ostia", field: "ostia.sst", style: "thermal", time: "2019-03-01T00:00:00Z",
    elevation: "-12.5", opacity: 80, view: [-7.25, 51.5, 6.5] };
  const hash = formatHash(state);
  assert.equal(hash, "#cube=ostia&field=ostia.sst&style=thermal&time=2019-03-01T00:00:00Z&elevation=-12.5&opacity=80&view=-7.2500/51.5000/6.50");
  assert.deepEqual(parseHash(hash), state);
});

test("what an address leaves out or has wrong is left to the defaults", () => {
  assert.deepEqual(parseHash(""), {});
  assert.deepEqual(parseHash("#cube=a&view=1/2&opacity=much&style="), { cube: "a" });
  assert.equal(formatHash({ cube: "a b", time: null, opacity: 100 }), "#cube=a%20b");
});

test("units as people write them", () => {
  const units = { "m s-1": "m s⁻¹", "m s**-1": "m s⁻¹", "kg.m-2": "kg·m⁻²", "W/m2": "W/m²", Cel: "°C", 1: "", K: "K", "%": "%", "10^-3": "10^-3" };
  for (const [given, wanted] of Object.entries(units)) assert.equal(readableUnit(given), wanted);
  assert.equal(readableUnit(null), "");
});

test("names of variables become titles, titles stay", () => {
  assert.equal(readableTitle("air_temperature"), "Air temperature");
  for (const title of ["Air temperature", "B04", "t", "sst_K"]) assert.equal(readableTitle(title), title);
});

test("lengths in metres or kilometres", () => {
  assert.deepEqual([0, 812.4, 999, 93469, 1234567].map(readableLength), ["0 m", "812 m", "999 m", "93.5 km", "1230 km"]);
});
