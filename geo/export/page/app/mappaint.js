/* Classes onto the map: only what changed is told to MapLibre, of parcels only what is near the view. */
"use strict";

(() => {
  const gridstead = (window.gridstead = window.gridstead || {});
  const NOT_SET = 255;
  const MOST_STATES = 60000; // parcels that hold a state before all are let go and set anew
  const MARGIN = 0.15; // of the view on each side

  class Painter {
    /** Paints one tile layer: features have id = position + 1. */
    constructor(map, source, sourceLayer, oncleared) {
      this.map = map;
      this.target = { source, sourceLayer };
      this.oncleared = oncleared;
      this.shown = null; // class by position as MapLibre has it
      this.wanted = null;
      this.count = 0;
    }

    set(position, value) {
      // Nothing and 0 look the same, so the rows that are not ranked need no state until they had one.
      if (this.shown[position] === value) return;
      if (this.shown[position] === NOT_SET) {
        if (value === 0) return;
        this.count += 1;
      }
      this.shown[position] = value;
      this.map.setFeatureState({ ...this.target, id: position + 1 }, { c: value });
    }

    start(rows) {
      if (this.shown && this.shown.length === rows) return;
      this.shown = new Uint8Array(rows).fill(NOT_SET);
      this.count = 0;
    }

    /** Paint all rows: classes is a Uint8Array by position. */
    paint(classes) {
      this.start(classes.length);
      for (let i = 0; i < classes.length; i += 1) this.set(i, classes[i]);
    }

    /** Paint the rows whose point lies near the view; those far away are painted when they come near. */
    paintNear(classes, lon, lat) {
      this.wanted = { classes, lon, lat };
      this.near();
    }

    near() {
      if (!this.wanted) return;
      const { classes, lon, lat } = this.wanted;
      this.start(classes.length);
      const box = this.map.getBounds();
      const wide = (box.getEast() - box.getWest()) * MARGIN;
      const high = (box.getNorth() - box.getSouth()) * MARGIN;
      const [west, east] = [box.getWest() - wide, box.getEast() + wide];
      const [south, north] = [box.getSouth() - high, box.getNorth() + high];
      if (this.count > MOST_STATES) this.clear();
      for (let i = 0; i < classes.length; i += 1) {
        if (lon[i] > west && lon[i] < east && lat[i] > south && lat[i] < north) {
          this.set(i, classes[i]);
        } else if (this.shown[i] !== NOT_SET && this.shown[i] !== classes[i]) {
          this.set(i, classes[i]); // it came into view once and would be wrong when it comes again
        }
      }
    }

    clear() {
      this.map.removeFeatureState(this.target);
      this.shown.fill(NOT_SET);
      this.count = 0;
      this.oncleared();
    }
  }

  gridstead.mappaint = { Painter };
})();
