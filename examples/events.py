"""Prints the events of an article of the built-in corpus: who did it to whom, where, and on which day."""

from rasid.data.corpus import load_corpus


def main() -> None:
    """Print a line for each filler of each event."""
    article = load_corpus("dev").articles[1]
    for record in article.records[:4]:
        print(f"{record.type} {record.trigger.text}: {record.sentence.text[:60]}…")
        for role, fillers in record.fillers.items():
            for filler in fillers:
                value = f" = {filler.date.value or filler.date.rule}" if filler.date else ""
                marked = f" (from the {filler.inherited})" if filler.inherited else ""
                print(f"    {role}: {filler.text}{value}{marked}")


if __name__ == "__main__":
    main()
