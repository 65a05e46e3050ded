"""`python -m smpc` is the command `smpc`."""

from smpc.cli import main

if __name__ == "__main__":
    main()
