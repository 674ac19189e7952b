"""How is a stranger's program run without harm? Read `repro.evaluation.sandbox` first.

These modules run in processes of their own, without this package and without site-packages: they import nothing but
the standard library and each other.
"""
