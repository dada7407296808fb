"use strict";
// Numbers and units in the words of the command line: the same figure reads the same everywhere.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});

  // Decimals and words by unit; where a unit is not named, three digits that count.
  const UNITS = {
    mi: [1, " mi"],
    mw: [0, " MW"],
    kv: [0, " kV"],
    acres: [0, " acres"],
    count: [0, ""],
    people: [0, " people"],
    degree_days: [0, " degree days"],
    usd_per_mwh: [1, " $/MWh"],
    usd_per_acre: [0, " $/acre"],
    usd_per_person: [0, " $/person"],
    musd: [1, " M$"],
    ms: [2, " ms"],
    m: [0, " m"],
    pct: [1, " %"],
  };
  const COST = {
    training: { unit: "$/MWh", long: "dollars of 2024 per delivered MWh of IT load" },
    inference: { unit: "$/M queries", long: "dollars of 2024 per million queries" },
  };
  const LEVELS = {
    county: ["county", "counties"],
    metro: ["metro", "metros"],
    state: ["state", "states"],
    zone: ["zone", "zones"],
    parcel: ["parcel", "parcels"],
  };
  const UNKNOWN = "unknown";
  const formats = new Map();

  function isKnown(value) {
    return typeof value === "number" && Number.isFinite(value);
  }

  function number(value, decimals) {
    if (!isKnown(value)) return UNKNOWN;
    const places = decimals || 0;
    if (!formats.has(places)) {
      const digits = { minimumFractionDigits: places, maximumFractionDigits: places };
      formats.set(places, new Intl.NumberFormat("en-US", digits));
    }
    // -0 would be told as minus nothing.
    return formats.get(places).format(value).replace(/^-(0(\.0*)?)$/, "$1");
  }

  function short(value) {
    return isKnown(value) ? new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 }).format(value) : UNKNOWN;
  }

  function figure(value, unit) {
    if (!isKnown(value)) return UNKNOWN;
    if (unit === "share") return `${number(100 * value)} %`;
    if (!unit) return short(value);
    if (!Object.hasOwn(UNITS, unit)) return `${short(value)} ${unit.replaceAll("_", " ")}`;
    const [decimals, words] = UNITS[unit];
    return number(value, decimals) + words;
  }

  // The value of a metric: a figure, or yes and no.
  function value(metric, amount, unit) {
    if (metric.startsWith("is_") && isKnown(amount)) return amount ? "yes" : "no";
    return figure(amount, unit);
  }

  function unitWords(unit) {
    if (!unit) return "";
    if (unit === "share") return "share of 1";
    return Object.hasOwn(UNITS, unit) ? UNITS[unit][1].trim() : unit.replaceAll("_", " ");
  }

  // A bound is told as it was written, not to the decimals of a measurement.
  function bound(value, unit) {
    const words = new Intl.NumberFormat("en-US", { maximumFractionDigits: 3 }).format(value);
    return unit === "share" ? figure(value, unit) : `${words} ${unitWords(unit)}`.trim();
  }

  function gateWords(gate) {
    const words = [];
    if (gate.metric.startsWith("is_")) return gate.at_least ? "yes" : "no";
    if (isKnown(gate.at_least)) words.push(`at least ${bound(gate.at_least, gate.unit)}`);
    if (isKnown(gate.at_most)) words.push(`at most ${bound(gate.at_most, gate.unit)}`);
    return words.join(" and ");
  }

  function interval(first, last) {
    return first === last ? number(first) : `${number(first)}–${number(last)}`;
  }

  function cost(amount, objective) {
    if (!isKnown(amount)) return UNKNOWN;
    return `${number(amount, amount < 100 ? 1 : 0)} ${costUnit(objective).unit}`;
  }

  function costUnit(objective) {
    return COST[objective] || { unit: "$", long: "dollars" };
  }

  function count(amount, level) {
    return `${number(amount)} ${(LEVELS[level] || ["place", "places"])[amount === 1 ? 0 : 1]}`;
  }

  function levelWord(level, isMany) {
    return (LEVELS[level] || ["place", "places"])[isMany ? 1 : 0];
  }

  function percent(share, decimals) {
    return isKnown(share) ? `${number(100 * share, decimals)} %` : UNKNOWN;
  }

  // Put a letter in capitals where a sentence begins.
  function sentence(words) {
    return words ? words[0].toUpperCase() + words.slice(1) : "";
  }

  // Letters as somebody types them: without accents and without case.
  function folded(words) {
    return String(words)
      .normalize("NFKD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase();
  }

  gridstead.text = {
    UNKNOWN,
    isKnown,
    number,
    figure,
    value,
    unitWords,
    bound,
    gateWords,
    interval,
    cost,
    costUnit,
    count,
    levelWord,
    percent,
    sentence,
    folded,
  };
})();
