"""``datacube`` whose access lines wait a minute until they are written."""

from services.app import access
from services.cli import main

if __name__ == "__main__":
    access._GATHERED = 60.0
    main()
