"""What the commands do between the command line and the package: read what is named, show what came out."""
