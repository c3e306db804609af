"""The demo: a synthetic month of a person with a pump and a CGM, sent to a server, read back and compared."""
