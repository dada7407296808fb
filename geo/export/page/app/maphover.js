/* Words at the pointer: what lies there, its rank, and why it has none. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const OVERLAYS = ["substation", "fiber-node", "line", "line-dc", "fiber-link"];
  const REACH_PX = 3; // around the pointer, for lines and dots
  const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });

  function text(tag, words, bold) {
    const element = document.createElement(tag);
    element.textContent = words;
    if (bold) element.style.fontWeight = "600";
    return element;
  }

  function reasonOf(profile, ranking, position) {
    if (ranking.status[position]) return "left out by your gates";
    if (ranking.level !== "parcel") return "not ranked: no parcel passes the gates";
    const failed = gridstead.lookup.failedGates(profile, ranking.detail, position);
    return failed.length ? `fails: ${failed.join(", ")}` : "not ranked";
  }

  /** Lines of words about one row of a ranking. */
  function wordsOf(profile, ranking, position) {
    const rank = ranking.rank[position];
    if (!rank) return [reasonOf(profile, ranking, position)];
    const words = [`rank ${number.format(rank)} of ${number.format(ranking.count)}`];
    const score = ranking.score[position];
    if (Number.isFinite(score)) words.push(`score ${tenth.format(score)}`);
    const lines = [words.join(" \u00b7 ")];
    if (ranking.status[position] === 2) lines.push("a gate's value is unknown");
    return lines;
  }

  const megawatts = (value) => (typeof value === "number" ? `${number.format(value)} MW` : "unknown");

  /** Words about a feature of an overlay: [heading, lines]. */
  function overlayWords({ layer, properties }) {
    const kv = properties.kv_max ? `${number.format(properties.kv_max)} kV` : "voltage unknown";
    if (layer.id === "substation") {
      const lines = [kv, `headroom ${megawatts(properties.headroom_mw_mid)}`];
      const { headroom_mw_low: low, headroom_mw_high: high } = properties;
      if (typeof low === "number" && typeof high === "number" && high > low) {
        lines.push(`between ${megawatts(low)} and ${megawatts(high)}`);
      }
      return [properties.name || "Substation", lines];
    }
    if (layer.id.startsWith("line")) return [layer.id === "line-dc" ? "DC line" : "Line", [kv]];
    const kind = layer.id === "fiber-link" ? "Fiber link" : "Fiber node";
    return [properties.carrier_name || kind, [properties.link_kind || kind.toLowerCase()]];
  }

  /** Follow the pointer. `at(point)` gives {ranking, profile, position} or null; `hovered` is told of it. */
  function attach(map, { at, hovered }) {
    const popup = new window.maplibregl.Popup({
      closeButton: false,
      closeOnClick: false,
      className: "gs-hover",
      maxWidth: "280px",
      offset: 12,
    });
    let pending = null;
    let turn = 0;

    function overlayAt(point) {
      const layers = OVERLAYS.filter((id) => map.getLayer(id));
      if (!layers.length) return null;
      const box = [
        [point.x - REACH_PX, point.y - REACH_PX],
        [point.x + REACH_PX, point.y + REACH_PX],
      ];
      return map.queryRenderedFeatures(box, { layers })[0] || null;
    }

    async function show(event) {
      turn += 1;
      const mine = turn;
      const overlay = overlayAt(event.point);
      const hit = at(event.point);
      hovered(hit);
      map.getCanvas().style.cursor = hit ? "pointer" : "";
      if (!overlay && !hit) {
        popup.remove();
        return;
      }
      const box = document.createElement("div");
      if (overlay) {
        const [heading, lines] = overlayWords(overlay);
        box.append(text("div", heading, true), ...lines.map((line) => text("div", line)));
      } else {
        const { ranking, profile, position } = hit;
        const place = await gridstead.lookup.at(ranking.level, position);
        if (mine !== turn) return;
        const lines = wordsOf(profile, ranking, position);
        box.append(text("div", place.name, true), ...lines.map((line) => text("div", line)));
      }
      popup.setLngLat(event.lngLat).setDOMContent(box).addTo(map);
    }

    function leave() {
      turn += 1;
      pending = null;
      popup.remove();
      hovered(null);
    }

    map.on("mousemove", (event) => {
      // One look at the map a frame, however fast the pointer is.
      if (!pending) {
        requestAnimationFrame(() => {
          const last = pending;
          pending = null;
          if (last) show(last);
        });
      }
      pending = event;
    });
    map.on("mouseout", leave);
    map.on("dragstart", leave);
    map.on("zoomstart", leave);
    return { leave };
  }

  gridstead.maphover = { attach };
})();
