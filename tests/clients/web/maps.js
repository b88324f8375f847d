// Each function shows tiles as its library does and gives pixels back: [red, green, blue, alpha] at
// places in longitude and latitude, on a map of 512 x 512 pixels of the whole Mercator square.
import L from "leaflet";
import "leaflet/dist/leaflet.css";
import maplibregl from "maplibre-gl";
import OlMap from "ol/Map.js";
import View from "ol/View.js";
import WMTSCapabilities from "ol/format/WMTSCapabilities.js";
import TileLayer from "ol/layer/Tile.js";
import { fromLonLat } from "ol/proj.js";
import WMTS, { optionsFromCapabilities } from "ol/source/WMTS.js";

const SIDE = 512;

function room() {
  document.body.innerHTML = "";
  document.body.style.margin = "0";
  const div = document.createElement("div");
  div.style.cssText = `width: ${SIDE}px; height: ${SIDE}px; background: transparent`;
  document.body.append(div);
  return div;
}

function place([lon, lat]) {
  const half = 20037508.342789244;
  const [x, y] = fromLonLat([lon, lat]);
  return [Math.floor(((x + half) / (2 * half)) * SIDE), Math.floor(((half - y) / (2 * half)) * SIDE)];
}

function picked(picture, places) {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0, SIDE, SIDE);
  return places.map((one) => [...context.getImageData(...place(one), 1, 1).data]);
}

export async function openlayers(capabilities, { layer, style, encoding, time, set }, places) {
  const text = await (await fetch(capabilities)).text();
  const read = new WMTSCapabilities().read(text);
  const options = optionsFromCapabilities(read, {
    layer,
    style,
    matrixSet: set,
    requestEncoding: encoding,
    crossOrigin: "anonymous",
  });
  const source = new WMTS({ ...options, crossOrigin: "anonymous", interpolate: false });
  const stated = { ...options.dimensions };
  source.updateDimensions({ time });
  const map = new OlMap({
    target: room(),
    controls: [],
    pixelRatio: 1,
    layers: [new TileLayer({ source })],
    view: new View({ center: [0, 0], resolution: (2 * 20037508.342789244) / SIDE, multiWorld: true }),
  });
  await new Promise((done) => map.once("rendercomplete", done));
  const found = picked(map.getViewport().querySelector("canvas"), places);
  map.setTarget(null);
  return { pixels: found, dimensions: stated, encoding: options.requestEncoding };
}

export async function leaflet(tilejson, time, places) {
  const said = await (await fetch(tilejson)).json();
  const map = L.map(room(), { center: [0, 0], zoom: 1, zoomControl: false, fadeAnimation: false });
  const layer = L.tileLayer(said.template.replace("{time}", time), {
    minZoom: said.minzoom,
    maxNativeZoom: Math.max(said.maxzoom, 1),
    attribution: said.attribution,
    crossOrigin: "anonymous",
    noWrap: true,
  });
  const loaded = new Promise((done) => layer.on("load", done));
  layer.addTo(map);
  await loaded;
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d");
  const frame = map.getContainer().getBoundingClientRect();
  for (const image of document.querySelectorAll("img.leaflet-tile")) {
    const box = image.getBoundingClientRect();
    await image.decode();
    context.drawImage(image, box.left - frame.left, box.top - frame.top);
  }
  map.remove();
  return picked(canvas, places);
}

export async function maplibre(tilejson, places) {
  const map = new maplibregl.Map({
    container: room(),
    center: [0, 0],
    zoom: 0, // of tiles of 512 pixels
    attributionControl: false,
    canvasContextAttributes: { preserveDrawingBuffer: true, antialias: false },
    pixelRatio: 1,
    style: {
      version: 8,
      sources: { tiles: { type: "raster", url: tilejson, tileSize: 256 } },
      layers: [
        {
          id: "tiles",
          type: "raster",
          source: "tiles",
          paint: { "raster-resampling": "nearest", "raster-fade-duration": 0 },
        },
      ],
    },
  });
  await new Promise((done) => map.once("idle", done));
  const found = picked(map.getCanvas(), places);
  map.remove();
  return found;
}

// Values of a tile, found as a program that colours them itself finds them: by a canvas, which has
// 8 bits for a colour, of the PNG of two colours, or number by number of the grey one.
export async function values(tilejson, time, tile) {
  const said = await (await fetch(tilejson)).json();
  const address = said.template.replace("{time}", time).replace("{z}/{y}/{x}", tile);
  const file = await (await fetch(address)).blob();
  const { scale, offset, number, nodata } = said.values;
  const physical = (one) => offset + scale * one;
  if (number === "grey") {
    const numbers = await greyNumbers(new DataView(await file.arrayBuffer()));
    return numbers.map((one) => (one === nodata ? null : physical(one)));
  }
  const { data } = await shown(file);
  const found = [];
  for (let at = 0; at < data.length; at += 4) {
    found.push(data[at + 3] ? physical(256 * data[at] + data[at + 1]) : null);
  }
  return found;
}

async function shown(file) {
  const picture = await createImageBitmap(file, {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, picture.width, picture.height);
}

// The numbers of a grey PNG of 16 bits whose rows are differences to the row above.
async function greyNumbers(view) {
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (view.getUint8(24) !== 16 || view.getUint8(25) !== 0) throw new Error("not grey of 16 bits");
  const parts = [];
  for (let at = 8; at < view.byteLength; at += 12 + view.getUint32(at)) {
    const kind = view.getUint32(at + 4);
    if (kind === 0x49444154) parts.push(new Uint8Array(view.buffer, at + 8, view.getUint32(at)));
  }
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(await new Response(stream).arrayBuffer());
  const above = new Uint8Array(2 * width);
  const found = [];
  for (let y = 0, at = 0; y < height; y += 1) {
    if (rows[at++] !== 2) throw new Error("another filter");
    for (let x = 0; x < 2 * width; x += 1) above[x] += rows[at++];
    for (let x = 0; x < 2 * width; x += 2) found.push(256 * above[x] + above[x + 1]);
  }
  return found;
}

// What a browser shows of it: grey and alpha, 8 bits each.
export async function greys(address) {
  const { data } = await shown(await (await fetch(address)).blob());
  return [...data];
}
