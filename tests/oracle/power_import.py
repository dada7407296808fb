"""What circuits bring into a substation, one outage after the other with plain loops."""


def secure_import(substation, circuits, net):
    """Import of a substation to count with, and whether it is single-fed.

    `circuits` are (substation, substation or None, MW), `net` generation less load by substation.
    """
    own = [k for k, (a, b, _) in enumerate(circuits) if substation in (a, b)]
    onward = [k for k in own if _leads_on(circuits[k], substation, circuits)]
    if len(onward) <= 1:
        return brought(substation, circuits, net, None), True
    return min(brought(substation, circuits, net, lost) for lost in own), False


def brought(substation, circuits, net, lost):
    """Import with one circuit out (None: none)."""
    by_neighbour = {}
    for k, (a, b, mw) in enumerate(circuits):
        if substation in (a, b) and k != lost:
            by_neighbour.setdefault(b if a == substation else a, []).append(mw)
    total = 0.0
    for other, mw in by_neighbour.items():
        far = float("inf")
        if other is not None:
            elsewhere = [
                each for a, b, each in circuits if other in (a, b) and substation not in (a, b)
            ]
            far = max(sum(elsewhere) + net[other], 0.0)
        total += min(sum(mw), far)
    return total


def _leads_on(circuit, substation, circuits):
    other = circuit[1] if circuit[0] == substation else circuit[0]
    return other is None or any(
        other in (a, b) and substation not in (a, b) for a, b, _ in circuits
    )
