"use strict";
// Find a county, metro, state, zone, place, parcel or coordinates by a few letters.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;
  const { make } = dom;

  const MOST_HITS = 12;
  const SHORTEST_ID = 4;
  // A point this far from every parcel's middle is on none, in degrees; a cell is some 4 miles wide.
  const NEAR_DEGREES = 0.25;
  const COORDINATES = /^\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*$/;
  // Of equal matches the larger kind comes first.
  const KINDS = { state: 0, metro: 1, county: 2, place: 3, zone: 4 };

  let about = null;
  let entries = null;
  let loading = null;
  let hits = [];
  let active = -1;
  let turn = 0;

  // Read the names once; places come in order of people, so that their position tells which is larger.
  async function load() {
    const found = [];
    const regions = about.levels.filter(({ level }) => level !== "parcel");
    await Promise.all(
      regions.map(async ({ level }) => {
        const pack = await gridstead.store.pack(`regions-${level}`);
        const ids = pack.column("region_id");
        pack.column("region_name").forEach((name, position) => {
          if (name) found.push({ kind: level, name, key: text.folded(name), id: ids[position], order: position });
        });
      }),
    );
    const places = await gridstead.store.pack("places").catch(() => null);
    if (places) {
      const [states, lon, lat] = ["state", "lon", "lat"].map((column) => places.column(column));
      places.column("name").forEach((name, position) => {
        const full = states[position] ? `${name}, ${states[position]}` : name;
        const at = { lon: lon[position], lat: lat[position] };
        found.push({ kind: "place", name: full, key: text.folded(full), order: position, ...at });
      });
    }
    entries = found;
  }

  function ready() {
    if (!loading) {
      loading = load();
      loading.catch(() => (loading = null));
    }
    return loading;
  }

  // A name that begins with the words goes before one that has a word beginning with them, then any part.
  function matchOf(key, words) {
    const at = key.indexOf(words);
    if (at < 0) return -1;
    if (at === 0) return key.length === words.length || ", ".includes(key[words.length]) ? 0 : 1;
    return " -/(".includes(key[at - 1]) ? 2 : 3;
  }

  function byName(words) {
    const found = [];
    for (const entry of entries) {
      // Two letters are a state before they are a part of a name.
      const isCode = entry.kind === "state" && entry.id.toLowerCase() === words;
      const match = isCode ? 0 : matchOf(entry.key, words);
      if (match >= 0) found.push([match, KINDS[entry.kind], entry.order, entry]);
    }
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return found.slice(0, MOST_HITS).map((one) => one[3]);
  }

  function byCoordinates(words) {
    const match = COORDINATES.exec(words);
    if (!match) return [];
    const [lat, lon] = [Number(match[1]), Number(match[2])];
    if (Math.abs(lat) > 85 || Math.abs(lon) > 180) return [];
    return [{ kind: "point", name: `${match[1]}, ${match[2]}`, lat, lon }];
  }

  // Identifiers of parcels are many and loaded only where the words look like one; they are in order.
  async function byParcel(words) {
    if (words.length < SHORTEST_ID || !/\d/.test(words) || !about.levels.some(({ level }) => level === "parcel")) return [];
    const parcels = await gridstead.store.pack("parcels");
    const ids = parcels.column("parcel_id");
    const found = [];
    for (const wanted of new Set([words, words.toLowerCase()])) {
      let [low, high] = [0, ids.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ids[middle] < wanted) low = middle + 1;
        else high = middle;
      }
      for (let at = low; at < ids.length && found.length < 5 && ids[at].startsWith(wanted); at += 1) {
        if (!found.some((one) => one.id === ids[at])) found.push({ kind: "parcel", name: `Parcel ${ids[at]}`, id: ids[at] });
      }
    }
    return found;
  }

  async function nearestParcel({ lon, lat }) {
    if (!about.levels.some(({ level }) => level === "parcel")) return null;
    const parcels = await gridstead.store.pack("parcels");
    const [lons, lats] = [parcels.column("lon"), parcels.column("lat")];
    const shrink = Math.cos((lat * Math.PI) / 180);
    let best = NEAR_DEGREES ** 2;
    let at = -1;
    for (let i = 0; i < lons.length; i += 1) {
      const [x, y] = [(lons[i] - lon) * shrink, lats[i] - lat];
      const far = x * x + y * y;
      if (far < best) [best, at] = [far, i];
    }
    return at < 0 ? null : { level: "parcel", id: parcels.column("parcel_id")[at] };
  }

  async function search() {
    const mine = (turn += 1);
    const typed = dom.byId("search").value.trim();
    if (!typed) return show([], "");
    const points = byCoordinates(typed);
    if (points.length) return show(points, typed);
    await ready();
    if (mine !== turn) return undefined;
    const words = text.folded(typed);
    const named = byName(words);
    if (named.length) show(named, typed);
    const parcels = await byParcel(typed.replace(/^parcel\s+/i, ""));
    const isNew = parcels.length > 0 || !named.length;
    return mine === turn && isNew ? show([...parcels, ...named].slice(0, MOST_HITS), typed) : undefined;
  }

  function kindWords(hit) {
    if (hit.kind === "point") return "latitude, longitude";
    return hit.kind === "place" ? "place" : text.levelWord(hit.kind);
  }

  function show(found, typed) {
    hits = found;
    active = found.length ? 0 : -1;
    const list = dom.byId("hits");
    const items = found.map((hit, index) =>
      make(
        "li",
        { role: "option", id: `hit-${index}`, "data-testid": "search-hit", "data-kind": hit.kind, "data-id": hit.id, onmousedown: (event) => event.preventDefault(), onclick: () => pick(index) },
        make("span", { class: "hit-name", dir: "auto", title: hit.name }, hit.name),
        make("span", { class: "hit-kind" }, kindWords(hit)),
      ),
    );
    dom.fill(list, items);
    list.hidden = !found.length;
    const said = dom.byId("search-said");
    said.hidden = Boolean(found.length) || !typed;
    dom.write(said, said.hidden ? "" : `Nothing is called “${typed}” here.`);
    mark();
  }

  function mark() {
    const input = dom.byId("search");
    input.setAttribute("aria-expanded", String(hits.length > 0));
    [...dom.byId("hits").children].forEach((item, index) => item.setAttribute("aria-selected", String(index === active)));
    if (active >= 0) {
      input.setAttribute("aria-activedescendant", `hit-${active}`);
      const item = dom.byId(`hit-${active}`);
      if (item) item.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  async function pick(index) {
    const hit = hits[index];
    if (!hit) return;
    close();
    dom.byId("search").value = hit.name;
    if (hit.kind === "place" || hit.kind === "point") {
      // A point is looked at as closely as a parcel.
      gridstead.map.flyTo({ lon: hit.lon, lat: hit.lat, level: hit.kind === "point" ? "parcel" : "place" });
      const parcel = hit.kind === "point" ? await nearestParcel(hit) : null;
      if (parcel) state.set({ selected: parcel });
      else dom.say(`The map shows ${hit.name}`);
      return;
    }
    const levels = about.levels.map(({ level }) => level);
    const isRegion = hit.kind !== "parcel" && levels.includes(hit.kind);
    // What is ranked changes with the kind that is sought, so that the place is seen in its list.
    state.set({ selected: { level: hit.kind, id: hit.id }, ...(isRegion ? { level: hit.kind } : {}) });
    const place = await gridstead.lookup.find(hit.kind, hit.id);
    if (place) gridstead.map.flyTo(place);
  }

  function close() {
    turn += 1;
    show([], "");
  }

  function onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Escape" && (hits.length || dom.byId("search").value)) {
      if (!hits.length) dom.byId("search").value = "";
      close();
      event.stopPropagation();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (hits.length) pick(active).catch(gridstead.trouble);
      else search().then(() => hits.length && pick(0));
    } else if (hits.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : hits.length - 1;
      active = (active + by) % hits.length;
      mark();
    }
  }

  function start(known) {
    about = known;
    const input = dom.byId("search");
    input.addEventListener("focus", () => {
      input.select();
      ready().catch(gridstead.trouble);
    });
    input.addEventListener("input", () => search().catch(gridstead.trouble));
    input.addEventListener("keydown", onKey);
    input.addEventListener("blur", close);
  }

  gridstead.search = { start };
})();
