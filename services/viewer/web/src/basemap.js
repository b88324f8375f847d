// The ground under the data and the coasts over it, from Natural Earth; no tile server needed.
import Feature from "ol/Feature.js";
import LineString from "ol/geom/LineString.js";
import Polygon from "ol/geom/Polygon.js";
import Graticule from "ol/layer/Graticule.js";
import VectorImageLayer from "ol/layer/VectorImage.js";
import VectorSource from "ol/source/Vector.js";
import Fill from "ol/style/Fill.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import Text from "ol/style/Text.js";
import { feature } from "topojson-client";
import landUrl from "world-atlas/land-50m.json?url";

import { unfold } from "./geo.js";

const COLOURS = {
  light: { land: "#f3f1eb", coast: "rgba(33,43,54,0.65)", lines: "rgba(33,43,54,0.14)", text: "rgba(33,43,54,0.75)", halo: "rgba(255,255,255,0.7)" },
  dark: { land: "#262f3a", coast: "rgba(232,238,245,0.6)", lines: "rgba(232,238,245,0.13)", text: "rgba(232,238,245,0.75)", halo: "rgba(0,0,0,0.6)" },
};

function graticule(colours) {
  const text = (align, baseline) =>
    new Text({
      font: "11px system-ui, sans-serif",
      textAlign: align,
      textBaseline: baseline,
      fill: new Fill({ color: colours.text }),
      stroke: new Stroke({ color: colours.halo, width: 3 }),
    });
  return new Graticule({
    strokeStyle: new Stroke({ color: colours.lines, width: 1 }),
    showLabels: true,
    wrapX: true,
    zIndex: 3,
    lonLabelPosition: 1,
    latLabelPosition: 1,
    lonLabelStyle: text("center", "top"),
    latLabelStyle: text("end", "middle"),
  });
}

/** Put the basemap on a map, in the colours that the person's system asks for. */
export async function addBasemap(map) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // drawn once for a view, not again with every step of time
  const land = new VectorImageLayer({ source: new VectorSource({ wrapX: true }), zIndex: 0 });
  const coast = new VectorImageLayer({ source: new VectorSource({ wrapX: true }), zIndex: 2 });
  map.addLayer(land);
  map.addLayer(coast);
  let grid = null;
  const paint = () => {
    const colours = COLOURS[dark.matches ? "dark" : "light"];
    land.setStyle(new Style({ fill: new Fill({ color: colours.land }) }));
    coast.setStyle(new Style({ stroke: new Stroke({ color: colours.coast, width: 0.9 }) }));
    if (grid) map.removeLayer(grid);
    grid = graticule(colours);
    map.addLayer(grid);
  };
  paint();
  dark.addEventListener("change", paint);

  const atlas = await (await fetch(landUrl)).json();
  const shapes = feature(atlas, atlas.objects.land);
  const polygons = (shapes.features ?? [shapes]).flatMap(({ geometry }) =>
    geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates,
  );
  const { areas, coasts } = unfold(polygons);
  const toMap = (geometry) => new Feature(geometry.transform("EPSG:4326", "EPSG:3857"));
  land.getSource().addFeatures(areas.map((rings) => toMap(new Polygon(rings))));
  coast.getSource().addFeatures(coasts.map((line) => toMap(new LineString(line))));
}
