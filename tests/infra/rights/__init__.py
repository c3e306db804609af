"""Which rights the functions of the application need, read from their source, and which their policies give."""
