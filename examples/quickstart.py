"""From photos to faces in three calls; here with the built-in portraits, so that it runs anywhere."""

import sys
from pathlib import Path

import facesmith
from facesmith.base import images

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quickstart")
length = sys.argv[2] if len(sys.argv) > 2 else "24k"

model = facesmith.train("face", data="portraits:2000", images=length, resolution=32, run=folder)
faces = model.generate(seeds=range(16))
images.write_png(folder / "faces.png", images.grid(faces, columns=4))
print(f"16 faces in {folder / 'faces.png'}")
