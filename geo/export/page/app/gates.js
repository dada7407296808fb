"use strict";
// What a place must hold: the gates of the profile, which a reader may tighten and never loosen.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;

  const WORDS = { at_least: "at least", at_most: "at most" };

  let about = null;
  let drawn = null;
  let rows = [];

  function profile() {
    return gridstead.ranking.profileOf(about, state.get().workload);
  }

  function ask(row) {
    const words = row.field.value.trim();
    const limit = words === "" ? null : Number(words);
    const { gate, bound } = row;
    const isLooser = limit !== null && (bound === "at_least" ? limit < gate[bound] : limit > gate[bound]);
    const isWrong = limit !== null && !Number.isFinite(limit);
    row.wrong.hidden = !isLooser && !isWrong;
    row.field.setAttribute("aria-invalid", String(!row.wrong.hidden));
    const own = { ...state.get().gates[gate.metric] };
    delete own[bound];
    if (limit !== null && !isLooser && !isWrong && limit !== gate[bound]) own[bound] = limit;
    const gates = { ...state.get().gates, [gate.metric]: own };
    if (!Object.keys(own).length) delete gates[gate.metric];
    state.set({ gates });
  }

  function askRow(gate, bound, index) {
    const row = { gate, bound };
    const id = `g-${gate.metric}-${bound}`;
    row.wrong = dom.make(
      "p",
      { class: "wrong", id: `${id}-wrong`, hidden: true },
      `Looser than the profile's ${text.bound(gate[bound], gate.unit)}: that needs another run.`,
    );
    row.field = dom.make("input", {
      type: "number",
      class: "field",
      id,
      step: "any",
      [bound === "at_least" ? "min" : "max"]: gate[bound],
      placeholder: gate[bound],
      "aria-describedby": `${id}-wrong`,
      // A gate with two bounds has its lower one first.
      "data-testid": index ? `gate-${gate.metric}-${bound}` : `gate-${gate.metric}`,
      oninput: () => ask(row),
    });
    row.element = [
      dom.make(
        "div",
        { class: "ask" },
        dom.make("label", { for: id }, `Ask for ${WORDS[bound]}`, dom.make("span", { class: "hidden" }, ` of ${gate.label}`)),
        row.field,
        dom.make("span", { class: "unit" }, text.unitWords(gate.unit)),
      ),
      row.wrong,
    ];
    rows.push(row);
    return row.element;
  }

  function gateOf(gate) {
    const bounds = Object.keys(WORDS).filter((bound) => text.isKnown(gate[bound]));
    // A yes or no has nothing between to ask for.
    const asks = gate.metric.startsWith("is_") ? [] : bounds.map((bound, index) => askRow(gate, bound, index));
    return dom.make(
      "div",
      { class: "tighten" },
      dom.make("h3", {}, text.sentence(gate.label)),
      dom.make("p", { class: "asks" }, `The profile asks for ${text.gateWords(gate)}. ${gate.why || ""}`),
      asks,
    );
  }

  function removedList(removed) {
    if (!removed.length) return [];
    const items = removed.map((gate) => {
      const why = gate.removed_why || "it is not known in this study";
      return dom.make("li", {}, dom.make("b", {}, `${text.sentence(gate.label)}, ${text.gateWords(gate)}`), `: ${why}`);
    });
    return [dom.make("h3", {}, "Not asked in this study"), dom.make("ul", { class: "gone" }, items)];
  }

  function draw() {
    const { gates, certain } = state.get();
    for (const { gate, bound, field } of rows) {
      const own = gates[gate.metric] ? gates[gate.metric][bound] : undefined;
      if (document.activeElement !== field) field.value = own === undefined ? "" : own;
    }
    dom.byId("certain").checked = certain;
    dom.byId("gates-reset").disabled = !certain && !Object.keys(gates).length;
  }

  function build() {
    const { workload, title, gates } = profile();
    drawn = workload;
    rows = [];
    const onclick = () => {
      state.set({ gates: {}, certain: false });
      for (const row of rows) {
        row.field.value = "";
        row.wrong.hidden = true;
      }
      draw();
    };
    const inUse = gates.filter((gate) => !gate.is_removed);
    const note =
      "Tightening works on what this build has measured; a place whose value is unknown is then taken out. Of a region its best parcel is asked. Loosening needs another run, with a profile of your own: gridstead run.";
    dom.fill(
      dom.byId("panel-gates"),
      dom.make("h2", { id: "gates-title", tabindex: "-1" }, "What must a place hold?"),
      dom.make("p", { class: "lead" }, `Gates of ${title}: a place that fails one is not ranked.`),
      dom.make(
        "div",
        { class: "check" },
        dom.make("input", {
          type: "checkbox",
          id: "certain",
          "data-testid": "certain",
          onchange: (event) => state.set({ certain: event.target.checked }),
        }),
        dom.make(
          "label",
          { for: "certain" },
          "Certain only",
          dom.make("small", {}, "Take out places where the value of a gate is unknown; they rank after all that pass."),
        ),
      ),
      inUse.length ? inUse.map(gateOf) : dom.make("p", {}, "This workload has no gates in this study."),
      dom.make(
        "div",
        { class: "actions" },
        dom.make("button", { type: "button", class: "action", id: "gates-reset", "data-testid": "reset-gates", onclick }, "Reset to the profile"),
      ),
      dom.make("p", { class: "note" }, note),
      removedList(gates.filter((gate) => gate.is_removed)),
    );
    draw();
  }

  function start(known) {
    about = known;
    build();
    state.subscribe((now, changed) => {
      if (now.workload !== drawn) build();
      else if (changed.includes("gates") || changed.includes("certain")) draw();
    });
  }

  gridstead.gates = { start };
})();
