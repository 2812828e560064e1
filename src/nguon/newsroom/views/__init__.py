"""The newsroom's screens, one file per screen."""
