"""HTTP of a home server: requests become the events of API Gateway, and signed addresses give objects."""
