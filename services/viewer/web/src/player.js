// Playing: show a frame, wait for both its tiles and its share of a second, show the next.
import { step } from "./time.js";

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export class Player {
  /**
   * @param {object} parts
   * @param {(index: number) => Promise<boolean>} parts.show shows a step; false if the server failed
   * @param {() => {index: number, count: number, loop: boolean, perSecond: number}} parts.state
   * @param {(playing: boolean) => void} parts.onChange
   * @param {(milliseconds: number) => Promise<void>} [parts.wait]
   */
  constructor({ show, state, onChange, wait = pause }) {
    this.show = show;
    this.state = state;
    this.onChange = onChange;
    this.wait = wait;
    this.run = null;
  }

  get playing() {
    return this.run !== null;
  }

  stop() {
    if (!this.playing) return;
    this.run = null;
    this.onChange(false);
  }

  async play() {
    const run = Symbol("run");
    this.run = run;
    this.onChange(true);
    const { index, count, loop } = this.state();
    // Playing at the last step begins anew.
    let next = step(index, 1, count, loop) ?? 0;
    while (this.run === run) {
      const [fine] = await Promise.all([this.show(next), this.wait(1000 / this.state().perSecond)]);
      if (this.run !== run) return;
      if (!fine) break;
      const now = this.state();
      next = step(now.index, 1, now.count, now.loop);
      if (next === null) break;
    }
    if (this.run === run) this.stop();
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }
}
