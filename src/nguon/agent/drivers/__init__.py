"""Small drivers, one for each sense of the hardware, behind one interface.

A driver reads and never decides; what it cannot read it leaves out. `interface` says
what a driver is, `host` is what every Linux board has, `wiring` names the wires of this
pole, `pole` puts them to work: relay, ear, lines, power, modem, watchdog, clock.
"""
