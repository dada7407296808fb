/* Data files of the page: scripts that hand over base64, so that file:// can read them. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const NO_CODE_UNITS = 0x8000; // characters that one String.fromCharCode call of older engines takes
  const waiting = new Map(); // name -> what is called with the base64 text
  const loaded = new Map(); // name -> Promise of bytes
  const packs = new Map(); // name -> Promise of a pack
  const archives = new Map();

  /** Take the content of a data file; every file under data/ calls this once. */
  gridstead.put = (name, text) => {
    const take = waiting.get(name);
    if (take) {
      waiting.delete(name);
      take(text);
    }
  };

  function fromBase64(text) {
    if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(text);
    const binary = atob(text);
    const out = new Uint8Array(binary.length);
    for (let start = 0; start < binary.length; start += NO_CODE_UNITS) {
      const end = Math.min(start + NO_CODE_UNITS, binary.length);
      for (let i = start; i < end; i += 1) out[i] = binary.charCodeAt(i);
    }
    return out;
  }

  /** Bytes of data/<name>.js. Rejects with an Error whose `file` names what is missing. */
  function bytes(name) {
    if (!loaded.has(name)) loaded.set(name, load(name));
    return loaded.get(name);
  }

  function load(name) {
    const file = `data/${encodeURIComponent(name)}.js`;
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const fail = (words) => {
        loaded.delete(name); // another try may find it
        const error = new Error(`${file} ${words}`);
        error.file = file;
        reject(error);
      };
      const take = (text) => {
        try {
          resolve(fromBase64(text));
        } catch {
          fail("is damaged");
        }
      };
      waiting.set(name, take);
      // Who waits now may have asked anew, after this file was found damaged: that one waits on.
      const end = (words) => {
        script.remove();
        if (waiting.get(name) !== take) return;
        waiting.delete(name);
        fail(words);
      };
      script.onload = () => end("holds something else");
      script.onerror = () => end("is missing");
      script.async = true;
      script.src = file;
      document.head.append(script);
    });
  }

  /** What the page is about: run, note, workloads, metrics, sources, archives. */
  async function about() {
    const [first] = (await pack("about")).column("about");
    return first;
  }

  async function gunzip(packed) {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  /** A table of named columns: {rows, header, has(name), column(name)}. */
  function pack(name) {
    if (!packs.has(name)) {
      const made = readPack(name).catch((error) => {
        throw error.file ? error : damaged(name);
      });
      packs.set(name, made);
      made.catch(() => packs.delete(name));
    }
    return packs.get(name);
  }

  /** What is thrown where a file is there but is no pack: cut off, or changed on the way. */
  function damaged(name) {
    const file = `data/${encodeURIComponent(name)}.js`;
    return Object.assign(new Error(`${file} is damaged`), { file });
  }

  async function readPack(name) {
    const packed = await bytes(name);
    loaded.delete(name); // the unpacked table stands for it
    const buffer = await gunzip(packed);
    const headerBytes = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerBytes)));
    const body = 4 + headerBytes;
    const made = new Map();
    return {
      rows: header.rows,
      header,
      has: (column) => Object.hasOwn(header.columns, column),
      column(column) {
        if (!Object.hasOwn(header.columns, column)) {
          throw new Error(`data/${name}.js has no column ${column}`);
        }
        if (!made.has(column)) made.set(column, readColumn(buffer, body, header.columns[column]));
        return made.get(column);
      },
    };
  }

  const ARRAYS = {
    f64: Float64Array,
    f32: Float32Array,
    i32: Int32Array,
    u32: Uint32Array,
    u8: Uint8Array,
  };

  function readColumn(buffer, body, { kind, offset, bytes: length, shuffled }) {
    const start = body + offset;
    if (kind === "json") {
      return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, start, length)));
    }
    const Kind = ARRAYS[kind];
    const width = Kind.BYTES_PER_ELEMENT;
    if (!shuffled || width === 1) return new Kind(buffer.slice(start, start + length));
    return new Kind(unshuffle(new Uint8Array(buffer, start, length), width));
  }

  /** Join byte planes (all first bytes, all second bytes ...) to little-endian values. */
  function unshuffle(planes, width) {
    const rows = planes.length / width;
    const words = new Uint32Array(planes.length / 4); // widths are 4 and 8
    const step = width / 4;
    for (let part = 0; part < step; part += 1) {
      const [a, b, c, d] = [0, 1, 2, 3].map((k) => (part * 4 + k) * rows);
      for (let i = 0; i < rows; i += 1) {
        words[i * step + part] =
          planes[a + i] | (planes[b + i] << 8) | (planes[c + i] << 16) | (planes[d + i] << 24);
      }
    }
    return words.buffer;
  }

  const sliceName = (id, k) => `tiles-${id}-${String(k).padStart(3, "0")}`;

  /** A source for pmtiles over the slices tiles-<id>-<kkk>; loads a slice when a tile needs it. */
  function archive(id) {
    if (!archives.has(id)) archives.set(id, new Archive(id));
    return archives.get(id);
  }

  class Archive {
    constructor(id) {
      this.id = id;
    }

    getKey() {
      return this.id;
    }

    async getBytes(offset, length) {
      const { bytes: size, chunk_bytes: chunkBytes } = (await about()).archives[this.id];
      const end = Math.min(offset + length, size); // pmtiles asks for 16 kB of header, whatever there is
      const first = Math.floor(offset / chunkBytes);
      const last = Math.max(first, Math.floor((end - 1) / chunkBytes));
      const names = [];
      for (let k = first; k <= last; k += 1) {
        names.push(sliceName(this.id, k));
      }
      const slices = await Promise.all(names.map(bytes));
      if (slices.length === 1) {
        const from = offset - first * chunkBytes;
        return { data: slices[0].slice(from, from + end - offset).buffer };
      }
      const out = new Uint8Array(end - offset);
      slices.forEach((slice, k) => {
        const begin = (first + k) * chunkBytes;
        const from = Math.max(offset, begin);
        const to = Math.min(end, begin + slice.length);
        out.set(slice.subarray(from - begin, to - begin), from - offset);
      });
      return { data: out.buffer };
    }
  }

  gridstead.store = { about, bytes, pack, archive, sliceName };
})();
