"use strict";
// Which panel is open: beside the map on a wide screen, in the sheet below it on a phone.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, state } = gridstead;

  const phone = window.matchMedia("(max-width: 760px)");
  const SIZES = ["low", "half", "full"];
  // A finger that moves less than this has tapped.
  const TAP_PIXELS = 8;

  function tabs() {
    return [...document.querySelectorAll(".tab")];
  }

  function panes() {
    return [...document.querySelectorAll(".pane")];
  }

  function show({ panel }) {
    document.body.dataset.panel = panel;
    for (const pane of panes()) pane.hidden = pane.id !== `panel-${panel}`;
    for (const tab of tabs()) tab.setAttribute("aria-expanded", String(tab.dataset.panel === panel));
    dom.byId("panel").scrollTop = 0;
  }

  function press(event) {
    const { panel } = event.currentTarget.dataset;
    const isOpen = state.get().panel === panel;
    if (phone.matches) {
      // The tab of what is open makes the sheet small and large again.
      if (isOpen) setSize(document.body.dataset.sheet === "low" ? "half" : "low");
      else if (document.body.dataset.sheet === "low") setSize("half");
      state.set({ panel });
      return;
    }
    state.set({ panel: isOpen ? "list" : panel });
    // Who opens by keyboard goes on in the panel; a mouse keeps its place.
    if (!isOpen && event.detail === 0) focusPane(panel);
  }

  function focusPane(panel) {
    const heading = document.querySelector(`#panel-${panel} h2`);
    if (heading) heading.focus();
  }

  // Close what is open; the focus goes back to the tab that opened it.
  function close() {
    const { panel } = state.get();
    if (panel === "list") return false;
    const isInside = dom.byId("panel").contains(document.activeElement);
    state.set({ panel: "list" });
    const tab = document.querySelector(`.tab[data-panel="${panel}"]`);
    if (isInside && tab) tab.focus();
    return true;
  }

  function setSize(size) {
    document.body.dataset.sheet = size;
    const words = { low: "Open the sheet", half: "Make the sheet larger", full: "Make the sheet smaller" };
    dom.byId("sheet-size").setAttribute("aria-label", words[size]);
  }

  // The grip of the sheet: a tap goes round its sizes, a pull up or down one step.
  function gripOn() {
    const grip = dom.byId("sheet-size");
    let from = null;
    let isPulled = false;
    grip.addEventListener("pointerdown", (event) => {
      from = event.clientY;
      isPulled = false;
    });
    grip.addEventListener("pointerup", (event) => {
      const by = from === null ? 0 : event.clientY - from;
      isPulled = Math.abs(by) > TAP_PIXELS;
      if (isPulled) step(by < 0 ? 1 : -1);
    });
    grip.addEventListener("click", () => {
      if (!isPulled) setSize({ low: "half", half: "full", full: "half" }[document.body.dataset.sheet]);
      isPulled = false;
    });
  }

  function step(by) {
    const at = SIZES.indexOf(document.body.dataset.sheet) + by;
    setSize(SIZES[Math.max(0, Math.min(SIZES.length - 1, at))]);
  }

  // On a phone, what is chosen on the map must be seen though the sheet was put away.
  function raise() {
    if (phone.matches && document.body.dataset.sheet === "low") setSize("half");
  }

  // A dot on a tab tells that something in it is the reader's own.
  function mark(panel, isOwn, words) {
    const tab = document.querySelector(`.tab[data-panel="${panel}"]`);
    const dot = tab.querySelector(".dot");
    if (isOwn && !dot) tab.append(dom.make("span", { class: "dot" }, dom.make("span", { class: "hidden" }, `, ${words}`)));
    if (!isOwn && dot) dot.remove();
  }

  function start() {
    for (const tab of tabs()) tab.addEventListener("click", press);
    dom.byId("panel-close").addEventListener("click", close);
    gripOn();
    setSize("half");
    state.subscribe((now, changed) => changed.includes("panel") && show(now));
    show(state.get());
  }

  gridstead.panels = { start, close, mark, raise, isPhone: () => phone.matches };
})();
