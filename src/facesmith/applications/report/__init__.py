"""The report: one run as one page, with what is wrong, what shows it and what to do."""

from facesmith.applications.report.attempt import Attempt
from facesmith.applications.report.page import PAGE, page, publish, write

__all__ = ["PAGE", "Attempt", "page", "publish", "write"]
