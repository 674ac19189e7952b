"""What does `python -m repro` do? The same as `repro`."""

from repro.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
