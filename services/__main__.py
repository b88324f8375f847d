"""``python -m services`` is ``datacube``."""

from services.cli import main

if __name__ == "__main__":
    main()
