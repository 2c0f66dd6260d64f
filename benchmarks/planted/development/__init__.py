"""The half by which the rules are made: whoever writes them may look at all of it."""

from planted.development import data, healthy, settings, structure, variations

FAULTS = (*healthy.FAULTS, *data.FAULTS, *structure.FAULTS, *settings.FAULTS, *variations.FAULTS)
