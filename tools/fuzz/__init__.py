"""Requests made from the published description, sent to a running server as several people."""
