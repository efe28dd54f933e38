"""Write the golden vectors anew."""

from tests.vectors import FOLDER, makers, text

for name, make in makers().items():
    path = FOLDER / f"{name}.json"
    path.write_text(text(make()), encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size:,} bytes")
