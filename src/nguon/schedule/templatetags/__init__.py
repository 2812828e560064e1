"""Template tags of the schedule: times and causes in plain words."""
