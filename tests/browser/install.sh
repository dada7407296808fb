#!/usr/bin/env bash
# Put the programs of `make browser` and `make qgis` on a Debian machine that lacks them; where that cannot be done
# their tests skip with a reason, but fail with CI=true.
set -euo pipefail
wanted=()
command -v chromium chromium-browser google-chrome >/dev/null || wanted+=(chromium)
/usr/bin/python3 -c 'import qgis.core' 2>/dev/null || wanted+=(qgis python3-qgis)
if [ ${#wanted[@]} -eq 0 ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "not installed, for want of apt-get or of root: ${wanted[*]}" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${wanted[@]}"; }; then
    echo "could not be installed: ${wanted[*]}" >&2
fi
