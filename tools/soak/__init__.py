"""Mixed traffic of clients against an oracle, with restarts of the server in between."""
