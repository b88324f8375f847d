// The map itself: view, controls, a marker for the place that was clicked.
import "ol/ol.css";
import Feature from "ol/Feature.js";
import OlMap from "ol/Map.js";
import Overlay from "ol/Overlay.js";
import View from "ol/View.js";
import Attribution from "ol/control/Attribution.js";
import ScaleLine from "ol/control/ScaleLine.js";
import Zoom from "ol/control/Zoom.js";
import { shiftKeyOnly, targetNotEditable } from "ol/events/condition.js";
import Point from "ol/geom/Point.js";
import { defaults as defaultInteractions } from "ol/interaction/defaults.js";
import KeyboardPan from "ol/interaction/KeyboardPan.js";
import KeyboardZoom from "ol/interaction/KeyboardZoom.js";
import VectorLayer from "ol/layer/Vector.js";
import { fromLonLat, toLonLat } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import CircleStyle from "ol/style/Circle.js";
import Fill from "ol/style/Fill.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";

import { addBasemap } from "./basemap.js";

const HALF_CARD = 150; // pixels

/** Arrows alone belong to time, so the keyboard moves the map with shift. */
function interactions() {
  return defaultInteractions({ keyboard: false, altShiftDragRotate: false, pinchRotate: false }).extend([
    new KeyboardPan({ condition: (event) => shiftKeyOnly(event) && targetNotEditable(event) }),
    new KeyboardZoom(),
  ]);
}

export function createMap(target, valueCard) {
  const marked = new VectorSource();
  const map = new OlMap({
    target,
    controls: [
      new Zoom(),
      new ScaleLine(),
      new Attribution({ collapsible: true, collapsed: matchMedia("(max-width: 640px)").matches }),
    ],
    interactions: interactions(),
    view: new View({ center: [0, 2e6], zoom: 2, minZoom: 0, maxZoom: 20, enableRotation: false }),
    layers: [
      new VectorLayer({
        source: marked,
        zIndex: 4,
        style: new Style({
          image: new CircleStyle({
            radius: 6,
            fill: new Fill({ color: "rgba(255,255,255,0.25)" }),
            stroke: new Stroke({ color: "#fff", width: 2 }),
          }),
        }),
      }),
      new VectorLayer({
        source: marked,
        zIndex: 5,
        style: new Style({
          image: new CircleStyle({ radius: 7.5, stroke: new Stroke({ color: "#111", width: 1.2 }) }),
        }),
      }),
    ],
  });
  const overlay = new Overlay({
    element: valueCard,
    positioning: "bottom-center",
    offset: [0, -14],
    stopEvent: true,
    autoPan: { margin: 16, animation: { duration: 200 } },
  });
  map.addOverlay(overlay);
  addBasemap(map);
  return {
    map,
    /** Mark a place (EPSG:3857) and open the card there; null takes both away. */
    mark(coordinate) {
      marked.clear();
      if (coordinate) marked.addFeature(new Feature(new Point(coordinate)));
      if (coordinate) {
        const [across, down] = map.getPixelFromCoordinate(coordinate) ?? [0, 0];
        const below = down < 0.4 * map.getSize()[1];
        const beside = across < padding()[3] + HALF_CARD && padding()[3] > HALF_CARD; // of the panel
        overlay.setPositioning(`${below ? "top" : "bottom"}-${beside ? "left" : "center"}`);
        overlay.setOffset([0, below ? 14 : -14]);
      }
      overlay.setPosition(coordinate ?? undefined);
    },
    zoomTo(extent, duration = 400) {
      map.getView().fit(extent, { padding: padding(), maxZoom: 14, duration });
    },
    /** Name the owners of the data beside that of the coasts. */
    attribute(owners) {
      marked.setAttributions([...new Set([...owners, "Coasts: Natural Earth"])].filter(Boolean));
    },
    /** [longitude, latitude, zoom] of the middle. */
    getView() {
      return [...toLonLat(map.getView().getCenter()), map.getView().getZoom()];
    },
    setView([longitude, latitude, zoom]) {
      map.getView().setCenter(fromLonLat([longitude, latitude]));
      map.getView().setZoom(zoom);
    },
  };
}

/** Room that the panel and the time bar take: top, right, bottom, left. */
function padding() {
  return matchMedia("(max-width: 640px)").matches ? [80, 20, 170, 20] : [30, 70, 120, 350];
}
