"""`python -m imgsearch` is the command `imgsearch`."""

from imgsearch.cli.main import main

if __name__ == "__main__":
    main()
