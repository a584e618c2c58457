"""The expression language: what calculated parameters are written in, and the arithmetic inside rules.

Data, never code: a text is parsed to a frozen tree, checked, and evaluated on columns (decision 0026).
"""
