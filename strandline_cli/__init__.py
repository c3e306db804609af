"""`strandline`: takes everything of an account out of a server, and puts it into another. Standard library only."""
