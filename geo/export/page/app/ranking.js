/* The ranking in force: published ranks, or those under the user's weights and tightened gates. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const NULL_I32 = -2147483648;
  const WATCHED = ["workload", "level", "weights", "gates", "certain"];
  const subscribers = new Set();
  const kept = new Map(); // level -> {key, promise} of its last ranking
  const sorted = new WeakMap(); // detail -> order of its published ranks
  let isWatching = false;
  let isBusy = false;
  let isStale = false;
  let latest = null;

  function profileOf(about, id) {
    return about.workloads.find((one) => one.workload === id) || about.workloads[0];
  }

  /** Weights of all factors in about's order: the user's where named, else the profile's. */
  function weightsOf(profile, weights) {
    const given = weights || {};
    return profile.factors.map(({ metric, weight }) => {
      const own = Object.hasOwn(given, metric) ? given[metric] : weight;
      return Number.isFinite(own) && own >= 0 ? own : weight;
    });
  }

  /** Gates that the user has tightened, as [metric, bounds]. */
  function tightened(gates) {
    return Object.entries(gates || {}).filter(
      ([, { at_least: least, at_most: most }]) => Number.isFinite(least) || Number.isFinite(most),
    );
  }

  /** Packs of one level: {table, detail}; detail is null where the build has no such ranking. */
  async function packsOf(level, workload) {
    const names =
      level === "parcel"
        ? ["parcels", `parcels-${workload}`]
        : [`regions-${level}`, `regions-${level}-${workload}`];
    const [table, detail] = await Promise.all(names.map(gridstead.store.pack));
    return { table, detail };
  }

  /** Value scores (millionths) of a factor by position, or null where unknown for all. */
  async function scoresOf(level, detail, factor) {
    if (level !== "parcel") {
      const column = `v:${factor.metric}`;
      return detail.has(column) ? detail.column(column) : null;
    }
    if (!factor.parcel_column) return null;
    return (await gridstead.store.pack(factor.parcel_column)).column("v");
  }

  /** Values of a metric by position (regions: of the best parcel), or null where unknown for all. */
  async function valuesOf(level, detail, metric) {
    if (level !== "parcel") {
      const column = `m:${metric}`;
      return detail.has(column) ? detail.column(column) : null;
    }
    const about = await gridstead.store.about();
    const known = about.metrics[metric];
    if (!known || known.has_parcels === false) return null;
    return (await gridstead.store.pack(`m-${metric}`)).column("m");
  }

  /** 0 not ranked, 1 all gates passed, 2 the value of a gate is unknown. */
  function statusOf(level, detail) {
    const rank = detail.column("rank");
    const gate = detail.column(level === "parcel" ? "gates_unknown" : "gate_status");
    const status = new Uint8Array(rank.length);
    for (let i = 0; i < rank.length; i += 1) {
      if (rank[i] > 0) status[i] = (level === "parcel" ? gate[i] > 0 : gate[i] === 2) ? 2 : 1;
    }
    return status;
  }

  async function make(level, { workload, weights, gates, certain }) {
    const about = await gridstead.store.about();
    const profile = profileOf(about, workload);
    const { table, detail } = await packsOf(level, profile.workload);
    const status = statusOf(level, detail);
    const whole = gridstead.rank.total(weightsOf(profile, weights));
    let order;
    let score;
    if (weights && whole > 0) {
      const own = weightsOf(profile, weights);
      const factors = await Promise.all(
        profile.factors.map(async (factor, k) => ({
          weight: own[k],
          v: own[k] > 0 ? await scoresOf(level, detail, factor) : null,
        })),
      );
      const ids = table.column(level === "parcel" ? "parcel_id" : "region_id");
      const made = gridstead.rank.compute({ factors, status, ids });
      order = made.order;
      score = made.units.map((units, i) => (status[i] ? units / 1e9 : NaN));
    } else {
      if (!sorted.has(detail)) sorted.set(detail, gridstead.rank.orderOf(detail.column("rank")));
      order = sorted.get(detail);
      score = Float64Array.from(detail.column("score"));
    }
    const ranked = order.length;
    const tight = tightened(gates);
    if (certain || tight.length) {
      const keep = status.map((one) => (one === 1 || (one === 2 && !certain) ? 1 : 0));
      for (const [metric, bounds] of tight) {
        const values = await valuesOf(level, detail, metric);
        if (values) gridstead.rank.tighten(keep, values, bounds);
        else keep.fill(0);
      }
      order = gridstead.rank.keepOnly(order, keep);
    }
    return {
      workload: profile.workload,
      level,
      count: order.length,
      total: table.rows,
      ranked,
      out: ranked - order.length,
      is_published: !(weights && whole > 0) && order.length === ranked,
      order,
      rank: gridstead.rank.ranksOf(order, table.rows),
      score,
      status,
      table,
      detail,
    };
  }

  /** Rank one level under the state in force. */
  function of(level) {
    const { workload, weights, gates, certain } = gridstead.state.get();
    const key = JSON.stringify([workload, weights, gates, certain]);
    if (!kept.has(level) || kept.get(level).key !== key) {
      const promise = make(level, { workload, weights, gates, certain });
      const entry = { key, promise };
      kept.set(level, entry);
      promise.catch(() => kept.get(level) === entry && kept.delete(level));
    }
    return kept.get(level).promise;
  }

  function current() {
    watch();
    return of(gridstead.state.get().level);
  }

  function watch() {
    if (isWatching) return;
    isWatching = true;
    gridstead.state.subscribe((state, changed) => {
      if (WATCHED.some((key) => changed.includes(key))) refresh();
    });
  }

  /** Rank again and tell all; changes that come meanwhile are answered by one more pass. */
  async function refresh() {
    isStale = true;
    if (isBusy) return;
    isBusy = true;
    try {
      while (isStale) {
        isStale = false;
        const ranking = await current();
        if (!isStale) tell(ranking);
      }
    } catch (error) {
      gridstead.ranking.failed = error; // current() rejects with it for all who ask
    } finally {
      isBusy = false;
    }
  }

  function tell(ranking) {
    latest = ranking;
    for (const subscriber of [...subscribers]) subscriber(ranking);
  }

  /** Call fn(ranking) now, where there is one, and after each change; gives what ends it. */
  function subscribe(fn) {
    subscribers.add(fn);
    watch();
    if (latest && !isBusy) queueMicrotask(() => subscribers.has(fn) && fn(latest));
    else refresh();
    return () => subscribers.delete(fn);
  }

  gridstead.ranking = {
    current,
    of,
    subscribe,
    // For lookup.js and the map.
    profileOf,
    weightsOf,
    scoresOf,
    valuesOf,
    packsOf,
    tightened,
    failed: null,
    NULL_I32,
  };
})();
