// The time slider: steps, play, speed, loop, and a field in which a date can be typed.
import { Player } from "./player.js";
import { label, labelLength, nearestIndex, ordinal, step } from "./time.js";

export class TimeBar {
  /**
   * @param {Record<string, HTMLElement>} parts elements of the page by their id
   * @param {(index: number) => Promise<boolean>} show shows a step; false if the server failed
   */
  constructor(parts, show) {
    this.parts = parts;
    this.showStep = show;
    this.times = [];
    this.ordinals = [];
    this.index = 0;
    this.player = new Player({
      show: (index) => this.go(index),
      state: () => ({
        index: this.index,
        count: this.times.length,
        loop: this.loop,
        perSecond: Number(parts.speed.value),
      }),
      onChange: (playing) => this.#drawPlaying(playing),
    });
    parts.slider.addEventListener("input", () => this.seek(Number(parts.slider.value)));
    parts.back.addEventListener("click", () => this.step(-1));
    parts.forward.addEventListener("click", () => this.step(1));
    parts.play.addEventListener("click", () => this.player.toggle());
    parts["when-form"].addEventListener("submit", (event) => {
      event.preventDefault();
      this.#goToTyped();
    });
    parts.when.addEventListener("blur", () => this.#draw());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  get time() {
    return this.times[this.index] ?? null;
  }

  get loop() {
    return this.parts.loop.checked;
  }

  /** Take the steps of a cube; none hides the bar. */
  fill(times, wanted) {
    this.player.stop();
    this.#take(times, wanted);
  }

  /** Take steps that the same cube has now, and stay where one is, playing or not. */
  update(times) {
    this.#take(times, this.time);
  }

  #take(times, wanted) {
    this.times = times;
    this.ordinals = times.map((time) => ordinal(time) ?? 0);
    this.length = labelLength(times);
    const asked = wanted ? ordinal(wanted) : null;
    this.index = asked === null ? Math.max(0, times.length - 1) : nearestIndex(this.ordinals, asked);
    const parts = this.parts;
    parts.timebar.hidden = times.length === 0;
    parts.timebar.classList.toggle("single", times.length === 1);
    if (!times.length) return;
    parts.slider.max = String(times.length - 1);
    parts.first.textContent = label(times[0], 10);
    parts.last.textContent = times.length > 1 ? label(times.at(-1), 10) : "";
    this.#draw();
  }

  /** Show a step and wait until it is seen. */
  async go(index) {
    this.index = index;
    this.#draw();
    return this.showStep(index);
  }

  /** Go to a step by hand: playing ends. */
  seek(index) {
    this.player.stop();
    this.go(index);
  }

  step(by) {
    const next = step(this.index, by, this.times.length, this.loop);
    if (next !== null) this.seek(next);
  }

  #goToTyped() {
    const wanted = ordinal(this.parts.when.value);
    const odd = wanted === null;
    this.parts.when.setAttribute("aria-invalid", String(odd));
    if (odd) return;
    this.parts.when.blur();
    this.seek(nearestIndex(this.ordinals, wanted));
  }

  #draw() {
    const { slider, when, count } = this.parts;
    const text = label(this.time, this.length);
    slider.value = String(this.index);
    slider.setAttribute("aria-valuetext", `${text} UTC`);
    slider.style.setProperty("--at", `${(100 * this.index) / Math.max(1, this.times.length - 1)}%`);
    when.style.width = `calc(${text.length + 0.5}ch + 18px)`;
    when.removeAttribute("aria-invalid");
    if (document.activeElement !== when) when.value = text;
    count.textContent = `${this.index + 1} of ${this.times.length}`;
  }

  #drawPlaying(playing) {
    const { play, timebar } = this.parts;
    play.setAttribute("aria-pressed", String(playing));
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.title = playing ? "Pause (space)" : "Play (space)";
    timebar.classList.toggle("playing", playing);
  }

  #key(event) {
    if (!this.times.length || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { target } = event;
    const slider = target === this.parts.slider;
    if (!slider && target.closest?.("input, select, textarea, button, a, summary")) return;
    if (event.key === " ") this.player.toggle();
    else if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "ArrowRight") this.step(1);
    else return;
    event.preventDefault();
  }
}
