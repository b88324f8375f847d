import assert from "node:assert/strict";
import { test } from "node:test";

import { Player } from "../../../services/viewer/web/src/player.js";

function player({ count, index, loop, until }) {
  const seen = [];
  const changes = [];
  const state = { index, count, loop, perSecond: 4 };
  const waits = [];
  const made = new Player({
    show: async (next) => {
      state.index = next;
      seen.push(next);
      if (seen.length === until) made.stop();
      return true;
    },
    state: () => state,
    onChange: (playing) => changes.push(playing),
    wait: async (milliseconds) => waits.push(milliseconds),
  });
  return { made, seen, changes, waits };
}

test("plays to the end and stops there", async () => {
  const { made, seen, changes, waits } = player({ count: 5, index: 2, loop: false });
  await made.play();
  assert.deepEqual(seen, [3, 4]);
  assert.deepEqual(changes, [true, false]);
  assert.deepEqual(waits, [250, 250]);
});

test("begins anew at the end", async () => {
  const { made, seen } = player({ count: 3, index: 2, loop: false });
  await made.play();
  assert.deepEqual(seen, [0, 1, 2]);
});

test("loops until it is stopped", async () => {
  const { made, seen } = player({ count: 3, index: 1, loop: true, until: 7 });
  await made.play();
  assert.deepEqual(seen, [2, 0, 1, 2, 0, 1, 2]);
  assert.equal(made.playing, false);
});

test("waits for a slow frame before the next one", async () => {
  const order = [];
  let release;
  const slow = new Promise((done) => (release = done));
  const state = { index: 0, count: 3, loop: false, perSecond: 1000 };
  const made = new Player({
    show: async (next) => {
      order.push(`ask ${next}`);
      if (next === 1) await slow;
      state.index = next;
      order.push(`seen ${next}`);
      return true;
    },
    state: () => state,
    onChange: () => {},
    wait: async () => {},
  });
  const end = made.play();
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual(order, ["ask 1"]);
  release();
  await end;
  assert.deepEqual(order, ["ask 1", "seen 1", "ask 2", "seen 2"]);
});

test("ends when the server fails", async () => {
  const changes = [];
  const made = new Player({
    show: async () => false,
    state: () => ({ index: 0, count: 9, loop: true, perSecond: 4 }),
    onChange: (playing) => changes.push(playing),
    wait: async () => {},
  });
  await made.play();
  assert.deepEqual(changes, [true, false]);
});
