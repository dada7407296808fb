"use strict";
// Starts the page: first what the list and the coloured counties need, then everything else.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text, state } = gridstead;

  // One sentence where something is missing, beside what still works.
  gridstead.trouble = function trouble(error) {
    const words = error && error.file ? `${error.message}: copy the whole folder, with its data.` : `Something went wrong: ${(error && error.message) || error}`;
    const box = dom.byId("trouble");
    box.hidden = false;
    dom.write(box, words);
  };

  function switchOf(id, choices, testid, isOn, choose) {
    const buttons = choices.map(([value, words]) =>
      dom.make("button", { type: "button", "data-value": value, "data-testid": `${testid}-${value}`, onclick: () => choose(value) }, words),
    );
    dom.fill(dom.byId(id), buttons);
    const draw = () => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(isOn(button.dataset.value)));
    };
    draw();
    return draw;
  }

  // Two big tabs, training and inference, each over the workloads with that objective.
  function startChoices(about) {
    const objectives = [...new Set(about.workloads.map(({ objective }) => objective))];
    const ofObjective = (objective) => about.workloads.filter((one) => one.objective === objective);
    const now = () => gridstead.ranking.profileOf(about, state.get().workload);
    const tabs = objectives.map((objective) => [ofObjective(objective)[0].workload, text.sentence(objective)]);
    const isOn = (workload) => about.workloads.find((one) => one.workload === workload).objective === now().objective;
    const drawTabs = switchOf("workloads", tabs, "workload", isOn, (workload) => !isOn(workload) && state.set({ workload }));
    const levels = about.levels.map(({ level }) => [level, text.sentence(text.levelWord(level, true))]);
    const drawLevels = switchOf("levels", levels, "level", (level) => level === state.get().level, (level) => state.set({ level }));

    const variant = dom.byId("variant");
    variant.addEventListener("change", () => state.set({ workload: variant.value }));
    function draw() {
      const { workload, objective, summary } = now();
      const choices = ofObjective(objective);
      const first = choices[0].workload;
      // The first of an objective has its handle at the tab.
      const option = (one) => dom.make("option", { value: one.workload, "data-testid": one.workload === first ? null : `workload-${one.workload}` }, one.title);
      dom.fill(variant, choices.map(option));
      variant.value = workload;
      variant.hidden = choices.length < 2;
      dom.write(dom.byId("summary"), summary || "");
      drawTabs();
      drawLevels();
    }
    draw();
    state.subscribe((_, changed) => (changed.includes("workload") || changed.includes("level")) && draw());
  }

  // A file that is missing is told when it is asked for; what works again takes the words back.
  function watch() {
    const done = () => {
      dom.byId("trouble").hidden = true;
    };
    gridstead.ranking.current().then(done, gridstead.trouble);
  }

  async function start() {
    const about = state.know(await gridstead.store.about());
    gridstead.theme.start();
    gridstead.panels.start();
    gridstead.about.start(about);
    gridstead.keys.start();
    startChoices(about);
    gridstead.list.start(about);
    gridstead.legend.choices(about);
    gridstead.layers.start(about);
    gridstead.legend.start(about);
    gridstead.search.start(about);
    const map = gridstead.map.start(about);
    state.subscribe(watch);
    // Panels that nobody has opened yet come after the first view, and also where it cannot be had.
    try {
      // The ranking that fails tells nobody but those who ask for it.
      await Promise.race([Promise.all([gridstead.list.first, map]), gridstead.ranking.current().then(() => new Promise(() => {}))]);
      performance.mark("gridstead-first-view");
    } finally {
      gridstead.weights.start(about);
      gridstead.gates.start(about);
      gridstead.place.start(about);
      gridstead.compare.start(about);
    }
  }

  gridstead.started = start();
  gridstead.started.catch(gridstead.trouble);
  window.addEventListener("unhandledrejection", (event) => {
    if (event.reason && event.reason.file) gridstead.trouble(event.reason);
  });
})();
