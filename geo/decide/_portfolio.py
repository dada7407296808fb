"""The programs of `geo.decide.portfolio`: relaxation, prices, mixed-integer program, spacing."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, eye_array, hstack, vstack
from scipy.spatial import KDTree

from geo.errors import GeoError
from geo.geodesy import KM_PER_MILE, geodesic_km, to_ecef

if TYPE_CHECKING:
    from geo.decide._shared import Demand, Offers

# Rows that are added at once.
CUTS = 60
# Excess over a row of x that is none.
TOLERANCE = 1e-6
# The least radius of curvature of WGS84, m: no chord of an arc is shorter than on such a sphere.
LEAST_RADIUS_M = 6_335_439.0
# MW and sites that are missing cost this multiple of the best MW.
PENALTY = 10.0


class Rows:
    """Rows `x_factor x + mw_factor m <= most` over all offers, added as they are found to be broken."""

    def __init__(self, offers: int) -> None:
        self._offers = offers
        self._x: list[csr_array] = []
        self._mw: list[csr_array] = []
        self._most: list[float] = []

    def add(self, x_factor: np.ndarray | None, mw_factor: np.ndarray | None, most: float) -> None:
        """Add one."""
        none = np.zeros(self._offers)
        self._x.append(csr_array((none if x_factor is None else x_factor)[None]))
        self._mw.append(csr_array((none if mw_factor is None else mw_factor)[None]))
        self._most.append(float(most))

    def arrays(self) -> tuple[csr_array, csr_array, np.ndarray]:
        """Give the factors of x and of m, shape (rows, offers), and what they may add up to, (rows,)."""
        if not self._most:
            none = csr_array((0, self._offers))
            return none, none, np.zeros(0)
        x, mw = (csr_array(vstack(parts, format="csr")) for parts in (self._x, self._mw))
        return x, mw, np.array(self._most)


class Relaxed(NamedTuple):
    """Solution of the relaxation over columns, with the duals of sites, of MW and of the rows."""

    columns: np.ndarray
    x: np.ndarray
    mw: np.ndarray
    of_site: float
    of_mw: float
    of_row: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """Whole sites with their MW.

    Attributes
    ----------
    rows, mw
        Offers, and MW of each.
    value
        Sum of worth.
    total
        Value less what missing MW and sites cost.
    bound
        No plan of the same offers has a larger total.
    is_whole
        Whether neither MW nor sites are missing.
    is_proven
        Whether the bound is that of a solver.
    """

    rows: np.ndarray
    mw: np.ndarray
    value: float
    total: float
    bound: float
    is_whole: bool
    is_proven: bool


@dataclass(frozen=True, eq=False)
class Model:
    """Objective and demand.

    Attributes
    ----------
    worth
        Of one MW of each offer.
    site_worth
        Of a site by itself.
    least_mw, most_mw
        Of each offer's site.
    substation
        Of each offer.
    mw, sites
        What is asked for.
    mw_penalty, site_penalty
        Of a MW and of a site that is missing.
    """

    worth: np.ndarray
    site_worth: float
    least_mw: np.ndarray
    most_mw: np.ndarray
    substation: np.ndarray
    mw: float
    sites: int
    mw_penalty: float
    site_penalty: float

    @classmethod
    def of(cls, offers: "Offers", demand: "Demand") -> Self:
        """Take what is asked for."""
        largest = PENALTY * max(float(np.abs(offers.worth).max(initial=0.0)), 1.0)
        return cls(
            offers.worth,
            0.0,
            np.full(offers.worth.size, demand.least_mw),
            np.maximum(np.minimum(offers.capacity_mw, demand.most_mw), demand.least_mw),
            offers.substation,
            demand.mw,
            demand.sites,
            largest,
            largest * max(demand.most_mw, demand.mw),
        )

    def for_count(self) -> Self:
        """Ask for sites alone, whatever their MW."""
        none = np.zeros(self.worth.size)
        return replace(
            self, worth=none, site_worth=1.0, most_mw=self.least_mw,
            mw=float(self.sites * self.least_mw[0]), mw_penalty=0.0, site_penalty=0.0,
        )  # fmt: skip

    def for_mw(self) -> Self:
        """Ask for MW alone, with all sites."""
        one = np.ones(self.worth.size)
        return replace(self, worth=one, mw_penalty=0.0, site_penalty=PENALTY * max(self.mw, 1.0))

    def relaxed(self, columns: np.ndarray, rows: Rows) -> Relaxed:
        """Solve the linear relaxation over some offers, of which no two are of one substation by need."""
        a, most, names = self._matrix(columns, rows)
        found = linprog(
            -self._objective(columns),
            A_ub=a,
            b_ub=most,
            A_eq=self._asked(columns.size),
            b_eq=[self.sites, self.mw],
            bounds=self._bounds(columns),
            method="highs",
        )
        if found.x is None:
            msg = f"The relaxation of a portfolio has no solution: {found.message}"
            raise GeoError(msg)
        n = columns.size
        duals = np.maximum(-found.ineqlin.marginals, 0.0)
        of_site, of_mw = (-found.eqlin.marginals).tolist()
        return Relaxed(columns, found.x[:n], found.x[n : 2 * n], of_site, of_mw, duals[names])

    def priced(self, found: Relaxed, rows: Rows) -> tuple[float, np.ndarray]:
        """Bound every portfolio of all offers by duals, and price each offer: what it adds at best.

        The sum over substations of the best of their offers, where that is more than 0, and of what the duals
        give for the right-hand sides, is no less than any portfolio (Lagrange), whatever the duals.
        """
        x, mw, most = rows.arrays()
        # Rows that were added later have no price yet.
        dual = np.zeros(most.size)
        dual[: found.of_row.size] = found.of_row
        of_mw = self.worth - found.of_mw - dual @ mw
        of_site = self.site_worth - found.of_site - dual @ x
        price = of_site + np.maximum(of_mw * self.least_mw, of_mw * self.most_mw)
        best = np.zeros(int(self.substation.max(initial=-1)) + 1)
        np.maximum.at(best, self.substation, price)
        bound = found.of_site * self.sites + found.of_mw * self.mw + float(dual @ most)
        bound += max(-self.site_penalty - found.of_site, 0.0) * self.sites
        bound += max(-self.mw_penalty - found.of_mw, 0.0) * self.mw
        return bound + float(best.sum()), price

    def solved(self, columns: np.ndarray, rows: Rows, time_s: float, gap: float) -> Plan | None:
        """Solve the program over some offers; None where nothing was found in time."""
        a, most, _ = self._matrix(columns, rows)
        n = columns.size
        found = milp(
            -self._objective(columns),
            integrality=np.concatenate([np.ones(n), np.zeros(n + 2)]),
            bounds=Bounds(*np.array(self._bounds(columns)).T),
            constraints=[
                LinearConstraint(a, ub=most),
                LinearConstraint(
                    self._asked(n), lb=[self.sites, self.mw], ub=[self.sites, self.mw]
                ),
            ],
            options={"time_limit": max(time_s, 0.1), "mip_rel_gap": gap},
        )
        if found.x is None:
            return None
        plan = self.filled(columns[found.x[:n] > 0.5], rows)
        if plan is None:
            return None
        bound = -found.mip_dual_bound if found.mip_dual_bound is not None else np.inf
        return replace(plan, bound=max(float(bound), plan.total), is_proven=np.isfinite(bound))

    def filled(self, taken: np.ndarray, rows: Rows) -> Plan | None:
        """Give sites that are taken the best MW; None where they cannot have the least."""
        n = taken.size
        x, mw, most = rows.arrays()
        found = linprog(
            -np.concatenate([self.worth[taken], [-self.mw_penalty]]),
            A_ub=hstack([mw[:, taken], csr_array((most.size, 1))], format="csr"),
            b_ub=most - np.asarray(x[:, taken].sum(axis=1)).ravel(),
            A_eq=np.ones((1, n + 1)),
            b_eq=[self.mw],
            bounds=[*zip(self.least_mw[taken], self.most_mw[taken], strict=True), (0.0, None)],
            method="highs",
        )
        if found.x is None:
            return None
        given, short = found.x[:n], float(found.x[n])
        missing = self.sites - n
        value = float(self.worth[taken] @ given) + self.site_worth * n
        total = value - self.mw_penalty * short - self.site_penalty * missing
        is_whole = missing == 0 and short <= 1e-6 * self.mw
        return Plan(taken, given, value, total, np.inf, is_whole, is_proven=False)

    def _objective(self, columns: np.ndarray) -> np.ndarray:
        one = np.full(columns.size, self.site_worth)
        return np.concatenate([one, self.worth[columns], [-self.mw_penalty, -self.site_penalty]])

    def _asked(self, n: int) -> np.ndarray:
        """Sites and MW, the missing ones among them."""
        out = np.zeros((2, 2 * n + 2))
        out[0, :n] = out[1, n : 2 * n] = 1.0
        out[0, -1] = out[1, -2] = 1.0
        return out

    def _bounds(self, columns: np.ndarray) -> np.ndarray:
        n = columns.size
        upper = np.concatenate([np.ones(n), self.most_mw[columns], [self.mw, self.sites]])
        return np.column_stack([np.zeros(2 * n + 2), upper])

    def _matrix(self, columns: np.ndarray, rows: Rows) -> tuple[csr_array, np.ndarray, slice]:
        """Rows over x, m, missing MW and missing sites; the slice is of those that were added."""
        n = columns.size
        one = eye_array(n, format="csr")
        most = csr_array(coo_array((self.most_mw[columns], (np.arange(n), np.arange(n)))))
        least = csr_array(coo_array((self.least_mw[columns], (np.arange(n), np.arange(n)))))
        _, group, count = np.unique(
            self.substation[columns], return_inverse=True, return_counts=True
        )
        several = np.flatnonzero(count[group] > 1)
        numbers, row = np.unique(group[several], return_inverse=True)
        once = csr_array(
            coo_array((np.ones(several.size), (row, several)), shape=(numbers.size, n))
        )
        x, mw, limit = rows.arrays()
        a = vstack(
            [
                hstack([-most, one]),
                hstack([least, -one]),
                hstack([once, csr_array((numbers.size, n))]),
                hstack([x[:, columns], mw[:, columns]]),
            ],
            format="csr",
        )
        right = np.concatenate([np.zeros(2 * n), np.ones(numbers.size), limit])
        a = hstack([a, csr_array((a.shape[0], 2))], format="csr")
        return csr_array(a), right, slice(2 * n + numbers.size, None)


class Near:
    """Which offers stand closer to one another than the spacing.

    Balls of half the spacing: any two offers in one are too close, so that one of them is taken at most. Balls are
    found by chords, which are at most the arcs; a pair that lies between is told by its geodesic.
    """

    def __init__(
        self, xyz: np.ndarray, lon: np.ndarray, lat: np.ndarray, spacing_mi: float
    ) -> None:
        self._xyz, self._lon, self._lat, self._spacing_mi = xyz, lon, lat, spacing_mi
        angle = min(spacing_mi * KM_PER_MILE * 1_000.0 / (2.0 * LEAST_RADIUS_M), np.pi / 2.0)
        self._chord_m = 2.0 * LEAST_RADIUS_M * np.sin(angle) * (1.0 - 1e-9)
        self._tree = KDTree(xyz) if spacing_mi > 0.0 else None

    @classmethod
    def of(cls, lon: np.ndarray, lat: np.ndarray, spacing_mi: float) -> Self:
        """Prepare from degrees and miles."""
        return cls(to_ecef(lon, lat), lon, lat, spacing_mi)

    def is_near(self, row: int, taken: list[int]) -> bool:
        """Whether an offer is too close to any that is taken."""
        if self._tree is None or not taken:
            return False
        return bool(
            (self._miles(np.full(len(taken), row), np.array(taken)) < self._spacing_mi).any()
        )

    def apart(self, count: int, *, ordered: bool = False) -> np.ndarray:
        """Take offers one after the other, each as far as can be from those before; ascending or in that order."""
        taken = [0]
        chord2 = np.full(len(self._xyz), np.inf)
        while len(taken) < min(count, len(self._xyz)):
            chord2 = np.minimum(chord2, ((self._xyz - self._xyz[taken[-1]]) ** 2).sum(axis=1))
            taken.append(int(np.argmax(chord2)))
        return np.array(taken) if ordered else np.unique(taken)

    def broken(self, columns: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
        """Balls of which more than one offer is taken: for each, 1 where an offer lies in it, shape (n,)."""
        if self._tree is None:
            return []
        held, part = columns[x > TOLERANCE], x[x > TOLERANCE]
        one, other = np.triu_indices(held.size, 1)
        close = self._miles(held[one], held[other]) < self._spacing_mi
        one, other = one[close], other[close]
        centre = np.concatenate(
            [(self._xyz[held[one]] + self._xyz[held[other]]) / 2.0, self._xyz[held]]
        )
        if not one.size:
            return []
        radius = self._chord_m / 2.0
        inside = np.linalg.norm(centre[:, None] - self._xyz[held][None], axis=2) <= radius
        total = inside @ part
        found: list[np.ndarray] = []
        seen: set[bytes] = set()
        for at in np.argsort(-total, kind="stable")[:CUTS].tolist():
            if total[at] <= 1.0 + TOLERANCE:
                break
            if (key := inside[at].tobytes()) in seen:
                continue
            seen.add(key)
            ball = np.zeros(len(self._xyz))
            ball[self._tree.query_ball_point(centre[at], radius)] = 1.0
            found.append(ball)
        if found:
            return found
        # Too close by the geodesic, and not by the chord.
        for i, j in zip(held[one], held[other], strict=True):
            pair = np.zeros(len(self._xyz))
            pair[[i, j]] = 1.0
            if part[held == i].sum() + part[held == j].sum() > 1.0 + TOLERANCE:
                found.append(pair)
        return found

    def _miles(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        km = geodesic_km(self._lon[one], self._lat[one], self._lon[other], self._lat[other])
        return km / KM_PER_MILE
