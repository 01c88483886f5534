"""Runs `jiying` as people do: a process of its own, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ON_POSTGRES = os.environ.get("JIYING_DATABASE_URL", "").startswith("postgres")
LIMIT_S = 280
UNRELATED = {"JIYING_DATABASE_URL", "JIYING_DEMO", "JIYING_HOST", "JIYING_PORT"}


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as the one JSON object it must be."""
        said = json.loads(self.out)
        assert isinstance(said, dict)
        return said


def jiying(*words: str | Path, home: Path) -> Done:
    """Run `jiying WORDS…` with `home` as JIYING_HOME."""
    env = {name: value for name, value in os.environ.items() if name not in UNRELATED}
    env |= {"JIYING_HOME": str(home), "DJANGO_SETTINGS_MODULE": "jiying.config.settings", "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", "from jiying.config.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=LIMIT_S, check=False)
    return Done(done.returncode, done.stdout, done.stderr)
