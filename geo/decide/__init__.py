"""Deciding: how sure a rank is, which sites go together, what fits a site that stands."""
