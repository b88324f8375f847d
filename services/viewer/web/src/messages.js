// What the person is told: a bar while tiles load, and the server's words when it said no.

export class Messages {
  constructor({ box, text, close, busy, note }) {
    Object.assign(this, { box, text, busy, note });
    this.late = null;
    close.addEventListener("click", () => this.clear());
  }

  error(error) {
    if (error.name === "AbortError") return;
    this.text.textContent = error.message;
    this.box.hidden = false;
  }

  clear() {
    this.box.hidden = true;
  }

  /** A remark on what is shown, such as which time the server really used. */
  remark(words) {
    this.note.textContent = words;
  }

  /** Tiles still missing; the bar appears only when that takes a moment. */
  pending(count) {
    if (count > 0) {
      this.late ??= setTimeout(() => (this.busy.hidden = false), 250);
    } else {
      clearTimeout(this.late);
      this.late = null;
      this.busy.hidden = true;
    }
  }
}
