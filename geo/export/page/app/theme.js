"use strict";
// Light or dark: the reader's choice, or the system's while it is "auto".
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function resolved() {
    const { theme } = gridstead.state.get();
    if (theme !== "auto") return theme;
    return dark.matches ? "dark" : "light";
  }

  function apply() {
    document.documentElement.dataset.theme = resolved();
    const select = document.getElementById("theme");
    if (select) select.value = gridstead.state.get().theme;
  }

  function start() {
    gridstead.state.subscribe((state, changed) => changed.includes("theme") && apply());
    dark.addEventListener("change", apply);
    document.getElementById("theme").addEventListener("change", (event) => {
      gridstead.state.set({ theme: event.target.value });
    });
    apply();
  }

  gridstead.theme = { start, resolved };
  // Before the first paint, so that nothing flashes.
  const asked = gridstead.state.fromHash().theme;
  if (asked) gridstead.state.set({ theme: asked });
  document.documentElement.dataset.theme = resolved();
})();
