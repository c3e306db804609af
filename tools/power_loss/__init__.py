"""Power loss: states of a disk that a power cut may leave, built from recorded system calls, opened and compared."""
