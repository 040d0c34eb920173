"""The figures of the README: `python -m benchmarks` measures them on synthetic libraries of 1,000 and 10,000 SOPs."""
