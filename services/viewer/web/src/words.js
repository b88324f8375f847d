// Units, names and warnings as people write them: m s-1 becomes m s⁻¹, Cel becomes °C, 1 is nothing.

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const NAMES = { 1: "", Cel: "°C", degC: "°C", degree_Celsius: "°C", degree_C: "°C", degrees_C: "°C", deg_C: "°C", celsius: "°C", Celsius: "°C", degrees: "°", deg: "°", percent: "%" };

export function readableUnit(uom) {
  const given = (uom ?? "").trim();
  if (given in NAMES) return NAMES[given];
  return given
    .replace(/([A-Za-z])[*^]{0,2}(-?\d+)/g, (_, letter, power) => letter + [...power].map((sign) => RAISED[sign]).join(""))
    .replace(/(?<=[^\d\s])\.(?=[A-Za-z])/g, "·");
}

/** Metres, or kilometres where they are many: 812 m, 93.5 km. */
export function readableLength(metres) {
  return metres < 1000 ? `${Math.round(metres)} m` : `${Number((metres / 1000).toPrecision(3))} km`;
}

/** "Air temperature" of "air_temperature"; a title that has blanks or capitals stays. */
export function readableTitle(title) {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)+$/.test(title)) return title;
  const words = title.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

/** "A; B" of a header with several warnings, `99 A, 99 B`. */
export function readableWarnings(header) {
  const words = header.split(/,\s*(?=99\s)/).map((one) => one.replace(/^99\s+/, ""));
  return words.map((one) => /"([^"]*)"/.exec(one)?.[1] ?? one).join("; ");
}
