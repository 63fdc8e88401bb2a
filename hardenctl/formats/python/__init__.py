"""A small abstract evaluator for Python: what would this module's names hold, under a given environment?

It walks the syntax tree and never executes the code. Values are concrete wherever the text decides them; where it does
not they are `Unknown`, and a branch on an unknown is followed both ways. One run happens in one *world*: a choice of
environment variables, and of the way taken at each unknown branch. Correlated branches stay apart because a world is
one consistent choice.
"""
