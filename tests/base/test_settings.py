"""Settings by dotted name: found, set from text, and written so that they can be read again."""

from __future__ import annotations

from typing import Any

import pytest

from facesmith.architectures import MLPGenerator
from facesmith.base import registry, settings
from facesmith.base.errors import UsageError
from facesmith.base.schedules import Constant, Linear, Schedule, Warmup
from facesmith.objectives.losses import Hinge, NonSaturating
from facesmith.objectives.penalties import R1, R2, Drift, GradientPenalty
from facesmith.optimizers import SGD, Adam
from facesmith.recipe import Recipe
from facesmith.recipes import NAMED

RECIPE = Recipe(penalties=(R1(every=4), R2()))


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("batch", "32", 32),
        ("batch", "2k", 2_000),
        ("flip", "0", 0.0),
        ("generator.upsampling", "bilinear", "bilinear"),
        ("discriminator.normalization", "none", "none"),
        ("optimizers.generator.learning_rate", "1e-4", Constant(1e-4)),
        ("optimizers.generator.learning_rate", "linear(1e-4, 0, 5k)", Linear(1e-4, 0.0, 5_000)),
        ("average.half_life", "44k", Constant(44_000.0)),
        ("input_noise", "0", Constant(0.0)),
        ("penalties.1.gamma", "3", Constant(3.0)),
        ("loss", "non-saturating", NonSaturating()),
        ("loss", "nonsaturating(real_label=0.9)", NonSaturating(real_label=0.9)),
        ("penalties", "none", ()),
        ("penalties", "drift", (Drift(),)),
        ("penalties", "r1(gamma=2, every=8) r2", (R1(gamma=Constant(2.0), every=8), R2())),
        ("penalties.0", "r2", R2()),
        ("optimizers.discriminator", "sgd(0.02)", SGD(Constant(0.02))),
    ],
)
def test_a_setting_is_set_from_text(option: str, text: str, value: Any) -> None:
    before = settings.look_up(RECIPE, option)
    changed = settings.put_text(RECIPE, option, text)
    assert settings.look_up(changed, option) == value
    # Put back, nothing else has changed; and the first recipe is as it was.
    assert settings.put(changed, option, before) == RECIPE
    assert settings.look_up(RECIPE, option) == before


def test_a_tuple_of_numbers_is_set_from_words() -> None:
    recipe = Recipe(generator=MLPGenerator(widths=(8,)))
    changed = settings.put_text(recipe, "generator.widths", "16 32")
    assert settings.look_up(changed, "generator.widths") == (16, 32)


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("generator.tallness", "3", "no setting"),
        ("penalties.2.gamma", "3", "no setting"),
        ("penalties.first", "3", "no setting"),
        ("images_a_round", "3", "no field"),
        ("batch", "many", "batch was given 'many'"),
        ("batch", "1.5", "batch was given 1.5"),
        ("generator.upsampling", "cubic", "cubic"),
        ("input_noise", "loud", "no part called 'loud'"),
        ("loss", "r1", "loss"),
        ("loss", "hinge minimax", "given 2 parts"),
        ("loss", "none", "given 0 parts"),
        ("penalties", "hinge", "penalties"),
    ],
)
def test_what_does_not_fit_is_refused(option: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        settings.put_text(RECIPE, option, text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Constant(2e-4), "0.0002"),
        (Linear(1e-3, 1e-4, 200), "linear(0.001, 0.0001, 200, 0)"),
        (R1(), "r1"),
        (R1(gamma=Constant(0.3), every=8, share=0.5), "r1(every=8, gamma=0.3, share=0.5)"),
        ((R1(every=4), R2()), "r1(every=4) r2"),
        ((), "none"),
        (Hinge(), "hinge"),
        (GradientPenalty(Constant(5.0)), "gradient-penalty(strength=5)"),
        (Adam(learning_rate=Warmup(5, Constant(1e-3))), "adam(learning_rate=warmup(5, 0.001))"),
        (MLPGenerator(widths=(8,)), "mlpgenerator(widths=(8, ))"),
        (32, "32"),
        ("bilinear", "bilinear"),
    ],
)
def test_a_value_is_written_as_it_is_typed(value: Any, text: str) -> None:
    assert settings.written(value) == text
    if not isinstance(value, tuple | int | str | Schedule):
        assert registry.parse(text) == value


@pytest.mark.parametrize("name", NAMED)
def test_every_setting_of_a_recipe_can_be_written_and_read_again(name: str) -> None:
    recipe = NAMED[name]()
    tops = [field for field in recipe.__dataclass_fields__ if field != "name"]
    below = [f"optimizers.{p}.{f}" for p in ("generator", "discriminator") for f in ("beta1",)]
    blank = Recipe(resolution=8, batch=1)
    for option in (*tops, *below):
        text = settings.written(settings.look_up(recipe, option))
        read = settings.put_text(blank, option, text)
        assert settings.look_up(read, option) == settings.look_up(recipe, option), option


def test_a_part_is_told_from_a_plain_value() -> None:
    parts = ["loss", "penalties", "penalties.0", "optimizers.generator", "generator"]
    plain = ["batch", "input_noise", "penalties.0.gamma", "generator.width", "nothing", "loss.x"]
    assert [option for option in parts + plain if settings.holds_part(RECIPE, option)] == parts
