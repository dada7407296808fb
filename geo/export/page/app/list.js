"use strict";
// The ranked list: which places are best, how sure that is, what they carry and cost.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;

  const FIRST_ROWS = 20;
  const PAGE_ROWS = 100;
  const WALK_PAUSE_MS = 150;
  const REST_PAUSE_MS = 100;
  // Parcels carry no capacity of their own in their pack; this metric tells what the feeding substation delivers.
  const PARCEL_MW = "headroom_mw_mid";

  let about = null;
  let ranking = null;
  let megawatts = null;
  let shown = FIRST_ROWS;
  let key = "";
  let firstDrawn = null;
  let walking = 0;
  const rows = [];
  const first = new Promise((resolve) => {
    firstDrawn = resolve;
  });

  function profile() {
    return gridstead.ranking.profileOf(about, state.get().workload);
  }

  function valueAt(pack, column, position) {
    if (!pack.has(column)) return null;
    const value = pack.column(column)[position];
    return text.isKnown(value) && value !== gridstead.ranking.NULL_I32 ? value : null;
  }

  function nameAt(position) {
    const { table, level } = ranking;
    if (level !== "parcel") return table.column("region_name")[position];
    // A name of its own tells where a parcel is.
    const named = table.has("parcel_name") && table.column("parcel_name")[position];
    if (named) return named;
    const own = `Parcel ${idAt(position)}`;
    const county = table.has("county") ? table.column("county")[position] : -1;
    const counties = ranking.counties;
    return counties && county >= 0 && county < counties.length ? `${own}, ${counties[county]}` : own;
  }

  function idAt(position) {
    return ranking.table.column(ranking.level === "parcel" ? "parcel_id" : "region_id")[position];
  }

  function makeRow() {
    const part = (tag, name, ...children) => dom.make(tag, { class: name }, ...children);
    const row = {
      rank: part("span", "words"),
      was: dom.make("small", { hidden: true }),
      name: part("span", "c-name"),
      score: part("span", "words"),
      bar: dom.make("i"),
      span: part("span", "words"),
      range: dom.make("i"),
      mw: part("span", "c-mw"),
      cost: part("span", "c-cost"),
    };
    row.name.dir = "auto";
    row.button = dom.make(
      "button",
      { type: "button", class: "row", "data-testid": "row", tabindex: "-1", onclick: () => choose(row) },
      part("span", "c-rank", dom.make("span", { class: "hidden" }, "Rank "), row.rank, row.was),
      row.name,
      part("span", "c-score", dom.make("span", { class: "meter", "aria-hidden": "true" }, row.bar), dom.make("span", { class: "hidden" }, "score "), row.score),
      part("span", "c-span", dom.make("span", { class: "hidden" }, "in 5–95 % of draws "), row.span, (row.mark = dom.make("span", { class: "range", "aria-hidden": "true" }, row.range))),
      row.mw,
      row.cost,
    );
    row.item = dom.make("li", {}, row.button);
    return row;
  }

  // Where a rank stands between the first and the last, in percent: ranks matter by ratio, so on a logarithmic scale.
  function along(rank) {
    return (100 * Math.log(rank)) / Math.log(Math.max(2, ranking.detail.rows));
  }

  function drawRow(row, place) {
    const position = ranking.order[place];
    const { detail } = ranking;
    const id = idAt(position);
    row.position = position;
    row.id = id;
    row.button.dataset.id = id;
    row.button.dataset.rank = place + 1;
    dom.write(row.rank, text.number(place + 1));
    const published = valueAt(detail, "rank", position);
    row.was.hidden = published === null || published === place + 1;
    if (!row.was.hidden) {
      dom.write(row.was, `was ${text.number(published)}`);
      row.was.className = published > place + 1 ? "up" : "";
    }
    drawName(row, nameAt(position), ranking.status[position] === 2);
    const score = ranking.score[position];
    dom.write(row.score, text.number(score, 1));
    row.bar.style.width = `${Math.max(0, Math.min(100, score))}%`;
    drawInterval(row, valueAt(detail, "rank_p05", position), valueAt(detail, "rank_p95", position));
    const mw = ranking.level === "parcel" ? megawatts && megawatts[position] : valueAt(detail, "capacity_mw", position);
    dom.write(row.mw, text.isKnown(mw) ? `${text.number(mw)} MW` : "");
    const cost = valueAt(detail, "cost_mid", position);
    dom.write(row.cost, cost === null ? "cost unknown" : text.cost(cost, profile().objective));
    const { selected } = state.get();
    const isChosen = Boolean(selected) && selected.level === ranking.level && selected.id === id;
    if (isChosen) row.button.setAttribute("aria-current", "true");
    else row.button.removeAttribute("aria-current");
  }

  function drawName(row, name, isUnsure) {
    const words = isUnsure ? `${name}|gate unknown` : name;
    if (row.named === words) return;
    row.named = words;
    row.button.title = name;
    dom.fill(row.name, name, isUnsure ? dom.make("span", { class: "unsure" }, " gate unknown") : null);
  }

  function drawInterval(row, low, high) {
    row.mark.hidden = low === null || high === null;
    if (row.mark.hidden) {
      dom.write(row.span, "no interval");
      return;
    }
    dom.write(row.span, text.interval(low, high));
    const left = Math.min(along(low), 97);
    row.range.style.left = `${left}%`;
    row.range.style.width = `${Math.max(3, Math.min(100, along(high)) - left)}%`;
  }

  function draw() {
    const wanted = Math.min(shown, ranking.count);
    const list = dom.byId("rows");
    while (rows.length < wanted) rows.push(makeRow());
    for (let place = 0; place < wanted; place += 1) {
      drawRow(rows[place], place);
      if (list.children[place] !== rows[place].item) list.append(rows[place].item);
    }
    while (list.children.length > wanted) list.lastChild.remove();
    setStop();
    drawMore(wanted);
    drawHead();
  }

  // One row of the list is reached by the tab key: the chosen one, or the first.
  function setStop() {
    const on = [...dom.byId("rows").children].map((item) => item.firstChild);
    const focused = on.find((button) => button === document.activeElement);
    const stop = focused || on.find((button) => button.getAttribute("aria-current")) || on[0];
    for (const button of on) button.tabIndex = button === stop ? 0 : -1;
  }

  function drawMore(wanted) {
    const left = ranking.count - wanted;
    const more = dom.byId("more");
    more.hidden = left <= 0;
    dom.write(more, `Show ${text.number(Math.min(PAGE_ROWS, left))} more of ${text.number(left)}`);
    const empty = dom.byId("empty");
    empty.hidden = ranking.count > 0;
    if (!ranking.count) {
      const isMine = state.get().certain || Object.keys(state.get().gates).length > 0;
      const why = isMine && ranking.ranked ? "holds what you ask for: ease your gates." : "passes the gates of this workload.";
      dom.write(empty, `No ${text.levelWord(ranking.level)} ${why}`);
    }
  }

  function drawHead() {
    const { title, objective } = profile();
    const { weights } = state.get();
    const many = text.sentence(text.levelWord(ranking.level, true));
    dom.write(dom.byId("ranking-title"), `${many}: ${title}`);
    const failing = ranking.total - ranking.ranked;
    const parts = [`${text.number(ranking.count)} of ${text.number(ranking.total)} ranked`];
    if (failing) parts.push(`${text.number(failing)} ${failing === 1 ? "fails" : "fail"} the gates`);
    if (ranking.out) parts.push(`${text.number(ranking.out)} taken out by your gates`);
    dom.write(dom.byId("count"), parts.join(" · "));
    dom.write(dom.byId("head-cost"), text.costUnit(objective).unit);
    dom.byId("head-cost").title = text.costUnit(objective).long;
    dom.write(dom.byId("head-mw"), ranking.level === "parcel" ? "Headroom" : "Capacity");
    dom.write(dom.byId("print-words"), `Rank, place, ranks in 5–95 % of draws, cost in ${text.costUnit(objective).long}, score of 100.`);
    dom.byId("mine").hidden = !weights && !ranking.out;
    const words = weights ? "Ranked by your weights" : "Filtered by your gates";
    const button = dom.make("button", { type: "button", class: "inline", onclick: reset }, "Back to published");
    if (dom.byId("mine").dataset.words !== words) dom.fill(dom.byId("mine"), dom.make("span", {}, words), button);
    dom.byId("mine").dataset.words = words;
  }

  function reset() {
    state.set({ weights: null, gates: {}, certain: false });
    dom.byId("ranking").focus();
  }

  function tell() {
    if (!ranking.count) return `No ${text.levelWord(ranking.level)} is left`;
    const name = nameAt(ranking.order[0]);
    return `${name} is now first of ${text.count(ranking.count, ranking.level)}`;
  }

  async function take(next) {
    if (next.level === "parcel") {
      // Names of counties stand behind those of parcels; megawatts may come a moment later.
      const counties = about.levels.some((one) => one.level === "county") ? await gridstead.store.pack("regions-county") : null;
      next.counties = counties ? counties.column("region_name") : null;
      if (!megawatts) loadMegawatts();
    }
    const nextKey = `${next.level}/${next.workload}`;
    const isOther = nextKey !== key;
    const before = ranking;
    ranking = next;
    if (isOther) {
      key = nextKey;
      shown = before ? PAGE_ROWS : FIRST_ROWS;
      dom.byId("list-scroll").scrollTop = 0;
    }
    draw();
    if (before) dom.say(tell(), 600);
    else afterFirst();
    firstDrawn(next);
  }

  // The first twenty rows are enough for the first view; the others of the page follow when the map stands as well.
  async function afterFirst() {
    await gridstead.started.catch(() => null);
    window.setTimeout(() => {
      shown = Math.max(shown, PAGE_ROWS);
      draw();
    }, REST_PAUSE_MS);
  }

  async function loadMegawatts() {
    const metric = about.metrics[PARCEL_MW];
    if (!metric || !metric.has_parcels) return;
    megawatts = (await gridstead.store.pack(`m-${PARCEL_MW}`)).column("m");
    if (ranking.level === "parcel") draw();
  }

  async function choose(row) {
    const { level } = ranking;
    state.set({ selected: { level, id: row.id }, panel: "place" });
    const place = await gridstead.lookup.at(level, row.position);
    if (gridstead.map) gridstead.map.flyTo(place);
  }

  // Arrow keys walk the list, choose and fly.
  function onKey(event) {
    const at = rows.findIndex((row) => row.button === document.activeElement);
    const last = dom.byId("rows").children.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last, PageDown: at + 10, PageUp: at - 10 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const row = rows[Math.max(0, Math.min(last, to))];
    row.button.focus();
    setStop();
    // A key that is held walks on; what it ends at is chosen.
    window.clearTimeout(walking);
    walking = window.setTimeout(() => choose(row), event.repeat ? WALK_PAUSE_MS : 0);
  }

  function showMore() {
    const next = dom.byId("rows").children.length;
    shown = next + PAGE_ROWS;
    draw();
    if (rows[next]) rows[next].button.focus();
  }

  function start(known) {
    about = known;
    dom.byId("more").addEventListener("click", showMore);
    dom.byId("rows").addEventListener("keydown", onKey);
    state.subscribe((now, changed) => {
      if (ranking && changed.includes("selected")) {
        draw();
        const chosen = rows.find((row) => row.button.getAttribute("aria-current") && row.item.isConnected);
        if (chosen) chosen.item.scrollIntoView({ block: "nearest" });
      }
    });
    gridstead.ranking.subscribe((next) => take(next).catch(gridstead.trouble));
  }

  gridstead.list = { start, first };
})();
