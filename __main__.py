"""The entry point of ``python -m rasid`` and of the command ``rasid``."""


def main() -> None:
    """Run the command line."""
    from .cli import app

    app()


if __name__ == "__main__":
    main()
