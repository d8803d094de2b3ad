"""The commands of the command line, each with a `main(arguments)`."""
