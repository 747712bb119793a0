"""Side by side with real solvers: ``python -m benchmarks`` measures, judges and writes ``docs/benchmarks/``."""
