"""`python -m nurecoil` is the command `nurecoil`."""

from nurecoil.cli import main

if __name__ == "__main__":
    main()
