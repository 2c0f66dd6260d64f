"""From photos to faces in three calls, here with the built-in portraits, so that it runs anywhere."""

import sys
from pathlib import Path

import facesmith
from facesmith.base import images


def main(folder: Path, length: str) -> None:
    """Train for a while, then make sixteen faces."""
    model = facesmith.train("face", data="portraits:1000", images=length, resolution=32, run=folder)
    faces = model.generate(seeds=range(16))
    images.write_png(folder / "faces.png", images.sheet(faces))
    print(f"16 faces in {folder / 'faces.png'}")


# Photos are prepared by worker processes, which read this file again: they must not start over.
if __name__ == "__main__":
    main(
        folder=Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quickstart"),
        length=sys.argv[2] if len(sys.argv) > 2 else "24k",
    )
