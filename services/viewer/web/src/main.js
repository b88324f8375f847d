// The page: reads the list of cubes, keeps what is chosen, and lets the parts show it.
import { fetchCubes, fetchTile, fetchTimes } from "./api.js";
import { Frames } from "./frames.js";
import { mercatorExtent } from "./geo.js";
import { Identify } from "./identify.js";
import { Legend } from "./legend.js";
import { createMap } from "./map.js";
import { Messages } from "./messages.js";
import { offeredLayers, Panel } from "./panel.js";
import { formatHash, parseHash } from "./permalink.js";
import { TileStore } from "./tiles.js";
import { TimeBar } from "./timebar.js";
import { upcoming } from "./time.js";
import "./style.css";

const AHEAD = 4; // steps fetched in advance while playing
const LOOK = 15_000; // milliseconds between two looks for new data

const parts = Object.fromEntries(
  [...document.querySelectorAll("[id]")].map((element) => [element.id, element]),
);
const messages = new Messages({
  box: parts.message,
  text: parts["message-text"],
  close: parts["message-close"],
  busy: parts.busy,
  note: parts.note,
});
const fail = (error) => messages.error(error);
const view = createMap(parts.map, parts.value);
const tiles = new TileStore({ fetchTile, onBusy: (count) => messages.pending(count) });
const frames = new Frames(view.map, tiles, fail);
const identify = new Identify(parts.value, view, fail);
const legend = new Legend(parts.legend, parts["legend-title"], parts["legend-image"]);
const panel = new Panel(parts, (wanted) => choose(wanted).catch(fail));
const timebar = new TimeBar(parts, () => show().catch((error) => (fail(error), false)));

let cubes = [];
let owner = "";
const chosen = { cube: null, layer: null, style: null, elevation: null };
let written = "";

/** The picture of what is chosen, at a step of time. */
function picture(index = timebar.index) {
  return {
    layer: chosen.layer.name,
    style: chosen.style?.name ?? "default",
    time: timebar.times[index] ?? null,
    elevation: chosen.elevation,
    token: chosen.cube.token,
    unit: chosen.cube.elevation?.uom,
    steps: timebar.times.length,
    extent: mercatorExtent(chosen.cube.bbox),
  };
}

/** Show what is chosen; false when the server failed. */
async function show() {
  const start = performance.now();
  const { shown, failed, warning } = await frames.show(picture());
  performance.measure("frame", { start });
  if (!shown) return true; // something else was asked for meanwhile
  if (!failed) messages.clear();
  messages.remark(warning);
  identify.refresh(picture());
  if (!failed) fetchAhead();
  writeHash();
  return !failed;
}

function fetchAhead() {
  const { index, times, loop, player } = timebar;
  const ahead = player.playing
    ? upcoming(index, 1, AHEAD, times.length, loop)
    : [...upcoming(index, 1, 1, times.length, loop), ...upcoming(index, -1, 1, times.length, loop)];
  frames.prefetch(ahead.map(picture));
}

/** Take over a choice of cube, layer, style, elevation or time; what is not named stays or is the default. */
async function choose(wanted) {
  const cube = wanted.cube ? cubes.find(({ id }) => id === wanted.cube) : chosen.cube;
  const other = cube !== chosen.cube;
  if (other) {
    frames.clear();
    identify.close();
    timebar.fill([], null);
  }
  const layers = offeredLayers(cube);
  const named = wanted.layer ?? (other ? cube.layer : chosen.layer.name);
  const layer = layers.find(({ name }) => name === named) ?? layers[0];
  const styleName = wanted.style ?? (layer === chosen.layer ? chosen.style?.name : layer.default_style);
  const style = layer.styles.find(({ name }) => name === styleName) ?? layer.styles[0] ?? null;
  const levels = cube.elevation;
  const level = wanted.elevation ?? (other ? levels?.default : chosen.elevation);
  // a level may be a number or a name; the address and the list hold its text
  const elevation = levels?.values.find((value) => String(value) === String(level)) ?? levels?.default ?? null;
  Object.assign(chosen, { cube, layer, style, elevation });

  panel.show(chosen);
  view.attribute([owner, cube.attribution]);
  legend.show({ title: layer.title, legend: style?.legend });
  if (other && !wanted.view) view.zoomTo(mercatorExtent(cube.bbox), 0);
  if (other && cube.times) {
    const { times, default: latest } = await fetchTimes(cube.id);
    if (chosen.cube !== cube) return;
    timebar.fill(times, wanted.time ?? latest);
  }
  await show();
}

/** Look whether data have come; then later steps are on the bar, and what has changed is drawn anew. */
async function refresh() {
  if (document.hidden) return;
  const { cubes: found } = await fetchCubes();
  cubes = found;
  const cube = cubes.find(({ id }) => id === chosen.cube?.id);
  if (!cube || cube.token === chosen.cube.token) return;
  const { times } = await fetchTimes(cube.id);
  if (chosen.cube?.id !== cube.id) return;
  chosen.cube = cube;
  timebar.update(times);
  await show();
}

function writeHash() {
  if (!chosen.cube) return;
  written = formatHash({
    cube: chosen.cube.id,
    field: chosen.layer.name,
    style: chosen.style?.name,
    time: timebar.time,
    elevation: chosen.elevation,
    opacity: Number(parts.opacity.value),
    view: view.getView(),
  });
  history.replaceState(null, "", written);
}

function setOpacity(percent) {
  parts.opacity.value = String(percent);
  frames.setOpacity(percent / 100);
}

async function readHash() {
  const { field, opacity, ...state } = parseHash(location.hash);
  const known = !state.cube || cubes.some(({ id }) => id === state.cube);
  if (known || !chosen.cube) {
    setOpacity(opacity ?? 100);
    if (state.view) view.setView(state.view);
    chosen.cube = null; // everything comes from the address, time as well
    await choose({ ...state, cube: (known && state.cube) || cubes[0].id, layer: field });
  }
  if (!known) fail(new Error(`There is no cube ${state.cube} here.`));
}

function listen() {
  const guarded = (action) => (event) => Promise.resolve(action(event)).catch(fail);
  parts.opacity.addEventListener("input", () => setOpacity(Number(parts.opacity.value)));
  parts.opacity.addEventListener("change", writeHash);
  parts["zoom-to"].addEventListener("click", () => view.zoomTo(mercatorExtent(chosen.cube.bbox)));
  parts.share.addEventListener("click", guarded(async () => {
    writeHash();
    await navigator.clipboard.writeText(location.href);
    parts.share.textContent = "Copied";
    setTimeout(() => (parts.share.textContent = "Copy link"), 1500);
  }));
  const read = (coordinate) =>
    identify.open(picture(), coordinate, view.map.getView().getResolution());
  view.map.on("singleclick", ({ coordinate }) => chosen.cube && read(coordinate));
  view.map.on("moveend", () => {
    writeHash();
    if (chosen.cube && frames.picture) fetchAhead();
  });
  parts.map.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && chosen.cube) read(view.map.getView().getCenter());
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && identify.close());
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--bar", `${parts.timebar.offsetHeight}px`);
  }).observe(parts.timebar);
  window.addEventListener("hashchange", guarded(() => location.hash !== written && readHash()));
}

async function start() {
  const { title, attribution, cubes: found } = await fetchCubes();
  owner = attribution;
  cubes = found;
  document.title = title;
  parts.title.textContent = title;
  if (!cubes.length) throw new Error("This server has no cubes yet: datacube ingest adds one.");
  panel.fill(cubes);
  listen();
  await readHash();
  setInterval(() => refresh().catch(() => {}), LOOK); // a server that is away now may be back later
}

start().catch(fail);
