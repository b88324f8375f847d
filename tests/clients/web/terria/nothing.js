// In place of what the layer of a WMS does without: archives of KML and sensors of satellites.
export const configure = () => {};
export class DeveloperError extends Error {}
