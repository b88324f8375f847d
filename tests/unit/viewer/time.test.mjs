import assert from "node:assert/strict";
import { test } from "node:test";

import { label, labelLength, nearestIndex, ordinal, step, upcoming } from "../../../services/viewer/web/src/time.js";

test("ordinals grow with time in every calendar", () => {
  const rising = ["-0001-12-30", "0000-01-01", "2000-02-28", "2000-02-29", "2000-02-30", "2000-03-01",
    "2000-03-01T00:00:01Z", "2000-03-01T06:00:00Z", "2000-03-01T06:30Z", "2000-12-31", "12000-01-01"];
  const ordinals = rising.map(ordinal);
  assert.ok(ordinals.every((value) => value !== null));
  assert.deepEqual([...ordinals].sort((a, b) => a - b), ordinals);
});

test("partial dates begin their period, and other text is no time", () => {
  assert.equal(ordinal("2019"), ordinal("2019-01-01T00:00:00Z"));
  assert.equal(ordinal(" 2019-03-01 06:00 "), ordinal("2019-03-01T06:00:00Z"));
  for (const text of ["", "yesterday", "2019-13-01", "2019-01-41", "2019-01-01T25:00", "31.12.2019"]) {
    assert.equal(ordinal(text), null, text);
  }
});

test("the nearest of many steps, the earlier of two as near", () => {
  const ordinals = Array.from({ length: 15000 }, (_, i) => 10 * i);
  assert.equal(nearestIndex(ordinals, -5), 0);
  assert.equal(nearestIndex(ordinals, 70004), 7000);
  assert.equal(nearestIndex(ordinals, 70005), 7000);
  assert.equal(nearestIndex(ordinals, 70006), 7001);
  assert.equal(nearestIndex(ordinals, 1e9), 14999);
});

test("stepping ends or loops", () => {
  assert.equal(step(3, 1, 5, false), 4);
  assert.equal(step(4, 1, 5, false), null);
  assert.equal(step(4, 1, 5, true), 0);
  assert.equal(step(0, -1, 5, true), 4);
  assert.equal(step(0, 1, 0, true), null);
});

test("what playing shows next is fetched first, and nothing twice", () => {
  assert.deepEqual(upcoming(7, 1, 4, 10, true), [8, 9, 0, 1]);
  assert.deepEqual(upcoming(7, 1, 4, 10, false), [8, 9]);
  assert.deepEqual(upcoming(1, -1, 3, 10, true), [0, 9, 8]);
  assert.deepEqual(upcoming(0, 1, 4, 3, true), [1, 2]);
  assert.deepEqual(upcoming(0, 1, 4, 1, true), []);
});

test("labels are as long as their times need", () => {
  assert.equal(labelLength(["2019-03-01T00:00:00Z", "2019-03-02T00:00:00Z"]), 10);
  assert.equal(labelLength(["2019-03-01T00:00:00Z", "2019-03-01T06:00:00Z"]), 16);
  assert.equal(labelLength(["2019-03-01T00:00:00Z", "2019-03-01T06:00:31Z"]), 19);
  assert.equal(label("2019-03-01T06:00:31Z", 10), "2019-03-01");
  assert.equal(label("2019-03-01T06:00:31Z"), "2019-03-01 06:00");
  assert.equal(label("2019-03-01T06:00:31Z", 19), "2019-03-01 06:00:31");
  assert.equal(label("2019-03-01", 16), "2019-03-01");
});
