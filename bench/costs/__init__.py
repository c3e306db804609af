"""The costs and the capacity of Strandline, computed from measured use."""
