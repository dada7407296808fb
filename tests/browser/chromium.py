"""The machine's own Chromium, drawing WebGL in software."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: tests may run as root, and open nothing but their own pages. No name resolves, no component calls home.
ARGUMENTS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
)


def find_chromium() -> str | None:
    """Give the program that GRIDSTEAD_CHROMIUM names, else the first one on the path."""
    named = os.environ.get("GRIDSTEAD_CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None)
