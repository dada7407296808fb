"""Ids that several rows have, told apart while rows stream by."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import count

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data import store


class SharedIds:
    """Ids that more than one row has, told apart while rows stream by.

    The ids of all rows are looked at once beforehand and kept as hashes, 8 bytes a row; of the rows
    themselves only those that share an id are remembered.

    Parameters
    ----------
    ids
        String arrays without nulls: the ids of all rows, as of `ParcelFile.ids`.
    """

    def __init__(self, ids: Iterable[pa.Array]) -> None:
        self._con = store.create()
        empty = np.empty(0, dtype=np.uint64)
        self._given = np.sort(np.concatenate([empty, *(self._hash(some) for some in ids)]))
        is_shared = np.zeros(len(self._given), dtype=bool)
        is_shared[1:] = self._given[1:] == self._given[:-1]
        self._shared = np.unique(self._given[is_shared])
        self._shapes: defaultdict[str, set[Hashable]] = defaultdict(set)
        self._numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(2))
        self.repeated = 0
        self.numbered = 0

    def which(self, ids: pa.Array) -> np.ndarray:
        """Rows whose id another row of the files has too: bool, shape (n,)."""
        if not len(self._shared):
            return np.zeros(len(ids), dtype=bool)
        return _is_in(self._hash(ids), self._shared)

    def settle(
        self, ids: pa.Array, is_shared: np.ndarray, shape_keys: Sequence[Hashable]
    ) -> tuple[pa.Array, np.ndarray]:
        """Give the next rows ids that are theirs alone; call it for all rows, in their order.

        Parameters
        ----------
        ids
            Of rows that can be used, shape (n,).
        is_shared
            As from `which`, shape (n,).
        shape_keys
            One for each row that shares its id: equal for equal shapes.

        Returns
        -------
        The ids, where the second of a name is #2 and so on, and whether a row repeats the id and
        shape of an earlier one and is to be left out: bool, shape (n,).
        """
        is_repeat = np.zeros(len(ids), dtype=bool)
        rows = np.flatnonzero(is_shared)
        if not len(rows):
            return ids, is_repeat
        names = ids.take(pa.array(rows)).to_pylist()
        out = list(names)
        for k, (name, key) in enumerate(zip(names, shape_keys, strict=True)):
            seen = self._shapes[name]
            if key in seen:
                is_repeat[rows[k]] = True
            elif seen:
                out[k] = self._free(name)
                self.numbered += 1
            seen.add(key)
        self.repeated += int(is_repeat.sum())
        return pc.call_function(
            "replace_with_mask", [ids, pa.array(is_shared), pa.array(out, ids.type)]
        ), is_repeat

    @property
    def notes(self) -> list[str]:
        """What has been found so far, for the user."""
        notes = []
        if self.repeated:
            notes.append(
                f"{self.repeated:,} rows repeat the id and shape of another and were left out"
            )
        if self.numbered:
            notes.append(
                f"{self.numbered:,} rows share an id with another shape and were numbered (#2, #3 ...)"
            )
        return notes

    def _free(self, name: str) -> str:
        free = (f"{name}#{number}" for number in self._numbers[name])
        return next(
            other for other in free if not _is_in(self._hash(pa.array([other])), self._given)[0]
        )

    def _hash(self, ids: pa.Array) -> np.ndarray:
        table = pa.table({"parcel_id": ids})
        return self._con.from_arrow(table).project("hash(parcel_id) as h").fetchnumpy()["h"]


def _is_in(hashes: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Whether hashes are among sorted ones."""
    at = np.minimum(np.searchsorted(among, hashes), len(among) - 1)
    return among[at] == hashes
