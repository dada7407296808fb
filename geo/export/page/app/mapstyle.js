/* The style of the map: sources, layers and the colours they take in each theme. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const FONT = ["sans-serif"];
  const REGION_LEVELS = ["county", "metro", "state", "zone"];
  const EMPTY = { type: "FeatureCollection", features: [] };
  const state = (key, otherwise) => ["coalesce", ["feature-state", key], otherwise];
  const byZoom = (...stops) => ["interpolate", ["linear"], ["zoom"], ...stops];

  /** A vector source over an archive of the page, described in full so that nothing is asked for first. */
  function tiles(id, archive, bounds) {
    return {
      type: "vector",
      tiles: [`pmtiles://${id}/{z}/{x}/{y}`],
      minzoom: archive.min_zoom,
      maxzoom: archive.max_zoom,
      bounds,
    };
  }

  /** Fill by the class in feature-state `c` (0 or nothing: not ranked). */
  function fillColour(tones, unranked) {
    const cases = tones.flatMap((tone, k) => [k + 1, tone]);
    return cases.length ? ["match", state("c", 0), ...cases, unranked] : unranked;
  }

  /** What is under the pointer (h) lets the ground shine through. */
  const HOVERED = ["case", ["==", state("h", 0), 1], 0.62, 1];

  /** Outline of what is selected (s); shown while something of the layer is. */
  function edges(id, source, sourceLayer, ink) {
    const base = { type: "line", source, "source-layer": sourceLayer };
    const layout = { "line-join": "round", "line-cap": "round", visibility: "none" };
    const ifSelected = (value) => ["case", ["==", state("s", 0), 1], value, 0];
    const paint = (colour, width) => ({
      "line-color": colour,
      "line-width": width,
      "line-opacity": ifSelected(1),
    });
    return [
      { id: `casing-${id}`, ...base, layout, paint: paint(ink.casing, 6) },
      { id: `edge-${id}`, ...base, layout, paint: paint(ink.selected, 3) },
    ];
  }

  function regionFill(level, ink) {
    return {
      id: `fill-${level}`,
      type: "fill",
      source: "regions",
      "source-layer": level,
      layout: { visibility: "none" },
      paint: { "fill-color": ink.unranked, "fill-opacity": HOVERED },
    };
  }

  function border(id, sourceLayer, colour, width, opacity) {
    return {
      id,
      type: "line",
      source: "regions",
      "source-layer": sourceLayer,
      paint: { "line-color": colour, "line-width": width, "line-opacity": opacity },
    };
  }

  /** Layers that are there from the first view on. */
  function baseLayers(about, ink, dark) {
    const { regions } = about.archives;
    const has = (level) => Boolean(regions) && regions.layers.includes(level);
    const levels = REGION_LEVELS.filter(has);
    const layers = [
      { id: "ground", type: "background", paint: { "background-color": ink.ground } },
    ];
    if (has("state")) {
      layers.push({
        id: "land",
        type: "fill",
        source: "regions",
        "source-layer": "state",
        layout: { visibility: "none" },
        paint: { "fill-color": ink.land },
      });
    }
    layers.push(...levels.map((level) => regionFill(level, ink)));
    if (has("lake")) {
      layers.push({
        id: "lake",
        type: "fill",
        source: "regions",
        "source-layer": "lake",
        paint: { "fill-color": ink.lake, "fill-outline-color": ink.shore },
      });
    }
    if (has("county")) {
      const thin = byZoom(3, 0.2, 6, 0.5, 9, 1);
      const faint = dark ? byZoom(3, 0.1, 5, 0.2, 8, 0.45) : byZoom(3, 0.12, 5, 0.26, 8, 0.5);
      layers.push(border("county-line", "county", ink.county, thin, faint));
    }
    for (const level of ["zone", "metro"]) {
      if (has(level)) {
        const line = border(`${level}-line`, level, ink.county, byZoom(3, 0.5, 8, 1.4), 0.8);
        layers.push({ ...line, layout: { ...line.layout, visibility: "none" } });
      }
    }
    if (has("state")) {
      const strong = byZoom(3, 0.5, 5, 0.9, 9, 2.2);
      layers.push(border("state-line", "state", ink.state, strong, dark ? 0.55 : 0.7));
    }
    return [...layers, ...levels.flatMap((level) => edges(level, "regions", level, ink))];
  }

  /** Layers over the parcels archive. */
  function parcelLayers(ink, minimum) {
    const shared = { source: "parcels", "source-layer": "parcel", minzoom: minimum };
    return [
      {
        id: "fill-parcel",
        type: "fill",
        ...shared,
        paint: {
          "fill-color": ink.unranked,
          "fill-opacity": HOVERED,
          "fill-antialias": ["step", ["zoom"], false, 9, true],
        },
      },
      ...edges("parcel", "parcels", "parcel", ink).map((layer) => ({ ...layer, minzoom: minimum })),
    ];
  }

  const KV = ["to-number", ["get", "kv_max"], 0];

  const kvStep = (pick) => {
    const [first, ...others] = gridstead.palette.KV_CLASSES;
    return ["step", KV, pick(first), ...others.flatMap((one) => [one.at_least, pick(one)])];
  };

  function lineLayers(ink, dark) {
    const tone = kvStep((one) => (dark ? one.dark : one.light));
    const width = (by) => kvStep((one) => one.width * by);
    const isDirect = ["==", ["to-number", ["get", "is_dc"], 0], 1];
    // From afar the bulk grid alone: all lines would hide the ranking.
    const isSeen = [">=", KV, ["step", ["zoom"], 300, 5, 200, 6, 100, 7, 0]];
    const base = {
      type: "line",
      source: "grid",
      "source-layer": "line",
      layout: { "line-join": "round", "line-cap": "butt", "line-sort-key": KV },
    };
    const paint = {
      "line-color": tone,
      "line-width": byZoom(3, width(0.4), 6, width(0.85), 10, width(1.7)),
    };
    return [
      { id: "line", ...base, filter: ["all", ["!", isDirect], isSeen], paint },
      { id: "line-dc", ...base, filter: isDirect, paint: { ...paint, "line-dasharray": [3, 1.6] } },
    ];
  }

  /** Megawatts of headroom of a substation; -1 where unknown. */
  const HEADROOM = ["case", ["==", ["typeof", ["get", "headroom_mw_mid"]], "number"], ["get", "headroom_mw_mid"], -1];

  const mwStep = (unknown, values, classes) => [
    "step",
    HEADROOM,
    unknown,
    ...classes.flatMap((one, k) => [one.at_least, values[k]]),
  ];

  function substationLayers(about, ink, dark) {
    const classes = about.megawatt_classes;
    const tones = gridstead.palette.megawattTones(about, dark);
    const radii = classes.map((_, k) => gridstead.palette.MEGAWATT_RADII[k] || 5.2);
    const radius = (by) => mwStep(2 * by, radii.map((r) => r * by), classes);
    return [
      {
        id: "substation",
        type: "circle",
        source: "grid",
        "source-layer": "substation",
        layout: { "circle-sort-key": HEADROOM },
        // From afar the large alone: 40,000 dots would hide the ranking.
        filter: [
          "all",
          [">=", HEADROOM, ["step", ["zoom"], 1000, 5, 500, 6, 200, 7, -1]],
          [">=", KV, ["step", ["zoom"], 300, 5, 200, 6, 0]],
        ],
        paint: {
          "circle-radius": byZoom(3, radius(0.4), 6, radius(0.8), 10, radius(1.9)),
          "circle-color": mwStep("rgba(0,0,0,0)", tones, classes),
          "circle-stroke-color": mwStep(ink.unknown, classes.map(() => ink.casing), classes),
          "circle-stroke-width": byZoom(3, 0.3, 6, 0.6, 10, 1),
        },
      },
    ];
  }

  function fiberLayers(ink) {
    return [
      {
        id: "fiber-link",
        type: "line",
        source: "fiber",
        "source-layer": "fiber_link",
        layout: { "line-join": "round" },
        paint: {
          "line-color": ink.fiber,
          "line-width": byZoom(3, 0.7, 8, 1.6),
          "line-opacity": 0.75,
        },
      },
      {
        id: "fiber-node",
        type: "circle",
        source: "fiber",
        "source-layer": "fiber_node",
        paint: {
          "circle-radius": byZoom(3, 1.4, 8, 3.4),
          "circle-color": ink.casing,
          "circle-stroke-color": ink.fiber,
          "circle-stroke-width": byZoom(3, 0.8, 8, 1.6),
        },
      },
    ];
  }

  function ringLayers(ink) {
    return [
      {
        id: "metro-ring",
        type: "line",
        source: "ring",
        paint: {
          "line-color": ink.ring,
          "line-width": byZoom(3, 0.9, 8, 1.8),
          "line-opacity": 0.85,
          "line-dasharray": [4, 2.5],
        },
      },
      {
        id: "metro-centre",
        type: "symbol",
        source: "metro",
        layout: {
          "text-field": ["get", "name"],
          "text-font": FONT,
          "text-size": byZoom(3, 10.5, 8, 14),
          "text-max-width": 9,
          "symbol-sort-key": ["-", ["get", "people"]],
        },
        paint: { "text-color": ink.ring, "text-halo-color": ink.halo, "text-halo-width": 1.7 },
      },
    ];
  }

  /** The best parcels as dots, until their outlines can be seen. */
  function dotLayers(ink) {
    return [
      {
        id: "dot",
        type: "circle",
        source: "dot",
        paint: {
          "circle-radius": byZoom(3, 2, 6, 3.4),
          "circle-color": ink.unranked,
          "circle-stroke-color": ink.casing,
          "circle-stroke-width": 0.5,
        },
      },
    ];
  }

  function placeLayers(ink) {
    return [
      {
        id: "state-name",
        type: "symbol",
        source: "state-name",
        maxzoom: 7.5,
        layout: {
          "text-field": ["get", "name"],
          "text-font": FONT,
          "text-size": byZoom(3, 10, 6, 14),
          "text-letter-spacing": 0.12,
          "text-padding": 4,
        },
        paint: {
          "text-color": ink.quiet,
          "text-halo-color": ink.halo,
          "text-halo-width": 1.3,
          "text-opacity": byZoom(3.2, 0, 3.5, 0.9, 7, 0.9, 7.5, 0),
        },
      },
      {
        id: "place",
        type: "symbol",
        source: "place",
        // Few names: of the zoom's rank and better, and far from one another.
        filter: ["<", ["get", "nth"], ["step", ["zoom"], 14, 4, 30, 5, 90, 6, 240, 7, 700, 8, 2000, 9, 8000]],
        layout: {
          "text-field": ["get", "name"],
          "text-font": FONT,
          "text-size": [
            "interpolate",
            ["linear"],
            ["zoom"],
            3,
            ["step", ["get", "nth"], 12, 30, 11],
            9,
            ["step", ["get", "nth"], 16, 90, 14, 700, 12],
          ],
          "text-padding": byZoom(3, 14, 8, 8),
          "symbol-sort-key": ["get", "nth"],
        },
        paint: { "text-color": ink.label, "text-halo-color": ink.halo, "text-halo-width": 1.9 },
      },
    ];
  }

  const points = (rows) => ({
    type: "FeatureCollection",
    features: rows.map(({ lon, lat, id, ...properties }) => ({
      type: "Feature",
      id,
      properties,
      geometry: { type: "Point", coordinates: [lon, lat] },
    })),
  });

  /** Style of the first view: regions alone. */
  function first(about, ink, dark) {
    const { regions } = about.archives;
    return {
      version: 8,
      sources: regions ? { regions: tiles("regions", regions, about.run.bounds) } : {},
      layers: baseLayers(about, ink, dark),
    };
  }

  gridstead.mapstyle = {
    EMPTY,
    REGION_LEVELS,
    baseLayers,
    dotLayers,
    fiberLayers,
    fillColour,
    first,
    lineLayers,
    parcelLayers,
    placeLayers,
    points,
    ringLayers,
    substationLayers,
    tiles,
  };
})();
