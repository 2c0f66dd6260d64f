"""What is tried now and then: the same latents again, images that D has never seen, D before its update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facesmith.measuring import pictures
from facesmith.measuring.aside import duplicate
from facesmith.measuring.layers import Examination
from facesmith.measuring.logits import quantiles, separation
from facesmith.measuring.networks import DROPOUTS, NORMS
from facesmith.measuring.pictures import Pictures
from facesmith.measuring.reference import Reference

FIXED = 48
"""Fakes of fixed latents that are looked at."""
HELD_OUT = 32
"""Held-out images that D judges at a time; all of them have their turn."""
CALLS, CHANGE = 24, 0.02
"""Times that D is asked at most, and the part of its spread that no longer is a change."""
REMEMBERED = 31
"""Batches of real images whose features are kept, to tell a lasting shift from a passing one."""
FAINT = 0.02
"""Of the range: a grain that nobody sees, and that hides what nobody could see."""
RING = 0.06
"""Of the width: the border that is exchanged between reals and fakes."""
EVERY = 4
"""Records between two tests of what takes longer to test than to change."""


@dataclass(frozen=True)
class Found:
    """What a probe found: signals and quantiles of a record."""

    signals: dict[str, float] = field(default_factory=dict)
    quantiles: dict[str, list[float]] = field(default_factory=dict)


class Probe:
    """Looks at a moment of a training.

    Args:
        latents: Fixed latents (FIXED, size), on the device; None where they are not known.
        reals: Some hundred real images (N, C, H, W) of the networks' range; others are compared with them.
        held_out: Held-out images of the same kind; None where there are none.
        low: The lowest value that the generator gives.
        high: The highest.
    """

    def __init__(
        self,
        latents: Tensor | None,
        reals: Tensor,
        held_out: Tensor | None,
        *,
        low: float,
        high: float,
    ) -> None:
        self.latents, self.held_out = latents, held_out
        self.low, self.high = low, high
        self.reference = Reference.of(self.pictures(reals))
        self.fakes: Pictures | None = None
        """Of the fixed latents, as the newest look saw them; the average's where there is one."""
        self._last: list[NDArray[np.float64]] = []
        self._last_average: NDArray[np.float64] | None = None
        self._reals: list[NDArray[np.float64]] = []

    def pictures(self, images: Tensor) -> Pictures:
        """Bring images (N, C, H, W) of the networks' range to (N, H, W, C) from 0 to 1."""
        values = (images.detach().float() - self.low) / (self.high - self.low)
        return values.permute(0, 2, 3, 1).contiguous().cpu().numpy()

    @torch.no_grad()
    def look(
        self,
        generator: nn.Module,
        average: nn.Module | None,
        examination: Examination | None,
        latest: dict[str, Tensor],
        judge: Callable[[nn.Module, Tensor], Tensor],
        number: int,
    ) -> Found:
        """Measure.

        Args:
            generator: As it trains.
            average: Its moving average in evaluation mode, if there is one.
            examination: Of the newest update; without one, what needs D before the update is left out.
            latest: `real`, `fake`, `real_logits`, `fake_logits` of the newest update.
            judge: Gives the logits of images as the update did, noise included.
            number: Of the record, counted over the whole run: held-out images take turns by it.

        Returns:
            Signals and quantiles.
        """
        signals = self.look_at_pictures(generator, average, latest)
        if examination is None or "real_logits" not in latest:
            return Found(signals)
        asked = self.ask_discriminator(examination, latest, judge, number)
        return Found(signals | asked.signals, asked.quantiles)

    @torch.no_grad()
    def look_at_pictures(
        self, generator: nn.Module, average: nn.Module | None, latest: dict[str, Tensor]
    ) -> dict[str, float]:
        """Measure reals and fakes.

        Args:
            generator: As it trains.
            average: Its moving average in evaluation mode, if there is one.
            latest: `real` and `fake` of the newest update.

        Returns:
            Signals.
        """
        with np.errstate(all="ignore"):  # a diverged generator gives infinities
            signals = self._real(latest["real"])
            if self.latents is not None:
                self.fakes = self._fakes(generator, self.latents)
                rows = pictures.flatten(self.fakes)
                signals |= self._fake(self.fakes, rows)
                signals |= self._movement(rows)
                if average is not None:
                    self.fakes = self.pictures(average(self.latents))
                    signals |= self._average(pictures.flatten(self.fakes), rows)
            signals |= self._batch(latest["fake"])
        return signals

    @torch.no_grad()
    def ask_discriminator(
        self,
        examination: Examination,
        latest: dict[str, Tensor],
        judge: Callable[[nn.Module, Tensor], Tensor],
        number: int,
    ) -> Found:
        """Let the discriminator, as it was before the newest update, judge other images.

        Args:
            examination: Of that update.
            latest: `real`, `fake`, `real_logits`, `fake_logits` of it.
            judge: Gives the logits of images as the update did, noise included.
            number: Of the record, counted over the whole run: held-out images take turns by it.

        Returns:
            Signals and quantiles.
        """
        signals: dict[str, float] = {}
        before = without_chance(examination.before["discriminator"])
        # Not before: its own look moves the copy's statistics and fills what a module may remember.
        if number % EVERY == 0 and "fake_logits" in latest:
            signals |= self._dependence(before, latest, judge)
            signals |= self._trivial(before, latest, judge)
        found, held_out = self._unseen(before, latest, judge, number)
        return Found(signals | found, {"held_out_logits": held_out} if held_out else {})

    def _real(self, real: Tensor) -> dict[str, float]:
        shown = self.pictures(real)
        measured = pictures.describe(shown)
        rows = pictures.flatten(shown)
        between = pictures.distances(rows, rows)
        if len(rows) > 2:
            others = pictures.pairs(between)
            measured["order"] = float(np.diag(between, 1).mean() / (others.mean() + 1e-12))
            measured["copies"] = float((others < pictures.SAVED_AGAIN).mean())
            measured["diversity"] = float(others.mean() / self.reference.distance)
        self._reals = [*self._reals[-REMEMBERED:], pictures.features(shown)]
        measured["shift"] = self.reference.shift(self._reals[-1])
        measured["bias"], measured["spread_bias"] = self.reference.bias(np.concatenate(self._reals))
        measured["odd"] = self.reference.odd(pictures.describe_each(shown))
        return {f"reals.{name}": value for name, value in measured.items()}

    def _fakes(self, generator: nn.Module, latents: Tensor) -> Pictures:
        # A copy: its batch norm works on this batch, and its statistics may move.
        own = duplicate(generator).train()
        for module in own.modules():
            if not isinstance(module, NORMS) and not list(module.children()):
                module.training = False  # dropout and noise would hide what moved
        return self.pictures(own(latents))

    def _fake(self, fakes: Pictures, rows: NDArray[np.float64]) -> dict[str, float]:
        measured = pictures.describe(fakes)
        if not np.isfinite(rows).all():
            return {}
        between = pictures.distances(rows, rows)
        features = pictures.features(fakes)
        apart = pictures.distances(features, features)
        measured["diversity"] = float(pictures.pairs(between).mean() / self.reference.distance)
        measured["features_diversity"] = float(
            pictures.pairs(apart).mean() / self.reference.features_distance
        )
        measured["twins"] = float((pictures.nearest(apart) < self.reference.twin).mean())
        measured["dimension"] = pictures.dimension(rows)
        measured["shift"] = self.reference.shift(features)
        return {f"fakes.{name}": value for name, value in measured.items()}

    def _batch(self, fake: Tensor) -> dict[str, float]:
        if len(fake) < 3:
            return {}
        shown = self.pictures(fake)
        rows = pictures.flatten(shown)
        if not np.isfinite(rows).all():
            return {}
        between = pictures.pairs(pictures.distances(rows, rows))
        features = pictures.features(shown)
        apart = pictures.distances(features, features)
        return {
            "batch.diversity": float(between.mean() / self.reference.distance),
            "batch.copies": float((between < pictures.COPY).mean()),
            "batch.twins": float((pictures.nearest(apart) < self.reference.twin).mean()),
        }

    def _movement(self, rows: NDArray[np.float64]) -> dict[str, float]:
        if not np.isfinite(rows).all():
            return {}
        measured: dict[str, float] = {}
        if self._last:
            moved = rows - self._last[-1]
            unit = self.reference.distance
            measured["movement"] = float(np.sqrt((moved**2).mean(axis=1)).mean() / unit)
            measured["movement.mean"] = float(np.sqrt((moved.mean(axis=0) ** 2).mean()) / unit)
            if len(self._last) > 1:
                # -0.5 for jitter around a place, -1 for back and forth, above 0 for going somewhere.
                earlier = (self._last[-1] - self._last[-2]).mean(axis=0)
                now = moved.mean(axis=0)
                size = np.linalg.norm(earlier) * np.linalg.norm(now)
                measured["movement.turn"] = float(earlier @ now / size) if size > 0 else 0.0
        self._last = [*self._last[-1:], rows]
        return measured

    def _average(self, shown: NDArray[np.float64], rows: NDArray[np.float64]) -> dict[str, float]:
        if not (np.isfinite(shown).all() and np.isfinite(rows).all()):
            return {}
        unit = self.reference.distance
        measured = {
            "average.distance": float(np.sqrt(((shown - rows) ** 2).mean(axis=1)).mean() / unit),
            "average.diversity": float(
                pictures.pairs(pictures.distances(shown, shown)).mean() / unit
            ),
        }
        if self._last_average is not None:
            moved = np.sqrt(((shown - self._last_average) ** 2).mean(axis=1)).mean()
            measured["average.movement"] = float(moved / unit)
        self._last_average = shown
        return measured

    def _unseen(
        self,
        before: nn.Module,
        latest: dict[str, Tensor],
        judge: Callable[[nn.Module, Tensor], Tensor],
        number: int,
    ) -> tuple[dict[str, float], list[float]]:
        if self.held_out is None:
            return {}, []
        begin = number * HELD_OUT % len(self.held_out)
        places = torch.arange(begin, begin + HELD_OUT, device=self.held_out.device)
        unseen = (
            judge(before, self.held_out[places % len(self.held_out)]).float().cpu().double().numpy()
        )
        seen = latest["real_logits"].float().cpu().double().numpy()
        measured = {
            "held_out_logits": float(unseen.mean()),
            "held_out_gap": separation(seen, unseen),
        }
        return measured, quantiles(unseen)

    def _dependence(
        self,
        before: nn.Module,
        latest: dict[str, Tensor],
        judge: Callable[[nn.Module, Tensor], Tensor],
    ) -> dict[str, float]:
        """Judge reals and fakes again, apart and in one batch: which equals the verdict of the training?"""
        real, fake = latest["real"], latest["fake"]
        given = latest["real_logits"].float().mean() - latest["fake_logits"].float().mean()
        alone = [settled(before, images, judge) for images in (real, fake)]
        together = settled(before, torch.cat([real, fake]), judge)
        spread = torch.cat([alone[0] - alone[0].mean(), alone[1] - alone[1].mean()]).std() + 1e-6
        apart = alone[0].mean() - alone[1].mean()
        mixed = together[: len(real)].mean() - together[len(real) :].mean()
        half = max(1, len(real) // 2)
        without = settled(before, real[:half], judge)
        return {
            "leak": float((given - apart) / spread),
            "leak.mixed": float((given - mixed) / spread),
            "dependence": float((without - alone[0][:half]).abs().mean() / spread),
        }

    def _trivial(
        self,
        before: nn.Module,
        latest: dict[str, Tensor],
        judge: Callable[[nn.Module, Tensor], Tensor],
    ) -> dict[str, float]:
        """Take trivial differences away from reals and fakes: what is left of the gap of their logits?"""
        real, fake = latest["real"], latest["fake"]
        count = min(len(real), len(fake))
        real, fake = real[:count], fake[:count]
        if count < 4 or real.shape != fake.shape:
            return {}

        def gap(reals: Tensor, fakes: Tensor) -> float:
            return float(judge(before, reals).float().mean() - judge(before, fakes).float().mean())

        spread = self.high - self.low
        # The same pattern in each test: no random number of the training is used up.
        pattern = torch.linspace(0, 1, real[0].numel(), device=real.device).mul(9973.0).sin()
        grain = (FAINT * spread * 2**0.5 * pattern.reshape(real.shape[1:])).to(real.dtype)
        inside = torch.zeros_like(real[:1, :1], dtype=torch.bool)
        ring = max(1, round(RING * real.shape[2]))
        inside[..., ring:-ring, ring:-ring] = True
        levels = [images.float().mean(dim=(0, 2, 3), keepdim=True) for images in (real, fake)]
        whole = gap(real, fake)
        if not abs(whole) > 1e-6:
            return {}
        left = {
            "grain": gap(real + grain, fake + grain),
            "ring": gap(torch.where(inside, real, fake), torch.where(inside, fake, real)),
            "level": gap(real + (levels[1] - levels[0]).to(real.dtype), fake),
        }
        return {f"trivial.{name}": float(value / whole) for name, value in left.items()}


def without_chance(network: nn.Module) -> nn.Module:
    """Let a copy work as in training, but for dropout, which would hide what else changes.

    Args:
        network: The copy; its norms, of whatever make, work as they do in training.

    Returns:
        The same.
    """
    network.train()
    for module in network.modules():
        if isinstance(module, DROPOUTS):
            module.eval()
    return network


def settled(
    discriminator: nn.Module, images: Tensor, judge: Callable[[nn.Module, Tensor], Tensor]
) -> Tensor:
    """Judge images until the verdict does not change any more: a network may remember what it saw before.

    Args:
        discriminator: A copy, whose memory may change.
        images: Shape (N, C, H, W).
        judge: Gives their logits.

    Returns:
        Logits (N,).
    """
    last = judge(discriminator, images).float()
    for _ in range(CALLS):
        logits = judge(discriminator, images).float()
        if bool((logits.mean() - last.mean()).abs() <= CHANGE * logits.std(correction=0) + 1e-6):
            return logits
        last = logits
    return last
