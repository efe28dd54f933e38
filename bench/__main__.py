"""Run every benchmark one after the other and write `docs/benchmarks.md`. `python -m bench NAME...` runs some."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from pathlib import Path

BENCHES = ("guard", "imports", "ledger", "budgets", "false_interruptions")
COLUMNS = ("what", "ours", "peer", "ratio", "reach", "met")
PACKAGES = ("av", "cryptography", "numpy", "onnxruntime", "opencv-python-headless", "pdqhash")


def machine() -> str:
    """Return the machine and the versions in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    cores = 0
    if info.exists():
        lines = info.read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
        cores = sum(line.startswith("processor") for line in lines)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return f"{cores} × {cpu}, {platform.system()} {platform.release()}, Python {platform.python_version()}, {versions}"


def table(rows: list[dict[str, str]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(row.get(column, "") for column in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Run the benchmarks that are named, or all of them."""
    names = sys.argv[1:] or list(BENCHES)
    sections = []
    for name in names:
        print(f"== {name}", flush=True)
        module = importlib.import_module(f"bench.{name}")
        text = table(module.run())
        print(text, flush=True)
        summary = (module.__doc__ or name).split("\n")[0]
        sections.append(f"## {name}\n\n{summary}\n\n{text}\n")
    if not sys.argv[1:]:
        head = "# Benchmarks\n\nWritten by `make bench`. Ratios travel, absolute figures belong to this machine:\n\n"
        Path("docs/benchmarks.md").write_text(
            f"{head}> {machine()}\n\n" + "\n".join(sections), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
