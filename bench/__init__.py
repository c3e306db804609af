"""What is measured: `make bench`. Each time stands beside a floor that was timed in the same run."""
