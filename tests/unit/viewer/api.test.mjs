import assert from "node:assert/strict";
import { test } from "node:test";

import { fetchTile } from "../../../services/viewer/web/src/api.js";

/** A server whose first answers never come. */
function silentAtFirst(times) {
  const asked = [];
  globalThis.createImageBitmap = async () => "picture";
  globalThis.fetch = (url, { signal }) => {
    asked.push(url);
    if (asked.length > times) return Promise.resolve(new Response("png"));
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  };
  return asked;
}

// the time limit does not keep the process alive, as it does not keep a page
async function awake(work) {
  const clock = setInterval(() => {}, 10);
  try {
    return await work();
  } finally {
    clearInterval(clock);
  }
}

test("a tile that does not come is asked for once more", async () => {
  const asked = silentAtFirst(1);
  const { bitmap } = await awake(() => fetchTile("tile", 20));
  assert.equal(bitmap, "picture");
  assert.deepEqual(asked, ["tile", "tile"]);
});

test("one that does not come then either is an error that says so", async () => {
  const asked = silentAtFirst(2);
  await awake(() => assert.rejects(fetchTile("tile", 20), /takes too long/));
  assert.equal(asked.length, 2);
});

test("nor does a picture that is never decoded hold up the others", async () => {
  silentAtFirst(0);
  globalThis.createImageBitmap = () => new Promise(() => {});
  await awake(() => assert.rejects(fetchTile("tile", 20), /takes too long/));
});
