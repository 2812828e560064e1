"""Template tags of the newsroom: the picture of a sound."""
