"""`python -m sop_server`: the command line."""

from sop_server.cli import main

if __name__ == "__main__":
    main()
