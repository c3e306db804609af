"""The engine: tables, objects, queues, streams and secrets as ports, with the values that they take and return."""
