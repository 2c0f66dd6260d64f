"""`python -m facesmith` is the command line."""

from facesmith.cli import main

if __name__ == "__main__":
    main()
