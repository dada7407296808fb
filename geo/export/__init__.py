"""Writers for mapping tools."""
