/* Ranks from value scores and weights, as SQL's rank_regions and rank_parcels make them. No DOM. */
"use strict";

(() => {
  const NULL_U32 = 4294967295;
  const DIGIT_BITS = 13;
  const DIGITS = 1 << DIGIT_BITS;
  const TOP = 2 ** 38; // above all units: 100 points are 1e11
  const LOW = 2 ** 26; // two digits
  const orders = new WeakMap(); // ids -> their order, which never changes

  /**
   * Order of ids by code point, as SQL's binary collation has it; null where positions are in that
   * order already. JavaScript's own order by UTF-16 unit differs above U+D7FF.
   */
  function idOrder(ids) {
    if (!ids) return null;
    if (!orders.has(ids)) orders.set(ids, makeIdOrder(ids));
    return orders.get(ids);
  }

  function makeIdOrder(ids) {
    let isSorted = true;
    for (let i = 1; i < ids.length && isSorted; i += 1) {
      isSorted = compareIds(ids[i - 1], ids[i]) <= 0;
    }
    if (isSorted) return null;
    return Int32Array.from(ids.keys()).sort((a, b) => compareIds(ids[a], ids[b]) || a - b);
  }

  function compareIds(a, b) {
    if (a === b) return 0;
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i += 1) {
      const x = a.charCodeAt(i);
      const y = b.charCodeAt(i);
      if (x !== y) {
        // A surrogate stands for a code point above all others.
        const isHighX = x >= 0xd800 && x <= 0xdfff;
        const isHighY = y >= 0xd800 && y <= 0xdfff;
        if (isHighX !== isHighY) return isHighX ? 1 : -1;
        return x - y;
      }
    }
    return a.length - b.length;
  }

  /** Sum of a list of weights, in its order. */
  function total(weights) {
    let sum = 0;
    for (const weight of weights) sum += weight;
    return sum;
  }

  /** Billionths of a point that one factor gives: the same operations in the same order as in SQL. */
  function unitsOf(share, v) {
    return v === NULL_U32 ? 0 : Math.round(share * v * 1e3);
  }

  /**
   * Rank rows under weights.
   *
   * factors: [{weight, v: Uint32Array of millionths, or null where unknown for all}];
   * status: Uint8Array (0 out, 1 pass, 2 unknown); ids: list, or null where positions are in id order.
   * Gives units (billionths of a point), order (positions, best first), rank (by position, 0 not ranked).
   */
  function compute({ factors, status, ids = null }) {
    const rows = status.length;
    const units = new Float64Array(rows);
    const whole = total(factors.map((factor) => factor.weight));
    if (!(whole > 0) || factors.some((factor) => !(factor.weight >= 0))) {
      throw new Error("weights must not be negative, nor all be 0");
    }
    for (const { weight, v } of factors) {
      const share = 100 * (weight / whole);
      if (share > 0 && v) {
        for (let i = 0; i < rows; i += 1) {
          const value = v[i];
          if (value !== NULL_U32) units[i] += Math.round(share * value * 1e3);
        }
      }
    }
    const order = sort(units, status, idOrder(ids));
    return { units, order, rank: ranksOf(order, rows) };
  }

  /** Radix sort of the rows that hold by (status unknown, units descending, id): stable, 3 digits. */
  function sort(units, status, byId) {
    const rows = units.length;
    let count = 0;
    for (let i = 0; i < rows; i += 1) if (status[i]) count += 1;
    let from = new Int32Array(count);
    const digits = [new Uint16Array(rows), new Uint16Array(rows), new Uint16Array(rows)];
    const counts = [new Uint32Array(DIGITS), new Uint32Array(DIGITS), new Uint32Array(DIGITS)];
    let next = 0;
    for (let k = 0; k < rows; k += 1) {
      const i = byId ? byId[k] : k;
      if (status[i]) {
        const key = (status[i] === 2 ? TOP : 0) + (TOP - 1 - units[i]);
        const low = key % LOW;
        counts[0][(digits[0][i] = low & (DIGITS - 1))] += 1;
        counts[1][(digits[1][i] = low >>> DIGIT_BITS)] += 1;
        counts[2][(digits[2][i] = Math.floor(key / LOW))] += 1;
        from[next] = i;
        next += 1;
      }
    }
    let to = new Int32Array(count);
    for (let d = 0; d < 3; d += 1) {
      const starts = counts[d];
      let sum = 0;
      for (let b = 0; b < DIGITS; b += 1) {
        const held = starts[b];
        starts[b] = sum;
        sum += held;
      }
      const digit = digits[d];
      for (let k = 0; k < count; k += 1) {
        const i = from[k];
        to[starts[digit[i]]] = i;
        starts[digit[i]] += 1;
      }
      [from, to] = [to, from];
    }
    return from;
  }

  /** Ranks by position (0 not ranked) of an order. */
  function ranksOf(order, rows) {
    const rank = new Int32Array(rows);
    for (let k = 0; k < order.length; k += 1) rank[order[k]] = k + 1;
    return rank;
  }

  /** Order of published ranks (values under 1 are not ranked): positions, best first. */
  function orderOf(published) {
    const order = new Int32Array(published.length);
    let count = 0;
    for (let i = 0; i < published.length; i += 1) {
      if (published[i] > 0) {
        order[published[i] - 1] = i;
        count += 1;
      }
    }
    return order.slice(0, count);
  }

  /** The order without the positions that do not hold (keep: Uint8Array by position). */
  function keepOnly(order, keep) {
    return order.filter((position) => keep[position] === 1);
  }

  /** Take rows out of `keep` whose value is unknown or outside a bound; floats of 4 bytes compare as such. */
  function tighten(keep, values, { at_least: atLeast, at_most: atMost }) {
    const near = values instanceof Float32Array ? Math.fround : (x) => x;
    const least = Number.isFinite(atLeast) ? near(atLeast) : -Infinity;
    const most = Number.isFinite(atMost) ? near(atMost) : Infinity;
    for (let i = 0; i < keep.length; i += 1) {
      if (!(values[i] >= least && values[i] <= most)) keep[i] = 0;
    }
  }

  const rank = { compute, idOrder, keepOnly, orderOf, ranksOf, tighten, total, unitsOf };
  if (typeof module === "object" && module.exports) {
    module.exports = rank;
  } else {
    window.gridstead = window.gridstead || {};
    window.gridstead.rank = rank;
  }
})();
