"""Web: settings, root URLs, the frame every screen hangs in, error sentences."""
