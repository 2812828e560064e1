"""Gateway: the process between the bus (NATS, MQTT) and the database.

Owns who may connect (auth callout), carrying the outbox down and device events
up, and acknowledging an event only after the commit that stores it.
"""
