"""Template tags of the frame; every room's templates may load `nguon`."""
