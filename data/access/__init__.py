"""How a source is fetched: one module an access kind."""
