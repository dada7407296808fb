"""A run that stops for good at one function, so that a test can kill it there.

`python -m tests.flows.stuck data.build.run_checks run study.yaml --home home`; with `--engine` first, on
Prefect's engine.
"""

import sys
import time

import pytest

from flows import cli
from tests.flows.plain import without_prefect


def main() -> None:
    has_engine = sys.argv[1] == "--engine"
    where, *words = sys.argv[2:] if has_engine else sys.argv[1:]

    def hang(*_args: object, **_more: object) -> None:
        sys.stdout.write("stuck\n")
        sys.stdout.flush()
        time.sleep(60)

    with pytest.MonkeyPatch.context() as patch:
        if not has_engine:
            without_prefect(patch)
        patch.setattr(where, hang)
        sys.argv = ["gridstead", *words]
        cli.entry()


if __name__ == "__main__":
    main()
