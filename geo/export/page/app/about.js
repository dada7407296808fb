"use strict";
// What this page is, from which run and sources, under which terms, and what it does not know.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});
  const { dom, text } = gridstead;
  const { make } = dom;

  const plainList = (items) => make("ul", { class: "plain-list" }, items.map((item) => make("li", {}, item)));

  function whatItIs(about) {
    const { run } = about;
    const counts = about.levels.map(({ level, count }) => text.count(count, level)).join(", ");
    return [
      make("p", {}, `Gridstead ranks land for AI compute: ${counts}, for ${about.workloads.length} kinds of sites, each with what it costs, how sure its rank is, and what would change it.`),
      run.is_synthetic ? make("p", {}, make("b", {}, "The grid is synthetic. "), run.synthetic_note) : null,
      about.restricted
        ? make("p", { class: "wrong" }, about.restricted_note || "For your own eyes: this page contains data whose terms do not allow passing it on.")
        : null,
      make("p", {}, `Study ${run.study} (${run.title}), run ${run.run_id} of ${run.run_date}, made by Gridstead ${run.tool_version}.`),
      make("p", {}, "Everything is in this folder: the page asks nothing of any network and tells nothing to anybody."),
    ];
  }

  function sourcesOf(sources) {
    const rows = sources.map((source) => {
      const marks = [source.is_synthetic ? "synthetic" : null, source.is_stale ? "stale" : null].filter(Boolean);
      return make(
        "tr",
        {},
        make("th", { scope: "row" }, source.title || source.source_id, marks.length ? make("small", { class: "quiet" }, ` ${marks.join(", ")}`) : null),
        make("td", {}, [source.version, source.as_of].filter(Boolean).join(", ") || "not stated"),
        make("td", {}, source.data_terms || "not stated"),
      );
    });
    return make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ["Source", "Version and date", "Terms"].map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, rows),
    );
  }

  function section(title, ...content) {
    return [make("h3", {}, title), ...content];
  }

  function draw(about) {
    const { note, run } = about;
    const close = make("button", { type: "button", class: "close", "aria-label": "Close", autofocus: true, onclick: () => dom.byId("about").close() }, "×");
    const excluded = (note.excluded || []).map((one) => [make("b", {}, one.title || one.source_id), `: ${one.why}`]);
    const tools = [
      "MapLibre GL JS (BSD-3-Clause) and PMTiles (BSD-3-Clause) draw the map. ",
      make("a", { href: "assets/LICENSES.txt", target: "_blank", rel: "noopener" }, "Licence texts"),
      ".",
    ];
    dom.fill(
      dom.byId("about"),
      make("header", {}, make("h2", { id: "about-title" }, "About this map"), close),
      make(
        "div",
        { class: "body" },
        section("What it is", whatItIs(about)),
        section(
          "How to read it",
          plainList([
            "Rank: 1 is best. Gates are hard requirements; a place whose gate is unknown ranks after all that pass.",
            "Score: points of 100, each factor's value (0 to 1) times its weight. An unknown factor counts as its worst.",
            "5–95 % of draws: the run is ranked again in many draws of what is uncertain; nine of ten ranks lie in between.",
            "Capacity: megawatts that a region's best parcels can draw, up to the target of the workload.",
          ]),
        ),
        run.limits && run.limits.length ? section("What it does not know", plainList(run.limits)) : null,
        section("Sources and their terms", sourcesOf(about.sources)),
        section(
          "Withheld",
          excluded.length
            ? plainList(excluded)
            : make("p", {}, about.restricted ? "Nothing is withheld." : "No source of this study is withheld."),
        ),
        note.attribution && note.attribution.length ? section("Attribution", plainList(note.attribution)) : null,
        note.licences && note.licences.length ? section("Licences", plainList(note.licences)) : null,
        section("Software", make("p", {}, tools)),
      ),
    );
  }

  function drawFrame(about) {
    const { run } = about;
    dom.write(dom.byId("study"), run.title);
    dom.byId("study").title = run.title;
    dom.write(dom.byId("study-run"), `Run of ${run.run_date}, Gridstead ${run.tool_version}`);
    document.title = `Gridstead: ${run.title}`;
    dom.fill(
      dom.byId("footer"),
      make("span", {}, `Run of ${run.run_date}`),
      about.restricted ? make("b", {}, "Not to be passed on") : null,
      run.is_synthetic ? make("span", { class: "grow", title: run.synthetic_note }, make("b", {}, "Synthetic grid: "), run.synthetic_note) : make("span", { class: "grow" }),
      make("span", {}, `Gridstead ${run.tool_version}`),
      make("p", { class: "only-print" }, `Made from: ${(about.note.attribution || []).join("; ")}.`),
    );
  }

  function start(about) {
    draw(about);
    drawFrame(about);
    dom.byId("open-about").addEventListener("click", () => dom.byId("about").showModal());
    dom.byId("link").addEventListener("click", (event) => dom.copyLink(event.currentTarget));
  }

  gridstead.about = { start };
})();
