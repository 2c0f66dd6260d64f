"""Changes of a recipe, from which faults are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from facesmith.base.schedules import Schedule
from facesmith.optimizers import Optimizer
from facesmith.recipe import Recipe
from planted.case import Spoil, Subject

PLAYERS = ("generator", "discriminator")


def changed(change: Callable[[Recipe], Recipe]) -> Spoil:
    """Change the recipe by a function."""
    return lambda subject: replace(subject, recipe=change(subject.recipe))


def setting(**values: Any) -> Spoil:
    """Change fields of the recipe."""
    return changed(lambda recipe: replace(recipe, **values))


def network(player: str, kind: type | None = None, **values: Any) -> Spoil:
    """Change fields of a network, and what it is: a subclass keeps the fields that it inherits.

    Args:
        player: `generator` or `discriminator`.
        kind: The subclass, or None.
        **values: Fields.
    """

    def change(recipe: Recipe) -> Recipe:
        return replace(recipe, **{player: _as(kind, getattr(recipe, player), **values)})

    return changed(change)


def generator(kind: type | None = None, **values: Any) -> Spoil:
    """Change the generator."""
    return network("generator", kind, **values)


def discriminator(kind: type | None = None, **values: Any) -> Spoil:
    """Change the discriminator."""
    return network("discriminator", kind, **values)


def optimizer(*players: str, kind: type | None = None, **values: Any) -> Spoil:
    """Change the optimisers of the players; of both where none is named."""

    def change(recipe: Recipe) -> Recipe:
        made = {
            player: _as(kind, getattr(recipe.optimizers, player), **values)
            for player in players or PLAYERS
        }
        return replace(recipe, optimizers=replace(recipe.optimizers, **made))

    return changed(change)


def trained_by(player: str, made: Optimizer) -> Spoil:
    """Give a player another optimiser."""
    return changed(lambda r: replace(r, optimizers=replace(r.optimizers, **{player: made})))


def rate(factor: float, *players: str) -> Spoil:
    """Multiply the learning rates of the players; of both where none is named."""
    return scheduled(lambda base: type(base)(base.value * factor), *players)  # type: ignore[attr-defined,call-arg]


def scheduled(make: Callable[[Any], Schedule], *players: str) -> Spoil:
    """Replace the learning rates by schedules that are made of the constant ones."""

    def change(recipe: Recipe) -> Recipe:
        made = {}
        for player in players or PLAYERS:
            own = getattr(recipe.optimizers, player)
            made[player] = replace(own, learning_rate=make(own.learning_rate))
        return replace(recipe, optimizers=replace(recipe.optimizers, **made))

    return changed(change)


def loss_around(kind: type) -> Spoil:
    """Put a loss around the recipe's own."""
    return changed(lambda recipe: replace(recipe, loss=kind(inner=recipe.loss)))


def then(*spoils: Spoil) -> Spoil:
    """Plant one after the other."""

    def all_of_them(subject: Subject) -> Subject:
        for spoil in spoils:
            subject = spoil(subject)
        return subject

    return all_of_them


def _as(kind: type | None, part: Any, **values: Any) -> Any:
    if kind is None:
        return replace(part, **values)
    known = {f.name for f in fields(kind)}
    own = {f.name: getattr(part, f.name) for f in fields(part) if f.name in known}
    return kind(**{**own, **values})
