"""A small DynamoDB in memory, behind the engine's requests: `server.DynamoServer` (ADR 32).

It knows the operations and expressions that the engine emits, and refuses any other with `UnsupportedError`. Indexes
follow at once, nothing expires, and nothing is throttled.
"""
