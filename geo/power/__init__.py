"""Power availability: what more load the grid can serve, and where."""
