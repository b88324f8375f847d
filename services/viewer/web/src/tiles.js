// Tiles fetched once, a few at a time, those that are seen before those that will be.

export class TileStore {
  /**
   * @param {object} parts
   * @param {(url: string) => Promise<unknown>} parts.fetchTile
   * @param {(pending: number) => void} [parts.onBusy] tiles that somebody looks at and are missing
   * @param {number} [parts.keep] tiles kept
   * @param {number} [parts.atOnce] fetches at a time
   */
  constructor({ fetchTile, onBusy = () => {}, keep = 500, atOnce = 6 }) {
    this.fetchTile = fetchTile;
    this.onBusy = onBusy;
    this.keep = keep;
    this.atOnce = atOnce;
    this.entries = new Map();
    this.queue = [];
    this.running = 0;
    this.seen = 0;
  }

  /** The tile, fetched unless it is here; rejects with AbortError when every asker has given up. */
  load(url, { signal = null, ahead = false } = {}) {
    let entry = this.entries.get(url);
    if (entry) {
      this.entries.delete(url); // to the young end of the map
      this.entries.set(url, entry);
      entry.askers.push(signal);
      if (!ahead && entry.ahead) this.#look(entry);
    } else {
      entry = { url, ahead: true, askers: [signal], done: false };
      entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      entry.promise.catch(() => {}); // a prefetched tile may fail unseen
      this.entries.set(url, entry);
      this.queue.push(entry);
      if (!ahead) this.#look(entry);
    }
    this.#pump();
    return entry.promise;
  }

  #look(entry) {
    entry.ahead = false;
    if (entry.done) return;
    this.seen += 1;
    this.onBusy(this.seen);
  }

  #pump() {
    while (this.running < this.atOnce && this.queue.length) {
      const first = this.queue.findIndex((entry) => !entry.ahead);
      const [entry] = this.queue.splice(Math.max(first, 0), 1);
      if (entry.askers.every((signal) => signal?.aborted)) {
        this.#settle(entry, "reject", new DOMException("No longer wanted", "AbortError"));
      } else {
        this.running += 1;
        this.fetchTile(entry.url)
          .then(
            (tile) => this.#settle(entry, "resolve", tile),
            (error) => this.#settle(entry, "reject", error),
          )
          .finally(() => {
            this.running -= 1;
            this.#pump();
          });
      }
    }
  }

  #settle(entry, how, what) {
    entry.done = true;
    if (how === "reject") this.entries.delete(entry.url);
    if (!entry.ahead) {
      this.seen -= 1;
      this.onBusy(this.seen);
    }
    entry[how](what);
    for (const [url, old] of this.entries) {
      if (this.entries.size <= this.keep) break;
      if (old.done) this.entries.delete(url);
    }
  }
}
