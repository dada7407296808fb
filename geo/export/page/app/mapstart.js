/* The start of the map: WebGL and the map's worker take long and need to know nothing, so they come first. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const NO_WEBGL =
    "This browser cannot draw the map (WebGL is off or missing). The list and all the rest work without it.";
  const CSS = `
.gs-hover { pointer-events: none; }
.gs-hover .maplibregl-popup-content { padding: 6px 9px; font: 13px/1.35 system-ui, sans-serif;
  background: #fff; color: #14181b; border-radius: 4px; box-shadow: 0 1px 6px rgba(0,0,0,.3);
  overflow-wrap: anywhere; }
.gs-hover .maplibregl-popup-tip { display: none; }
.gs-pin { width: 24px; height: 24px; border-radius: 12px 12px 12px 0; font: 700 13px/24px system-ui, sans-serif;
  text-align: center; background: #14181b; color: #fff; border: 2px solid #fff; box-sizing: content-box;
  box-shadow: 0 1px 4px rgba(0,0,0,.4); pointer-events: none; }
.gs-pin-dot { width: 10px; height: 10px; border-radius: 50%; background: #d0006f; }
.gs-note { font: 12px/1.35 system-ui, sans-serif; background: rgba(255,255,255,.92); color: #14181b;
  padding: 3px 8px; border-radius: 4px; max-width: min(46ch, calc(100vw - 84px)); box-shadow: 0 0 0 1px rgba(0,0,0,.12); }
.gs-note:empty { display: none; }
.gs-none { padding: 24px; max-width: 44ch; font: 15px/1.5 system-ui, sans-serif; }
[data-theme="dark"] .gs-hover .maplibregl-popup-content,
[data-theme="dark"] .gs-note { background: #20262b; color: #eef2f5; }
[data-theme="dark"] .maplibregl-ctrl-group { background: #20262b; }
[data-theme="dark"] .maplibregl-ctrl-group button + button { border-top-color: #444c53; }
[data-theme="dark"] .maplibregl-ctrl button .maplibregl-ctrl-icon { filter: invert(1) hue-rotate(180deg); }
[data-theme="dark"] .maplibregl-ctrl-attrib, [data-theme="dark"] .maplibregl-ctrl-scale {
  background: #20262bdd; color: #eef2f5; border-color: #eef2f5; }
[data-theme="dark"] .maplibregl-ctrl-attrib-button { filter: invert(1); }
`;

  function addCss() {
    const style = document.createElement("style");
    style.textContent = CSS;
    document.head.append(style);
  }

  /** An empty map in an element that is not on the page yet; null where the browser cannot draw one. */
  function create(container) {
    const { maplibregl } = window;
    try {
      maplibregl.prewarm();
      const map = new maplibregl.Map({
        container,
        minZoom: 1,
        maxZoom: 13,
        renderWorldCopies: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        fadeDuration: 0,
        maplibreLogo: false,
        attributionControl: false,
        trackResize: false,
      });
      map.touchZoomRotate.disableRotation();
      map.keyboard.disableRotation();
      return map;
    } catch {
      return null;
    }
  }

  const container = document.createElement("div");
  container.className = "map";
  addCss();
  const map = create(container);

  // MapLibre would take the place that the map gets for a change of its size, and draw it once more.
  function followSize() {
    let isFirst = true;
    new ResizeObserver(() => {
      if (!isFirst) map.resize().redraw();
      isFirst = false;
    }).observe(container);
  }

  /** Put the map in its place on the page, or a sentence where there is none; gives the map. */
  function place(parent) {
    if (map) {
      parent.append(container);
      map.resize();
      followSize();
    } else {
      const words = document.createElement("p");
      words.className = "gs-none";
      words.textContent = NO_WEBGL;
      parent.replaceChildren(words);
    }
    return map;
  }

  gridstead.mapstart = { place };
})();
