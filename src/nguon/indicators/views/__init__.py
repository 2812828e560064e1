"""Pages of figures and of the listening sample."""
