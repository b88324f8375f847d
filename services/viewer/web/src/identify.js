// The value at a clicked place, large, with what the server says about it in small.
import { toLonLat } from "ol/proj.js";

import { fetchValues, seriesUrl } from "./api.js";
import { wrapX } from "./geo.js";
import { label } from "./time.js";
import { readableLength, readableTitle, readableUnit } from "./words.js";

const OWN_PLACE = new Set(["layer", "field", "title", "value", "uom", "unit", "time", "elevation"]);

/** A number with at most six significant digits; the exact one goes into a tooltip. */
export function shortNumber(value) {
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(4);
  return String(Number(value.toPrecision(6)));
}

const element = (tag, text, properties = {}) =>
  Object.assign(document.createElement(tag), { textContent: text, ...properties });

function detail(name, value) {
  const words = name.replace(/_m$/, "").replaceAll("_", " ");
  if (name.endsWith("_m") && typeof value === "number") return [words, readableLength(value)];
  return [words, typeof value === "object" ? JSON.stringify(value) : shortNumber(value)];
}

function fieldBlock(properties, several, unit) {
  const { title, field, value, uom = properties.unit, time, elevation } = properties;
  const block = element("div", "", { className: "reading" });
  block.append(element("p", readableTitle(title ?? field ?? ""), { className: "what" }));
  const missing = value === null || value === undefined;
  const number = element("p", missing ? "no data" : shortNumber(value), {
    className: missing ? "number missing" : several ? "number small" : "number",
    title: missing ? "" : String(value),
  });
  if (!missing) number.append(element("span", ` ${readableUnit(uom)}`));
  block.append(number);
  const rows = [];
  if (time) rows.push(["time", `${label(time, 19).replace(/:00$/, "")} UTC`]);
  if (elevation !== null && elevation !== undefined) {
    rows.push(["elevation", `${elevation} ${readableUnit(unit)}`]);
  }
  for (const [name, other] of Object.entries(properties)) {
    if (!OWN_PLACE.has(name) && other !== null && other !== undefined) rows.push(detail(name, other));
  }
  return { block, rows };
}

function table(rows) {
  const list = element("dl", "");
  for (const [name, text] of rows) list.append(element("dt", name), element("dd", text));
  return list;
}

/** Rows that all readings share stand once, below. */
function draw(card, readings, coordinate, unit) {
  const blocks = readings.map((reading) => fieldBlock(reading, readings.length > 1, unit));
  const shared = (row) => blocks.every(({ rows }) => rows.some((r) => r.join() === row.join()));
  const body = blocks.map(({ block, rows }) => {
    block.append(table(rows.filter((row) => !shared(row))));
    return block;
  });
  const [longitude, latitude] = toLonLat([wrapX(coordinate[0]), coordinate[1]]);
  const place = `${Math.abs(latitude).toFixed(4)}° ${latitude < 0 ? "S" : "N"}, ${Math.abs(longitude).toFixed(4)}° ${longitude < 0 ? "W" : "E"}`;
  card.classList.toggle("many", readings.length > 4);
  const common = (blocks[0]?.rows ?? []).filter(shared);
  if (!readings.length) body.push(element("p", "no data", { className: "number missing" }));
  card.replaceChildren(...body, table([...common, ["place", place]]));
}

export class Identify {
  /**
   * @param {HTMLElement} card
   * @param {{mark: (coordinate: number[] | null) => void}} marker
   * @param {(error: Error) => void} onError
   */
  constructor(card, marker, onError) {
    this.card = card;
    this.marker = marker;
    this.onError = onError;
    this.place = null;
    this.asking = null;
    this.charted = "";
  }

  close() {
    this.asking?.abort();
    this.place = null;
    this.card.hidden = true;
    this.marker.mark(null);
  }

  /** Read the value of a picture at a place (EPSG:3857). */
  async open(picture, coordinate, resolution) {
    this.place = { coordinate, resolution };
    this.card.hidden = false;
    this.card.replaceChildren(element("p", "Reading the value …", { className: "what" }));
    this.marker.mark(coordinate);
    await this.refresh(picture);
    if (this.place) this.marker.mark(coordinate);
  }

  /** Read again at the same place, for another time, style or field. */
  async refresh(picture) {
    if (!this.place) return;
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    const { coordinate, resolution } = this.place;
    const at = [wrapX(coordinate[0]), coordinate[1]];
    try {
      const readings = await fetchValues(picture, at, resolution, signal);
      if (signal.aborted || !this.place) return;
      draw(this.card, readings, coordinate, picture.unit);
      if (picture.steps > 1) this.#addChart(seriesUrl(picture, at, resolution));
    } catch (error) {
      if (signal.aborted) return;
      this.card.replaceChildren(element("p", error.message, { className: "what" }));
      this.onError(error);
    }
    this.#addClose();
  }

  /** A button that becomes the chart of all times here; a chart stays while its place does. */
  #addChart(url) {
    const show = () => {
      const chart = element("img", "", { className: "chart", alt: "Chart of the values here over time", src: url });
      chart.onerror = () => chart.replaceWith(element("p", "The chart cannot be drawn", { className: "what" }));
      this.charted = url;
      button.replaceWith(chart);
    };
    const button = element("button", "Chart over time", { type: "button", className: "series", onclick: show });
    this.card.append(button);
    if (this.charted === url) show();
  }

  #addClose() {
    const button = element("button", "×", { type: "button", className: "icon close", onclick: () => this.close() });
    button.setAttribute("aria-label", "Close");
    this.card.append(button);
  }
}
