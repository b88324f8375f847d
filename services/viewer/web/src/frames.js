// Pictures of a moment on the map, on a canvas of their own between the land and the coasts. A new
// one is loaded unseen and then drawn in place of the old one at once: nothing flickers between two
// steps of time, and nothing else of the map has to be drawn again.
import Layer from "ol/layer/Layer.js";
import { createXYZ, wrapX } from "ol/tilegrid.js";
import { apply as applied, compose, create } from "ol/transform.js";

import { tileUrl } from "./api.js";
import { tileTouches, WORLD } from "./geo.js";

const grid = createXYZ({ maxZoom: 18 });
const MOST = 400; // tiles of one picture that are held while the map is moved about

export class Frames {
  /**
   * @param {import("ol/Map.js").default} map
   * @param {import("./tiles.js").TileStore} tiles
   * @param {(error: Error) => void} onError
   */
  constructor(map, tiles, onError) {
    this.map = map;
    this.tiles = tiles;
    this.onError = onError;
    this.canvas = document.createElement("canvas");
    this.canvas.style.cssText = "position: absolute; left: 0; top: 0; width: 100%; height: 100%";
    this.layer = new Layer({ zIndex: 1, render: (frame) => this.#render(frame) });
    this.picture = null; // what is shown, and its tiles that are here: url -> {bitmap, z, x, y}
    this.drawn = new Map();
    this.waiting = null;
    this.prefetching = new AbortController();
    this.frame = null; // what the map has drawn last: its size and view
    map.addLayer(this.layer);
  }

  setOpacity(opacity) {
    this.layer.setOpacity(opacity);
  }

  clear() {
    this.waiting?.abort();
    this.prefetching.abort();
    this.picture = null;
    this.drawn.clear();
    this.layer.changed();
  }

  /** Show a picture; {shown: false} when another was asked for meanwhile. */
  async show(picture) {
    this.waiting?.abort();
    const { signal } = (this.waiting = new AbortController());
    const wanted = this.#tilesInView(picture);
    const results = await Promise.allSettled(
      wanted.map(({ url }) => this.tiles.load(url, { signal })),
    );
    if (signal.aborted) return { shown: false, warning: "" };
    const failure = results.find(({ status }) => status === "rejected");
    if (failure) this.onError(failure.reason);

    this.picture = picture;
    this.drawn = new Map();
    results.forEach(({ value }, i) => {
      // one that has failed stays empty, and is not asked for again while this picture is shown
      this.drawn.set(wanted[i].url, { ...wanted[i], bitmap: value?.bitmap ?? null });
    });
    if (this.frame) this.#paint(this.frame);
    else this.layer.changed();
    const warned = results.find(({ value }) => value?.warning);
    return { shown: true, failed: Boolean(failure), warning: warned?.value.warning ?? "" };
  }

  /** Fetch the tiles of pictures to come, in their order, after all that is looked at. */
  prefetch(pictures) {
    this.prefetching.abort();
    const { signal } = (this.prefetching = new AbortController());
    for (const picture of pictures) {
      for (const { url } of this.#tilesInView(picture)) {
        this.tiles.load(url, { signal, ahead: true }).catch(() => {});
      }
    }
  }

  /** The tiles of a picture at the zoom of the view, those beside its extent left out. */
  #tilesInView(picture) {
    const view = this.map.getView();
    const size = this.map.getSize();
    if (!size || !view.isDef()) return [];
    const z = grid.getZForResolution(view.getResolution());
    const found = new Map();
    const rows = 2 ** z;
    grid.forEachTileCoord(view.calculateExtent(size), z, (coordinate) => {
      if (coordinate[2] < 0 || coordinate[2] >= rows) return;
      const [, x, y] = wrapX(grid, coordinate, view.getProjection());
      if (!tileTouches(picture.extent, z, x, y)) return;
      const url = tileUrl(picture, z, x, y);
      found.set(url, { url, z, x, y });
    });
    return [...found.values()];
  }

  /** Called by the map for every frame that it draws: the view may have moved. */
  #render(frame) {
    this.frame = frame;
    this.#paint(frame);
    this.#loadMissing();
    return this.canvas;
  }

  #loadMissing() {
    if (!this.picture) return;
    const { picture, drawn } = this;
    for (const tile of this.#tilesInView(picture)) {
      if (drawn.has(tile.url)) continue;
      drawn.set(tile.url, { ...tile, bitmap: null });
      this.tiles.load(tile.url, { signal: this.waiting?.signal }).then(
        ({ bitmap }) => {
          drawn.set(tile.url, { ...tile, bitmap });
          if (this.drawn === drawn) this.layer.changed();
        },
        (error) => {
          if (error.name === "AbortError") drawn.delete(tile.url);
          else if (this.drawn === drawn) this.onError(error);
        },
      );
    }
    for (const url of drawn.keys()) {
      if (drawn.size <= MOST) break;
      drawn.delete(url);
    }
  }

  #paint({ size, pixelRatio, extent, viewState, layerStatesArray }) {
    const [width, height] = size.map((side) => Math.round(side * pixelRatio));
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
    }
    const own = layerStatesArray.find(({ layer }) => layer === this.layer);
    this.canvas.style.opacity = String(own?.opacity ?? 1);
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const scale = pixelRatio / viewState.resolution;
    const toPixels = compose(
      create(), width / 2, height / 2, scale, -scale, 0, -viewState.center[0], -viewState.center[1],
    );
    const current = grid.getZForResolution(viewState.resolution);
    const order = (z) => (z === current ? 99 : z); // those of other zooms lie under them
    for (const tile of [...this.drawn.values()].sort((a, b) => order(a.z) - order(b.z))) {
      if (tile.bitmap) this.#paintTile(context, toPixels, extent, tile);
    }
  }

  /** Draw a tile wherever the view shows its part of the world. */
  #paintTile(context, toPixels, extent, { bitmap, z, x, y }) {
    const side = (2 * WORLD) / 2 ** z;
    const top = WORLD - y * side;
    const first = Math.floor((extent[0] - (-WORLD + x * side)) / (2 * WORLD));
    for (let world = first; ; world += 1) {
      const left = -WORLD + x * side + world * 2 * WORLD;
      if (left >= extent[2]) break;
      const [l, t] = applied(toPixels, [left, top]).map(Math.round);
      const [r, b] = applied(toPixels, [left + side, top - side]).map(Math.round);
      context.drawImage(bitmap, l, t, r - l, b - t);
    }
  }
}
