// The server's addresses and answers. All addresses are relative to the page's own.
import { readableWarnings } from "./words.js";

/** What the server said is wrong, or that it could not be asked. */
export class ServerError extends Error {
  constructor(message, url) {
    super(message);
    this.url = String(url);
  }
}

const PATIENCE = 30_000; // milliseconds for a tile to come and be decoded

const page = () => new URL("./", document.baseURI);

async function get(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError" || error.name === "TimeoutError") throw error;
    throw new ServerError("The server cannot be reached.", url);
  }
  const type = response.headers.get("content-type") ?? "";
  const report = /xml/.test(type); // the OGC services report errors as XML, some with status 200
  if (!response.ok || report) {
    throw new ServerError(sentence(await response.text(), response), url);
  }
  return response;
}

/** The sentence in an XML, JSON or plain error report. */
function sentence(text, response) {
  const type = response.headers.get("content-type") ?? "";
  let found = "";
  if (/xml/.test(type)) {
    const report = new DOMParser().parseFromString(text, "application/xml");
    for (const name of ["ServiceException", "ExceptionText"]) {
      found ||= report.getElementsByTagNameNS("*", name)[0]?.textContent.trim() ?? "";
    }
  } else if (/json/.test(type)) {
    try {
      const { detail, description, title } = JSON.parse(text);
      found = detail ?? description ?? title ?? "";
    } catch {
      found = "";
    }
  } else if (/plain/.test(type)) {
    found = text.trim().slice(0, 300);
  }
  return found || `The server answered ${response.status} ${response.statusText}`.trim() + ".";
}

export async function fetchCubes() {
  return (await get(new URL("cubes.json", page()), { cache: "no-cache" })).json();
}

export async function fetchTimes(cube) {
  const url = new URL(`cubes/${encodeURIComponent(cube)}/times.json`, page());
  return (await get(url, { cache: "no-cache" })).json();
}

/**
 * A tile as a bitmap, with the words of the server's Warning header if it sent one. One that does
 * not come is asked for once more: what waits for it, such as the player, must not wait for ever.
 */
export async function fetchTile(url, patience = PATIENCE) {
  for (const last of [false, true]) {
    try {
      return await inTime(patience, (signal) => loadTile(url, signal));
    } catch (error) {
      if (error.name !== "TimeoutError") throw error;
      if (last) throw new ServerError("The server takes too long to answer.", url);
    }
  }
}

async function loadTile(url, signal) {
  const response = await get(url, { signal });
  const bitmap = await createImageBitmap(await response.blob());
  return { bitmap, warning: readableWarnings(response.headers.get("warning") ?? "") };
}

/** What the work gives; a TimeoutError when that takes longer, whether or not it ends then. */
function inTime(milliseconds, work) {
  const signal = AbortSignal.timeout(milliseconds);
  const late = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  return Promise.race([work(signal), late]);
}

function service(path, parameters) {
  const url = new URL(`../${path}`, page());
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/**
 * Address of a tile of a picture {layer, style, time, elevation, token}; time and elevation may be
 * null. With the token of the cube's state the browser keeps the tile without asking again.
 */
export function tileUrl({ layer, style, time, elevation, token }, z, x, y) {
  return service("wmts", {
    SERVICE: "WMTS", REQUEST: "GetTile", VERSION: "1.0.0", LAYER: layer, STYLE: style,
    FORMAT: "image/png", TILEMATRIXSET: "WebMercatorQuad", TILEMATRIX: z, TILEROW: y, TILECOL: x,
    time, elevation, v: token,
  });
}

/** The values of a picture at a point in EPSG:3857, as a list of feature properties. */
export async function fetchValues({ layer, style, time, elevation }, [x, y], resolution, signal) {
  const half = 50.5 * resolution; // the point is the middle of the middle pixel of 101
  const url = service("wms", {
    SERVICE: "WMS", VERSION: "1.3.0", REQUEST: "GetFeatureInfo", CRS: "EPSG:3857",
    BBOX: [x - half, y - half, x + half, y + half].join(","),
    WIDTH: 101, HEIGHT: 101, I: 50, J: 50, LAYERS: layer, QUERY_LAYERS: layer, STYLES: style,
    INFO_FORMAT: "application/json", TIME: time, ELEVATION: elevation,
  });
  const { features = [] } = await (await get(url, { signal })).json();
  return features.map((feature) => feature.properties ?? {});
}

/** Address of a chart of all times at a point in EPSG:3857. */
export function seriesUrl({ layer, style, elevation }, [x, y], resolution) {
  const half = 50.5 * resolution;
  return service("wms", {
    SERVICE: "WMS", VERSION: "1.3.0", REQUEST: "GetTimeseries", CRS: "EPSG:3857",
    BBOX: [x - half, y - half, x + half, y + half].join(","),
    WIDTH: 101, HEIGHT: 101, I: 50, J: 50, LAYERS: layer, QUERY_LAYERS: layer, STYLES: style,
    INFO_FORMAT: "image/png", ELEVATION: elevation, CHART_WIDTH: 400, CHART_HEIGHT: 220,
  });
}

/** Address of a legend that the list of cubes gave relative to the page. */
export const legendUrl = (address) => new URL(address, page()).href;
