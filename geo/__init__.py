"""Computation: arrays and GeoDataFrames in, arrays and GeoDataFrames out."""
