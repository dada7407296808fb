"""What a run is asked to do."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class RunRequest(BaseModel):
    """Study, area, division and place of one run; plain values, so that it travels between tasks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str = "open-conus"
    home: Path
    out: Path | None = None
    area: list[str] = Field(default_factory=list, description="States, counties or a GeoJSON file.")
    parcels: list[Path] = Field(default_factory=list, description="Parcel files.")
    parcel_id: str | None = Field(default=None, description="Column that holds the parcel's id.")
    parcel_acres: str | None = Field(default=None, description="Column that holds its acres.")
    resolution: int | None = Field(default=None, ge=4, le=9)
    offline: bool = False
    export: bool = True
    keep_builds: int = Field(default=5, ge=1)
