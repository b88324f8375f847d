// What is shown, as the part of the address after #.

const NAMES = ["cube", "field", "style", "time", "elevation", "opacity", "view"];

/** {cube, field, …, view: [longitude, latitude, zoom]} of a hash; what is missing or odd is left out. */
export function parseHash(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const state = {};
  for (const name of NAMES) {
    const text = given.get(name);
    if (text === null || text === "") continue;
    if (name === "view") {
      const view = text.split("/").map(Number);
      if (view.length === 3 && view.every(Number.isFinite)) state.view = view;
    } else if (name === "opacity") {
      if (Number.isFinite(Number(text))) state[name] = Number(text);
    } else {
      state[name] = text;
    }
  }
  return state;
}

/** The hash of a state; the opposite of parseHash. */
export function formatHash(state) {
  const parts = [];
  for (const name of NAMES) {
    const value = state[name];
    if (value === undefined || value === null || value === "") continue;
    if (name === "opacity" && value === 100) continue;
    const text =
      name === "view"
        ? `${value[0].toFixed(4)}/${value[1].toFixed(4)}/${value[2].toFixed(2)}`
        : String(value);
    parts.push(`${name}=${encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%2F", "/")}`);
  }
  return `#${parts.join("&")}`;
}
