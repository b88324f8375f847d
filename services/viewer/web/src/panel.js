// The list of cubes and their fields, and how the chosen one is drawn.
import { readableTitle, readableUnit } from "./words.js";

const MANY = 8;

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** Layers worth offering: a cube of one field is the same as its field. */
export function offeredLayers(cube) {
  if (cube.fields.length !== 1) return cube.layers;
  const only = cube.layers.filter(({ name }) => name === cube.fields[0].layer);
  return only.length ? only : cube.layers;
}

const fieldOf = (cube, layer) => cube.fields.find((field) => field.layer === layer) ?? null;

function span(times) {
  if (!times?.count) return "";
  const [first, last] = [times.first.slice(0, 10), times.last.slice(0, 10)];
  return first === last ? first : `${first} – ${last}`;
}

export class Panel {
  /**
   * @param {Record<string, HTMLElement>} parts elements of the page by their id
   * @param {(chosen: {cube?: string, layer?: string, style?: string, elevation?: string}) => void} onChoose
   */
  constructor(parts, onChoose) {
    this.parts = parts;
    this.onChoose = onChoose;
    parts.search.addEventListener("input", () => this.#filter());
    parts.style.addEventListener("change", () => onChoose({ style: parts.style.value }));
    parts.elevation.addEventListener("change", () => onChoose({ elevation: parts.elevation.value }));
    parts.fold.addEventListener("click", () => this.fold(!this.folded));
    this.fold(matchMedia("(max-width: 640px)").matches);
  }

  fold(folded) {
    this.folded = folded;
    this.parts.panel.classList.toggle("folded", folded);
    this.parts.fold.setAttribute("aria-expanded", String(!folded));
  }

  /** List the cubes. */
  fill(cubes) {
    this.parts.search.hidden =
      cubes.length <= MANY && cubes.every((cube) => cube.layers.length <= MANY);
    this.parts["cube-list"].replaceChildren(...cubes.map((cube) => this.#cubeRow(cube)));
  }

  #cubeRow(cube) {
    const radio = element("input", { type: "radio", name: "cube", value: cube.id });
    radio.addEventListener("change", () => this.onChoose({ cube: cube.id }));
    const layers = offeredLayers(cube);
    const facts = [layers.length > 1 ? `${layers.length} layers` : "", span(cube.times)];
    const fields = element("div", { className: "fields", hidden: true });
    fields.setAttribute("role", "radiogroup");
    fields.setAttribute("aria-label", `Fields of ${cube.title}`);
    if (layers.length > 1) fields.append(...layers.map((layer) => this.#layerRow(cube, layer)));
    const row = element("div", { className: "cube" },
      element("label", {}, radio, element("span", {},
        element("span", { className: "name", textContent: cube.title }),
        element("small", { textContent: facts.filter(Boolean).join(" · ") }))),
      fields);
    row.dataset.cube = cube.id;
    row.dataset.words = [cube.id, cube.title, ...layers.map(({ name, title }) => `${name} ${title}`)]
      .join(" ").toLowerCase();
    return row;
  }

  #layerRow(cube, layer) {
    const radio = element("input", { type: "radio", name: `layer of ${cube.id}`, value: layer.name });
    radio.addEventListener("change", () => this.onChoose({ layer: layer.name }));
    const title = layer.title === cube.title ? "Default picture" : readableTitle(layer.title);
    const row = element("label", {}, radio, element("span", { className: "name", textContent: title }),
      element("small", { textContent: readableUnit(fieldOf(cube, layer.name)?.uom) }));
    row.dataset.words = `${layer.name} ${layer.title}`.toLowerCase();
    return row;
  }

  #filter() {
    const wanted = this.parts.search.value.trim().toLowerCase();
    for (const row of this.parts["cube-list"].children) {
      row.hidden = !row.dataset.words.includes(wanted);
      const layers = [...row.querySelectorAll(".fields > label")];
      const some = layers.some((layer) => layer.dataset.words.includes(wanted));
      for (const layer of layers) layer.hidden = some && !layer.dataset.words.includes(wanted);
    }
    this.parts["none-found"].hidden = [...this.parts["cube-list"].children].some((row) => !row.hidden);
  }

  /** Mark what is shown, and offer its styles and levels. */
  show({ cube, layer, style, elevation }) {
    for (const row of this.parts["cube-list"].children) {
      const chosen = row.dataset.cube === cube.id;
      row.classList.toggle("chosen", chosen);
      row.querySelector("input").checked = chosen;
      const fields = row.querySelector(".fields");
      fields.hidden = !chosen || !fields.children.length;
      for (const radio of fields.querySelectorAll("input")) radio.checked = radio.value === layer.name;
      if (chosen && document.activeElement?.type !== "radio") {
        row.scrollIntoView({ block: fields.hidden ? "nearest" : "start" });
        fields.querySelector(":checked")?.scrollIntoView({ block: "nearest" });
      }
    }
    const parts = this.parts;
    parts.shown.textContent =
      layer.title === cube.title ? cube.title : `${readableTitle(layer.title)} · ${cube.title}`;
    parts.abstract.textContent = cube.abstract ?? "";
    options(parts.style, layer.styles.map(({ name, title }) => [name, title || name]), style?.name);
    parts["style-row"].hidden = layer.styles.length < 2;
    const axis = cube.elevation;
    parts["elevation-row"].hidden = !axis;
    if (axis) {
      const name = (axis.title ?? axis.name).replaceAll("_", " ");
      parts["elevation-name"].textContent = name[0].toUpperCase() + name.slice(1);
      const unit = readableUnit(axis.uom);
      options(parts.elevation, axis.values.map((value) => [value, `${value} ${unit}`]), elevation);
    }
  }
}

function options(select, pairs, chosen) {
  select.replaceChildren(
    ...pairs.map(([value, text]) => element("option", { value: String(value), textContent: text })),
  );
  if (chosen !== undefined && chosen !== null) select.value = String(chosen);
}
