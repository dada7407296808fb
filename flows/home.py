"""Where a run keeps what it writes: cache, work, builds and exports under one home folder."""

import os
from dataclasses import dataclass
from pathlib import Path

from data.errors import UsageError

HOME_VARIABLE = "GRIDSTEAD_HOME"


@dataclass(frozen=True)
class Home:
    """Folder layout under `--home` (default: `var` in the working directory)."""

    root: Path

    @classmethod
    def at(cls, root: Path | None = None) -> "Home":
        """Home at a folder, at `$GRIDSTEAD_HOME`, or at `var` here.

        Raises
        ------
        UsageError
            The path exists and is not a folder.
        """
        chosen = root or Path(os.environ.get(HOME_VARIABLE, "var"))
        if chosen.exists() and not chosen.is_dir():
            msg = f"--home {chosen} is not a folder."
            raise UsageError(msg, "Name a folder; it is made when it is missing.")
        return cls(chosen.resolve())

    @property
    def cache(self) -> Path:
        """Pulled files, content-addressed."""
        return self.root / "cache"

    @property
    def work(self) -> Path:
        """Staged layers, parcels and metrics, named by the hash of what they come from."""
        return self.root / "work"

    @property
    def builds(self) -> Path:
        """Past builds."""
        return self.root / "builds"

    @property
    def parts(self) -> Path:
        """Parcels that a cluster measured, in pieces; builds read them."""
        return self.root / "parts"

    @property
    def exports(self) -> Path:
        """Exported files."""
        return self.root / "exports"

    @property
    def logs(self) -> Path:
        """What runs said, a file a run."""
        return self.root / "logs"

    @property
    def build(self) -> Path:
        """The published build."""
        return self.root / "gridstead.duckdb"

    def run_ids(self) -> set[str]:
        """Ids of all runs that the home knows of: by their builds, logs or history."""
        found = [*self.builds.glob("*.duckdb"), *self.logs.glob("*.jsonl")]
        found += (self.root / "history").glob("*")
        return {path.name.partition(".")[0] for path in found}

    def make(self) -> "Home":
        """Create the folders.

        Raises
        ------
        UsageError
            The home cannot be written.
        """
        try:
            for folder in (self.cache, self.work, self.builds, self.exports, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{self.root} cannot be written: {error.strerror}."
            raise UsageError(msg, "Name another folder with --home.") from error
        return self
