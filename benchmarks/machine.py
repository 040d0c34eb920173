"""What the figures were taken on."""

import os
import platform
import sqlite3
import subprocess
from pathlib import Path


def machine() -> dict[str, str]:
    """Return the machine and the versions that count."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "load": f"{os.getloadavg()[0]:.1f} before the run",
        "Python": platform.python_version(),
        "git": git.stdout.removeprefix("git version").strip(),
        "SQLite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}",
    }


def _cpu() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
