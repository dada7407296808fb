"use strict";
// What else is drawn on the map: the grid, fiber, metros, people, places.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, state } = gridstead;
  const { make } = dom;

  const LAYERS = {
    substation: ["Substations", "by megawatts that one more load can draw, where that is known", "grid", "substation"],
    line: ["Power lines", "by voltage; small ones from near", "grid", "line"],
    fiber: ["Fiber", "links and nodes of carriers", "fiber", null],
    metro_ring: ["100 miles around metros", "of a million people and more", null, null],
    people: ["People in reach", "colours the land by the people that it reaches", null, null],
    place: ["Names of places", "the largest first", null, null],
  };

  let about = null;
  const boxes = new Map();

  // A layer that this page does not hold is named, with the reason, and cannot be chosen.
  function isThere(key) {
    const [, , archive, layer] = LAYERS[key];
    if (key === "people") return Object.keys(about.metrics).some((metric) => /^(people|population)_/.test(metric));
    if (!archive) return true;
    const held = about.archives[archive];
    return Boolean(held) && (!layer || held.layers.includes(layer));
  }

  function rowOf(key) {
    const [title, words] = LAYERS[key];
    const isHeld = isThere(key);
    const box = make("input", {
      type: "checkbox",
      id: `layer-${key}`,
      "data-testid": `layer-${key}`,
      disabled: !isHeld,
      onchange: (event) => state.set({ layers: { ...state.get().layers, [key]: event.target.checked } }),
    });
    boxes.set(key, box);
    const more = isHeld ? words : "not in this page: the study has none, or its terms forbid passing it on";
    return make(
      "div",
      { class: "layer check" },
      box,
      make("label", { for: `layer-${key}` }, title, make("small", {}, more)),
      make("span", { class: `sign ${key}`, "aria-hidden": "true" }),
    );
  }

  function draw() {
    const { layers } = state.get();
    for (const [key, box] of boxes) box.checked = Boolean(layers[key]) && !box.disabled;
  }

  function start(known) {
    about = known;
    dom.fill(
      dom.byId("panel-layers"),
      make("h2", { id: "layers-title", tabindex: "-1" }, "What does the map show?"),
      make("p", { class: "lead" }, "The land is coloured by rank, or by a metric chosen below. Layers lie over it; their signs stand below."),
      make("div", { class: "layers" }, Object.keys(LAYERS).map(rowOf)),
      make(
        "div",
        { class: "colour-by" },
        make("label", { for: "colour-here" }, "Colour the land by"),
        make("select", { id: "colour-here", "data-testid": "colour-here", onchange: (event) => state.set({ colour: event.target.value }) }),
      ),
      make("div", { id: "drawn-here", class: "drawn here", hidden: true }),
      about.run.is_synthetic ? make("p", { class: "note" }, about.run.synthetic_note) : null,
    );
    draw();
    mirror();
    state.subscribe((now, changed) => {
      if (changed.includes("layers")) draw();
      if (["colour", "level", "workload"].some((key) => changed.includes(key))) mirror();
    });
  }

  // The same choice as in the legend, which has no room for it on a phone.
  function mirror() {
    const here = dom.byId("colour-here");
    const options = [...dom.byId("colour").children].map((child) => child.cloneNode(true));
    here.replaceChildren(...options);
    here.value = state.get().colour;
  }

  gridstead.layers = { start };
})();
