// Pictures of a moment on the map. A new one is drawn unseen over the old one and takes its
// place when all of its tiles are there, so that nothing flickers between two steps.
import TileLayer from "ol/layer/Tile.js";
import ImageTile from "ol/source/ImageTile.js";
import { createXYZ, wrapX } from "ol/tilegrid.js";

import { tileUrl } from "./api.js";
import { tileTouches } from "./geo.js";

const grid = createXYZ({ maxZoom: 18 });
const LONGEST_WAIT = 3000; // milliseconds for drawing tiles that are all loaded

function emptyTile() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 256;
  return canvas;
}

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
    this.empty = emptyTile();
    this.opacity = 1;
    this.layer = null;
    this.waiting = null;
    this.prefetching = new AbortController();
  }

  setOpacity(opacity) {
    this.opacity = opacity;
    this.layer?.setOpacity(opacity);
  }

  clear() {
    this.waiting?.abort();
    this.prefetching.abort();
    if (this.layer) this.map.removeLayer(this.layer);
    this.layer = null;
  }

  /** Show a picture; {shown: false} when another was asked for meanwhile. */
  async show(picture) {
    this.waiting?.abort();
    const { signal } = (this.waiting = new AbortController());
    const results = await this.#load(picture, { signal });
    if (signal.aborted) return { shown: false, warning: "" };
    const failure = results.find(({ status }) => status === "rejected");
    if (failure) this.onError(failure.reason);
    const failed = new Set(results.map(({ reason }) => reason?.url).filter(Boolean));

    const layer = this.#makeLayer(picture, failed);
    this.map.addLayer(layer);
    await this.#drawn(layer);
    if (signal.aborted) {
      this.map.removeLayer(layer);
      return { shown: false, warning: "" };
    }
    layer.setOpacity(this.opacity);
    if (this.layer) this.map.removeLayer(this.layer);
    this.layer = layer;
    const warned = results.find(({ value }) => value?.warning);
    return { shown: true, failed: Boolean(failure), warning: warned?.value.warning ?? "" };
  }

  /** Fetch the tiles of pictures to come, in their order, after all that is looked at. */
  prefetch(pictures) {
    this.prefetching.abort();
    const { signal } = (this.prefetching = new AbortController());
    for (const picture of pictures) this.#load(picture, { signal, ahead: true });
  }

  #load(picture, options) {
    return Promise.allSettled(
      this.#tilesInView()
        .filter(([z, x, y]) => tileTouches(picture.extent, z, x, y))
        .map(([z, x, y]) => this.tiles.load(tileUrl(picture, z, x, y), options)),
    );
  }

  #tilesInView() {
    const view = this.map.getView();
    const size = this.map.getSize();
    if (!size || !view.isDef()) return [];
    const z = grid.getZForResolution(view.getResolution());
    const found = new Map();
    const rows = 2 ** z;
    grid.forEachTileCoord(view.calculateExtent(size), z, (coordinate) => {
      if (coordinate[2] < 0 || coordinate[2] >= rows) return;
      const [, x, y] = wrapX(grid, coordinate, view.getProjection());
      found.set(`${x}/${y}`, [z, x, y]);
    });
    return [...found.values()];
  }

  #makeLayer(picture, failed) {
    const loader = async (z, x, y) => {
      if (!tileTouches(picture.extent, z, x, y)) return this.empty;
      const url = tileUrl(picture, z, x, y);
      if (failed.has(url)) return this.empty;
      try {
        return (await this.tiles.load(url)).bitmap;
      } catch (error) {
        this.onError(error);
        throw error;
      }
    };
    const source = new ImageTile({ loader, tileGrid: grid, transition: 0, wrapX: true });
    return new TileLayer({ source, opacity: 0, zIndex: 1 });
  }

  #drawn(layer) {
    return new Promise((done) => {
      const timer = setTimeout(done, LONGEST_WAIT);
      layer.once("postrender", () =>
        this.map.once("rendercomplete", () => {
          clearTimeout(timer);
          done();
        }),
      );
    });
  }
}
