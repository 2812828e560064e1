"""Words of the channels on screens."""
