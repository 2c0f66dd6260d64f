"""All that a record may hold, by name: what it is called, what it means, and from where to where it goes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Signal:
    """A number of a record."""

    title: str
    """A few words, for an axis or a table."""
    meaning: str
    """One plain sentence."""
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""


def share(title: str, meaning: str, unit: str = "share") -> Signal:
    """Describe a number from 0 to 1."""
    return Signal(title, meaning, 0.0, 1.0, unit)


def size(title: str, meaning: str, unit: str = "") -> Signal:
    """Describe a number that is not negative."""
    return Signal(title, meaning, 0.0, math.inf, unit)


FIELDS = {
    "images_seen": size("images seen", "Real images drawn since the start.", "images"),
    "steps": size("updates", "Updates of the generator since the start."),
    "seconds": size("time", "Time spent in training, over all sittings.", "s"),
    "images_per_second": size("speed", "Real images a second, everything included.", "images/s"),
    "memory_bytes": size("memory", "Resident memory of the process.", "bytes"),
    "discriminator_loss": Signal("D's loss", "The discriminator's loss, without penalties."),
    "generator_loss": Signal("G's loss", "The generator's loss."),
    "real_logits": Signal("D's logit for reals", "Mean raw output of D for training images."),
    "fake_logits": Signal("D's logit for fakes", "Mean raw output of D for fakes."),
    "real_probability": share("D(real)", "Mean sigmoid of D's output for training images.", ""),
    "fake_probability": share("D(fake)", "Mean sigmoid of D's output for fakes.", ""),
    "real_sign": Signal(
        "signs for reals", "Share of positive logits of training images, times 2, minus 1.", -1, 1
    ),
    "non_finite": share(
        "updates not finite", "Updates whose loss or gradient was not finite; the worse player's."
    ),
}
DISCRIMINATION = {
    "separation": share(
        "pairs that D ranks rightly",
        "Share of pairs of a real image and a fake of which D ranks the real one higher; 0.5 is guessing.",
    ),
    "fake_sign": Signal(
        "signs for fakes", "Share of positive logits of fakes, times 2, minus 1.", -1, 1
    ),
    "real_logits.spread": size("spread for reals", "Standard deviation of D's logits of reals."),
    "fake_logits.spread": size("spread for fakes", "Standard deviation of D's logits of fakes."),
    "logits.low": Signal("lowest logit", "The lowest logit since the last record."),
    "logits.high": Signal("highest logit", "The highest logit since the last record."),
    "held_out_logits": Signal(
        "D's logit for unseen reals",
        "Mean logit of held-out images, of D before its newest update.",
    ),
    "held_out_gap": share(
        "pairs that D knows by heart",
        "Share of pairs in which a training image has a higher logit than an unseen one; 0.5 is fair.",
    ),
    "leak": Signal(
        "what company adds to D's verdict",
        "Gap between D's verdicts on reals and fakes as it was trained, less that of each judged alone, in "
        "spreads of the logits; 0 where images are judged one by one.",
        unit="spreads",
    ),
    "leak.mixed": Signal(
        "what a mixture adds to D's verdict",
        "The same, less that of reals and fakes judged in one batch; 0 where D was trained on such.",
        unit="spreads",
    ),
    "dependence": Signal(
        "how much D minds the rest of its batch",
        "Change of D's verdict on real images if half of their batch is left out; 0 without batch norm.",
        unit="spreads",
        low=0.0,
    ),
    "trivial.grain": Signal(
        "gap left under a grain", "Share of D's gap that is left if a grain nobody sees is added."
    ),
    "trivial.ring": Signal(
        "gap left with borders exchanged",
        "Share of D's gap that is left if reals and fakes exchange their borders.",
    ),
    "trivial.level": Signal(
        "gap left at equal brightness",
        "Share of D's gap that is left if reals get the fakes' mean brightness and colour.",
    ),
    "loss.sigmoids": Signal(
        "sigmoids", "Sigmoids between D's logits and its reported cross entropy; 1 is right.", 1, 2
    ),
}
PLAYERS = {
    "{}_loss.spread": size("{}'s loss, spread", "Standard deviation of {}'s loss between updates."),
    "{}_gradient": size("{}'s gradient", "Norm of the gradient of all weights of {}."),
    "{}_gradient.max": size("{}'s largest gradient", "The largest norm since the last record."),
    "non_finite.{}": share("{}'s updates not finite", "Updates of {} that were not finite."),
    "learning_rates.{}": size("{}'s learning rate", "In force for {} now."),
    "{}.beta1": Signal("{}'s beta1", "First beta of Adam, or the momentum, of {}.", -1, 1),
    "{}.update": size(
        "{}'s update to weight", "How far the newest update moved the middle layer, by its norm."
    ),
    "{}.update_least": size("{}'s least update", "The same, of the layer that moved least."),
    "{}.gradient_to_weight": size(
        "{}'s gradient to weight",
        "Norm of the gradient by that of the weights, of the middle layer.",
    ),
    "{}.gradient_least": size("{}'s least gradient", "The same, of the layer with the least."),
    "{}.dead": share("{}'s dead units", "Channels never above zero, of the worst rectifier of {}."),
    "{}.saturated": share(
        "{}'s saturated units", "Values at the ends of the worst tanh or sigmoid of {}."
    ),
}
STATISTICS = {
    "mean": Signal("brightness", "Mean value, in units of the generator's range."),
    "std": size("contrast", "Standard deviation of all values."),
    "low": Signal("lowest value", "In units of the generator's range: 0 is its lowest."),
    "high": Signal("highest value", "In units of the generator's range: 1 is its highest."),
    "outside": share("out of range", "Values beyond the generator's range."),
    "saturated": share("at an end", "Values at an end of the range, quite black or white."),
    "flat": share("empty pictures", "Pictures of one even colour, whatever colour."),
    "channel_spread": size("spread of a channel", "Of the channel that varies most."),
    "chroma": size("colourfulness", "Mean distance of the channels from their grey."),
    "grey": share("grey pictures", "Pictures without colour."),
    "cold": share(
        "cold pictures", "Pictures with more blue than red in their middle; skin has less."
    ),
    "red": Signal("red", "Mean red in the middle of the pictures."),
    "green": Signal("green", "Mean green in the middle of the pictures."),
    "blue": Signal("blue", "Mean blue in the middle of the pictures."),
    "high_frequency": share("fine detail", "Share of power in the upper half of the frequencies."),
    "grid": Signal(
        "checkerboard", "Power at a grid's frequencies over that around them, as a logarithm.", 0.0
    ),
    "diversity": size("diversity", "Mean distance of two pictures, by that of two real ones."),
    "shift": size(
        "shift",
        "Distance of the mean features from the data's, in standard errors: 1 for the same law.",
    ),
}
BATCHES = {
    "reals.order": size(
        "likeness of neighbours",
        "Distance of neighbours in a batch by that of all; below 1 if sorted.",
    ),
    "reals.copies": share(
        "copies", "Pairs in a batch that are the same picture, saved again or not."
    ),
    "reals.bias": size(
        "lasting shift",
        "Of many batches from the first images, in standard errors: 1 for the same law.",
    ),
    "reals.spread_bias": size("lasting change of spread", "The same for the features' spread."),
    "reals.odd": share(
        "odd pictures",
        "Pictures unlike the others in detail, bare rows, contrast, or how rows fit.",
    ),
    "fakes.features_diversity": size(
        "diversity in features", "Mean distance of two fakes in features, by that of two real ones."
    ),
    "fakes.twins": share(
        "twins", "Fakes of fixed latents with a fellow as near as 2 % of real pictures have one."
    ),
    "fakes.dimension": size(
        "directions", "Number of directions in which fakes vary.", "directions"
    ),
    "batch.diversity": size(
        "diversity of a batch",
        "Mean distance of two fakes of the update, by that of two real ones.",
    ),
    "batch.copies": share("copies in a batch", "Pairs of fakes of the update that are the same."),
    "batch.twins": share("twins in a batch", "Fakes of the update with a twin."),
    "movement": size(
        "movement",
        "How far fakes of the same latents moved since the last record, by the reals' distance.",
    ),
    "movement.mean": size("movement of all", "How far the mean of these fakes moved."),
    "movement.turn": Signal(
        "turn of the movement",
        "Cosine between two movements: -1 is back and forth, -0.5 jitter, above 0 on to somewhere.",
        -1,
        1,
    ),
    "average.distance": size(
        "average behind", "Distance of the average's fakes from the generator's."
    ),
    "average.diversity": size("diversity of the average", "Of the average's fakes, by the reals'."),
    "average.movement": size("movement of the average", "How far the average's fakes moved."),
}
SLOWER = {
    "distance": size(
        "distance to real images",
        "Sliced Wasserstein distance of samples from held-out images, in hundredths of the range.",
    ),
    "distance.floor": size(
        "distance of real images", "The same of training images: as near as one comes."
    ),
    "spectrum_distance": size("distance of spectra", "Between samples and held-out images.", "dB"),
    "spectrum_distance.floor": size("distance of real spectra", "Of training images.", "dB"),
    "nearest": size(
        "nearest training image",
        "Distance of samples to it over that to an unseen photo, by the same of photos; below 1 for copies.",
    ),
}
TIMES = {
    "time.data": share("waiting for data", "Share of the time."),
    "time.compute": share("computing", "Share of the time, all that is not counted apart."),
    "time.signals": share("measuring", "Share of the time."),
    "time.observers": share(
        "writing and showing", "Share of the time: samples, checkpoints, display."
    ),
}
LAYERS = {
    "gradient": size("gradient", "Norm of the gradient of a layer's weights."),
    "weight": size("weight", "Norm of a layer's weights."),
    "gradient_to_weight": size("gradient to weight", "The one norm by the other."),
    "update_to_weight": size(
        "update to weight", "Norm of the newest update by that of the weights."
    ),
    "dead": share("dead units", "Channels of a rectifier that were never above zero in an update."),
    "saturated": share("saturated units", "Values at the ends of a tanh or sigmoid."),
}
"""Numbers of each layer, as `Record.layers` holds them."""
QUANTILES = ("real_logits", "fake_logits", "held_out_logits")
"""What `Record.quantiles` holds."""


def _of_players() -> dict[str, Signal]:
    return {
        name.format(player): Signal(
            signal.title.format(letter),
            signal.meaning.format(letter),
            signal.low,
            signal.high,
            signal.unit,
        )
        for player, letter in (("generator", "G"), ("discriminator", "D"))
        for name, signal in PLAYERS.items()
    }


def _of_pictures() -> dict[str, Signal]:
    return {
        f"{group}.{name}": Signal(f"{word}: {s.title}", s.meaning, s.low, s.high, s.unit)
        for group, word in (("reals", "training images"), ("fakes", "samples"))
        for name, s in STATISTICS.items()
    }


SIGNALS = {
    **FIELDS,
    **DISCRIMINATION,
    **_of_players(),
    **_of_pictures(),
    **BATCHES,
    **SLOWER,
    **TIMES,
}
"""All curves by the name that `Course.curve` takes; penalties beside, whose names the recipe gives."""


def explain(name: str) -> Signal | None:
    """Look a curve up.

    Args:
        name: As `Course.curve` takes it.

    Returns:
        What it is; None for a name that no record has.
    """
    if name.startswith("penalties."):
        part = name.rpartition(".")[2]
        return Signal(
            f"penalty {part}", "Mean value when it was due, strength included, times its interval."
        )
    return SIGNALS.get(name)
