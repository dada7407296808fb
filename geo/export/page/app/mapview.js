/* Where the map looks: the whole study at first, then where the reader goes. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const FIT = { padding: 20, maxZoom: 10 };
  const EVEN = { top: FIT.padding, left: FIT.padding, right: FIT.padding };
  const NARROW_PX = 600;
  const LEAST_PX = 120; // of height left for the study
  const FLIGHT = { padding: 60, duration: 900 };
  const FLIGHT_ZOOM = { parcel: 10.5, other: 8 };
  // Differences of a view that nobody sees.
  const SAME_DEGREES = 1e-3;
  const SAME_ZOOM = 1e-2;
  let map = null;
  let bounds = null;
  let isHome = true; // nobody has moved the map yet
  let isFitting = false;
  let homeView = null;

  function now() {
    const { lng, lat } = map.getCenter();
    const round = (value, digits) => Number(value.toFixed(digits));
    return { lon: round(lng, 4), lat: round(lat, 4), zoom: round(map.getZoom(), 2) };
  }

  const isSame = (a, b) =>
    Math.abs(a.lon - b.lon) < SAME_DEGREES &&
    Math.abs(a.lat - b.lat) < SAME_DEGREES &&
    Math.abs(a.zoom - b.zoom) < SAME_ZOOM;

  /** Room around the study; on a phone the legend lies over the lower part of the map. */
  function roomAround() {
    const { clientWidth, clientHeight } = map.getContainer();
    const legend = document.getElementById("legend");
    const covered = legend && clientWidth < NARROW_PX ? legend.offsetHeight : 0;
    const isRoom = clientHeight - covered > LEAST_PX;
    return { ...EVEN, bottom: FIT.padding + (isRoom ? covered : 0) };
  }

  function goHome() {
    isHome = true;
    isFitting = true; // the move ends before fitBounds returns
    map.fitBounds(bounds, { ...FIT, padding: roomAround(), animate: false });
    isFitting = false;
    homeView = now();
  }

  /** Show a view {lon, lat, zoom}; null is the whole study. */
  function take(view) {
    if (!view) {
      if (!isHome) goHome();
      return;
    }
    isHome = false;
    if (!isSame(now(), view)) map.jumpTo({ center: [view.lon, view.lat], zoom: view.zoom });
  }

  /** Go to a place: {level, bounds} or {lon, lat}. MapLibre jumps where the reader wants no motion. */
  function flyTo(place) {
    if (!map || !place) return;
    isHome = false;
    const zoom = place.level === "parcel" ? FLIGHT_ZOOM.parcel : FLIGHT_ZOOM.other;
    if (place.bounds && place.bounds.every(Number.isFinite)) {
      map.fitBounds(place.bounds, { ...FLIGHT, maxZoom: zoom });
    } else {
      map.flyTo({ center: [place.lon, place.lat], zoom, duration: FLIGHT.duration });
    }
  }

  /** Follow a map; `moved` is called after each move. */
  function start(made, studyBounds, view, moved) {
    map = made;
    bounds = studyBounds;
    homeView = now();
    if (view) take(view);
    // A panel that opens takes room from the map: the study stays in it while nobody has moved it.
    map.on("resize", () => isHome && goHome());
    gridstead.map.subscribeLegend(() => isHome && goHome());
    map.on("moveend", () => {
      if (!isFitting && !isSame(now(), homeView)) isHome = false;
      if (!isHome) gridstead.state.set({ view: now() });
      moved();
    });
  }

  gridstead.mapview = { FIT, start, take, flyTo, homeZoom: () => homeView.zoom };
})();
