// A layer of a WMS in TerriaJS: what it reads in the capabilities, and what a click gives.
import { runInAction } from "mobx";
import WebMapServiceCatalogItem from "terriajs/lib/Models/Catalog/Ows/WebMapServiceCatalogItem";
import Terria from "terriajs/lib/Models/Terria";

export async function layer(url: string, layers: string, longitude: number, latitude: number) {
  const item: any = new WebMapServiceCatalogItem("layer", new Terria({ baseUrl: "./" }));
  runInAction(() => {
    item.setTrait("definition", "url", url);
    item.setTrait("definition", "layers", layers);
  });
  (await item.loadMapItems()).throwIfError();
  const { imageryProvider } = item.mapItems[0];
  const place = [longitude, latitude].map((degrees) => (degrees * Math.PI) / 180);
  const clicked = await imageryProvider.pickFeatures(2, 1, 2, ...place);
  return {
    times: item.discreteTimes.map(({ time }: any) => time),
    shown: item.currentDiscreteTimeTag,
    styles: item.styleSelectableDimensions[0].options.map(({ id }: any) => id),
    legend: item.legends[0].url,
    series: item.supportsGetTimeseries,
    clicked: clicked.map(({ data }: any) => data),
  };
}
