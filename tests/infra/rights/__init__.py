"""The rights that functions need, recorded while they run, and those that their policies grant."""
