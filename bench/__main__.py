"""Run every benchmark one after the other and write `docs/benchmarks.md`; `python -m bench NAME...` some of them."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

BENCHES = (
    "guard",
    "imports",
    "ledger",
    "sframe",
    "packs",
    "web",
    "matching",
    "lists",
    "matcher_service",
    "streams",
    "watch",
    "console",
    "casework_intake",
    "casework_pages",
    "casework_links",
    "duties",
    "duties_regulator",
    "budgets",
    "false_interruptions",
    "payments_precision",
    "payments_second",
    "payments",
    "payments_live",
    "payments_inward",
    "deconflict",
    "duties_reports",
)
PAGE = Path("docs/benchmarks.md")
HEAD = """# Benchmarks

`make bench` runs all of `bench/` and writes this page; `python -m bench NAME` writes one section of it anew. Ratios
travel, absolute figures belong to the machine that is named with its date above each table. Longer runs are asked for
by `LIGHTSHIP_BENCH_MINUTES` and `LIGHTSHIP_BENCH_FILE_MINUTES` (guard), `LIGHTSHIP_BENCH_HOURS` and
`LIGHTSHIP_BENCH_EXPOSURE_HOURS`; fewer customers by `LIGHTSHIP_BENCH_CUSTOMERS` (payments_precision and _second)."""
COLUMNS = ("what", "ours", "peer", "ratio", "reach", "met")
PACKAGES = (
    "av",
    "cryptography",
    "duckdb",
    "faiss-cpu",
    "fastapi",
    "lightgbm",
    "ibis-framework",
    "numba",
    "numpy",
    "openmined-psi",
    "onnxruntime",
    "opencv-python-headless",
    "pandas",
    "pdqhash",
    "scikit-learn",
    "splink",
    "polars",
    "threatexchange",
    "tuf",
    "uvicorn",
)


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


def written(text: str, sections: dict[str, str]) -> str:
    """Return `docs/benchmarks.md` with some sections new and the others as they were."""
    old = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in text.split("\n## ")[1:]}
    found = {**{name: old[name] for name in BENCHES if name in old}, **sections}
    parts = [f"## {name}\n\n{found[name]}" for name in BENCHES if name in found]
    return "\n\n".join([HEAD, *parts]) + "\n"


def main() -> None:
    """Run the benchmarks that are named, or all of them, and write their sections anew."""
    for name in sys.argv[1:] or BENCHES:
        print(f"== {name}", flush=True)
        module = importlib.import_module(f"bench.{name}")
        text = table(module.run())
        print(text, flush=True)
        summary = (module.__doc__ or name).split("\n")[0]
        day = datetime.now(UTC).date().isoformat()
        section = f"{summary}\n\n> {day}: {machine()}\n\n{text}"
        pictures = [f"![{picture}](pictures/{picture}.png)" for picture in getattr(module, "PICTURES", ())]
        page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        PAGE.write_text(written(page, {name: "\n\n".join([section, *pictures])}), encoding="utf-8")


if __name__ == "__main__":
    main()
