"use strict";
// Two places side by side: which is better in what, and by how many points.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;
  const { make } = dom;

  // Points that differ by less than this are equal as they are shown.
  const EQUAL_POINTS = 0.05;
  const LETTERS = ["A", "B"];

  let about = null;
  let asked = 0;

  // Pin a place, or take it off; a third takes the place of the second.
  function toggle(place) {
    const { compared } = state.get();
    const without = compared.filter((one) => one.level !== place.level || one.id !== place.id);
    if (without.length < compared.length) state.set({ compared: without });
    else state.set({ compared: [...compared.slice(0, 1), { level: place.level, id: place.id }] });
  }

  async function told(place) {
    const found = await gridstead.lookup.find(place.level, place.id);
    return found ? gridstead.lookup.explain(found.level, found.position) : null;
  }

  // The better of two values has bold letters and a word for who does not see them; -1 where they are equal.
  function bestOf(values, isLowBetter) {
    if (!values.every(text.isKnown)) return values.findIndex(text.isKnown);
    if (Math.abs(values[0] - values[1]) < 1e-9) return -1;
    return values[0] < values[1] === isLowBetter ? 0 : 1;
  }

  function cells(words, best) {
    return words.map((one, index) => {
      const better = index === best;
      return make("td", { class: "number" }, better ? make("b", {}, one, make("span", { class: "hidden" }, " (better)")) : one);
    });
  }

  function row(label, words, best, difference) {
    return make("tr", {}, make("th", { scope: "row" }, label), cells(words, best), make("td", { class: "number" }, difference));
  }

  function part(title) {
    return make("tr", { class: "part" }, make("th", { scope: "rowgroup", colspan: 4 }, title));
  }

  function gap(values, write) {
    if (!values.every(text.isKnown)) return "–";
    const by = values[0] - values[1];
    return Math.abs(by) < 1e-9 ? "equal" : `${by > 0 ? "+" : "−"}${write(Math.abs(by))}`;
  }

  function facts(pair, profile) {
    const take = (read) => pair.map(read);
    const rank = take((one) => one.rank);
    const score = take((one) => one.score);
    const mw = take((one) => one.capacity_mw);
    const cost = take((one) => (one.cost ? one.cost.mid : null));
    const years = take((one) => (one.cost ? one.cost.time_to_power_years_mid : null));
    const money = (amount) => text.cost(amount, profile.objective);
    const rows = [
      row("Rank", rank.map((one) => (one ? text.number(one) : "not ranked")), bestOf(rank, true), gap(rank, text.number)),
      row("5–95 % of draws", take((one) => (one.interval ? text.interval(one.interval.p05, one.interval.p95) : "none")), -1, ""),
      row("Score", score.map((one) => text.number(one, 1)), bestOf(score, false), gap(score, (by) => text.number(by, 1))),
    ];
    if (mw.some(text.isKnown)) rows.push(row("Capacity", mw.map((one) => text.figure(one, "mw")), bestOf(mw, false), gap(mw, (by) => text.figure(by, "mw"))));
    rows.push(row("Cost, middle case", cost.map(money), bestOf(cost, true), gap(cost, money)));
    if (years.some(text.isKnown)) {
      const write = (amount) => (text.isKnown(amount) ? `${text.number(amount, 1)} years` : text.UNKNOWN);
      rows.push(row("Time to power", years.map(write), bestOf(years, true), gap(years, write)));
    }
    return rows;
  }

  function factorRows(pair, profile) {
    const find = (one, metric) => one.factors.find((factor) => factor.metric === metric);
    const rows = profile.factors.map(({ metric }) => {
      const [a, b] = pair.map((one) => find(one, metric));
      const by = a.points - b.points;
      const best = Math.abs(by) < EQUAL_POINTS ? -1 : by > 0 ? 0 : 1;
      const words = [a, b].map((factor) => [
        text.value(metric, factor.value, factor.unit),
        make("small", {}, `${text.number(factor.points, 1)} points`),
      ]);
      const label = [text.sentence(a.label), make("small", { class: "quiet" }, ` of ${text.number(a.max_points, 1)} points`)];
      return { by, element: row(label, words, best, best < 0 ? "equal" : `${by > 0 ? "+" : "−"}${text.number(Math.abs(by), 1)}`) };
    });
    // What sets the two apart comes first.
    return rows.sort((a, b) => Math.abs(b.by) - Math.abs(a.by)).map(({ element }) => element);
  }

  function gateRows(pair, profile) {
    const words = { pass: "passed", fail: "failed", unknown: "unknown" };
    return profile.gates
      .filter((gate) => !gate.is_removed)
      .map((gate) => {
        const own = pair.map((one) => one.gates.find((other) => other.metric === gate.metric));
        const isPass = own.map((one) => one.status === "pass");
        const best = isPass[0] === isPass[1] ? -1 : isPass.indexOf(true);
        const told = own.map((one) => [words[one.status], make("small", {}, text.value(gate.metric, one.value, gate.unit))]);
        return row([text.sentence(gate.label), make("small", { class: "quiet" }, ` ${text.gateWords(gate)}`)], told, best, "");
      });
  }

  function heading(one, index) {
    const { level } = one;
    return make(
      "th",
      { scope: "col", class: "number" },
      make("span", { title: one.name }, `${LETTERS[index]}: `, make("bdi", {}, one.name)),
      make("small", {}, text.sentence(text.levelWord(level))),
    );
  }

  function draw(pair) {
    const { workload, compared, weights } = state.get();
    const profile = gridstead.ranking.profileOf(about, workload);
    const close = make("button", { type: "button", class: "close", "aria-label": "Close the comparison", autofocus: true, onclick: () => dom.byId("compare").close() }, "×");
    const swap = make("button", { type: "button", class: "action", onclick: () => state.set({ compared: [...compared].reverse() }) }, "Swap");
    const isRegion = pair.some(({ level }) => level !== "parcel");
    const region = isRegion ? " Values of a region are those of its best parcel, points those of all parcels that fill its target." : "";
    const caption = `The better one is in bold; the difference is A less B${weights ? ", points under your weights" : ""}. Factors that set the two apart most come first.${region}`;
    dom.fill(
      dom.byId("compare"),
      make("header", {}, make("h2", { id: "compare-title" }, `Which is better? ${profile.title}`), swap, close),
      make(
        "div",
        { class: "body" },
        make(
          "table",
          { class: "compare-table" },
          make("caption", {}, caption),
          make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "What"), pair.map(heading), make("th", { scope: "col", class: "number" }, "A less B"))),
          make("tbody", {}, facts(pair, profile)),
          make("tbody", {}, part("Factors: value and points"), factorRows(pair, profile)),
          profile.gates.length ? make("tbody", {}, part("Gates"), gateRows(pair, profile)) : null,
        ),
      ),
    );
  }

  function drawTray(one) {
    const tray = dom.byId("tray");
    tray.hidden = !one;
    if (!one) return;
    const onclick = () => state.set({ compared: [] });
    dom.fill(
      tray,
      make("span", {}, "A: ", make("b", { dir: "auto" }, one.name), make("span", { class: "hint" }, ". Choose another and press Compare.")),
      make("button", { type: "button", class: "close", "aria-label": "Stop comparing", onclick }, "×"),
    );
  }

  async function show() {
    const turn = (asked += 1);
    const { compared } = state.get();
    const dialog = dom.byId("compare");
    const pair = (await Promise.all(compared.map(told))).filter(Boolean);
    if (turn !== asked) return;
    drawTray(pair.length === 1 ? pair[0] : null);
    if (pair.length === 2) {
      draw(pair);
      if (!dialog.open) dialog.showModal();
    } else if (dialog.open) {
      dialog.close();
    }
  }

  function start(known) {
    about = known;
    const run = () => show().catch(gridstead.trouble);
    // Closing keeps the first: another can be held against it.
    dom.byId("compare").addEventListener("close", () => {
      const { compared } = state.get();
      if (compared.length === 2) state.set({ compared: compared.slice(0, 1) });
    });
    state.subscribe((now, changed) => {
      if (changed.includes("compared") || (changed.includes("workload") && now.compared.length)) run();
    });
    gridstead.ranking.subscribe(() => state.get().compared.length && run());
    run();
  }

  gridstead.compare = { start, toggle };
})();
