"""`python -m cxlab`: the command line where its script is not on the path."""

from cxlab.cli import main

if __name__ == "__main__":
    main()
