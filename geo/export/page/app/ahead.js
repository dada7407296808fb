"use strict";
// Reads the data of the first view while the libraries are still read. What fails is told by whoever asks for it later.
(function () {
  const { store, state } = window.gridstead;
  const SLICES = 2; // of the tiles of regions: the small zooms lie in the first ones

  function names({ workloads, levels, archives }) {
    const asked = state.fromHash();
    const { level } = levels.find((one) => one.level === asked.level) || levels[0];
    const { workload } = workloads.find((one) => one.workload === asked.workload) || workloads[0];
    return asked.level === "parcel" ? [] : [`regions-${level}`, `regions-${level}-${workload}`];
  }

  async function read() {
    const about = await store.about();
    for (const name of names(about)) store.pack(name).catch(() => null);
    const { regions } = about.archives;
    for (let k = 0; regions && k < Math.min(SLICES, regions.chunk_count); k += 1) {
      store.bytes(store.sliceName("regions", k)).catch(() => null);
    }
  }

  read().catch(() => null);
})();
