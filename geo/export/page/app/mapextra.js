/* What the map has besides the ranking: grid, fiber, metros, names, dots, notes, controls. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { mapstyle: styles, palette } = gridstead;
  const DOTS = 1000;
  const LONGEST_METRO = 15; // letters
  const DOT_REACH_PX = 5;
  // From bottom to top; a name that ends in "-" stands for all that begin so.
  const ORDER = [
    ...["ground", "land", "fill-", "lake", "county-line", "zone-line", "metro-line", "state-line"],
    ...["line", "line-dc", "fiber-link", "metro-ring", "substation", "fiber-node", "dot"],
    ...["casing-", "edge-", "state-name", "place", "metro-centre"],
  ];
  const groups = new Map(); // name of a group -> makes its layers in the theme in force
  const inside = () => gridstead.map.inside();
  let dotted = null; // ranking whose best parcels are dots
  let isDotsShown = false;

  /* ---- what every map has ---- */

  // MapLibre puts attributions in as HTML.
  const escaped = (words) =>
    String(words).replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);

  /** Put into an empty map what is known of the study: where it lies, its style and tiles, who made it. */
  function furnish(map, about, style, fit) {
    const { maplibregl } = window;
    const protocol = new window.pmtiles.Protocol();
    for (const id of Object.keys(about.archives)) {
      protocol.add(new window.pmtiles.PMTiles(gridstead.store.archive(id)));
    }
    maplibregl.addProtocol("pmtiles", protocol.tile);
    map.fitBounds(about.run.bounds, { ...fit, animate: false });
    map.setStyle(style);
    map.getCanvas().setAttribute("aria-label", `Map of ${about.run.title || about.run.study}`);
    const customAttribution = about.note.attribution.map(escaped);
    map.addControl(new maplibregl.AttributionControl({ compact: true, customAttribution }));
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
    map.addControl(new maplibregl.ScaleControl({ unit: "imperial", maxWidth: 90 }), "bottom-left");
  }

  /** Leave of the attributions their button: the list is long, and About and paper have it whole. */
  function foldAttribution() {
    for (const box of inside().map.getContainer().querySelectorAll(".maplibregl-ctrl-attrib")) {
      box.classList.remove("maplibregl-compact-show");
      box.removeAttribute("open");
    }
  }

  /** The notes in the corner of the map. */
  function notes(about) {
    const { map } = inside();
    const boxes = ["", ""].map(() => {
      const box = document.createElement("div");
      box.className = "maplibregl-ctrl gs-note";
      return box;
    });
    if (about.run.is_synthetic) {
      boxes[0].textContent = "Synthetic grid: not the real lines";
      boxes[0].title = about.run.synthetic_note || "";
    }
    for (const box of boxes) {
      map.addControl({ onAdd: () => box, onRemove: () => box.remove() }, "top-left");
    }
    return {
      say(words) {
        if (boxes[1].textContent !== words) boxes[1].textContent = words;
      },
    };
  }

  /* ---- layers that come and go ---- */

  function placeIn(id) {
    const exact = ORDER.indexOf(id);
    return exact >= 0 ? exact : ORDER.findIndex((one) => one.endsWith("-") && id.startsWith(one));
  }

  function add(name, make) {
    const { map, ink, isDark } = inside();
    if (groups.has(name)) return;
    groups.set(name, make);
    for (const layer of make(ink, isDark)) {
      const above = map.getLayersOrder().find((id) => placeIn(id) > placeIn(layer.id));
      map.addLayer(layer, above);
    }
  }

  function toggle(name, isOn) {
    const { map, ink, isDark } = inside();
    if (!groups.has(name)) return;
    for (const { id } of groups.get(name)(ink, isDark)) {
      map.setLayoutProperty(id, "visibility", isOn ? "visible" : "none");
    }
  }

  function source(id, made) {
    const { map } = inside();
    if (!map.getSource(id)) map.addSource(id, made);
  }

  function addTiles(id) {
    const { about } = inside();
    source(id, styles.tiles(id, about.archives[id], about.run.bounds));
  }

  function addParcels() {
    const { remark, about } = inside();
    if (groups.has("parcel")) return;
    addTiles("parcels");
    add("parcel", (ink) => styles.parcelLayers(ink, about.archives.parcels.min_zoom));
    remark();
  }

  const geojson = (data) => ({ type: "geojson", data });

  async function addPlaces() {
    const hasStates = inside().about.levels.some(({ level }) => level === "state");
    const [places, states] = await Promise.all([
      gridstead.store.pack("places"),
      hasStates ? gridstead.store.pack("regions-state") : null,
    ]);
    const names = places.column("name");
    const [lon, lat] = ["lon", "lat"].map((axis) => places.column(axis));
    const rows = names.map((name, i) => ({ lon: lon[i], lat: lat[i], name, nth: i }));
    source("place", geojson(styles.points(rows)));
    source("state-name", geojson(states ? styles.points(stateRows(states)) : styles.EMPTY));
    add("place", styles.placeLayers);
  }

  function stateRows(states) {
    const [lon, lat] = ["lon", "lat"].map((axis) => states.column(axis));
    return states
      .column("region_name")
      .map((name, i) => ({ lon: lon[i], lat: lat[i], name: String(name).toUpperCase() }));
  }

  /** First city of a long metro name: "Atlanta" of "Atlanta-Sandy Springs-Alpharetta, GA". */
  function shortName(name) {
    const [cities] = String(name).split(",");
    return cities.length <= LONGEST_METRO ? cities : cities.split(/[-/]/)[0];
  }

  async function addRings() {
    const metros = await gridstead.store.pack("metros");
    const columns = ["name", "ring", "people", "is_major", "lon", "lat"].map((one) => metros.column(one));
    const [name, ring, people, isMajor, lon, lat] = columns;
    const major = [...name.keys()].filter((i) => isMajor[i] === 1 && ring[i]);
    const rows = major.map((i) => ({
      lon: lon[i],
      lat: lat[i],
      name: shortName(name[i]),
      people: people[i],
    }));
    source("metro", geojson(styles.points(rows)));
    const features = major.map((i) => ({
      type: "Feature",
      properties: { name: name[i] },
      geometry: { type: "LineString", coordinates: ring[i] },
    }));
    source("ring", geojson({ type: "FeatureCollection", features }));
    add("metro_ring", styles.ringLayers);
  }

  const ADDERS = {
    line: () => {
      addTiles("grid");
      add("line", styles.lineLayers);
    },
    substation: () => {
      addTiles("grid");
      add("substation", (ink, dark) => styles.substationLayers(inside().about, ink, dark));
    },
    fiber: () => {
      addTiles("fiber");
      add("fiber", styles.fiberLayers);
    },
    metro_ring: addRings,
    place: addPlaces,
  };
  const ARCHIVE_OF = { line: "grid", substation: "grid", fiber: "fiber" };

  const canShow = (key) => !ARCHIVE_OF[key] || Boolean(inside().about.archives[ARCHIVE_OF[key]]);

  /** Layers as the state has them; what is shown for the first time is loaded first. */
  async function apply() {
    const { layers } = gridstead.state.get();
    for (const [key, adder] of Object.entries(ADDERS)) {
      if (layers[key] && canShow(key) && !groups.has(key)) {
        try {
          await adder();
        } catch (error) {
          gridstead.map.failed = error; // the layer stays off; its data file is missing
        }
      }
    }
    const now = gridstead.state.get().layers;
    for (const key of Object.keys(ADDERS)) toggle(key, Boolean(now[key]));
  }

  /** Sentences on layers that are on but have nothing at this zoom. */
  function tooFar() {
    const { map, about } = inside();
    const { layers } = gridstead.state.get();
    const isFar = ([key, id]) =>
      layers[key] && canShow(key) && map.getZoom() < about.archives[id].min_zoom;
    return Object.entries(ARCHIVE_OF).some(isFar) ? ["Zoom in to see the grid and fiber."] : [];
  }

  /* ---- dots of the best parcels ---- */

  function dots(ranking, fill) {
    const { map } = inside();
    if (!ranking) {
      if (isDotsShown) toggle("dot", false);
      isDotsShown = false;
      return;
    }
    source("dot", geojson(styles.EMPTY));
    add("dot", styles.dotLayers);
    if (!isDotsShown) toggle("dot", true);
    isDotsShown = true;
    if (dotted !== ranking) {
      const [lon, lat] = ["lon", "lat"].map((axis) => ranking.table.column(axis));
      const rows = Array.from(ranking.order.subarray(0, DOTS), (position) => ({
        lon: lon[position],
        lat: lat[position],
        position,
        c: fill.of[position],
      }));
      // The best is drawn last.
      map.getSource("dot").setData(styles.points(rows.reverse()));
      dotted = ranking;
    }
    const cases = fill.classes.flatMap((one, k) => [k + 1, one.colour]);
    const colour = ["match", ["get", "c"], ...cases, inside().ink.unranked];
    map.setPaintProperty("dot", "circle-color", colour);
  }

  function dotAt({ x, y }) {
    const { map } = inside();
    if (!isDotsShown || !map.getLayer("dot")) return null;
    const box = [
      [x - DOT_REACH_PX, y - DOT_REACH_PX],
      [x + DOT_REACH_PX, y + DOT_REACH_PX],
    ];
    const [feature] = map.queryRenderedFeatures(box, { layers: ["dot"] });
    return feature ? feature.properties.position : null;
  }

  /* ---- theme and legend ---- */

  function repaint(layers) {
    const { map } = inside();
    for (const { id, paint } of layers) {
      for (const [key, value] of Object.entries(paint || {})) {
        // Fills are painted by class right after.
        if (map.getLayer(id) && !id.startsWith("fill-")) map.setPaintProperty(id, key, value);
      }
    }
  }

  function retheme(base) {
    const { ink, isDark } = inside();
    repaint(base);
    for (const make of groups.values()) repaint(make(ink, isDark));
  }

  /** Words for what is only drawn in full from a zoom on. */
  const seenFrom = (zoom) => (inside().map.getZoom() < zoom ? " (all of them from nearer)" : "");

  function legend() {
    const { about, ink, isDark } = inside();
    const { layers } = gridstead.state.get();
    const made = [];
    if (layers.line && canShow("line")) {
      const kind = about.run.is_synthetic ? "Synthetic lines" : "Lines";
      const group = `${kind} by voltage${seenFrom(7)}`;
      for (const { label, light, dark, width } of palette.KV_CLASSES) {
        made.push({ group, kind: "line", colour: isDark ? dark : light, label, size: width });
      }
    }
    if (layers.substation && canShow("substation")) {
      const group = `Substations by headroom, MW${seenFrom(7)}`;
      const tones = palette.megawattTones(about, isDark);
      about.megawatt_classes.forEach(({ label }, k) => {
        const size = 2 * (palette.MEGAWATT_RADII[k] || 5.2);
        made.push({ group, kind: "circle", colour: tones[k], label, size });
      });
      made.push({ group, kind: "ring", colour: ink.unknown, label: "unknown", size: 4 });
    }
    if (layers.fiber && canShow("fiber")) {
      made.push({ group: "Fiber", kind: "line", colour: ink.fiber, label: "carrier link", size: 1.5 });
    }
    if (layers.metro_ring) {
      const group = "Metros";
      made.push({ group, kind: "line", colour: ink.ring, label: "100 miles of a major metro", size: 1.5, dash: true });
    }
    return made;
  }

  gridstead.mapextra = { addParcels, apply, dotAt, dots, foldAttribution, furnish, legend, notes, retheme, tooFar };
})();
