"""Where a model's images differ from its data by more than chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from facesmith.data.audit import background, skin
from facesmith.data.audit.advice import SEVERITIES, Finding, Severity, percent, training
from facesmith.data.audit.contents import Audit, Spread

CERTAIN = 0.01
"""Probability, over all comparisons together, that chance alone is reported."""
POINTS = 0.02
"""Of a share: a difference that is smaller is real at best, and of no weight."""
DEVIATIONS = 0.25
"""By how many standard deviations of the data a mean must move."""
NARROWER = 0.85
"""Of the data's deviation: a spread above it is not worth a word."""
MUCH = 0.2
"""Of a share, from where a change is serious."""
Z95 = 1.959964
LOOK = "Train longer, or look at the samples of earlier checkpoints."


@dataclass(frozen=True)
class Change:
    """A share among the data and among what was made."""

    name: str
    before: tuple[int, int]
    """Images with it, and all."""
    after: tuple[int, int]

    @property
    def difference(self) -> float:
        """How much the share has grown."""
        return self.after[0] / self.after[1] - self.before[0] / self.before[1]

    @property
    def chance(self) -> float:
        """Probability of such a difference by chance: the two-sided two-proportion z test."""
        (a, n), (b, m) = self.before, self.after
        pooled = (a + b) / (n + m)
        error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        return two_sided(self.difference / error) if error else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """The difference lies in it in 95 of 100 cases."""
        (a, n), (b, m) = self.before, self.after
        p, q = a / n, b / m
        error = Z95 * math.sqrt(p * (1 - p) / n + q * (1 - q) / m)
        return self.difference - error, self.difference + error

    @property
    def words(self) -> str:
        """Such as "darker skin 21 % → 17 %"."""
        before, after = (part / whole for part, whole in (self.before, self.after))
        return f"{self.name} {percent(before)} → {percent(after)}"

    @property
    def evidence(self) -> str:
        """The same with all its numbers."""
        (a, n), (b, m), (low, high) = self.before, self.after, self.interval
        return (
            f"{self.name}: {a:,} of {n:,} in the data, {b:,} of {m:,} in the samples, a difference of "
            f"{100 * low:+.1f} to {100 * high:+.1f} points (95 %)"
        )


@dataclass(frozen=True)
class Aspect:
    """Shares that belong together, and what it means when they change."""

    changes: tuple[Change, ...]
    effect: str
    advice: str
    balance: bool = False


def drift(data: Audit, made: Audit) -> list[Finding]:
    """Compare what a model made with what it learned from.

    Args:
        data: Audit of the training images.
        made: Audit of its images.

    Returns:
        What has changed by more than chance and enough to matter, most serious first.
    """
    aspects = _aspects(data, made)
    changes = [change for aspect in aspects for change in aspect.changes]
    certain = holm([change.chance for change in changes])
    kept = {
        change.name
        for change, is_certain in zip(changes, certain, strict=True)
        if is_certain and abs(change.difference) >= POINTS
    }
    found = []
    for aspect in aspects:
        if changed := [change for change in aspect.changes if change.name in kept]:
            found.append(_finding(data, aspect, changed))
    found += _spreads(data, made)
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def two_sided(z: float) -> float:
    """Give the probability that a standard normal number is as far from 0.

    Args:
        z: The number.

    Returns:
        From 0 to 1.
    """
    return math.erfc(abs(z) / math.sqrt(2))


def holm(chances: list[float], level: float = CERTAIN) -> list[bool]:
    """Choose among many comparisons so that chance yields any with a small probability only.

    "A simple sequentially rejective multiple test procedure", Holm, Scandinavian Journal of Statistics 6,
    1979.

    Args:
        chances: One probability a comparison.
        level: Of all together.

    Returns:
        For each whether it is more than chance.
    """
    kept = [False] * len(chances)
    ranked = sorted(range(len(chances)), key=chances.__getitem__)
    for rank, index in enumerate(ranked):
        if chances[index] > level / (len(chances) - rank):
            break
        kept[index] = True
    return kept


def _aspects(data: Audit, made: Audit) -> list[Aspect]:
    aspects = []
    before, after = data.skin.tones, made.skin.tones
    if before.count and after.count:
        aspects.append(
            Aspect(
                tuple(
                    Change(
                        name,
                        (before.number(*tones), before.count),
                        (after.number(*tones), after.count),
                    )
                    for name, tones in (
                        ("darker skin", skin.DARKER),
                        ("lighter skin", skin.LIGHTER),
                    )
                ),
                "What has become rarer was there to be learned; the model makes it less often than it "
                "saw it.",
                "Sample with truncation 1, train longer, and balance what is rare in the data.",
                balance=True,
            )
        )
    everything = data.pixels.measured, made.pixels.measured
    aspects.append(
        Aspect(
            (
                _change(
                    "images without skin in the middle", before.missing, after.missing, everything
                ),
            ),
            "Faces are missing, in odd colours, or not where a face should be.",
            LOOK,
        )
    )
    walls, others = data.background.kinds, made.background.kinds
    aspects.append(
        Aspect(
            tuple(
                _change(f"{kind} background", walls.number(kind), others.number(kind), everything)
                for kind in background.KINDS
            ),
            "What surrounds the faces is not what surrounds them in the data.",
            LOOK,
        )
    )
    aspects.append(
        Aspect(
            tuple(
                _change(f"{flaw} images", number, made.state.flaws[flaw], everything)
                for flaw, number in data.state.flaws.items()
            ),
            "The pictures look unlike photos in a way that the eye sees at once.",
            LOOK,
        )
    )
    compared = data.copies.compared, made.copies.compared
    aspects.append(
        Aspect(
            (_change("copies of each other", data.copies.surplus, made.copies.surplus, compared),),
            "The generator makes the same face for many seeds: it has collapsed.",
            LOOK,
        )
    )
    return aspects


def _change(name: str, before: int, after: int, all_of: tuple[int, int]) -> Change:
    return Change(name, (before, all_of[0]), (after, all_of[1]))


def _finding(data: Audit, aspect: Aspect, changed: list[Change]) -> Finding:
    largest = max(abs(change.difference) for change in changed)
    halved = any(2 * c.after[0] * c.before[1] < c.before[0] * c.after[1] for c in changed)
    severity: Severity = "serious" if largest >= MUCH or (aspect.balance and halved) else "warning"
    # Who has become rarer comes first; otherwise what has changed most.
    changed.sort(key=lambda c: c.difference if aspect.balance else -abs(c.difference))
    details = "; ".join(change.evidence for change in changed)
    title = ", ".join(change.words for change in changed[:2])
    return Finding(
        "drift",
        severity,
        f"{title[0].upper()}{title[1:]}",
        f"{details[0].upper()}{details[1:]}.",
        aspect.effect,
        aspect.advice,
        training(data, balance="COLUMN") if aspect.balance else "",
    )


def _spreads(data: Audit, made: Audit) -> Iterator[Finding]:
    # What is clipped is nearly always nothing; its share of flaws is compared instead.
    names = [name for name in data.state.spreads if name != "clipped"]
    pairs = [(name, data.state.spreads[name], made.state.spreads[name]) for name in names]
    pairs = [(name, a, b) for name, a, b in pairs if a.std > 0]
    moved = holm([_moved(a, b) for _, a, b in pairs])
    for (name, a, b), is_moved in zip(pairs, moved, strict=True):
        shift = (b.mean - a.mean) / a.std
        if is_moved and abs(shift) >= DEVIATIONS:
            yield Finding(
                "drift",
                "serious" if abs(shift) >= 1 else "warning",
                f"{name.capitalize()} is {'higher' if shift > 0 else 'lower'} than in the data",
                f"{a.mean:.3g} on average in the data, {b.mean:.3g} in the samples: "
                f"{abs(shift):.1f} standard deviations.",
                "The pictures as a whole differ from the data in a way that needs no expert to see.",
                LOOK,
            )
    if data.skin.angle.count and made.skin.angle.count:  # its mean is compared as shares
        pairs.append(("skin tone", data.skin.angle, made.skin.angle))
    narrowed = holm([_narrowed(a, b) for _, a, b in pairs])
    narrow = [
        (b.std / a.std, name)
        for (name, a, b), is_narrowed in zip(pairs, narrowed, strict=True)
        if is_narrowed and b.std < NARROWER * a.std
    ]
    if narrow:
        least = min(narrow)[0]
        listed = ", ".join(f"{name} {percent(share)}" for share, name in sorted(narrow))
        yield Finding(
            "less variety",
            "serious" if least < 0.5 else "warning",
            f"Less variety than in the data: {', '.join(name for _, name in sorted(narrow))}",
            f"Standard deviation, as a part of the data's: {listed}.",
            "The model makes the middle of its data and leaves out the ends.",
            "Sample with truncation 1; longer training widens it.",
        )


def _moved(a: Spread, b: Spread) -> float:
    """Welch's test of two means; with hundreds of images the normal law is close enough."""
    error = math.sqrt(a.std**2 / a.count + b.std**2 / b.count)
    return two_sided((b.mean - a.mean) / error) if error else 1.0


def _narrowed(a: Spread, b: Spread) -> float:
    """Test two deviations by the logarithm of their ratio.

    Its variance is (kurtosis - 1) / 4N each; a kurtosis of 6, twice the normal law's, is on the safe
    side for what is measured here.
    """
    if not b.std:
        return 0.0
    error = math.sqrt(1.25 / a.count + 1.25 / b.count)
    return two_sided(math.log(b.std / a.std) / error)
