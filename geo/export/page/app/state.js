"use strict";
// What the reader has chosen, in one plain object, and its short form in the hash of the address.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});

  const LEVELS = ["county", "metro", "state", "zone", "parcel"];
  const LAYERS = ["substation", "line", "fiber", "metro_ring", "people", "place"];
  const PANELS = ["list", "place", "weights", "gates", "layers"];
  const THEMES = ["auto", "light", "dark"];
  const DEFAULT_LAYERS = ["place"];
  const LONGEST_HASH = 4000;
  // The address changes once a pause in the changes is this long; browsers limit how often it may.
  const HASH_PAUSE_MS = 250;

  const WORD = /^[a-z][a-z0-9_]{0,79}$/;
  const NUMBER = /^-?\d{1,15}(\.\d{1,15})?(e-?\d{1,2})?$/;

  let known = null;
  let state = defaults();
  let waiting = null;
  let notifying = false;
  let hashTimer = 0;
  const pending = new Set();
  const choices = new Map();
  const subscribers = [];

  function defaults() {
    return {
      workload: known ? known.workloads[0].workload : null,
      level: known ? known.levels[0].level : "county",
      weights: null,
      gates: {},
      certain: false,
      colour: "rank",
      layers: layerChoice(DEFAULT_LAYERS),
      selected: null,
      compared: [],
      view: null,
      theme: "auto",
      panel: "list",
    };
  }

  function layerChoice(on) {
    return Object.fromEntries(LAYERS.map((key) => [key, on.includes(key)]));
  }

  function numberOf(text) {
    return NUMBER.test(text) ? Number(text) : null;
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return "";
    }
  }

  function placeOf(text) {
    const at = text.indexOf(":");
    const level = text.slice(0, at);
    const id = decoded(text.slice(at + 1));
    return at > 0 && LEVELS.includes(level) && id && id.length <= 200 ? { level, id } : null;
  }

  // Each reader gives the value of a key, or undefined where the word makes no sense.
  const READERS = {
    w: ["workload", (text) => (WORD.test(text) ? text : undefined)],
    l: ["level", (text) => (LEVELS.includes(text) ? text : undefined)],
    wt: ["weights", readWeights],
    g: ["gates", readGates],
    k: ["certain", (text) => text === "1"],
    c: ["colour", (text) => (WORD.test(text) ? text : undefined)],
    y: ["layers", readLayers],
    s: ["selected", (text) => placeOf(text) || undefined],
    x: ["compared", (text) => text.split(",").map(placeOf).filter(Boolean).slice(0, 2)],
    v: ["view", readView],
    t: ["theme", (text) => (THEMES.includes(text) ? text : undefined)],
    p: ["panel", (text) => (PANELS.includes(text) ? text : undefined)],
  };

  function readWeights(text) {
    const weights = {};
    for (const part of text.split(",")) {
      const [metric, words] = part.split(":");
      const weight = numberOf(words || "");
      if (WORD.test(metric) && weight !== null && weight >= 0 && weight <= 1000) weights[metric] = weight;
    }
    return Object.keys(weights).length ? weights : undefined;
  }

  function readGates(text) {
    const gates = {};
    for (const part of text.split(",")) {
      const [metric, words] = part.split(":");
      const bound = { ">": "at_least", "<": "at_most" }[(words || "")[0]];
      const limit = numberOf((words || "").slice(1));
      if (WORD.test(metric) && bound && limit !== null) gates[metric] = { ...gates[metric], [bound]: limit };
    }
    return gates;
  }

  // An empty word takes all layers off; words that are no layers say nothing.
  function readLayers(text) {
    const on = text.split(",").filter((key) => LAYERS.includes(key));
    return on.length || text === "" ? layerChoice(on) : undefined;
  }

  function readView(text) {
    const [lon, lat, zoom] = text.split(",").map(numberOf);
    const inside = lon !== null && Math.abs(lon) <= 180 && lat !== null && Math.abs(lat) <= 85;
    return inside && zoom >= 0 && zoom <= 22 && text.split(",").length === 3 ? { lon, lat, zoom } : undefined;
  }

  // Give the parts of the state that the hash of the address names; what makes no sense is left out.
  function fromHash(hash) {
    const text = hash === undefined ? window.location.hash : String(hash);
    const patch = {};
    if (text.length > LONGEST_HASH) return patch;
    for (const pair of text.replace(/^#/, "").split("&")) {
      const at = pair.indexOf("=");
      if (at < 1 || !Object.hasOwn(READERS, pair.slice(0, at))) continue;
      const reader = READERS[pair.slice(0, at)];
      // Identifiers are decoded after the split at commas, so that they may hold commas themselves.
      const raw = pair.slice(at + 1);
      const value = reader[1](reader[0] === "selected" || reader[0] === "compared" ? raw : decoded(raw));
      if (value !== undefined) patch[reader[0]] = value;
    }
    return patch;
  }

  function placeText(place) {
    return `${place.level}:${encodeURIComponent(place.id)}`;
  }

  function rounded(value, digits) {
    return Number(value.toFixed(digits));
  }

  // Give the state as the hash of an address; what is as it was at first is not told.
  function toHash() {
    const words = [`w=${state.workload || ""}`, `l=${state.level}`];
    if (state.weights) {
      words.push(`wt=${Object.entries(state.weights).map(([metric, weight]) => `${metric}:${weight}`)}`);
    }
    const gates = Object.entries(state.gates).flatMap(([metric, { at_least, at_most }]) => [
      ...(at_least === undefined ? [] : [`${metric}:>${at_least}`]),
      ...(at_most === undefined ? [] : [`${metric}:<${at_most}`]),
    ]);
    if (gates.length) words.push(`g=${gates}`);
    if (state.certain) words.push("k=1");
    if (state.colour !== "rank") words.push(`c=${state.colour}`);
    const layers = LAYERS.filter((key) => state.layers[key]);
    if (layers.join() !== DEFAULT_LAYERS.join()) words.push(`y=${layers}`);
    if (state.selected) words.push(`s=${placeText(state.selected)}`);
    if (state.compared.length) words.push(`x=${state.compared.map(placeText)}`);
    if (state.view) {
      const { lon, lat, zoom } = state.view;
      words.push(`v=${rounded(lon, 4)},${rounded(lat, 4)},${rounded(zoom, 2)}`);
    }
    if (state.theme !== "auto") words.push(`t=${state.theme}`);
    if (state.panel !== "list") words.push(`p=${state.panel}`);
    return `#${words.join("&")}`;
  }

  // Keep of a patch what this build knows: its workloads, levels, metrics. Nothing is known before `know`.
  function checked(patch) {
    if (!known) return patch;
    const kept = { ...patch };
    const workload = known.workloads.find((one) => one.workload === (patch.workload || state.workload));
    if ("workload" in kept && !(workload && workload.workload === kept.workload)) delete kept.workload;
    if ("level" in kept && !known.levels.some((one) => one.level === kept.level)) delete kept.level;
    if (kept.colour && kept.colour !== "rank" && !Object.hasOwn(known.metrics, kept.colour)) delete kept.colour;
    const ranked = workload || known.workloads[0];
    if (kept.weights) kept.weights = knownWeights(kept.weights, ranked);
    if (kept.gates) {
      const metrics = new Set(ranked.gates.filter((gate) => !gate.is_removed).map((gate) => gate.metric));
      kept.gates = Object.fromEntries(Object.entries(kept.gates).filter(([metric]) => metrics.has(metric)));
    }
    for (const key of ["selected", "compared"]) {
      if (Array.isArray(kept[key])) kept[key] = kept[key].filter(isKnownPlace);
      else if (kept[key] && !isKnownPlace(kept[key])) delete kept[key];
    }
    return kept;
  }

  function isKnownPlace(place) {
    return known.levels.some((one) => one.level === place.level);
  }

  // Weights that say nothing new are none, and so are weights without a sum to divide by.
  function knownWeights(weights, workload) {
    const changed = {};
    let total = 0;
    for (const { metric, weight } of workload.factors) {
      const own = Object.hasOwn(weights, metric) ? weights[metric] : weight;
      if (own !== weight) changed[metric] = own;
      total += own;
    }
    return Object.keys(changed).length && total > 0 ? changed : null;
  }

  function isSame(a, b) {
    return a === b || JSON.stringify(a) === JSON.stringify(b);
  }

  // Weights and requirements belong to a workload: each gets back what was chosen for it before.
  function withChoices(patch) {
    if (!patch.workload || patch.workload === state.workload) return patch;
    choices.set(state.workload, { weights: state.weights, gates: state.gates });
    return { weights: null, gates: {}, ...choices.get(patch.workload), ...patch };
  }

  function set(patch) {
    const kept = withChoices(checked(patch));
    const changed = Object.keys(kept).filter((key) => key in state && !isSame(state[key], kept[key]));
    if (!changed.length) return;
    state = { ...state, ...Object.fromEntries(changed.map((key) => [key, kept[key]])) };
    changed.forEach((key) => pending.add(key));
    writeHashSoon();
    notify();
  }

  // A subscriber may change the state in its turn: that is told once all have heard of the change before.
  function notify() {
    if (notifying) return;
    notifying = true;
    try {
      while (pending.size) {
        const changed = [...pending];
        pending.clear();
        for (const subscriber of subscribers) subscriber(state, changed);
      }
    } finally {
      notifying = false;
    }
  }

  // What the address asks for must be read before it is written over.
  function writeHashSoon() {
    if (!known) return;
    window.clearTimeout(hashTimer);
    hashTimer = window.setTimeout(writeHash, HASH_PAUSE_MS);
  }

  function writeHash() {
    if (!known) return;
    window.clearTimeout(hashTimer);
    waiting = toHash();
    if (waiting === window.location.hash) return;
    try {
      window.history.replaceState(null, "", waiting);
    } catch {
      // A browser that forbids it for a file leaves the address as it is; "copy link" still gives the whole.
    }
  }

  // What the address asks for; a place that it names is explained.
  function asked() {
    const patch = fromHash();
    if (patch.selected && !patch.panel) patch.panel = "place";
    return checked(patch);
  }

  // Take what is known of this build, and with it what the address asks for.
  // Parcels are a level where the build has ranked any; `levels` of what it gives back has them.
  function know(about) {
    const regions = about.levels.filter(({ level }) => level !== "parcel");
    const { parcel_count: count } = about.run;
    const parcels = count > 0 ? [{ level: "parcel", title: "Parcels", count }] : [];
    known = { ...about, levels: [...regions, ...parcels] };
    state = { ...defaults(), theme: state.theme };
    Object.assign(state, asked());
    window.addEventListener("hashchange", () => {
      if (window.location.hash === waiting) return;
      set({ ...defaults(), view: state.view, ...asked() });
    });
    return known;
  }

  gridstead.state = {
    get: () => state,
    set,
    subscribe: (subscriber) => subscribers.push(subscriber),
    toHash,
    fromHash,
    defaults,
    know,
    writeHash,
    LEVELS,
    LAYERS,
  };
})();
