"""The doctor's instruments, set up for two networks of which little is known."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from facesmith.evaluation.distances import sliced_wasserstein, spectrum_distance
from facesmith.measuring import pictures
from facesmith.measuring.aside import duplicate, unnoticed
from facesmith.measuring.layers import Examination, Layers
from facesmith.measuring.outputs import ends_in
from facesmith.measuring.pictures import Pictures
from facesmith.measuring.probe import FIXED, Found, Probe

log = logging.getLogger(__name__)
REFERENCE = 256
"""Real images that fakes are compared with: the first that the loop shows."""
SLOW = 8
"""Records between two measurements of the distance to real images."""
FEW = 4
"""Latents or images that are too few to compare."""
SMALLEST = 8
"""Height of the smallest pictures that are looked at."""
RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))


class Instruments:
    """Measures at a record what does not change the training.

    Args:
        networks: By player, bare.
        average: The generator's moving average, if there is one.
        latents: Fixed latents; by default the first that the generator is given.
        held_out: Images (N, C, H, W) that are not trained on, if there are any.
        judge: Gives the logits of images.
        low: The generator's lowest value; by default what its last module, or the data, says.
        high: Its highest.
    """

    def __init__(
        self,
        networks: dict[str, nn.Module],
        average: nn.Module | None,
        latents: Tensor | None,
        held_out: Tensor | None,
        judge: Callable[[nn.Module, Tensor], Tensor],
        low: float | None,
        high: float | None,
    ) -> None:
        self.networks, self.average, self.held_out, self.judge = networks, average, held_out, judge
        self.range = (low, high)
        self.probe: Probe | None = None
        self.others: Pictures | None = None
        """Real pictures, held out if there are such."""
        self.examination: Examination | None = None
        self._latents = None if latents is None else latents[:FIXED]
        self._reals: list[Tensor] = []
        self._failed: set[str] = set()
        self._listening = self._overhear(networks["generator"]) if latents is None else None

    @property
    def device(self) -> torch.device:
        """Where the generator computes."""
        return next(
            (p.device for p in self.networks["generator"].parameters()), torch.device("cpu")
        )

    @property
    def knows_enough(self) -> bool:
        """Whether so many real images were shown that others may be compared with them."""
        return self.probe is not None or sum(map(len, self._reals)) >= REFERENCE

    def show(self, real: Tensor) -> None:
        """Take note of real images (N, C, H, W), as long as more are wanted."""
        if self.probe is None and not self.knows_enough:
            self._reals.append(real.detach().clone())

    def begin(self) -> Examination | None:
        """Watch the update that comes; a record follows it."""
        self.end()
        self.examination = self._attempt(
            "the networks cannot be copied",
            Examination(self.networks["generator"], self.networks["discriminator"]).__enter__,
        )
        return self.examination

    def end(self) -> None:
        """Stop watching."""
        if self.examination is not None:
            self.examination.__exit__(None, None, None)

    def close(self) -> None:
        """Take every hook off the networks."""
        self.end()
        if self._listening is not None:
            self._listening.remove()

    def look(self, latest: dict[str, Tensor], number: int) -> tuple[Found, Layers]:
        """Measure at a record.

        Args:
            latest: `real`, `fake` and, where known, `real_logits`, `fake_logits` of the update just made.
            number: Of the record.

        Returns:
            Signals and quantiles; numbers of each layer.
        """
        self.end()
        examination, self.examination = self.examination, None
        layers = {} if examination is None else examination.layers()
        with unnoticed(self.device):
            if self.probe is None:
                self._set_up(latest["real"])
            if (probe := self.probe) is None:
                return Found(), layers
            average = None if self.average is None else duplicate(self.average).eval()
            signals = probe.look_at_pictures(self.networks["generator"], average, latest)
            if number % SLOW == 0 and self.others is not None:
                signals |= self._distances(probe, latest, self.others)
            asked = None
            if examination is not None and "real_logits" in latest:
                asked = self._attempt(
                    "the discriminator cannot be asked apart from the loop",
                    lambda: probe.ask_discriminator(examination, latest, self.judge, number),
                )
        asked = asked or Found()
        return Found(signals | asked.signals, asked.quantiles), layers

    def facts(self) -> dict[str, Any]:
        """Describe the data as the networks see it, as far as it is known by now."""
        seen = {} if self.probe is None else {"seen": self.probe.reference.measured}
        held_out = {} if self.held_out is None else {"held_out": len(self.held_out)}
        return {**seen, **held_out}

    def _set_up(self, real: Tensor) -> None:
        reals = torch.cat(self._reals) if self._reals else real
        self._reals = []
        if reals.ndim != 4 or min(reals.shape[2:]) < SMALLEST or len(reals) < FEW:
            self._give_up("pictures are not looked at", f"images of the shape {tuple(real.shape)}")
            return
        generator = self.networks["generator"]
        low, high = range_of(generator, reals)
        low, high = (
            given if given is not None else own
            for given, own in zip(self.range, (low, high), strict=True)
        )
        latents = self._latents
        if latents is not None and (
            len(latents) < FEW
            or self._attempt(
                "the generator cannot be asked apart from the loop",
                lambda: duplicate(generator)(latents),
            )
            is None
        ):
            latents = None
        self.probe = Probe(latents, reals[:REFERENCE], self.held_out, low=low, high=high)
        self.others = self.probe.pictures(
            reals[:REFERENCE] if self.held_out is None else self.held_out[:REFERENCE]
        )

    def _distances(
        self, probe: Probe, latest: dict[str, Tensor], others: Pictures
    ) -> dict[str, float]:
        """Measure how far the newest fakes are from real pictures, and as many real ones from them."""
        fakes, reals = probe.pictures(latest["fake"]), probe.pictures(latest["real"])
        if len(fakes) < FEW or fakes.shape[1:] != reals.shape[1:] or not np.isfinite(fakes).all():
            return {}
        spectra = [pictures.spectrum(images) for images in (fakes, reals, others)]
        return {
            "distance": sliced_wasserstein(fakes, others),
            "distance.floor": sliced_wasserstein(reals, others),
            "spectrum_distance": spectrum_distance(spectra[0], spectra[2]),
            "spectrum_distance.floor": spectrum_distance(spectra[1], spectra[2]),
        }

    def _overhear(self, generator: nn.Module) -> RemovableHandle:
        def listen(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            handle.remove()
            if len(inputs) == 1 and isinstance(inputs[0], Tensor):
                self._latents = inputs[0][:FIXED].detach().clone()

        handle = generator.register_forward_pre_hook(listen)
        return handle

    def _attempt(self, what: str, do: Callable[[], Any]) -> Any:
        """Do what networks that we do not know may refuse; None if they do."""
        if what in self._failed:
            return None
        try:
            return do()
        except Exception as error:
            self._give_up(what, f"{type(error).__name__}: {error}")
            return None

    def _give_up(self, what: str, why: str) -> None:
        self._failed.add(what)
        log.warning("%s (%s); what this would tell is left out", what, why)


def range_of(generator: nn.Module, reals: Tensor) -> tuple[float, float]:
    """Say from where to where a generator's values go.

    Args:
        generator: One that ends in a tanh or sigmoid module says it itself.
        reals: What an unbounded one learns from.

    Returns:
        The lowest and the highest value.
    """
    if ends_in(generator, nn.Tanh):
        return -1.0, 1.0
    if ends_in(generator, nn.Sigmoid):
        return 0.0, 1.0
    low, high = float(reals.min()), float(reals.max())
    near = 0.01 * (high - low)
    for lowest, highest in RANGES:
        if lowest - near <= low and high <= highest + near:
            return lowest, highest
    return low, high if high > low else low + 1.0
