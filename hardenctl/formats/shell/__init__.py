"""Shell commands with positions: words, what their variables stand for, and the commands of a script."""
