"""Which images are left out though they can be decoded, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from facesmith.base.errors import UsageError
from facesmith.base.registry import did_you_mean
from facesmith.data.quality.measures import MEASURES
from facesmith.data.quality.registration import differences
from facesmith.data.quality.signatures import NEAR, groups, thumbnails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

STEPS = 5
"""In which detail is told apart when the best of near duplicates is chosen, for each 1 of it."""
MOST = 0.5
"""Share of a set above which something is its nature, and no fault of single images."""


@dataclass(frozen=True)
class Cleaning:
    """What is left out; each number is a bound, and 0 turns its rule off.

    The bounds are careful, since a good photo that is left out costs more than a bad one that stays. A
    bound of these that more than half of the images break describes the set, as darkness describes
    night pictures, and leaves out none; any other number always holds.
    """

    duplicates: float = 1
    """1 keeps one of the files that are byte for byte the same, the first by name."""
    near: float = NEAR
    """How much near duplicates differ at most, 0 to 1: of the same photo in other sizes, brighter, grey,
    compressed, mirrored, turned or cropped a little, the best is kept. Photos that are taken one after
    the other begin at 0.03, others at 0.05."""
    blurred: float = 0.45
    """Least detail at the size of training: what is lost by halving, over what halving the half loses. A
    blur that vanishes when the photo is made small does not count."""
    dark: float = 0.2
    """Least luma of the lightest parts, 0 to 1: the mean and twice the standard deviation."""
    bright: float = 0.9
    """Highest mean luma, 0 to 1."""
    flat: float = 0.04
    """Least standard deviation of luma, 0 to 0.5."""
    grey: float = 0.02
    """Least mean chroma, 0 to 1, in a set where most have more."""
    tiny: float = 3
    """How many times a photo's crop is enlarged at most."""
    people: float = 0
    """Most faces in a photo, where they were counted."""
    quality: float = 0
    """Least quality of a face, 0 to 1, where it was graded."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < math.inf:
                raise UsageError(
                    f"The cleaning {name} was given {value}.",
                    needed="a number from 0, which turns it off",
                    todo=f"correct it, or leave {name} away",
                )

    def __str__(self) -> str:
        bases = {"standard": STANDARD, "none": NONE}
        changes = {
            name: [
                f"{field.name}={float(getattr(self, field.name))!r}".removesuffix(".0")
                for field in fields(self)
                if getattr(self, field.name) != getattr(base, field.name)
            ]
            for name, base in bases.items()
        }
        name = min(changes, key=lambda base: len(changes[base]))
        return name + (f"({','.join(changes[name])})" if changes[name] else "")


STANDARD = Cleaning()
NONE = Cleaning(**{field.name: 0 for field in fields(Cleaning)})


@dataclass(frozen=True)
class Rule:
    """A bound on one number of an image."""

    name: str
    """Of the field of Cleaning."""
    kind: str
    """By which the images that break it are counted."""
    words: str
    above: bool = False
    """Whether the bound is the highest number, not the least."""

    def reason(self, value: float, bound: float) -> str:
        """Say what is wrong.

        Args:
            value: Of the image.
            bound: That it breaks.

        Returns:
            The kind and the detail.
        """
        side = "above" if self.above else "below"
        return f"{self.kind}: {self.words.format(value)}, {side} {bound:g}"


RULES = (
    Rule("dark", "dark", "lightest parts {:.3f}"),
    Rule("bright", "bright", "mean {:.3f}", above=True),
    Rule("flat", "flat", "contrast {:.3f}"),
    Rule("tiny", "tiny", "enlarged {:.1f} times", above=True),
    Rule("blurred", "blurred", "detail {:.3f}"),
    Rule("grey", "grey", "colour {:.3f}"),
    Rule("people", "many people", "{:.0f} faces", above=True),
    Rule("quality", "low quality", "quality {:.3f}"),
)
"""The one that explains most comes first: a black picture is also flat, a tiny one also blurred."""


def parse_cleaning(text: str) -> Cleaning:
    """Read a cleaning as the command line writes it.

    Args:
        text: `standard`, `none`, or one of them with numbers of its own, such as
            `standard(blurred=0.5,near=0)`.

    Returns:
        The cleaning; `str()` gives the text back.

    Raises:
        UsageError: The text is something else, or a number is out of range.
    """
    match = re.fullmatch(r"(standard|none)(?:\((.*)\))?", "".join(text.split()))
    if match is None:
        raise _not_read(text, f"{text!r} is not a cleaning.")
    known = [field.name for field in fields(Cleaning)]
    values: dict[str, float] = vars(STANDARD if match[1] == "standard" else NONE).copy()
    given = match[2].split(",") if match[2] else []
    for part in given:
        name, _, number = part.partition("=")
        if name not in known:
            guess = did_you_mean(name, known)
            raise _not_read(text, f"There is no cleaning called {name!r}{guess}.")
        try:
            values[name] = float(number)
        except ValueError:
            raise _not_read(text, f"The cleaning {name} was given {number!r}.") from None
    if len({part.partition("=")[0] for part in given}) < len(given):
        raise _not_read(text, f"{text!r} gives a number twice.")
    return Cleaning(**values)


def _not_read(text: str, found: str) -> UsageError:
    return UsageError(
        found,
        needed="standard, none, or numbers for " + ", ".join(f.name for f in fields(Cleaning)),
        todo="write standard(blurred=0.5,near=0), quoted for the shell; 0 turns a rule off",
    )


def judge(
    names: Sequence[str],
    digests: Sequence[str],
    columns: Mapping[str, Floats],
    signatures: NDArray[np.uint64],
    cleaning: Cleaning,
    *,
    resolution: int,
    channels: int,
) -> list[str]:
    """Say of each image whether it is kept.

    What an image looks like is judged first; of those that remain, copies are compared, so that the one
    that is kept is never one that is left out. The order of the images does not matter.

    Args:
        names: Of the images; each is different.
        digests: Of their content; equal ones are copies.
        columns: Arrays (N,): `MEASURES`, `side` in pixels, and, where they are known, `faces` and
            `quality`; NaN where a number is not.
        signatures: Array (N, WORDS).
        cleaning: What is left out.
        resolution: Side of the training images in pixels.
        channels: 3 for colour, 1 for grey.

    Returns:
        For each image nothing, or the kind of its fault, a colon, and the detail.
    """
    reasons = [""] * len(names)
    values = _values(columns, len(names), resolution, channels)
    for rule in RULES:
        bound: float = getattr(cleaning, rule.name)
        found = values[rule.name]
        broken = found > bound if rule.above else found < bound
        usual = rule.name == "grey" or bound == getattr(STANDARD, rule.name)
        if not bound or (usual and np.count_nonzero(broken) > MOST * len(names)):
            continue
        for place in np.flatnonzero(broken).tolist():
            reasons[place] = reasons[place] or rule.reason(found[place], bound)
    by_name = sorted((i for i, reason in enumerate(reasons) if not reason), key=names.__getitem__)
    kept = []
    first: dict[str, str] = {}
    for place in by_name:
        if cleaning.duplicates and digests[place] in first:
            reasons[place] = f"duplicate: of {first[digests[place]]}"
        else:
            first.setdefault(digests[place], names[place])
            kept.append(place)
    if cleaning.near and kept:
        places = np.array(kept)
        leads = groups(signatures[places], cleaning.near)
        for place, best in _worse(leads, places, columns):
            apart = _apart(signatures[place], signatures[best])
            reasons[place] = f"near duplicate: of {names[best]}, {apart:.3f} apart"
    return reasons


def _values(
    columns: Mapping[str, Floats], count: int, resolution: int, channels: int
) -> dict[str, Floats]:
    """Give what each rule looks at, by its name; NaN, which breaks no bound, where it is unknown."""
    unknown = np.full(count, np.nan)
    known = {name: columns.get(name, unknown) for name in (*MEASURES, "side", "faces", "quality")}
    return {
        "dark": known["brightness"] + 2 * known["contrast"],
        "bright": known["brightness"],
        "flat": known["contrast"],
        "tiny": resolution / np.maximum(known["side"], 1),
        "blurred": known["detail"],
        "grey": known["colour"] if channels > 1 else unknown,
        "people": known["faces"],
        "quality": known["quality"],
    }


def _worse(
    leads: NDArray[np.int64], places: NDArray[np.int64], columns: Mapping[str, Floats]
) -> list[tuple[int, int]]:
    """Pair each image of a group but its best with the best; places are sorted by name."""

    def worth(place: int) -> tuple[float, ...]:
        known = (columns[name][place] for name in ("quality", "side", "detail") if name in columns)
        quality_side_detail = [0.0 if np.isnan(value) else float(value) for value in known]
        # A watermark, a corner that turning left black and noise are detail, too, but little.
        quality_side_detail[-1] = round(quality_side_detail[-1] * STEPS)
        return tuple(quality_side_detail)

    members: dict[int, list[int]] = {}
    for lead, place in zip(leads.tolist(), places.tolist(), strict=True):
        members.setdefault(lead, []).append(place)
    pairs = []
    for group in members.values():
        best = max(group, key=worth)  # the first by name of equals
        pairs += [(place, best) for place in group if place != best]
    return pairs


def _apart(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    left, right = thumbnails(one[None]), thumbnails(other[None])
    either = np.concatenate([right, right[:, :, ::-1]])
    return float(differences(np.concatenate([left, left]), either).min())
