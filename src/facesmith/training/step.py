"""One update of each player."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facesmith.measuring.meter import Meter
from facesmith.objectives.penalties import Pass
from facesmith.training.state import TrainingState


def update_discriminator(state: TrainingState, real: Tensor, fake: Tensor, meter: Meter) -> None:
    """Teach the discriminator to tell a batch of reals from a batch of fakes.

    Args:
        state: Its discriminator and optimiser change.
        real: Real images (N, C, H, W) as the networks see them.
        fake: Generated images of the same shape; their graph is cut.
        meter: Takes the measurements.
    """
    recipe, discriminator = state.recipe, state.discriminator
    meter.keep(real=real, fake=fake)
    real, fake = noisy(real, state), noisy(fake.detach(), state)
    real_logits = discriminator(real).float()
    fake_logits = discriminator(fake).float()
    loss = recipe.loss.discriminator(real_logits, fake_logits).mean()
    pass_ = Pass(real, fake, real_logits, fake_logits, discriminator, state.images_seen)
    total = loss
    update = state.images_seen // recipe.batch
    for number, penalty in enumerate(recipe.penalties):
        if update % penalty.every == 0:
            # Due now and then, and then for all the updates in between.
            value = penalty(pass_).mean() * penalty.every
            total = total + value
            meter.add(f"penalty/{number}.{type(penalty).__name__}", value)
    state.discriminator_optimizer.zero_grad(set_to_none=True)
    total.backward()
    gradient, finite = step(state.discriminator_optimizer, discriminator, total)
    meter.add("discriminator_loss", loss)
    meter.add("discriminator_gradient", gradient)
    meter.add("finite/discriminator", finite)
    meter.add("real_logits", real_logits)
    meter.add("fake_logits", fake_logits)
    meter.keep(real_logits=real_logits, fake_logits=fake_logits)


def update_generator(state: TrainingState, real: Tensor, fake: Tensor, meter: Meter) -> None:
    """Teach the generator to make fakes that the discriminator takes for real.

    Args:
        state: Its generator and optimiser change.
        real: Real images (N, C, H, W); looked at only by losses that compare.
        fake: Generated images with their graph.
        meter: Takes the measurements.
    """
    recipe, discriminator = state.recipe, state.discriminator
    # A frozen discriminator makes no gradients for weights that would be thrown away.
    discriminator.requires_grad_(False)
    real_logits = torch.empty(0, device=fake.device)
    if recipe.loss.needs_real:
        with torch.no_grad():
            real_logits = discriminator(noisy(real, state)).float()
    fake_logits = discriminator(noisy(fake, state)).float()
    loss = recipe.loss.generator(real_logits, fake_logits).mean()
    state.generator_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    discriminator.requires_grad_(True)
    gradient, finite = step(state.generator_optimizer, state.generator, loss)
    meter.add("generator_loss", loss)
    meter.add("generator_gradient", gradient)
    meter.add("finite/generator", finite)


def step(
    optimizer: torch.optim.Optimizer, network: nn.Module, loss: Tensor
) -> tuple[Tensor, Tensor]:
    """Move the weights, unless a loss or gradient is not finite; decided on the device.

    Args:
        optimizer: Moves the weights.
        network: Whose gradients have been computed.
        loss: What they are gradients of.

    Returns:
        Norm of all gradients; 1 if the step was made, else 0. Both are scalars on the device.
    """
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    finite = (torch.isfinite(norm) & torch.isfinite(loss)).float()
    if getattr(optimizer, "_step_supports_amp_scaling", False):
        # Fused optimisers take the verdict as a tensor: no wait for the device.
        optimizer.found_inf = 1 - finite  # type: ignore[attr-defined]
        optimizer.step()
    elif finite.item():
        optimizer.step()
    return norm, finite


def noisy(images: Tensor, state: TrainingState) -> Tensor:
    """Add the scheduled Gaussian noise that blurs what the discriminator can tell apart (1701.04862)."""
    strength = state.recipe.input_noise(state.images_seen)
    return images + strength * torch.randn_like(images) if strength > 0 else images
