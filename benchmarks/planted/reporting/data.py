"""Faults of the photos, and of their way to the networks."""

from __future__ import annotations

from planted import discriminators, generators
from planted.albums import disturbed, edited, fewer, one_shard, slower, sorted_by
from planted.case import Fault
from planted.changes import discriminator, generator, setting, then
from planted.edits import (
    channels,
    dark_ones,
    double_exposure,
    folders,
    negatives,
    night,
    resaved,
    sheared,
    smeared,
    tinted,
    webcam,
)
from planted.parts import Misscaled, StandardizedLast

MNIST = StandardizedLast(mean=(0.1307,) * 3, std=(0.3081,) * 3)
"""Copied from the first example that everybody reads."""

FAULTS = (
    # ---- numbers of another size than the networks were promised
    Fault("scaling-wrong", "deviation-of-bytes", "reporting", "hinge",
          setting(scaling=Misscaled(gain=4 / 255, offset=-2 / 255)), seeds=(20, 21)),
    Fault("scaling-wrong", "mnist-statistics", "reporting", "least-squares",
          setting(scaling=MNIST), seeds=(22,)),
    Fault("range-mismatch", "half-of-tanh", "reporting", "upsampling",
          generator(generators.ElsewhereRanged, low=-0.5, high=0.5)),
    # ---- files
    Fault("data-constant", "webcam", "reporting", "hinge", edited(webcam),
          datasets=("portraits",), seeds=(20,)),
    Fault("data-duplicated", "saved-again", "reporting", "upsampling", edited(resaved(0.75, 12))),
    Fault("data-corrupted", "wrong-row-length", "reporting", "hinge", edited(sheared(0.25)),
          seeds=(20, 21)),
    Fault("data-corrupted", "last-row-repeated", "reporting", "smoothed", edited(smeared(0.3)),
          seeds=(22,)),
    Fault("data-sorted", "folder-by-folder", "reporting", "hinge", sorted_by(folders(8))),
    Fault("channels-swapped", "red-and-green", "reporting", "hinge", edited(channels(1, 0, 2)),
          seeds=(20, 21)),
    Fault("channels-swapped", "second-source", "reporting", "upsampling",
          edited(dark_ones(2, 1, 0)), seeds=(22,)),
    Fault("grey-mixed", "night", "reporting", "hinge", edited(night(0.4)), seeds=(20, 21)),
    Fault("grey-mixed", "tinted-scans", "reporting", "smoothed",
          edited(tinted(0.45, (6, 0, -6))), seeds=(22,)),
    Fault("too-few-images", "first-shard", "reporting", "hinge", one_shard(80), seeds=(20, 21)),
    Fault("too-few-images", "a-hundred-mirrored", "reporting", "spectral",
          then(fewer(100), setting(flip=0.5)), seeds=(22,)),
    # ---- on the way
    Fault("augmentation-leaks", "double-exposure", "reporting", "hinge",
          disturbed(double_exposure), seeds=(20, 21)),
    Fault("augmentation-leaks", "negatives", "reporting", "upsampling", disturbed(negatives),
          seeds=(22,)),
    Fault("labels-leaking", "as-a-plane", "reporting", "smoothed",
          discriminator(discriminators.LabelPlane)),
    Fault("data-starves", "slower-and-slower", "reporting", "hinge", slower(0.0004),
          images=12_000, onset=0.3, datasets=("celeba",), seeds=(20,)),
)  # fmt: skip
