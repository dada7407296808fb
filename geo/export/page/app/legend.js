"use strict";
// What the colours mean: the ramp of what fills the land, then the signs of the layers that are on.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;
  const { make } = dom;

  const NARROW_PIXELS = 480;

  let about = null;

  // Metrics that can colour the level in force; those of the workload's factors come first.
  function choices() {
    const { level, workload } = state.get();
    const has = level === "parcel" ? "has_parcels" : "has_regions";
    const factors = gridstead.ranking.profileOf(about, workload).factors.map(({ metric }) => metric);
    const known = Object.keys(about.metrics).filter((metric) => about.metrics[metric][has]);
    const own = factors.filter((metric) => known.includes(metric));
    const byLabel = (a, b) => about.metrics[a].label.localeCompare(about.metrics[b].label);
    return { own, others: known.filter((metric) => !own.includes(metric)).sort(byLabel) };
  }

  function option(metric) {
    return make("option", { value: metric }, text.sentence(about.metrics[metric].label));
  }

  function drawChoices() {
    const { own, others } = choices();
    const select = dom.byId("colour");
    const groups = [make("option", { value: "rank" }, "Rank")];
    if (own.length) groups.push(make("optgroup", { label: "Factors of the workload" }, own.map(option)));
    if (others.length) groups.push(make("optgroup", { label: "Other metrics" }, others.map(option)));
    dom.fill(select, groups);
    const { colour } = state.get();
    if (colour !== "rank" && !own.includes(colour) && !others.includes(colour)) state.set({ colour: "rank" });
    select.value = state.get().colour;
  }

  function swatch({ kind, colour, dash, size }) {
    const mark = make("span", { class: `swatch ${kind === "fill" ? "" : kind}`, "aria-hidden": "true" });
    if (kind === "line") {
      mark.style.borderTopColor = colour;
      mark.style.borderTopWidth = `${Math.max(1, Math.min(5, size || 2))}px`;
      if (dash) mark.style.borderTopStyle = "dashed";
    } else if (kind === "ring") {
      mark.style.borderColor = colour;
    } else {
      mark.style.background = colour;
    }
    if (kind === "circle" && size) {
      const wide = Math.max(5, Math.min(16, size));
      mark.style.width = mark.style.height = `${wide}px`;
      mark.style.margin = `0 ${(22 - wide) / 2}px`;
    }
    return mark;
  }

  // The ramp has little room: least on a phone, where thousands of ranks are told as such.
  function shortened({ label, group }) {
    const words = label.replace(/ and (after|more)$/, "+");
    const isTight = dom.byId("stage").clientWidth < NARROW_PIXELS && /rank/.test(group);
    return isTight ? words.replace(/(\d),00[01]\b/g, "$1k") : words;
  }

  function grouped(entries) {
    const groups = new Map();
    for (const entry of entries) groups.set(entry.group, [...(groups.get(entry.group) || []), entry]);
    return [...groups];
  }

  function draw(entries) {
    const fills = entries.filter(({ kind }) => kind === "fill");
    const unit = sharedUnit(fills);
    const ramp = fills.map((entry, index) => {
      // The last class is what is not ranked or not known: it stands apart from the ramp.
      const item = make("li", { class: index === fills.length - 1 && fills.length > 1 ? "apart" : null }, shortened(entry).replace(unit, ""));
      item.title = entry.label;
      item.style.setProperty("--class", entry.colour);
      return item;
    });
    dom.fill(dom.byId("classes"), ramp);
    dom.write(dom.byId("ramp"), fills.length ? text.sentence(fills[0].group) + (unit && `,${unit}`) : "");
    dom.byId("classes").setAttribute("aria-label", fills.length ? fills[0].group : "Classes");
    const others = grouped(entries.filter(({ kind }) => kind !== "fill"));
    // On the map where there is room for it, and always in the panel of layers.
    for (const id of ["drawn", "drawn-here"]) {
      const box = dom.byId(id);
      if (!box) continue;
      dom.fill(box, others.map(signsOf));
      box.hidden = !others.length;
    }
  }

  // A unit that all classes share is told once, above them.
  function sharedUnit(fills) {
    const told = fills.slice(0, -1).map(({ label }) => label);
    const at = told.length ? told[0].indexOf(" ") : -1;
    const unit = at > 0 ? told[0].slice(at) : "";
    return unit && told.every((label) => label.endsWith(unit)) ? unit : "";
  }

  function signsOf([group, signs]) {
    const items = signs.map((one) => make("li", {}, swatch(one), one.label));
    return make("div", { class: "signs" }, make("p", {}, group), make("ul", {}, items));
  }

  // Without a map the classes are still those of the published ranks.
  function plain() {
    const classes = about.rank_classes.map(({ colour, label }) => ({ group: "Rank", kind: "fill", colour, label }));
    return [...classes, { group: "Rank", kind: "fill", ...about.unranked }];
  }

  function start() {
    draw(plain());
    dom.byId("colour").addEventListener("change", (event) => state.set({ colour: event.target.value }));
    state.subscribe((now, changed) => {
      if (changed.includes("level") || changed.includes("workload")) drawChoices();
      else if (changed.includes("colour")) dom.byId("colour").value = now.colour;
    });
    gridstead.map.subscribeLegend((entries) => entries.length && draw(entries));
  }

  // The choices of colour, which the panel of layers repeats.
  function fillChoices(known) {
    about = known;
    drawChoices();
  }

  gridstead.legend = { start, choices: fillChoices };
})();
