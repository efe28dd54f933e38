"""What `import lightship.guard` costs over bare Python with numpy, and what it does not load."""

from __future__ import annotations

import statistics
import subprocess
import sys

FORBIDDEN = ("sqlalchemy", "fastapi", "duckdb", "pydantic")


def _wall_ms(code: str, times: int = 11) -> float:
    script = f"import time; t=time.perf_counter()\n{code}\nprint((time.perf_counter()-t)*1000)"
    runs = [
        float(
            subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(times)
    ]
    return statistics.median(runs)


def run() -> list[dict[str, str]]:
    """Return the table's rows."""
    numpy_ms = _wall_ms("import numpy")
    guard_ms = _wall_ms("import numpy, lightship.guard")
    code = f"import lightship.guard, sys; print([m for m in {FORBIDDEN!r} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    over_ms = guard_ms - numpy_ms
    return [
        {
            "what": "import lightship.guard over Python with numpy",
            "ours": f"{over_ms:.0f} ms",
            "peer": f"numpy alone {numpy_ms:.0f} ms",
            "ratio": f"{guard_ms / numpy_ms:.2f}",
            "reach": "≤ 150 ms; none of SQLAlchemy, FastAPI, DuckDB, pydantic",
            "met": "yes" if over_ms <= 150 and loaded == "[]" else "no",
        }
    ]


if __name__ == "__main__":
    print(run())
