"use strict";
// What counts how much: a slider for each factor, and the ranking follows while it is drawn.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;

  // Weights of the profiles sum to one; a slider reaches further where a weight is above this.
  const REACH = 0.5;
  const STEP = 0.005;

  let about = null;
  let drawn = null;
  let frame = 0;
  let wanted = null;
  let rows = [];

  function profile() {
    return gridstead.ranking.profileOf(about, state.get().workload);
  }

  function weightOf(factor, weights) {
    return weights && Object.hasOwn(weights, factor.metric) ? weights[factor.metric] : factor.weight;
  }

  // Many moves of a slider may come within one frame; each frame ranks once, by the last of them.
  function ask(metric, weight) {
    wanted = { ...(wanted || state.get().weights), [metric]: weight };
    draw(wanted);
    if (!frame) frame = window.requestAnimationFrame(apply);
  }

  function apply() {
    frame = 0;
    const weights = {};
    let total = 0;
    for (const factor of profile().factors) {
      const weight = weightOf(factor, wanted);
      if (Math.abs(weight - factor.weight) > 1e-9) weights[factor.metric] = weight;
      total += weight;
    }
    wanted = null;
    dom.byId("weights-wrong").hidden = total > 0;
    if (total > 0) state.set({ weights: Object.keys(weights).length ? weights : null });
  }

  function rowOf(factor) {
    const id = `w-${factor.metric}`;
    const words = text.unitWords(factor.unit);
    // A label that says its unit needs no other.
    const unit = ["people", "degree_days", "acres"].includes(factor.unit) ? "" : words;
    const row = { factor };
    row.slider = dom.make("input", {
      type: "range",
      id,
      min: 0,
      max: Math.max(REACH, factor.weight),
      step: STEP,
      "data-testid": `weight-${factor.metric}`,
      oninput: (event) => ask(factor.metric, Number(event.target.value)),
    });
    row.field = dom.make("input", {
      type: "number",
      class: "field",
      min: 0,
      max: 1000,
      step: 0.1,
      "aria-label": `Weight of ${factor.label}, in hundredths`,
      "data-testid": `weight-number-${factor.metric}`,
      oninput: (event) => {
        const weight = Number(event.target.value) / 100;
        if (event.target.value !== "" && weight >= 0 && weight <= 10) ask(factor.metric, weight);
      },
      onblur: () => draw(state.get().weights),
    });
    row.share = dom.make("output", { class: "share", for: id });
    const aim = { more: " More is better.", less: " Less is better." }[factor.direction] || "";
    row.element = dom.make(
      "div",
      { class: "weight" },
      dom.make("div", { class: "top" }, dom.make("label", { for: id }, text.sentence(factor.label), unit ? dom.make("small", { class: "quiet" }, ` ${unit}`) : null), row.share),
      dom.make("div", { class: "pull" }, row.slider, row.field),
      dom.make(
        "details",
        {},
        dom.make("summary", {}, "Why", dom.make("span", { class: "hidden" }, `: ${factor.label}`)),
        dom.make("p", {}, `${factor.why || "No reason is given"}.${aim}`),
        factor.source ? dom.make("p", {}, `Source: ${factor.source}`) : null,
      ),
    );
    return row;
  }

  function draw(weights) {
    const own = rows.map((row) => weightOf(row.factor, weights));
    const total = own.reduce((sum, weight) => sum + weight, 0);
    rows.forEach((row, k) => {
      const weight = own[k];
      const share = total > 0 ? weight / total : 0;
      if (weight > Number(row.slider.max)) row.slider.max = weight;
      if (Number(row.slider.value) !== weight) row.slider.value = weight;
      if (document.activeElement !== row.field) row.field.value = Number((100 * weight).toFixed(3));
      row.slider.setAttribute("aria-valuetext", `${text.percent(share, 1)} of the total`);
      dom.write(row.share, text.percent(share, 1));
      row.element.classList.toggle("changed", Math.abs(weight - row.factor.weight) > 1e-9);
    });
    const button = dom.byId("weights-reset");
    if (button) button.disabled = !weights;
  }

  function removedList(removed) {
    if (!removed.length) return [];
    const items = removed.map((one) => dom.make("li", {}, dom.make("b", {}, text.sentence(one.label)), `: ${one.why}`));
    return [dom.make("h3", {}, "Left out of this profile"), dom.make("ul", { class: "gone" }, items)];
  }

  function build() {
    const { workload, title, factors, removed } = profile();
    drawn = workload;
    rows = factors.map(rowOf);
    const onclick = () => {
      window.cancelAnimationFrame(frame);
      frame = 0;
      wanted = null;
      state.set({ weights: null });
      draw(null);
      dom.byId("weights-wrong").hidden = true;
    };
    dom.fill(
      dom.byId("panel-weights"),
      dom.make("h2", { id: "weights-title", tabindex: "-1" }, "What counts how much?"),
      dom.make("p", { class: "lead" }, `Factors of ${title}, with their share of the score. Move one: map and list follow.`),
      dom.make(
        "div",
        { class: "actions" },
        dom.make("button", { type: "button", class: "action", id: "weights-reset", "data-testid": "reset", onclick }, "Reset to the profile"),
      ),
      dom.make("p", { class: "wrong", id: "weights-wrong", role: "alert", hidden: true }, "All weights are 0: give one of them more."),
      dom.make("div", { class: "weights" }, rows.map((row) => row.element)),
      dom.make(
        "p",
        { class: "note" },
        "Rank, score and points follow your weights. Intervals, costs, capacity and the plan of each region hold at the profile's own weights: they come from draws of the whole run.",
      ),
      removedList(removed || []),
    );
    draw(state.get().weights);
  }

  function start(known) {
    about = known;
    build();
    state.subscribe((now, changed) => {
      if (now.workload !== drawn) build();
      else if (changed.includes("weights") && !wanted) draw(now.weights);
      mark(now);
    });
    mark(state.get());
  }

  // A dot on the tab tells that weights are the reader's own.
  function mark(now) {
    gridstead.panels.mark("weights", Boolean(now.weights), "your weights");
    gridstead.panels.mark("gates", now.certain || Object.keys(now.gates).length > 0, "your gates");
  }

  gridstead.weights = { start };
})();
