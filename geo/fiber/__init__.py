"""Fiber: nodes and links of all sources in one graph, round trips on it, people in reach and diverse paths."""
