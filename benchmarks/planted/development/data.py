"""Faults of the photos, and of their way to the networks."""

from __future__ import annotations

from planted import discriminators, generators
from planted.albums import disturbed, edited, fewer, slow, sorted_by
from planted.case import Fault
from planted.changes import discriminator, generator, setting, then
from planted.edits import (
    blank,
    brightness,
    broken,
    bursts,
    channels,
    copies_of,
    cut_off,
    cut_out,
    framed,
    greyed,
    one_photo,
    quarter_turns,
    shifted,
    upside_down,
    warmth,
)
from planted.parts import Misscaled, StandardizedLast

IMAGENET = StandardizedLast(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

FAULTS = (
    # ---- numbers of another size than the networks were promised
    Fault("scaling-wrong", "divided-twice", "development", "face",
          setting(scaling=Misscaled(gain=2 / 255, offset=-1.0))),
    Fault("scaling-wrong", "standardised-last", "development", "tutorial",
          setting(scaling=StandardizedLast()), datasets=("celeba",)),
    Fault("scaling-wrong", "rescaled-twice", "development", "tutorial",
          setting(scaling=Misscaled(gain=4.0, offset=-3.0)), seeds=(0,)),
    Fault("scaling-wrong", "imagenet-statistics", "development", "face",
          setting(scaling=IMAGENET), datasets=("celeba",), seeds=(0,)),
    Fault("range-mismatch", "unit-range", "development", "tutorial",
          setting(scaling=Misscaled(gain=1.0, offset=0.0))),
    Fault("range-mismatch", "bytes", "development", "face",
          setting(scaling=Misscaled(gain=255.0, offset=0.0)), datasets=("portraits",)),
    Fault("range-mismatch", "sigmoid-output", "development", "face",
          generator(generators.ElsewhereRanged, output="sigmoid", low=0.0, high=1.0),
          seeds=(0,)),
    Fault("range-mismatch", "half-range", "development", "tutorial",
          setting(scaling=Misscaled(gain=1.0, offset=-0.5)), datasets=("celeba",), seeds=(0,)),
    # ---- files
    Fault("data-constant", "one-photo", "development", "face", edited(one_photo)),
    Fault("data-constant", "blank", "development", "tutorial", edited(blank), seeds=(0,)),
    Fault("data-duplicated", "forty-photos", "development", "face", edited(copies_of(40))),
    Fault("data-duplicated", "bursts", "development", "tutorial", edited(bursts(0.75, 8)),
          seeds=(0,)),
    Fault("data-corrupted", "cut-off", "development", "face", edited(cut_off(0.2))),
    Fault("data-corrupted", "noise-and-nothing", "development", "tutorial", edited(broken(0.1)),
          seeds=(0,)),
    Fault("data-sorted", "by-brightness", "development", "face", sorted_by(brightness)),
    Fault("data-sorted", "by-warmth-small-buffer", "development", "tutorial",
          sorted_by(warmth, window=64), seeds=(0,)),
    Fault("channels-swapped", "bgr", "development", "face", edited(channels(2, 1, 0))),
    Fault("channels-swapped", "rotated", "development", "tutorial", edited(channels(1, 2, 0)),
          seeds=(0,)),
    Fault("channels-swapped", "bgr-for-some", "development", "face",
          edited(channels(2, 1, 0, share=0.4)), datasets=("celeba",), seeds=(0,)),
    Fault("grey-mixed", "many", "development", "face", edited(greyed(0.4))),
    Fault("grey-mixed", "faded-scans", "development", "tutorial", edited(greyed(0.2, contrast=0.7)),
          seeds=(0,)),
    Fault("too-few-images", "sixty", "development", "face", fewer(60)),
    Fault("too-few-images", "hundred-and-fifty", "development", "tutorial", fewer(150),
          seeds=(0,)),
    # ---- on the way
    Fault("augmentation-leaks", "upside-down", "development", "face", disturbed(upside_down)),
    Fault("augmentation-leaks", "cut-out", "development", "tutorial", disturbed(cut_out),
          datasets=("celeba",)),
    Fault("augmentation-leaks", "quarter-turns", "development", "tutorial", disturbed(quarter_turns),
          seeds=(0,)),
    Fault("augmentation-leaks", "shifted-with-borders", "development", "face", disturbed(shifted),
          datasets=("portraits",), seeds=(0,)),
    Fault("labels-leaking", "told", "development", "tutorial", discriminator(discriminators.Told)),
    Fault("labels-leaking", "framed", "development", "face",
          then(edited(framed), setting(penalties=())), seeds=(0,)),
    Fault("data-starves", "slow-decoding", "development", "face", slow(0.04), images=16_000),
    Fault("data-starves", "stalls", "development", "tutorial", slow(1.6, every=40), images=16_000,
          seeds=(0,)),
)  # fmt: skip
