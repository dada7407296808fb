"use strict";
// The keyboard: shortcuts, what Esc closes, the links that skip; and the picture of the map for paper.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, state } = gridstead;
  const { make } = dom;

  const KEYS = [
    ["/", "Search"],
    ["?", "This help"],
    ["Esc", "Close what is open"],
    ["Tab", "To the next control"],
    ["↑ ↓", "In the list: choose the place above or below, and fly there"],
    ["Home End", "In the list: the first and the last"],
    ["Enter", "Open the place, press the button"],
    ["+ − ← ↑ → ↓", "On the map: zoom and move"],
    ["c", "Compare the chosen place"],
  ];

  function isTyping(target) {
    return target instanceof HTMLElement && (target.isContentEditable || ["SELECT", "TEXTAREA"].includes(target.tagName) || (target.tagName === "INPUT" && !["checkbox", "range"].includes(target.type)));
  }

  function openHelp() {
    const help = dom.byId("help");
    if (!help.open) help.showModal();
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      gridstead.panels.close();
    } else if (isTyping(event.target)) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      dom.byId("search").focus();
    } else if (event.key === "?") {
      openHelp();
    } else if (event.key === "c" && state.get().selected) {
      gridstead.compare.toggle(state.get().selected);
    }
  }

  // Links that skip would change the hash, which is the state: they only move the focus.
  function skip(event) {
    event.preventDefault();
    const isMap = event.currentTarget.getAttribute("href") === "#map";
    const target = isMap ? document.querySelector("#map canvas") : document.querySelector("#rows .row[tabindex='0']");
    (target || dom.byId("ranking")).focus();
  }

  function drawHelp() {
    const close = make("button", { type: "button", class: "close", "aria-label": "Close", autofocus: true, onclick: () => dom.byId("help").close() }, "×");
    dom.fill(
      dom.byId("help"),
      make("header", {}, make("h2", { id: "help-title" }, "Keyboard"), close),
      make(
        "div",
        { class: "body" },
        make("dl", { class: "keys" }, KEYS.map(([key, words]) => [make("dt", {}, key.split(" ").flatMap((one) => [make("kbd", {}, one), " "])), make("dd", {}, words)])),
      ),
    );
  }

  // A click beside a dialog closes it, as Esc does.
  function closeBeside(event) {
    if (event.target === event.currentTarget) event.currentTarget.close();
  }

  // A canvas of WebGL prints empty: paper gets a picture of it, taken in the turn in which it is drawn.
  function beforePrint() {
    // What is folded on the screen is told on paper.
    for (const details of document.querySelectorAll("#panel-place details")) details.open = true;
    const picture = dom.byId("print-map");
    const map = gridstead.map && gridstead.map.instance;
    if (!map) return;
    try {
      map.redraw();
      picture.src = map.getCanvas().toDataURL("image/png");
      // A tall picture is cut at top and bottom, so that the land keeps the width of the paper.
      picture.classList.toggle("tall", map.getCanvas().height > 0.75 * map.getCanvas().width);
      picture.hidden = false;
    } catch {
      picture.hidden = true;
    }
  }

  function start() {
    drawHelp();
    document.addEventListener("keydown", onKey);
    dom.byId("open-help").addEventListener("click", openHelp);
    for (const link of document.querySelectorAll(".skip")) link.addEventListener("click", skip);
    for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("click", closeBeside);
    window.addEventListener("beforeprint", beforePrint);
    window.addEventListener("afterprint", () => (dom.byId("print-map").hidden = true));
  }

  gridstead.keys = { start };
})();
