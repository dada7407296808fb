/* The map: what is painted on it, what is picked on it, and its legend. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { mapstyle: styles, palette } = gridstead;
  const PEOPLE_METRICS = ["people_10ms_mid", "population_50mi", "population_5mi"];
  const ZOOMS_TO_PARCELS = 2; // beyond the first view, at a level of regions
  const MOVE_PAUSE_MS = 150;
  const PARCEL_LEVEL = { title: "Parcels" };
  const fills = new Map(); // level -> what was painted last
  const painters = new Map();
  const marked = new Map(); // "s" and "h" -> {source, sourceLayer, id}
  const listeners = new Set();
  let map = null;
  let about = null;
  let ink = null;
  let isDark = false;
  let entries = [];
  let turn = 0;
  let painting = null;
  let notes = null;
  let ranked = null; // ranking in force
  let parcels = null; // ranking of the parcels when they are shown
  let markers = [];
  let movedAt = 0;
  let isStarted = false;
  let settle;
  const ready = new Promise((resolve) => {
    settle = resolve;
  });

  const stateNow = () => gridstead.state.get();
  const titleOf = (level) =>
    (about.levels.find((one) => one.level === level) || PARCEL_LEVEL).title;
  const profileNow = () => gridstead.ranking.profileOf(about, stateNow().workload);

  function takeTheme() {
    isDark = palette.isDark();
    ink = { ...palette.colours(isDark), unranked: palette.unranked(about, isDark) };
  }

  /* ---- parcels: when they are shown ---- */

  function parcelZoom() {
    const archive = about.archives.parcels;
    if (!archive) return Infinity;
    if (stateNow().level === "parcel") return archive.min_zoom;
    return Math.max(archive.min_zoom + 1, gridstead.mapview.homeZoom() + ZOOMS_TO_PARCELS);
  }

  const areParcelsShown = () => map.getZoom() >= parcelZoom();
  const areDotsShown = () => stateNow().level === "parcel" && !areParcelsShown();

  /* ---- painting ---- */

  function painterOf(level) {
    if (!painters.has(level)) {
      const target = level === "parcel" ? ["parcels", "parcel"] : ["regions", level];
      painters.set(level, new gridstead.mappaint.Painter(map, ...target, remark));
    }
    return painters.get(level);
  }

  /** Metric that colours the fill, or null where rank does. */
  async function metricFor(level, detail) {
    const { colour, layers } = stateNow();
    if (colour !== "rank") return colour;
    if (!layers.people) return null;
    for (const metric of PEOPLE_METRICS) {
      if (about.metrics[metric] && (await gridstead.ranking.valuesOf(level, detail, metric))) {
        return metric;
      }
    }
    return null;
  }

  /** Classes, their colours and legend for a ranking: {of: class by position, classes, group}. */
  async function fillOf(ranking) {
    const metric = await metricFor(ranking.level, ranking.detail);
    const kept = fills.get(ranking.level);
    const isKept =
      kept && kept.dark === isDark && kept.metric === metric && kept.detail === ranking.detail;
    if (isKept && (metric || kept.ranking === ranking)) return kept;
    const made = { dark: isDark, metric, ranking, detail: ranking.detail };
    if (metric) {
      const { label, unit } = about.metrics[metric];
      const values =
        (await gridstead.ranking.valuesOf(ranking.level, ranking.detail, metric)) ||
        new Float32Array(ranking.total).fill(NaN);
      const words = unit && gridstead.text ? gridstead.text.unitWords(unit) : unit;
      Object.assign(made, palette.metricClasses(values, isDark, words));
      made.group = ranking.level === "parcel" ? label : `${label} (best parcel)`;
      made.without = "unknown";
    } else {
      // Classes of the published count, that they do not jump when gates are tightened.
      made.classes = palette.rankClasses(about, ranking.ranked, isDark);
      made.of = palette.classesOfRank(ranking, made.classes);
      made.group = `${titleOf(ranking.level)} by rank`;
      made.without = about.unranked.label;
    }
    fills.set(ranking.level, made);
    return made;
  }

  function colourFill(level, fill) {
    const tones = fill.classes.map((one) => one.colour);
    map.setPaintProperty(`fill-${level}`, "fill-color", styles.fillColour(tones, ink.unranked));
  }

  /** Paint what the state asks for; of quick changes the last one is painted. */
  function paint() {
    painting = paintNow();
    return painting;
  }

  async function paintNow() {
    turn += 1;
    const mine = turn;
    const { level } = stateNow();
    const withParcels = about.archives.parcels && (areParcelsShown() || level === "parcel");
    const [ranking, parcelRanking] = await Promise.all([
      level === "parcel" ? null : gridstead.ranking.of(level),
      withParcels ? gridstead.ranking.of("parcel") : null,
    ]);
    const [regionFill, parcelFill] = await Promise.all([
      ranking && fillOf(ranking),
      parcelRanking && fillOf(parcelRanking),
    ]);
    if (mine !== turn) return;
    ranked = ranking;
    parcels = parcelRanking;
    if (ranking && map.getLayer(`fill-${level}`)) {
      painterOf(level).paint(regionFill.of);
      colourFill(level, regionFill);
    }
    if (parcelRanking) {
      if (areParcelsShown()) {
        gridstead.mapextra.addParcels();
        const { table } = parcelRanking;
        painterOf("parcel").paintNear(parcelFill.of, table.column("lon"), table.column("lat"));
        colourFill("parcel", parcelFill);
      }
      gridstead.mapextra.dots(areDotsShown() ? parcelRanking : null, parcelFill);
    } else {
      gridstead.mapextra.dots(null);
    }
    show();
    describe(parcelRanking && areParcelsShown() ? parcelFill : regionFill || parcelFill);
  }

  /** What is seen and what is not, by level and zoom. */
  function show() {
    const { level, selected } = stateNow();
    const set = (id, isOn) =>
      map.getLayer(id) && map.setLayoutProperty(id, "visibility", isOn ? "visible" : "none");
    for (const one of styles.REGION_LEVELS) set(`fill-${one}`, one === level);
    for (const one of [...styles.REGION_LEVELS, "parcel"]) {
      const isPicked = Boolean(selected) && selected.level === one;
      set(`casing-${one}`, isPicked);
      set(`edge-${one}`, isPicked);
    }
    set("land", level !== "county" && level !== "state");
    set("zone-line", level === "zone");
    set("metro-line", level === "metro");
    if (map.getLayer("fill-parcel")) {
      map.setLayerZoomRange("fill-parcel", Math.min(24, parcelZoom()), 24);
    }
    const words = areDotsShown() ? ["The best parcels are dots. Zoom in to see all parcels."] : [];
    notes.say([...words, ...gridstead.mapextra.tooFar()].join(" "));
  }

  /* ---- legend ---- */

  function describe(fill) {
    const made = [];
    if (fill) {
      const one = { group: fill.group, kind: "fill" };
      made.push(...fill.classes.map(({ colour, label }) => ({ ...one, colour, label })));
      made.push({ ...one, colour: ink.unranked, label: fill.without });
    }
    made.push(...gridstead.mapextra.legend());
    if (JSON.stringify(made) === JSON.stringify(entries)) return;
    entries = made;
    for (const listener of [...listeners]) listener(entries);
  }

  function subscribeLegend(listener) {
    listeners.add(listener);
    if (entries.length) listener(entries);
    return () => listeners.delete(listener);
  }

  /* ---- picking ---- */

  /** What is ranked and lies at a point of the canvas: {ranking, profile, position}, or null. */
  function at(point) {
    const give = (ranking, position) => ({ ranking, profile: profileNow(), position });
    if (parcels && areDotsShown()) {
      const near = gridstead.mapextra.dotAt(point);
      return near === null ? null : give(parcels, near);
    }
    const pick = (ranking, layer) => {
      if (!ranking || !map.getLayer(layer)) return null;
      const [feature] = map.queryRenderedFeatures(point, { layers: [layer] });
      const position = feature ? feature.id - 1 : -1;
      return position >= 0 && position < ranking.total ? give(ranking, position) : null;
    };
    return (areParcelsShown() && pick(parcels, "fill-parcel")) || pick(ranked, `fill-${ranked && ranked.level}`);
  }

  function mark(key, level, position) {
    const before = marked.get(key);
    const { source, sourceLayer } = position === null ? {} : painterOf(level).target;
    const id = position === null ? null : position + 1;
    if (before && before.id === id && before.sourceLayer === sourceLayer) return;
    if (before && map.getSource(before.source)) map.setFeatureState(before, { [key]: 0 });
    marked.delete(key);
    if (id !== null) {
      marked.set(key, { source, sourceLayer, id });
      if (map.getSource(source)) map.setFeatureState({ source, sourceLayer, id }, { [key]: 1 });
    }
  }

  /** Set again what a painter's clearing took away. */
  function remark() {
    for (const [key, target] of marked) {
      if (map.getSource(target.source)) map.setFeatureState(target, { [key]: 1 });
    }
  }

  async function showPicked() {
    const { selected, compared } = stateNow();
    const found = await Promise.all(
      [selected, ...compared].map((one) => one && gridstead.lookup.find(one.level, one.id)),
    );
    if (selected !== stateNow().selected || compared !== stateNow().compared) return;
    const [place, ...others] = found;
    show();
    if (place && place.level === "parcel" && areParcelsShown()) gridstead.mapextra.addParcels();
    mark("s", place && place.level, place ? place.position : null);
    markers.forEach((marker) => marker.remove());
    markers = others.flatMap((one, k) => (one ? [pin(one, "AB"[k])] : []));
    // A parcel is smaller than a pixel at most zooms.
    if (place && place.level === "parcel") markers.push(pin(place, ""));
  }

  function pin({ lon, lat, name }, letter) {
    const element = document.createElement("div");
    element.className = letter ? "gs-pin" : "gs-pin gs-pin-dot";
    element.textContent = letter;
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", letter ? `Place ${letter}: ${name}` : `Selected: ${name}`);
    const anchor = letter ? "bottom" : "center";
    return new window.maplibregl.Marker({ element, anchor }).setLngLat([lon, lat]).addTo(map);
  }

  async function choose(event) {
    const hit = at(event.point);
    if (!hit) return;
    const { level } = hit.ranking;
    const { id } = await gridstead.lookup.at(level, hit.position);
    gridstead.state.set({ selected: { level, id } });
  }

  /* ---- start ---- */

  function follow(state, changed) {
    const has = (...keys) => keys.some((key) => changed.includes(key));
    if (has("theme")) retheme();
    if (has("layers")) gridstead.mapextra.apply();
    if (has("layers", "colour", "level")) paint();
    if (has("selected", "compared")) showPicked();
    if (has("view")) gridstead.mapview.take(state.view);
  }

  function retheme() {
    const before = isDark;
    takeTheme();
    if (before === isDark) return;
    gridstead.mapextra.retheme(styles.baseLayers(about, ink, isDark));
    paint();
  }

  /** While the map moves, parcels that come into view take their colour. */
  function onMove() {
    if (!parcels || !areParcelsShown() || !map.getLayer("fill-parcel")) return;
    const now = performance.now();
    if (now - movedAt < MOVE_PAUSE_MS) return;
    movedAt = now;
    painterOf("parcel").near();
  }

  async function start(known) {
    if (isStarted) return ready;
    isStarted = true;
    about = known;
    takeTheme();
    map = gridstead.mapstart.place(document.getElementById("map"));
    if (!map) {
      settle(null);
      return ready;
    }
    gridstead.map.instance = map;
    const styled = new Promise((resolve) => map.once("style.load", resolve));
    gridstead.mapextra.furnish(map, about, styles.first(about, ink, isDark), gridstead.mapview.FIT);
    gridstead.mapview.start(map, about.run.bounds, stateNow().view, () => notes && paint());
    await styled;
    notes = gridstead.mapextra.notes(about);
    gridstead.mapextra.foldAttribution();
    gridstead.state.subscribe(follow);
    window
      .matchMedia("(prefers-color-scheme: dark)")
      .addEventListener("change", () => stateNow().theme === "auto" && retheme());
    gridstead.ranking.subscribe(() => paint());
    let waited = paint();
    while ((await waited, waited !== painting)) waited = painting;
    await new Promise((resolve) => whenDrawn(resolve));
    gridstead.mapextra.foldAttribution();
    settle(map);
    gridstead.mapextra.apply();
    if (stateNow().selected || stateNow().compared.length) showPicked();
    map.on("move", onMove);
    map.on("click", choose);
    gridstead.maphover.attach(map, {
      at,
      hovered: (hit) => mark("h", hit && hit.ranking.level, hit ? hit.position : null),
    });
    return ready;
  }

  /** Once a frame has been drawn with all colours and all tiles of the view in it. */
  function whenDrawn(done) {
    const look = () => {
      if (!map.loaded()) return;
      map.off("render", look);
      done();
    };
    map.on("render", look);
    map.triggerRepaint();
  }

  gridstead.map = {
    ready,
    instance: null,
    start,
    flyTo: (place) => gridstead.mapview.flyTo(place),
    legend: () => entries,
    subscribeLegend,
    // For mapextra.js.
    inside: () => ({ map, about, ink, isDark, parcelZoom, remark }),
  };
})();
