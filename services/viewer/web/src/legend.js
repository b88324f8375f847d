// The legend of the style that is shown, with the field's unit.
import { legendUrl } from "./api.js";
import { readableTitle, readableUnit } from "./words.js";

export class Legend {
  constructor(card, title, image) {
    this.card = card;
    this.title = title;
    this.image = image;
    card.open = !matchMedia("(max-width: 640px)").matches;
    image.addEventListener("load", () => (image.hidden = false));
    image.addEventListener("error", () => {
      image.hidden = true;
      title.textContent = `${this.words} (no legend)`;
    });
  }

  show({ title, uom, legend }) {
    const unit = readableUnit(uom);
    const name = readableTitle(title);
    this.card.hidden = false;
    this.words = unit ? `${name} in ${unit}` : name;
    this.title.textContent = this.words;
    this.image.alt = `Legend: ${this.words}`;
    this.image.hidden = !legend;
    if (legend && this.image.src !== legendUrl(legend)) this.image.src = legendUrl(legend);
  }
}
