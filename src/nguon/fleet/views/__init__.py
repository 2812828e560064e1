"""Screens of the fleet: devices, the map, incidents, repairs, the register."""
