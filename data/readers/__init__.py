"""Readers: from a pulled file to raw rows as Arrow tables."""
