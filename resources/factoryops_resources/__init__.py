"""Icons, fonts, themes and translations, read through importlib.resources."""
