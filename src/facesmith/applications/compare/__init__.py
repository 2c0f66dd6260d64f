"""The log of attempts: runs side by side, what differs, what came of it, what is good and bad about each."""

from facesmith.applications.compare.comparison import Comparison, compare
from facesmith.applications.compare.page import page

__all__ = ["Comparison", "compare", "page"]
