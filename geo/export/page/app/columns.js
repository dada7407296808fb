/* Columns that are kept short: metrics in steps or levels, value scores computed from them, values in order of rank.
   What `gridstead.store.pack` gives reads like any other table. */
"use strict";

(() => {
  const NULL_U32 = 4294967295;
  const NULL_I32 = -2147483648;

  /** Numbers of a coded column: `levels[code]`, or code times step plus base; NaN where unknown. */
  function numbers(codes, { levels, step, base }) {
    const out = new Float64Array(codes.length);
    for (let i = 0; i < codes.length; i += 1) {
      const code = codes[i];
      if (code === NULL_U32) out[i] = NaN;
      else out[i] = levels ? levels[code] : code * step + base;
    }
    return out;
  }

  /** Values of rows that are ranked, given in order of rank, by position. */
  function byPosition(values, rank) {
    const out = new values.constructor(rank.length).fill(values instanceof Int32Array ? NULL_I32 : NaN);
    for (let i = 0; i < rank.length; i += 1) if (rank[i] > 0) out[i] = values[rank[i] - 1];
    return out;
  }

  /** Value scores in millionths of values under a value function, with what is listed as missing added. */
  function scores(values, pieces, gap, by) {
    const out = new Uint32Array(values.length);
    const starts = pieces.map((piece) => piece[0]);
    for (let i = 0; i < values.length; i += 1) {
      const x = values[i];
      if (Number.isNaN(x)) {
        out[i] = NULL_U32;
      } else {
        let k = starts.length - 1;
        while (k > 0 && x < starts[k]) k -= 1;
        const [fromX, fromValue, slope] = pieces[k];
        const value = Math.min(Math.max(fromValue + slope * (x - fromX), 0), 1);
        out[i] = Math.floor(value * 1e6 + 0.5);
      }
    }
    let row = 0;
    for (let k = 0; k < gap.length; k += 1) {
      row += gap[k];
      out[row] += by[k];
    }
    return out;
  }

  /** The same table with its coded columns read; `read(name)` gives other tables. */
  async function decode(table, read) {
    const { header } = table;
    const made = new Map();
    if (header.from) {
      const metric = (await read(header.from)).column("m");
      made.set("v", scores(metric, header.pieces, table.column("gap"), table.column("by")));
    } else if (!Object.values(header.columns).some((told) => told.step || told.levels || told.by)) {
      return table;
    }
    const decoded = (name) => {
      const told = header.columns[name];
      const plain = table.column(name);
      if (!told) return plain;
      const values = told.step || told.levels ? numbers(plain, told) : plain;
      return told.by === "rank" ? byPosition(values, table.column("rank")) : values;
    };
    return {
      rows: table.rows,
      header,
      has: (name) => made.has(name) || table.has(name),
      column(name) {
        if (!made.has(name)) made.set(name, decoded(name));
        return made.get(name);
      },
    };
  }

  const columns = { decode, numbers, byPosition, scores };
  if (typeof module === "object" && module.exports) {
    module.exports = columns;
    return;
  }
  const gridstead = window.gridstead;
  const plain = gridstead.store.pack;
  const tables = new Map();
  const pack = (name) => {
    if (!tables.has(name)) {
      const made = plain(name).then((table) => decode(table, pack));
      tables.set(name, made);
      made.catch(() => tables.delete(name));
    }
    return tables.get(name);
  };
  gridstead.store.pack = (name) => pack(name);
  gridstead.columns = columns;
})();
