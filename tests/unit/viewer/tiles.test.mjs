import assert from "node:assert/strict";
import { test } from "node:test";

import { TileStore } from "../../../services/viewer/web/src/tiles.js";

const settled = () => new Promise((done) => setTimeout(done, 5));

function store(options = {}) {
  const asked = [];
  const answers = new Map();
  const busy = [];
  const made = new TileStore({
    fetchTile: (url) => {
      asked.push(url);
      return new Promise((resolve, reject) => answers.set(url, { resolve, reject }));
    },
    onBusy: (count) => busy.push(count),
    atOnce: 1,
    ...options,
  });
  return { made, asked, answers, busy };
}

test("what is seen goes before what will be, in its order", async () => {
  const { made, asked, answers } = store();
  for (const url of ["running", "ahead 1", "ahead 2"]) made.load(url, { ahead: true });
  made.load("seen 1");
  made.load("seen 2");
  made.load("ahead 2"); // is looked at now
  for (let i = 0; i < 5; i += 1) {
    answers.get(asked.at(-1)).resolve("tile");
    await settled();
  }
  assert.deepEqual(asked, ["running", "ahead 2", "seen 1", "seen 2", "ahead 1"]);
});

test("a tile is fetched once", async () => {
  const { made, asked, answers } = store();
  const both = [made.load("a", { ahead: true }), made.load("a")];
  answers.get("a").resolve("tile");
  assert.deepEqual(await Promise.all(both), ["tile", "tile"]);
  assert.equal(await made.load("a"), "tile");
  assert.deepEqual(asked, ["a"]);
});

test("a tile that nobody wants any more is not fetched", async () => {
  const { made, asked, answers } = store();
  const gone = new AbortController();
  made.load("running");
  const unwanted = made.load("b", { signal: gone.signal });
  made.load("c", { signal: gone.signal });
  made.load("c"); // somebody else wants it still
  gone.abort();
  answers.get("running").resolve("tile");
  await assert.rejects(unwanted, { name: "AbortError" });
  await settled();
  assert.deepEqual(asked, ["running", "c"]);
});

test("a failed tile is asked for again, and counts as missing no more", async () => {
  const { made, asked, answers, busy } = store();
  const failing = made.load("a");
  answers.get("a").reject(new Error("damaged"));
  await assert.rejects(failing, /damaged/);
  made.load("a");
  await settled();
  assert.deepEqual(asked, ["a", "a"]);
  assert.deepEqual(busy, [1, 0, 1]);
});

test("the oldest tiles go when there are too many", async () => {
  const made = new TileStore({ fetchTile: async (url) => url, keep: 2 });
  for (const url of ["a", "b", "a", "c"]) await made.load(url);
  assert.deepEqual([...made.entries.keys()], ["a", "c"]);
});
