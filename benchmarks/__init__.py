"""Studies and benchmarks, run on demand: `python -m benchmarks [NAME ...]` (`make study`)."""
