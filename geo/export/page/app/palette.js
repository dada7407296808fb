/* Colours and classes of the map, of both themes, and which class a row is in. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const CLASSES = 5;

  // Grounds and lines. Light: paper; dark: night. Text holds 4.5:1 on both its ground and the land.
  const THEMES = {
    light: {
      ground: "#eceff1",
      land: "#f7f7f5",
      lake: "#c3d3de",
      shore: "#a9bdca",
      county: "#59636c",
      state: "#4a535b",
      label: "#2b3238",
      quiet: "#525c65",
      halo: "rgba(255,255,255,0.95)",
      selected: "#d0006f",
      casing: "#ffffff",
      hover: "#14181b",
      ring: "#6f3fa0",
      fiber: "#00707a",
      unknown: "#7b848c",
    },
    dark: {
      ground: "#0d1114",
      land: "#1d2226",
      lake: "#16303f",
      shore: "#24485c",
      county: "#7d8890",
      state: "#b4bec6",
      label: "#eef2f5",
      quiet: "#c3ccd3",
      halo: "rgba(10,14,17,0.95)",
      selected: "#ff5fb0",
      casing: "#0d1114",
      hover: "#ffffff",
      ring: "#c9a2f2",
      fiber: "#4fd6df",
      unknown: "#98a1a8",
    },
  };
  const UNRANKED_DARK = "#3b4146";

  // Metrics: yellow to brown, lightness falls by near-equal steps; no red-green pair, and not the ramp of ranks.
  const METRIC_RAMP = ["#fff0b8", "#fdc86a", "#f08f2d", "#bf5411", "#6b2406"];

  // Lines by kV: width says it, colour repeats it. Steps at the voltages that grids are built in.
  const KV_CLASSES = [
    { at_least: 0, label: "under 115 kV", light: "#a08d74", dark: "#7d6f5c", width: 0.5 },
    { at_least: 115, label: "115–161 kV", light: "#8d6b3f", dark: "#b0905f", width: 0.8 },
    { at_least: 200, label: "230–287 kV", light: "#c0570c", dark: "#e59a4c", width: 1.2 },
    { at_least: 300, label: "345 kV", light: "#b01722", dark: "#ff8a6b", width: 1.7 },
    { at_least: 450, label: "500 kV", light: "#6f0f3c", dark: "#ffb3c4", width: 2.3 },
    { at_least: 700, label: "735–765 kV", light: "#1f0a33", dark: "#ffffff", width: 3.2 },
  ];
  const MEGAWATT_RADII = [1.6, 2.2, 3.0, 4.0, 5.2];

  const isDark = () => {
    const { theme } = gridstead.state.get();
    if (theme === "dark" || theme === "light") return theme === "dark";
    return window.matchMedia("(prefers-color-scheme: dark)").matches;
  };

  const colours = (dark) => THEMES[dark ? "dark" : "light"];

  const unranked = (about, dark) => (dark ? UNRANKED_DARK : about.unranked.colour);

  /** Colour between two hexadecimal ones: 0 the first, 1 the second. */
  function mix(a, b, share) {
    const channel = (hex, k) => Number.parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
    const between = (k) => Math.round(channel(a, k) * (1 - share) + channel(b, k) * share);
    return `#${[0, 1, 2].map((k) => between(k).toString(16).padStart(2, "0")).join("")}`;
  }

  /** On dark ground the best is the brightest: the colours in the opposite order, the darkest nearer to `ground`. */
  function ramp(list, dark, ground, share) {
    if (!dark || list.length < 2) return list;
    const tones = [...list].reverse();
    const light = (hex) => [1, 3, 5].reduce((sum, k) => sum + Number.parseInt(hex.slice(k, k + 2), 16), 0);
    const darkest = light(tones[0]) < light(tones.at(-1)) ? 0 : tones.length - 1;
    tones[darkest] = mix(tones[darkest], ground, share);
    return tones;
  }

  const rankTones = (about, dark) =>
    ramp(
      about.rank_classes.map((one) => one.colour),
      dark,
      THEMES.dark.land,
      0.55,
    );

  /** Colours of the megawatt classes; the smallest still stands out from the land. */
  const megawattTones = (about, dark) =>
    ramp(
      about.megawatt_classes.map((one) => one.colour),
      dark,
      THEMES.dark.unknown,
      0.5,
    );

  const format = new Intl.NumberFormat("en-US");
  const SHORT = { maximumSignificantDigits: 3 };
  const plainly = new Intl.NumberFormat("en-US", SHORT);
  const compactly = new Intl.NumberFormat("en-US", { ...SHORT, notation: "compact" });
  const MANY = 100000; // from here on "31M" is read faster than its zeros
  const short = (value) => (Math.abs(value) < MANY ? plainly : compactly).format(value);

  /** How far the bounds of the rank classes are stretched, that few rows and many can be told apart. */
  function stretch(count) {
    if (count < 100) return 0.1;
    if (count < 10000) return 1;
    return count < 50000 ? 10 : 100;
  }

  /** Classes of rank for a ranking of so many rows: [{first, last|null, colour, label}], best first. */
  function rankClasses(about, count, dark) {
    const by = stretch(count);
    const tones = rankTones(about, dark);
    let first = 1;
    return about.rank_classes.map(({ last }, k) => {
      const end = last === null ? null : Math.max(first, Math.round(last * by));
      const from = first;
      first = end === null ? first : end + 1;
      let label = `${format.format(from)}\u2013${end === null ? "" : format.format(end)}`;
      if (end === from) label = format.format(from);
      if (end === null) label = `${format.format(from)} and after`;
      return { first: from, last: end, colour: tones[k], label };
    });
  }

  /** Class by position: 1 best; 0 not ranked. */
  function classesOfRank(ranking, classes) {
    const out = new Uint8Array(ranking.total);
    classes.forEach(({ first, last }, k) => {
      const end = last === null ? ranking.count : Math.min(last, ranking.count);
      for (let i = first - 1; i < end; i += 1) out[ranking.order[i]] = k + 1;
    });
    return out;
  }

  /** Quantile classes of a metric's values: {classes: [{colour, label, at_least}], of: class by position}. */
  function metricClasses(values, dark, unit) {
    const known = Float64Array.from(values).filter((value) => !Number.isNaN(value)).sort();
    const bounds = [];
    for (let k = 0; k < CLASSES && known.length; k += 1) {
      const value = known[Math.floor((k * known.length) / CLASSES)];
      // Many equal values fill more than one class: they are one.
      if (!bounds.length || value > bounds[bounds.length - 1]) bounds.push(value);
    }
    const tones = ramp(METRIC_RAMP, dark, THEMES.dark.land, 0.25);
    const step = (CLASSES - 1) / Math.max(1, bounds.length - 1);
    const words = unit ? ` ${unit}` : "";
    const classes = bounds.map((atLeast, k) => {
      const end = k + 1 < bounds.length ? bounds[k + 1] : known[known.length - 1];
      const range =
        end > atLeast ? `${short(atLeast)}\u2013${short(end)}` : short(atLeast);
      return { at_least: atLeast, colour: tones[Math.round(k * step)], label: `${range}${words}` };
    });
    const of = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i += 1) {
      for (let k = 0; k < bounds.length && values[i] >= bounds[k]; k += 1) of[i] = k + 1;
    }
    return { classes, of };
  }

  gridstead.palette = {
    CLASSES,
    KV_CLASSES,
    MEGAWATT_RADII,
    isDark,
    colours,
    unranked,
    megawattTones,
    rankClasses,
    classesOfRank,
    metricClasses,
  };
})();
