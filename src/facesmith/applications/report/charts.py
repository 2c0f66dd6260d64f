"""Which curves a report shows, together with what, and what a reader may learn from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

GIB = 2**30


@dataclass(frozen=True)
class Curve:
    """A signal and how it is drawn."""

    signal: str
    label: str
    colour: str = "data"
    dashed: bool = False
    spread: str = ""
    """Signal of its half width."""
    scale: float = 1.0


@dataclass(frozen=True)
class Chart:
    """Curves that belong together."""

    title: str
    curves: tuple[Curve, ...]
    unit: str = ""
    log: bool = False
    include: tuple[float, ...] = ()
    """Values that the axis reaches in any case."""
    bounds: tuple[tuple[float, str], ...] = ()
    note: str = ""
    is_telling: bool = True
    """Worth its place although all is zero."""


def of_players(signal: str, **more: str) -> tuple[Curve, ...]:
    """Make a curve of each player from a name with a gap: `{}.update`."""
    spread = more.get("spread", "")
    return tuple(
        Curve(signal.format(player), label, colour, spread=spread.format(player))
        for player, label, colour in (
            ("discriminator", "D", "data"),
            ("generator", "G", "made"),
        )
    )


GAME = (
    Chart(
        "Losses",
        of_players("{}_loss", spread="{}_loss.spread"),
        note="with the spread between updates; in a GAN, falling losses mean little by themselves",
    ),
    Chart(
        "D(real) and D(fake)",
        (
            Curve("real_probability", "real"),
            Curve("fake_probability", "fake", "made"),
        ),
        include=(0.0, 1.0),
        note="mean of the sigmoid of D's outputs",
    ),
    Chart(
        "How often D is right",
        (
            Curve("separation", "real against fake"),
            Curve("held_out_gap", "trained on against unseen", "third"),
        ),
        unit="share of pairs",
        include=(0.45, 1.0),
        bounds=((0.5, "guessing"),),
        note="the second tells how much D learned by heart",
    ),
)
PICTURES = (
    Chart(
        "Distance to real images",
        (
            Curve("distance", "samples", "made"),
            Curve("distance.floor", "real against real", dashed=True),
        ),
        include=(0.0,),
        note="sliced Wasserstein, in hundredths of the range; the dashed line is as near as one can come",
    ),
    Chart(
        "Distance of the spectra",
        (
            Curve("spectrum_distance", "samples", "made"),
            Curve("spectrum_distance.floor", "real against real", dashed=True),
        ),
        unit="dB",
        include=(0.0,),
        note="fine and coarse detail, ring by ring",
    ),
    Chart(
        "Diversity",
        (
            Curve("fakes.diversity", "in pixels", "made"),
            Curve("fakes.features_diversity", "in features", "third"),
            Curve("average.diversity", "of the average", "soft", dashed=True),
        ),
        include=(0.0, 1.0),
        bounds=((1.0, "as real images"),),
        note="mean distance between two samples; towards 0 all faces become one",
    ),
    Chart(
        "Twins",
        (
            Curve("fakes.twins", "samples with a twin", "made"),
            Curve("batch.copies", "equal pairs in a batch", "third"),
        ),
        unit="share",
        include=(0.0, 0.2),
        note="of real images, 2 % have a fellow this near",
    ),
    Chart(
        "Movement",
        (
            Curve("movement", "generator", "made"),
            Curve("average.movement", "its average"),
            Curve("average.distance", "between the two", "soft", dashed=True),
        ),
        include=(0.0,),
        note="how far samples of the same latents move between two records",
    ),
    Chart(
        "Nearest training image",
        (Curve("nearest", "samples", "made"),),
        include=(0.0, 1.0),
        bounds=((1.0, "as unseen photos"),),
        note="distance; well below 1 the generator repeats photos",
    ),
)
STEPS = (
    Chart("Gradient norms", of_players("{}_gradient"), log=True, note="of all weights together"),
    Chart(
        "Update to weight",
        of_players("{}.update"),
        log=True,
        bounds=((1e-3, "a usual value"),),
        note="how far one update moves the middle layer, relative to its weights",
    ),
    Chart("Learning rates", of_players("learning_rates.{}"), log=True),
    Chart(
        "Dead and saturated",
        (
            *(replace(curve, label=f"{curve.label}: dead") for curve in of_players("{}.dead")),
            Curve("generator.saturated", "G: saturated", "third"),
        ),
        unit="share of the worst layer",
        include=(0.0, 0.2),
        is_telling=False,
    ),
    Chart(
        "Updates that were not finite",
        of_players("non_finite.{}"),
        unit="share",
        include=(0.0, 0.1),
        is_telling=False,
    ),
)
MACHINE = (
    Chart("Speed", (Curve("images_per_second", ""),), unit="images/s", include=(0.0,)),
    Chart("Memory", (Curve("memory_bytes", "", scale=1 / GIB),), unit="GB", include=(0.0,)),
)
TITLES = {
    name: f"{chart.title}: {curve.label}{more}" if len(chart.curves) > 1 else chart.title
    for chart in (*GAME, *PICTURES, *STEPS, *MACHINE)
    for curve in chart.curves
    for name, more in ((curve.signal, ""), (curve.spread, ", spread"))
}
"""What a signal is called where it stands alone."""
GROUPS = {
    "reals": "Training images",
    "fakes": "Samples",
    "batch": "Samples of one batch",
    "average": "The average",
    "generator": "G",
    "discriminator": "D",
}


def title(signal: str) -> str:
    """Call a signal by words; one that no chart shows, by its group and name."""
    if signal in TITLES:
        return TITLES[signal]
    group, _, rest = signal.rpartition(".")
    words = rest.replace("_", " ")
    return f"{GROUPS.get(group, group.replace('_', ' ').capitalize())}: {words}" if group else words
