"""Built-in data: a renderer of portraits of invented people, whose attributes are known."""

from facesmith.data.portraits.attributes import (
    ATTRIBUTES,
    Attributes,
    Categorical,
    Continuous,
    Images,
    draw_attributes,
    portraits,
    render,
)

__all__ = [
    "ATTRIBUTES",
    "Attributes",
    "Categorical",
    "Continuous",
    "Images",
    "draw_attributes",
    "portraits",
    "render",
]
