"""A page that is open in the browser, with the questions that tests ask it."""

from dataclasses import dataclass, field
from typing import Any

# Ids of the whole ranking, best first, and what else tests hold against SQL.
RANKING = """async () => {
    const ranking = await gridstead.ranking.current();
    const key = ranking.level === "parcel" ? "parcel_id" : "region_id";
    const ids = ranking.table.column(key);
    const order = Array.from(ranking.order.slice(0, ranking.count));
    return {
        workload: ranking.workload,
        level: ranking.level,
        count: ranking.count,
        total: ranking.total,
        is_published: ranking.is_published,
        ids: order.map((position) => ids[position]),
        ranks: order.map((position) => ranking.rank[position]),
        scores: order.map((position) => ranking.score[position]),
    };
}"""
STARTED = """async () => {
    while (!(window.gridstead && window.gridstead.started)) await new Promise(requestAnimationFrame);
    await window.gridstead.started;
}"""
# Two frames with nothing of the map under way.
QUIET = """async () => {
    const map = window.gridstead.map && window.gridstead.map.instance;
    for (let calm = 0; map && calm < 2; calm += 1) {
        await new Promise(requestAnimationFrame);
        if (!map.loaded() || map.isMoving()) calm = -1;
    }
}"""


@dataclass
class Opened:
    """One page; `problems` fail its test unless they begin with a word of `allowed`."""

    page: Any
    problems: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def found(self) -> list[str]:
        """Problems that nobody expected."""
        return [text for text in self.problems if not text.startswith(self.allowed or "\0")]

    def wait_started(self) -> None:
        """Wait until the first list and the first coloured counties are there."""
        self.page.evaluate(STARTED)

    def wait_quiet(self) -> None:
        """Wait until the map has drawn everything."""
        self.page.evaluate(QUIET)

    def ranking(self) -> dict[str, Any]:
        """Tell what is ranked now, in whole."""
        return self.page.evaluate(RANKING)

    def set(self, **patch: Any) -> None:
        """Change the state as the panels do."""
        self.page.evaluate("(patch) => gridstead.state.set(patch)", patch)

    def state(self) -> dict[str, Any]:
        """Give the state."""
        return self.page.evaluate("() => gridstead.state.get()")

    def id(self, name: str) -> Any:
        """Find by data-testid."""
        return self.page.get_by_test_id(name)

    def row(self, region: str) -> Any:
        """Find the row of the list with this id."""
        return self.page.locator(f'[data-testid="row"][data-id="{region}"]')

    def panel(self, name: str) -> Any:
        """Open a panel with its tab."""
        if not self.id(name).first.is_visible():
            self.id(f"tab-{name}").first.click()
        self.id(name).first.wait_for(state="visible")
        return self.id(name).first

    def open_about(self) -> Any:
        """Open the dialog that says what the page is made of."""
        self.id("about-open").first.click()
        self.id("about").first.wait_for(state="visible")
        return self.id("about").first

    def listed(self) -> list[str]:
        """Ids in the list, as it stands."""
        return self.id("row").evaluate_all("(rows) => rows.map((row) => row.dataset.id)")

    def wait_listed(self, ids: list[str]) -> None:
        """Wait until the list begins with these ids."""
        self.page.wait_for_function(
            """(ids) => {
                const rows = document.querySelectorAll('[data-testid="row"]');
                return rows.length >= ids.length && ids.every((id, at) => rows[at].dataset.id === id);
            }""",
            arg=ids,
        )

    def wait_state(self, test: str, arg: Any = None) -> None:
        """Wait until a test of the state, a JavaScript expression of `state` and `arg`, holds."""
        self.page.wait_for_function(
            f"(arg) => {{ const state = gridstead.state.get(); return {test}; }}", arg=arg
        )

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        """Give where a place is on the screen, in CSS pixels."""
        found = self.page.evaluate(
            """(place) => {
                const box = gridstead.map.instance.getCanvas().getBoundingClientRect();
                const at = gridstead.map.instance.project(place);
                return [box.left + at.x, box.top + at.y];
            }""",
            [lon, lat],
        )
        return found[0], found[1]
