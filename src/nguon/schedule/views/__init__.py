"""The schedule's screens, one file per screen."""
