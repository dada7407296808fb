"use strict";
// One place: why it ranks where it does, how sure that is, what it costs, and where that is known from.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;
  const { make } = dom;

  const STATUS = { pass: "Passed", fail: "Failed", unknown: "Unknown" };

  const REGION_WORDS = "Values are those of its best parcel, points those of all parcels that fill its target.";

  let about = null;
  let asked = 0;
  let shown = null;

  function isPinned(place) {
    return state.get().compared.some((one) => one.level === place.level && one.id === place.id);
  }

  function factOf(title, value, more) {
    return make("div", {}, make("dt", {}, title), make("dd", {}, value, more ? make("small", {}, more) : null));
  }

  function rankWords(told) {
    if (told.rank) return [`${text.number(told.rank)}`, `of ${text.number(told.count)}`];
    return ["not ranked", told.is_out ? "your gates take it out" : "it fails a gate"];
  }

  function factsOf(told, profile) {
    const [rank, of] = rankWords(told);
    const was = told.published_rank && told.published_rank !== told.rank ? `, published ${text.number(told.published_rank)}` : "";
    const facts = [factOf("Rank", rank, of + was)];
    if (told.interval) {
      const { p05, p50, p95 } = told.interval;
      facts.push(factOf("5–95 % of draws", text.interval(p05, p95), text.isKnown(p50) ? `median ${text.number(p50)}` : null));
    } else {
      facts.push(factOf("5–95 % of draws", "none", "too few draws rank it"));
    }
    facts.push(factOf("Score", text.number(told.score, 1), "of 100"));
    if (text.isKnown(told.capacity_mw)) facts.push(factOf("Capacity", text.figure(told.capacity_mw, "mw"), filledWords(told, profile)));
    const years = told.cost ? told.cost.time_to_power_years_mid : null;
    if (text.isKnown(years)) facts.push(factOf("Time to power", `${text.number(years, 1)} years`, "middle case"));
    if (text.isKnown(told.p_top10)) facts.push(factOf("In the first 10", text.percent(told.p_top10), "of draws"));
    return make("dl", { class: "facts" }, facts);
  }

  function filledWords(told, profile) {
    const of = text.isKnown(profile.target_mw) ? `of ${text.figure(profile.target_mw, "mw")}` : "";
    const count = told.substation_count;
    return text.isKnown(count) ? `${of}, ${text.number(count)} ${count === 1 ? "substation" : "substations"}` : of;
  }

  // What a parcel has no sentence for in the build is said from its factors: what carries it, and what costs it most.
  function reasonOf(told) {
    if (told.reason) return text.sentence(told.reason);
    const known = told.factors.filter((factor) => factor.value !== null);
    if (!known.length) return "Nothing is known of its factors.";
    const words = (factor) => `${factor.label} ${text.value(factor.metric, factor.value, factor.unit)}`;
    const worst = [...known].sort((a, b) => b.max_points - b.points - (a.max_points - a.points))[0];
    const best = known.slice(0, 2).filter((factor) => factor.points > 0 && factor !== worst);
    const parts = [];
    if (best.length) parts.push(`For it: ${best.map(words).join("; ")}`);
    if (worst.max_points - worst.points > 0.05) parts.push(`Against it: ${words(worst)}`);
    return `${parts.join(". ")}.`;
  }

  function factorOf(factor, widest) {
    const isUnknown = factor.value_score === null;
    const fill = make("i");
    fill.style.width = `${factor.max_points > 0 ? (100 * factor.points) / factor.max_points : 0}%`;
    const most = make("b", {}, fill);
    most.style.width = `${widest > 0 ? (100 * factor.max_points) / widest : 0}%`;
    const value = isUnknown && factor.value === null ? "unknown, counts as its worst" : text.value(factor.metric, factor.value, factor.unit);
    return make(
      "li",
      { class: "factor" },
      make(
        "div",
        { class: "top" },
        make("span", {}, text.sentence(factor.label)),
        make("span", { class: "points" }, text.number(factor.points, 1), make("small", {}, ` of ${text.number(factor.max_points, 1)}`)),
      ),
      make("span", { class: isUnknown ? "track unknown" : "track", "aria-hidden": "true" }, most),
      make("div", { class: "value" }, value),
    );
  }

  function gateOf(gate) {
    return make(
      "li",
      { class: "gate" },
      make("span", { class: `status ${gate.status}` }, STATUS[gate.status]),
      make(
        "span",
        {},
        text.sentence(gate.label),
        make(
          "span",
          { class: "small" },
          `: ${text.value(gate.metric, gate.value, gate.unit)}, asked ${text.gateWords(gate)}${gate.is_tightened ? " (yours)" : ""}`,
        ),
      ),
    );
  }

  function costOf(told, profile) {
    const { cost } = told;
    const unit = text.costUnit(profile.objective);
    if (!cost) return [make("p", { class: "quiet" }, "Unknown: a price of energy or a tie to the grid is missing.")];
    const ends = { Low: cost.low, Middle: cost.mid, High: cost.high };
    const known = Object.entries(ends).filter(([, amount]) => text.isKnown(amount));
    const more = [];
    if (text.isKnown(cost.rank)) more.push(`Rank by cost: ${text.number(cost.rank)}.`);
    if (text.isKnown(cost.capital_musd_mid)) more.push(`Capital: ${text.number(cost.capital_musd_mid)} M$, middle case.`);
    return [
      make("dl", { class: "cost-range" }, known.map(([end, amount]) => factCost(end, text.cost(amount, profile.objective)))),
      make("p", { class: "small quiet" }, `${text.sentence(unit.long)}. ${more.join(" ")}`),
    ];
  }

  function factCost(title, value) {
    return make("div", {}, make("dt", {}, title), make("dd", {}, value));
  }

  function sourcesOf(told) {
    const ids = new Set(told.factors.flatMap((factor) => factor.sources || []));
    for (const gate of told.gates) for (const id of (about.metrics[gate.metric] || {}).sources || []) ids.add(id);
    const items = about.sources
      .filter((source) => ids.has(source.source_id))
      .map((source) => {
        const words = [source.version, source.as_of ? `as of ${source.as_of}` : null, source.data_terms || "terms not stated"];
        const marks = [source.is_synthetic ? "synthetic" : null, source.is_stale ? "stale" : null].filter(Boolean);
        const tail = [...words.filter(Boolean), ...marks].join(", ");
        return make("li", {}, make("b", {}, source.title || source.source_id), `: ${tail}`);
      });
    if (!items.length) return null;
    return make("details", {}, make("summary", {}, `Sources behind it (${items.length})`), make("ul", { class: "sources" }, items));
  }

  function actionsOf(told, place) {
    const { compared } = state.get();
    const other = compared.length === 1 && !isPinned(place);
    const words = isPinned(place) ? "Do not compare" : other ? "Compare with A" : "Compare";
    const pin = make("button", { type: "button", class: "action first", "data-testid": "pin", onclick: () => gridstead.compare.toggle(place) }, words);
    const zoom = make("button", { type: "button", class: "action", "data-testid": "zoom", onclick: () => zoomTo(told) }, "Zoom to it");
    const link = make("button", { type: "button", class: "action", onclick: (event) => dom.copyLink(event.currentTarget) }, "Copy link");
    return make("div", { class: "actions" }, pin, zoom, link);
  }

  function zoomTo(told) {
    if (gridstead.map) gridstead.map.flyTo(told);
  }

  function bestParcelOf(told) {
    if (!told.best_parcel_id || !about.levels.some((one) => one.level === "parcel")) return null;
    const onclick = async () => {
      const place = await gridstead.lookup.find("parcel", told.best_parcel_id);
      if (!place) return;
      state.set({ selected: { level: "parcel", id: place.id } });
      gridstead.map.flyTo(place);
    };
    return make(
      "p",
      { class: "small best" },
      "Its best parcel: ",
      make("button", { type: "button", class: "inline", "data-testid": "best-parcel", onclick }, told.best_parcel_id),
    );
  }

  function draw(told, place, profile) {
    const widest = Math.max(...told.factors.map((factor) => factor.max_points));
    const swing = told.swing_metric && about.metrics[told.swing_metric];
    const [kind] = [text.sentence(text.levelWord(told.level))];
    const title = make("h2", { id: "place-title", tabindex: "-1", dir: "auto" }, told.name);
    dom.fill(
      dom.byId("panel-place"),
      make("p", { class: "eyebrow" }, `${kind} · ${profile.title}`),
      title,
      factsOf(told, profile),
      make("p", { class: "reason" }, reasonOf(told)),
      bestParcelOf(told),
      actionsOf(told, place),
      make("h3", {}, "Where its points come from"),
      told.level === "parcel" ? null : make("p", { class: "small quiet" }, REGION_WORDS),
      make("ul", {}, told.factors.map((factor) => factorOf(factor, widest))),
      told.gates.length ? [make("h3", {}, "Gates"), make("ul", {}, told.gates.map(gateOf))] : null,
      make("h3", {}, "Cost"),
      costOf(told, profile),
      swing ? make("p", { class: "note" }, `What most moves its rank: ${swing.label}.`) : null,
      told.note ? make("p", { class: "note" }, told.note) : null,
      sourcesOf(told),
    );
  }

  function drawNone(words) {
    const lead = words || "Choose a place on the map, in the list or by search, and this panel tells why it ranks where it does.";
    dom.fill(
      dom.byId("panel-place"),
      make("h2", { id: "place-title", tabindex: "-1" }, "Why does a place rank here?"),
      make("p", { class: "lead" }, lead),
    );
  }

  // Explain what is selected; an answer that another question has overtaken is dropped.
  async function explain() {
    const { selected, workload } = state.get();
    const turn = (asked += 1);
    if (!selected) {
      shown = null;
      drawNone();
      return;
    }
    const place = await gridstead.lookup.find(selected.level, selected.id);
    if (turn !== asked) return;
    if (!place) {
      drawNone(`This build has no ${text.levelWord(selected.level)} ${selected.id}.`);
      return;
    }
    const told = await gridstead.lookup.explain(place.level, place.position);
    if (turn !== asked) return;
    const panel = dom.byId("panel");
    const name = `${selected.level}:${selected.id}`;
    const top = name === shown ? panel.scrollTop : 0;
    const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
    draw(told, selected, gridstead.ranking.profileOf(about, workload));
    panel.scrollTop = top;
    // What is drawn again keeps the focus where it was.
    const again = focused && panel.querySelector(`[data-testid="${focused}"]`);
    if (again) again.focus({ preventScroll: true });
    if (name !== shown) dom.say(`${told.name}: ${told.rank ? `rank ${text.number(told.rank)}` : "not ranked"}`, 300);
    shown = name;
  }

  function start(known) {
    about = known;
    const run = () => explain().catch(gridstead.trouble);
    state.subscribe((now, changed) => {
      if (changed.includes("selected") && now.selected && !changed.includes("panel")) {
        state.set({ panel: "place" });
        gridstead.panels.raise();
      }
      if (["selected", "compared", "workload"].some((key) => changed.includes(key))) run();
    });
    gridstead.ranking.subscribe(() => state.get().selected && run());
    run();
  }

  gridstead.place = { start };
})();
