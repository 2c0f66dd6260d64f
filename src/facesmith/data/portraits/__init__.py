"""Built-in data: a renderer of portraits of invented people, whose attributes are known."""

from facesmith.data.portraits.attributes import (
    ATTRIBUTES,
    Categorical,
    Continuous,
    draw_attributes,
    portraits,
    render,
)

__all__ = [
    "ATTRIBUTES",
    "Categorical",
    "Continuous",
    "draw_attributes",
    "portraits",
    "render",
]
