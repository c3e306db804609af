"""The engine: tables, objects, queues, streams, secrets and mail as ports, with the values that they exchange."""
