/* Places by level and id, and the explanation of one place under the weights in force. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const NULL_U32 = 4294967295;
  const PARCEL_HALF_DEGREES = 0.05; // a box around a parcel's centre, whose outline is only in the tiles
  const PROFILE_NOTE =
    "Intervals, cost and megawatts are those of the profile's own weights; rank, score and points are under yours.";
  const indices = new WeakMap(); // table -> Map of id to position

  const tableOf = (level) => gridstead.store.pack(level === "parcel" ? "parcels" : `regions-${level}`);
  const idsOf = (level, table) => table.column(level === "parcel" ? "parcel_id" : "region_id");

  /** A number of a column by position; null where unknown or where the column is not there. */
  function valueAt(pack, column, position) {
    if (!pack.has(column)) return null;
    const value = pack.column(column)[position];
    if (value === undefined || value === null || value === gridstead.ranking.NULL_I32) return null;
    return typeof value === "number" && Number.isNaN(value) ? null : value;
  }

  async function find(level, id) {
    const table = await tableOf(level);
    if (!indices.has(table)) {
      indices.set(table, new Map(idsOf(level, table).map((one, position) => [one, position])));
    }
    const position = indices.get(table).get(id);
    return position === undefined ? null : at(level, position);
  }

  /** Name of a parcel: its own, else its id and its county. */
  async function parcelName(table, position) {
    const own = valueAt(table, "parcel_name", position);
    if (own) return own;
    const name = `Parcel ${idsOf("parcel", table)[position]}`;
    const county = valueAt(table, "county", position);
    const { levels } = await gridstead.store.about();
    if (county === null || !levels.some(({ level }) => level === "county")) return name;
    const counties = await gridstead.store.pack("regions-county");
    return `${name}, ${counties.column("region_name")[county]}`;
  }

  async function at(level, position) {
    const table = await tableOf(level);
    const lon = table.column("lon")[position];
    const lat = table.column("lat")[position];
    const isParcel = level === "parcel";
    const half = PARCEL_HALF_DEGREES;
    return {
      level,
      id: idsOf(level, table)[position],
      name: isParcel ? await parcelName(table, position) : table.column("region_name")[position],
      lon,
      lat,
      bounds: isParcel
        ? [lon - half, lat - half, lon + half, lat + half]
        : ["west", "south", "east", "north"].map((side) => table.column(side)[position]),
      position,
    };
  }

  async function factorsOf(level, position, about, profile, detail) {
    const weights = gridstead.ranking.weightsOf(profile, gridstead.state.get().weights);
    const whole = gridstead.rank.total(weights);
    const rows = await Promise.all(
      profile.factors.map(async (factor, k) => {
        const [scores, values] = await Promise.all([
          gridstead.ranking.scoresOf(level, detail, factor),
          gridstead.ranking.valuesOf(level, detail, factor.metric),
        ]);
        const share = 100 * (weights[k] / whole);
        const v = scores ? scores[position] : NULL_U32;
        const value = values ? values[position] : NaN;
        const metric = about.metrics[factor.metric] || {};
        return {
          metric: factor.metric,
          label: factor.label,
          unit: factor.unit,
          value: Number.isNaN(value) ? null : value,
          weight: weights[k] / whole,
          value_score: v === NULL_U32 ? null : v / 1e6,
          points: gridstead.rank.unitsOf(share, v) / 1e9,
          max_points: share,
          sources: metric.sources || [],
        };
      }),
    );
    return rows.sort((a, b) => b.points - a.points || b.max_points - a.max_points);
  }

  /** The stricter of a gate's own bound and the user's. */
  function strictest(gate, own) {
    const pick = (a, b, choose) => {
      const both = [a, b].filter((x) => Number.isFinite(x));
      return both.length ? choose(...both) : null;
    };
    return {
      at_least: pick(gate.at_least, own.at_least, Math.max),
      at_most: pick(gate.at_most, own.at_most, Math.min),
    };
  }

  async function gatesOf(level, position, profile, detail) {
    const user = gridstead.state.get().gates || {};
    const inUse = profile.gates.filter((gate) => !gate.is_removed);
    return Promise.all(
      inUse.map(async (gate, bit) => {
        const values = await gridstead.ranking.valuesOf(level, detail, gate.metric);
        const value = values && !Number.isNaN(values[position]) ? values[position] : null;
        const own = Object.hasOwn(user, gate.metric) ? user[gate.metric] : {};
        const bounds = strictest(gate, own);
        const [least, most] = [gate.at_least ?? null, gate.at_most ?? null];
        const isTightened = bounds.at_least !== least || bounds.at_most !== most;
        return {
          metric: gate.metric,
          label: gate.label,
          unit: gate.unit,
          value,
          ...bounds,
          is_tightened: isTightened,
          why: gate.why,
          status: gateStatus(level, position, detail, bit, values, bounds, isTightened),
        };
      }),
    );
  }

  function gateStatus(level, position, detail, bit, values, bounds, isTightened) {
    // Of parcels the build tells which gates fail, from values before they were rounded for the page.
    if (level === "parcel") {
      if ((detail.column("gates_failed")[position] >> bit) & 1) return "fail";
      if ((detail.column("gates_unknown")[position] >> bit) & 1) return "unknown";
      if (!isTightened) return "pass";
    }
    if (!values || Number.isNaN(values[position])) return "unknown";
    const keep = new Uint8Array([1]);
    gridstead.rank.tighten(keep, values.subarray(position, position + 1), bounds);
    return keep[0] ? "pass" : "fail";
  }

  function costOf(position, detail) {
    const mid = valueAt(detail, "cost_mid", position);
    if (mid === null) return null;
    return {
      low: valueAt(detail, "cost_low", position),
      mid,
      high: valueAt(detail, "cost_high", position),
      rank: valueAt(detail, "cost_rank", position),
      capital_musd_mid: valueAt(detail, "capital_musd_mid", position),
      time_to_power_years_mid: valueAt(detail, "time_to_power_years_mid", position),
    };
  }

  /** Everything the page tells about one place. */
  async function explain(level, position) {
    const about = await gridstead.store.about();
    const state = gridstead.state.get();
    const profile = gridstead.ranking.profileOf(about, state.workload);
    const [ranking, place] = await Promise.all([gridstead.ranking.of(level), at(level, position)]);
    const { detail } = ranking;
    const [factors, gates] = await Promise.all([
      factorsOf(level, position, about, profile, detail),
      gatesOf(level, position, profile, detail),
    ]);
    const p05 = valueAt(detail, "rank_p05", position);
    const number = (column) => valueAt(detail, column, position);
    return {
      ...place,
      workload: profile.workload,
      rank: ranking.rank[position] || null,
      count: ranking.count,
      published_rank: number("rank"),
      score: Number.isNaN(ranking.score[position]) ? null : ranking.score[position],
      status: ranking.status[position],
      is_out: ranking.status[position] > 0 && !ranking.rank[position],
      interval:
        p05 === null ? null : { p05, p50: number("rank_p50"), p95: number("rank_p95") },
      p_top10: number("p_top10"),
      p_top100: number("p_top100"),
      cost: costOf(position, detail),
      reason: number("reason"),
      capacity_mw: number("capacity_mw"),
      filled_share: number("filled_share"),
      substation_count: number("substation_count"),
      candidate_count: number("candidate_count"),
      swing_metric: number("swing_metric"),
      best_parcel_id: number("best_parcel_id"),
      factors,
      gates,
      note: state.weights ? PROFILE_NOTE : null,
    };
  }

  /** Labels of the gates that a parcel fails, in about's order. */
  function failedGates(profile, detail, position) {
    const bits = detail.column("gates_failed")[position];
    return profile.gates
      .filter((gate) => !gate.is_removed)
      .filter((_, bit) => (bits >> bit) & 1)
      .map((gate) => gate.label);
  }

  gridstead.lookup = { find, at, explain, failedGates };
})();
