"""AUC and lift by loops over all pairs, and draws of the bootstrap one pick at a time."""

import numpy as np

from geo.decide.backtest import CLUSTER


def win(key, group, land):
    """Share of a group's land, (key, group, acres) each, that a site beats; ties count half."""
    beaten = total = 0.0
    for land_key, land_group, acres in land:
        if land_group != group:
            continue
        total += acres
        if land_key < key:
            beaten += acres
        elif land_key == key:
            beaten += acres / 2
    return beaten / total if total else None


def lift(key, group, land, share):
    """Part of a site that is in the top share of its group's land, over the share.

    Land of the same key is shared out evenly: so much of it as is inside is the site's part.
    """
    of_group = sorted((row for row in land if row[1] == group and row[2]), reverse=True)
    total = sum(acres for _, _, acres in of_group)
    if not total:
        return None
    room = share * total
    level = [acres for land_key, _, acres in of_group if land_key == key]
    for land_key, _, acres in of_group:
        if land_key > key:
            room -= acres
    if not level:
        return (1.0 if room > 0 else 0.0) / share
    return min(max(room, 0.0), sum(level)) / sum(level) / share


def bootstrap(values, clusters, draws, draw):
    """Mean of each measure in one draw: as many clusters as there are, each time one of them."""
    names = sorted(set(clusters))
    picked = []
    for at in range(len(names)):
        (number,) = draws.uniform(draw, CLUSTER, np.array([at]))
        picked.append(names[int(number * len(names))])
    rows = [row for name in picked for row, c in zip(values, clusters, strict=True) if c == name]
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]
