"""The health monitor: three lines in a PyTorch GAN loop that is not ours."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from facesmith.health.facts import RunFacts
from facesmith.health.finding import Finding
from facesmith.health.findings import diagnose
from facesmith.health.visits import History, Visit, alarm, is_due, news
from facesmith.measuring import networks as describing
from facesmith.measuring.aside import bare
from facesmith.measuring.gradients import Gradients
from facesmith.measuring.meter import Meter
from facesmith.measuring.outputs import Outputs, kind_of, losses_of_logits, sigmoids, to_logits
from facesmith.measuring.recording import PLAYERS, Reached, make_record
from facesmith.measuring.stopwatch import Stopwatch
from facesmith.monitor.instruments import SLOW, Instruments
from facesmith.monitor.journal import PHOTOS, REALS, Journal, sheet_name

log = logging.getLogger(__name__)
Batch = TypeVar("Batch")
Known = dict[str, Any]
"""Tensors or numbers by name; what the loop did not give is absent."""
EVERY = 1_000
"""Images between two records, unless measuring would take too long."""
RECORDS = 100
"""Of a short training."""
SHARE = 0.02
"""Of the time that measuring may take where no pace is given."""


class HealthMonitor:
    """Watches a GAN's training loop and says what is wrong with it; changes nothing, not even by rounding.

    It writes a folder that `facesmith diagnose` understands: run.json, metrics.jsonl, events.jsonl, samples.

    Args:
        generator: The generator, before its first update.
        discriminator: The discriminator, or critic.
        folder: Where to write.
        optimizers: Those of the generator and of the discriminator; without them, gradients and learning
            rates stay unknown.
        images: Real images that the training is to see in all, if that is planned.
        latents: Fixed latents; the first that the generator is given, by default.
        held_out: Real images (N, C, H, W) that are not trained on, prepared like the others: they tell
            whether the discriminator learns by heart.
        average: A moving average of the generator, if there is one.
        loss: A criterion of outputs and targets, such as `nn.BCELoss()`, or a pair of functions, the losses
            of discriminator and generator, each of the outputs for real images and for fakes.
        outputs: Whether the discriminator gives logits or probabilities; `auto` looks.
        low: The lowest value of the generator's range; by default what its last module, or the data, says.
        high: The highest.
        every: Images between two records; by default 1,000, and more where measuring would take longer than
            a fiftieth of the time.
        images_seen: Where the training goes on from.

    Raises:
        UsageError: The optimisers are in the wrong order, or the folder is a run of facesmith's own.
        StorageError: The folder cannot be written.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        folder: str | Path,
        *,
        optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer] | None = None,
        images: int = 0,
        latents: Tensor | None = None,
        held_out: Tensor | None = None,
        average: nn.Module | None = None,
        loss: Any = None,
        outputs: Literal["auto", "logits", "probabilities"] = "auto",
        low: float | None = None,
        high: float | None = None,
        every: int | None = None,
        images_seen: int = 0,
    ) -> None:
        self.networks = dict(zip(PLAYERS, (bare(generator), bare(discriminator)), strict=True))
        self.optimizers = dict(zip(PLAYERS, optimizers, strict=True)) if optimizers else {}
        self.images_seen, self.steps, self.seconds = images_seen, 0, 0.0
        self.every, self._is_paced = every or _pace(images), every is not None
        self._loss, self._outputs = loss, outputs
        self.journal = Journal(Path(folder), images_seen)
        self.history = History()
        for record in self.journal.earlier():
            self.history.add(record)
            self.steps, self.seconds = record.steps, record.seconds
        self._networks = self.journal.facts().networks or {
            player: describing.describe(network) for player, network in self.networks.items()
        }
        self.facts = RunFacts(planned=images, networks=self._networks)
        self.meter, self.stopwatch = Meter(), Stopwatch(self)
        self.gradients = Gradients(self.networks, self.optimizers, self.meter)
        self.instruments = Instruments(
            self.networks, average, latents, held_out, self._judge, low, high
        )
        self._told: dict[str, dict[str, Any]] = {}
        self._warned: set[str] = set()
        self._number, self._last, self._due, self._cost = 0, images_seen, False, 0.0
        self._failed = False

    def step(
        self,
        *,
        real: Tensor,
        fake: Tensor,
        real_logits: Tensor | None = None,
        fake_logits: Tensor | None = None,
        discriminator_loss: Tensor | float | None = None,
        generator_loss: Tensor | float | None = None,
    ) -> None:
        """Take note of an update, right after it.

        Args:
            real: Real images of the update (N, C, H, W), as the discriminator saw them.
            fake: Fakes of the update.
            real_logits: What the discriminator gave for the real images, in its own update: (N,), (N, 1),
                (N, 1, 1, 1), or patches (N, 1, H, W).
            fake_logits: What it gave for the fakes then.
            discriminator_loss: Its loss, over reals and fakes, without penalties.
            generator_loss: The generator's; None in a round in which it was not updated.
        """
        begin = time.perf_counter()
        outputs = _known(real_logits=real_logits, fake_logits=fake_logits)
        losses = _known(discriminator_loss=discriminator_loss, generator_loss=generator_loss)
        logits: dict[str, Tensor] = {}
        try:
            if not self.facts.batch:
                self._begin(real, outputs, losses)
            logits = {name: to_logits(given, self._kind) for name, given in outputs.items()}
            self._measure(logits, losses)
            self.instruments.show(real)
        except Exception as error:  # such as outputs that are no tensor
            self._give_up(error)
        self.images_seen += len(real)
        self.steps += generator_loss is not None
        try:
            if self._due:
                count = sigmoids(self._kind, **outputs, **losses)
                latest = {"real": real.detach(), "fake": fake.detach(), **logits}
                self._record(latest, {} if math.isnan(count) else {"loss.sigmoids": count})
                if self._number > 1:  # the first also sets everything up
                    self._cost = time.perf_counter() - begin
            self._due = self._is_due(len(real))
            if self._due:
                self.gradients.examination = self.instruments.begin()
        except Exception as error:  # whatever is wrong with the doctor: the patient goes on
            self._give_up(error)
        self.stopwatch.add("signals", time.perf_counter() - begin)

    def loading(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Pass batches on, and count the time that the loop waits for them.

        Args:
            batches: Such as a DataLoader: `for real in monitor.loading(loader)`.

        Yields:
            The batches.
        """
        iterator = iter(batches)
        while True:
            begin = time.perf_counter()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            self.stopwatch.add("data", time.perf_counter() - begin)
            yield batch

    def findings(self) -> list[Finding]:
        """Diagnose what was recorded so far.

        Returns:
            Findings, causes before their consequences.
        """
        return diagnose(self.history.records, self.facts) if self.history.records else []

    def health(self) -> str:
        """Say how the training is, in a line."""
        if not self.history.records:
            return "health: nothing recorded yet"
        return Visit(self.images_seen, tuple(self.findings())).line()

    def close(self) -> None:
        """Take every hook off the networks and optimisers."""
        self._due = False
        self.instruments.close()
        self.gradients.close()

    @property
    def _kind(self) -> Outputs:
        """What the discriminator gives."""
        kind: Outputs = self._networks["discriminator"]["outputs"]
        return kind

    def _judge(self, discriminator: nn.Module, images: Tensor) -> Tensor:
        weight = next(discriminator.parameters(), images)
        return to_logits(discriminator(images.to(weight.dtype)), self._kind)

    def _begin(self, real: Tensor, outputs: Known, losses: Known) -> None:
        """Look at the first update: what are the outputs, how large is a batch?"""
        discriminator = self.networks["discriminator"]
        self._networks["discriminator"]["outputs"] = (
            kind_of(discriminator, **outputs, **losses)
            if self._outputs == "auto"
            else self._outputs
        )
        described = {}
        if self._loss is not None:
            try:
                described = describing.describe_loss(*losses_of_logits(self._loss, self._kind))
            except Exception as error:  # it may expect other shapes, or another device
                log.warning("the loss could not be tried (%s)", error)
        self.facts = replace(self.facts, batch=len(real), loss=described)
        self.journal.describe(self.facts, self.optimizers)
        self.journal.event("started", images_seen=self.images_seen, compute=str(real.device))

    @torch.no_grad()
    def _measure(self, logits: dict[str, Tensor], losses: Known) -> None:
        for name, values in logits.items():
            self.meter.add(name, values)
        for name, loss in losses.items():
            value = torch.as_tensor(loss, device=self.instruments.device)
            self.meter.add(name, value.detach().float().mean())

    def _record(self, latest: dict[str, Tensor], signals: dict[str, float]) -> None:
        is_first = self.instruments.probe is None
        found, layers = self.instruments.look(latest, self._number)
        found.signals.update(signals)
        self.gradients.examination = None
        if not self.optimizers:  # nobody knows whose gradients lie in the weights now
            layers = {
                name: {what: value for what, value in values.items() if "gradient" not in what}
                for name, values in layers.items()
            }
        speed, shares = self.stopwatch.read()
        if "time.data" not in shares:
            shares.pop("time.compute", None)  # which would include it
        reached = Reached(self.images_seen, self.steps, self.seconds, speed, shares)
        record = make_record(reached, self.meter.read(), found, layers, self.optimizers)
        self.history.add(record)
        self.journal.record(record)
        if (probe := self.instruments.probe) is not None:
            if is_first:
                data = self.instruments.facts()
                self.facts = replace(self.facts, data=data, low=probe.low, high=probe.high)
                self.journal.describe(self.facts, self.optimizers)
                self.journal.sheet(REALS, probe.pictures(latest["real"]), PHOTOS)
            if self._number % SLOW == 0 and probe.fakes is not None:
                self.journal.sheet(sheet_name(self.images_seen), probe.fakes)
        self._number, self._last = self._number + 1, self.images_seen
        if is_due(self._number, self._number - 1, 1):
            self._tell()

    def _tell(self) -> None:
        now = Visit(self.images_seen, tuple(self.findings()))
        for kind, event in news(self._told, now):
            self.journal.event(kind, **event)
        for name, finding in now.ill.items():
            if name not in self._warned:
                self._warned.add(name)
                log.warning("%s", alarm(finding))

    def _is_due(self, batch: int) -> bool:
        """Say whether a record is to follow the next update."""
        after = self.images_seen + batch
        if self.images_seen < self.facts.planned <= after:
            return True
        if after - self._last < self.every:
            return False
        if self._is_paced:
            return True
        can_afford = self.stopwatch.since_reading() * SHARE >= self._cost
        return can_afford and self.instruments.knows_enough

    def _give_up(self, error: Exception) -> None:
        if not self._failed:
            log.warning("not measured (%s: %s); training goes on", type(error).__name__, error)
            log.debug("measuring failed", exc_info=error)
        self._failed = True


def _known(**given: Tensor | float | None) -> Known:
    return {name: value for name, value in given.items() if value is not None}


def _pace(planned: int) -> int:
    return min(EVERY, max(1, planned // RECORDS)) if planned else EVERY
