"""The benchmarks of `make bench`. Each time is shown beside a floor that was measured in the same run."""
