// The legend of the style that is shown; its picture names the unit.
import { legendUrl } from "./api.js";
import { readableTitle } from "./words.js";

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

  show({ title, legend }) {
    this.card.hidden = false;
    this.words = readableTitle(title);
    this.title.textContent = this.words;
    this.image.alt = `Legend: ${this.words}`;
    this.image.hidden = !legend;
    if (legend && this.image.src !== legendUrl(legend)) this.image.src = legendUrl(legend);
  }
}
