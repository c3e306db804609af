"""`strandline`: exports an account from one server and imports it into another. Standard library only."""
